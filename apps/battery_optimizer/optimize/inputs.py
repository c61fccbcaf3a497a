"""What a program is told: an outlook, a house and some wishes as arrays of equal length."""

from dataclasses import dataclass

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.model.wishes import NO_WISHES, Wishes

N_TERMINAL_LINES = 6
"""Most lines that a terminal value may have (C21)."""

ORDER_P_PER_KWH = 2e-3
"""What decides between slots of equal price, too little to decide anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramInputs:
    """The parameters of `program`; each array of shape (n_slots,) where not said otherwise."""

    import_rate: Floats
    export_rate: Floats
    load_kwh: Floats
    solar_kwh: Floats
    hours: Floats
    standby_kwh: Floats
    charge_limit_kwh: Floats
    discharge_limit_kwh: Floats
    charge_wanted_kwh: Floats
    """Charge that a person ordered (C25)."""
    discharge_wanted_kwh: Floats
    is_forced: Bools
    """Where that is a power. Another mode is followed as far as it goes: nothing can be missing."""
    curtail_limit_kwh: Floats
    import_limit_kwh: Floats
    export_limit_kwh: Floats
    ac_limit_kwh: Floats
    reserve_kwh: Floats
    target_kwh: Floats
    ceiling_kwh: Floats
    charge_cost: Floats
    """[p/kWh]: only the order of equal prices."""
    discharge_cost: Floats
    """[p/kWh]: wear, and the order of equal prices."""
    reserve_price: Floats
    target_price: Floats
    fuse_price: Floats
    override_price: Floats
    lost_at_will_kwh: Floats
    """Sun that the inverter can be told to lose: all or, where it cannot be told, none."""
    fuse_excess_kwh: Floats
    """What the house alone draws beyond the fuse: never refused."""
    charge_relief_kwh: Floats
    """What keeps the taper from asking for less than nothing (C8)."""
    discharge_relief_kwh: Floats
    reserve_excess_kwh: Floats
    """How far below the reserve the battery may be: as it starts, and by its own draw (C4)."""
    start_soc_kwh: Floats
    """Shape (1,)."""
    terminal_intercept_p: Floats
    """Shape (N_TERMINAL_LINES,)."""
    terminal_slope_p_per_kwh: Floats


def program_inputs(
    house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
) -> ProgramInputs:
    """The program's parameters for one plan; `soc_kwh` is the energy stored now [kWh]."""
    if not 0 <= soc_kwh < np.inf:
        raise ValueError(f"the stored energy must be a number of kWh from 0 up, not {soc_kwh}")
    battery, grid = house.battery, house.grid
    hours, load, solar = outlook.horizon.hours, outlook.load_kwh, outlook.solar_kwh
    n_slots = len(hours)
    ordered = _orders(house, outlook, wishes, *_battery_limits(house, outlook, wishes))
    charge_relief, discharge_relief = _taper_reliefs(house, outlook, soc_kwh)
    # Missing a wish must cost more than any rate could pay for missing it.
    dearest = 100.0 + 2 * float(
        max(np.abs(outlook.import_rate).max(), np.abs(outlook.export_rate).max())
    )
    target, target_price = _targets(outlook, wishes)
    lines = _padded(outlook.terminal_value)
    return ProgramInputs(
        import_rate=outlook.import_rate,
        export_rate=outlook.export_rate,
        load_kwh=load,
        solar_kwh=solar,
        hours=hours,
        standby_kwh=battery.standby_kw * hours,
        charge_limit_kwh=ordered.charge_limit,
        discharge_limit_kwh=ordered.discharge_limit,
        charge_wanted_kwh=ordered.charge_wanted,
        discharge_wanted_kwh=ordered.discharge_wanted,
        is_forced=ordered.is_forced,
        curtail_limit_kwh=_curtail_limit(house, outlook),
        import_limit_kwh=grid.import_limit_kw * hours,
        export_limit_kwh=_export_limit(house, outlook, wishes),
        ac_limit_kwh=house.inverter.ac_limit_kw * hours,
        reserve_kwh=np.full(n_slots, battery.reserve_kwh),
        target_kwh=target,
        # A battery fuller than wanted (C5) may empty at its leisure: never infeasible.
        ceiling_kwh=np.full(n_slots, max(battery.ceiling_kwh, soc_kwh)),
        charge_cost=_charge_order(outlook),
        # Never quite nothing, so that nothing is given away where it brings nothing.
        discharge_cost=battery.wear_p_per_kwh
        + ORDER_P_PER_KWH * np.arange(1, n_slots + 1) / n_slots,
        # Beyond all that an order or the fuse could gain by it: an inverter does not go there.
        reserve_price=np.full(n_slots, 2 * dearest),
        target_price=target_price,
        fuse_price=np.full(n_slots, dearest),
        override_price=np.full(n_slots, dearest),
        lost_at_will_kwh=solar if house.inverter.can_curtail else np.zeros(n_slots),
        fuse_excess_kwh=np.maximum(
            np.maximum(load - solar, load - house.inverter.ac_limit_kw * hours)
            - grid.import_limit_kw * hours,
            0.0,
        ),
        charge_relief_kwh=charge_relief,
        discharge_relief_kwh=discharge_relief,
        reserve_excess_kwh=max(battery.reserve_kwh - soc_kwh, 0.0)
        + np.cumsum(battery.standby_kw * hours),
        start_soc_kwh=np.array([soc_kwh]),
        terminal_intercept_p=lines.intercept_p,
        terminal_slope_p_per_kwh=lines.slope_p_per_kwh,
    )


