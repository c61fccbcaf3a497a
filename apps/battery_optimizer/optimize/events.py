"""C26: sessions of the supplier or the grid, as what they do to the rates of their slots.

A saving session pays its reward for each kWh less than usual at the meter, a free session gives
each kWh back that is bought beyond the usual. Up to the usual nothing is paid, which no linear
program knows: so the session is spread over all that the battery could do in the slot. The line
from doing nothing to doing all is exact at both ends, and a plan does one or the other.
"""

from dataclasses import replace

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import HOUR, SLOT, Floats
from battery_optimizer.model.wishes import Event, Wishes


def with_events(house: House, outlook: Outlook, wishes: Wishes) -> Outlook:
    """The outlook with the rates that count in the slots of each event [p/kWh]."""
    if not wishes.events:
        return outlook
    import_rate, export_rate = outlook.import_rate.copy(), outlook.export_rate.copy()
    for event in wishes.events:
        share = counted_share(event, house, outlook, wishes)
        import_rate += event.reward_p_per_kwh * share
        export_rate += event.reward_p_per_kwh * share
        if event.free_import:
            import_rate -= np.maximum(import_rate, 0.0) * share
    return replace(outlook, import_rate=import_rate, export_rate=export_rate)


def counted_share(event: Event, house: House, outlook: Outlook, wishes: Wishes) -> Floats:
    """How much of what the battery could do in each slot the session pays for, shape (n_slots,).

    From 0 to 1; 0 outside of the session, and where what is usual is not known.
    """
    share = np.zeros(outlook.horizon.n_slots)
    during = [t for t, start in enumerate(outlook.horizon.starts) if event.holds_at(start)]
    if not during or not event.usual_kwh:
        return share
    usual = np.array([_usual_kwh(event, outlook, t) for t in during])
    idle = outlook.net_kwh[during]
    if event.free_import:
        bought = np.maximum(idle, 0.0)
        most = bought + _charge_kwh(house, outlook, during)
        share[during] = _part(most - usual, most - bought)
    else:
        least = idle - _discharge_kwh(house, outlook, wishes, during)
        share[during] = _part(usual - least, idle - least)
    return share


def credit_p(outlook: Outlook, wishes: Wishes, slot: int, bought: float, sold: float) -> float:
    """What the sessions pay for what is bought and sold in a slot [kWh], by its published rates."""
    rate = float(outlook.import_rate[slot])
    return sum(
        event.paid_p(_usual_kwh(event, outlook, slot), rate, bought, sold)
        for event in wishes.events
        if event.usual_kwh and event.holds_at(outlook.horizon.starts[slot])
    )


def _usual_kwh(event: Event, outlook: Outlook, slot: int) -> float:
    horizon = outlook.horizon
    return event.usual_at(horizon.starts[slot]) * float(horizon.hours[slot]) / (SLOT / HOUR)


def _part(paid_kwh: Floats, possible_kwh: Floats) -> Floats:
    """The share of what is possible that is paid for; nothing where nothing is possible."""
    some = np.maximum(possible_kwh, 1e-9)
    return np.clip(np.where(possible_kwh > some / 2, paid_kwh, 0.0) / some, 0.0, 1.0)


def _discharge_kwh(house: House, outlook: Outlook, wishes: Wishes, during: list[int]) -> Floats:
    """Most that the battery could take off the meter in each slot, a full one used evenly."""
    battery, hours = house.battery, outlook.horizon.hours[during]
    solar, idle = outlook.solar_kwh[during], outlook.net_kwh[during]
    stored = battery.discharge_efficiency * (battery.ceiling_kwh - battery.reserve_kwh)
    given = np.minimum(battery.max_discharge_kw, stored / hours.sum()) * hours
    given = np.minimum(given, np.maximum(house.inverter.ac_limit_kw * hours - solar, 0.0))
    may_sell = wishes.battery_may_export and Mode.FORCE_DISCHARGE in house.modes
    sellable = house.grid.export_limit_kw * hours if may_sell else 0.0
    return np.asarray(np.minimum(given, np.maximum(idle + sellable, 0.0)))


def _charge_kwh(house: House, outlook: Outlook, during: list[int]) -> Floats:
    """Most that the battery could take in each slot, an empty one filled evenly."""
    battery, hours = house.battery, outlook.horizon.hours[during]
    if Mode.FORCE_CHARGE not in house.modes:
        return np.zeros(len(during))
    room = (battery.ceiling_kwh - battery.reserve_kwh) / battery.charge_efficiency
    taken = np.minimum(battery.max_charge_kw, room / hours.sum()) * hours
    spare = house.grid.import_limit_kw * hours - outlook.net_kwh[during]
    return np.asarray(np.minimum(taken, np.maximum(spare, 0.0)))