def _battery_limits(house: House, outlook: Outlook, wishes: Wishes) -> tuple[Floats, Floats]:
    """Most that the battery may be charged and discharged in each slot [kWh], orders apart."""
    hours, net = outlook.horizon.hours, outlook.load_kwh - outlook.solar_kwh
    surplus, need = np.maximum(-net, 0.0), np.maximum(net, 0.0)
    charge_limit = house.battery.max_charge_kw * hours
    if wishes.max_grid_charge_p_per_kwh is not None:  # C24
        dear = outlook.import_rate > wishes.max_grid_charge_p_per_kwh
        charge_limit = np.where(dear, np.minimum(charge_limit, surplus), charge_limit)
    discharge_limit = house.battery.max_discharge_kw * hours
    # What the inverter cannot be told to force follows the sun and the load.
    if Mode.FORCE_CHARGE not in house.modes:
        charge_limit = np.minimum(charge_limit, surplus)
    if Mode.FORCE_DISCHARGE not in house.modes:
        discharge_limit = np.minimum(discharge_limit, need)
    return charge_limit, discharge_limit


def _export_limit(house: House, outlook: Outlook, wishes: Wishes) -> Floats:
    """Most that may be sold in each slot [kWh]: sun alone, where the battery may not (C23)."""
    limit = house.grid.export_limit_kw * outlook.horizon.hours
    if wishes.battery_may_export:
        return limit
    # An order to discharge (C25) is the later word.
    orders = [wishes.order_at(start) for start in outlook.horizon.starts]
    is_sold = [order is not None and order.mode is Mode.FORCE_DISCHARGE for order in orders]
    surplus = np.maximum(outlook.solar_kwh - outlook.load_kwh, 0.0)
    return np.where(is_sold, limit, np.minimum(limit, surplus))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    charge_limit: Floats
    discharge_limit: Floats
    charge_wanted: Floats
    discharge_wanted: Floats
    is_forced: Bools


def _orders(
    house: House, outlook: Outlook, wishes: Wishes, charge_limit: Floats, discharge_limit: Floats
) -> _Orders:
    """C25: in the slots of an order the battery does what its mode does, as far as it can.

    An order stands above a price limit (C24): it is the later word, and the plainer one.
    """
    battery, hours, net = house.battery, outlook.horizon.hours, outlook.net_kwh
    charge, discharge = charge_limit.copy(), discharge_limit.copy()
    charge_wanted, discharge_wanted = np.zeros_like(charge), np.zeros_like(charge)
    is_forced = np.zeros(len(charge), dtype=bool)
    for t, start in enumerate(outlook.horizon.starts):
        command = wishes.order_at(start)
        if command is None or command.mode not in house.modes:
            continue
        is_forced[t] = command.mode.is_forced
        power = (command.power_kw or 0.0) * hours[t]
        most_charge, most_discharge = {
            Mode.SELF_USE: (max(-net[t], 0.0), max(net[t], 0.0)),
            Mode.HOLD: (max(-net[t], 0.0), 0.0),
            Mode.FEED_IN: (0.0, max(net[t], 0.0)),
            Mode.FORCE_CHARGE: (power, 0.0),
            Mode.FORCE_DISCHARGE: (0.0, power),
        }[command.mode]
        charge[t] = charge_wanted[t] = min(battery.max_charge_kw * hours[t], most_charge)
        discharge[t] = discharge_wanted[t] = min(discharge[t], most_discharge)
    return _Orders(
        charge_limit=charge,
        discharge_limit=discharge,
        charge_wanted=charge_wanted,
        discharge_wanted=discharge_wanted,
        is_forced=is_forced,
    )


def _curtail_limit(house: House, outlook: Outlook) -> Floats:
    """Most sun that may be lost [kWh]: all where that can be told, else what nothing can take."""
    solar, hours = outlook.solar_kwh, outlook.horizon.hours
    if house.inverter.can_curtail:
        return solar
    rating = house.inverter.ac_limit_kw * hours
    sellable = outlook.load_kwh + house.grid.export_limit_kw * hours
    return np.maximum(solar - np.minimum(rating, sellable), 0.0)


def _taper_reliefs(house: House, outlook: Outlook, soc_kwh: float) -> tuple[Floats, Floats]:
    """What must be added to the tapers C8, C9 so that doing nothing is always allowed [kWh].

    Zero, unless the battery is fuller, or emptier, than the curves end.
    """
    battery, hours = house.battery, outlook.horizon.hours
    idle = soc_kwh - np.cumsum(battery.standby_kw * hours) + battery.standby_kw * hours / 2
    reliefs = []
    for lines in (battery.charge_lines(), battery.discharge_lines()):
        least = [np.zeros_like(idle)]
        least += [line.at_empty_kw + line.slope_per_hour * idle for line in lines]
        reliefs.append(-hours * np.min(least, axis=0))
    return reliefs[0], reliefs[1]


def _targets(outlook: Outlook, wishes: Wishes) -> tuple[Floats, Floats]:
    """C22: energy wanted at each slot's end [kWh], and what missing it costs [p/kWh]."""
    horizon = outlook.horizon
    wanted, price = np.zeros(horizon.n_slots), np.zeros(horizon.n_slots)
    for target in wishes.targets:
        if horizon.start < target.by <= horizon.end:
            # The last boundary that is not after the moment.
            t = max(0, horizon.index_of(target.by) - 1) if target.by < horizon.end else -1
            if target.soc_kwh > wanted[t]:
                wanted[t], price[t] = target.soc_kwh, target.price_p_per_kwh
    return wanted, price


def _charge_order(outlook: Outlook) -> Floats:
    """What decides between equal prices: late, since sun may come.

    But where a rate is only our forecast, it may rise: so before that, and there early.
    """
    n_slots = outlook.horizon.n_slots
    position = np.arange(n_slots) / n_slots
    return ORDER_P_PER_KWH * np.where(outlook.rate_published, 1.0 - position, 1.0 + position)


def _padded(value: TerminalValue) -> TerminalValue:
    missing = N_TERMINAL_LINES - len(value.intercept_p)
    if missing < 0:
        raise ValueError(f"a terminal value has at most {N_TERMINAL_LINES} lines")
    return TerminalValue(
        intercept_p=np.pad(value.intercept_p, (0, missing), mode="edge"),
        slope_p_per_kwh=np.pad(value.slope_p_per_kwh, (0, missing), mode="edge"),
    )
