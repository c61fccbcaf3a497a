"""A day's bill from its metered half hours, and what the same house would have paid otherwise.

The others live through the same load, sun and rates by the physics of `model.flows`, their battery
carried on from the day before. Within a half hour the load is taken as even, which flatters them: a
real Self Use buys and sells at once more often than its half-hourly averages tell.

A rate that is not known is that of recent days at the same time of day.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from zlib import crc32

from battery_optimizer.control.fallback import reactive_command
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.forecast.rates import RateForecast, forecast_rates
from battery_optimizer.model.codec import to_plain
from battery_optimizer.model.flows import Flows, flows
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand
from battery_optimizer.model.money import Account, Bill
from battery_optimizer.model.slots import (
    SLOT,
    SLOT_HOURS,
    Horizon,
    day_bounds,
    floor_to_slot,
)
from battery_optimizer.model.tariff import KnownRates, published_until
from battery_optimizer.model.telemetry import SlotEnergy
from battery_optimizer.model.wishes import Event
from battery_optimizer.money.metered import DayRecords, Slot, slots_of


def day_bill(
    day: date, now: datetime, records: DayRecords, house: House, *, tariff: str, before: Bill | None
) -> Bill | None:
    """The bill of the day's half hours that are over; None where none was metered, or no rate is.

    `before` is the bill of the day before, whose batteries are carried on.
    """
    start, end = day_bounds(day)
    end = min(end, floor_to_slot(now))
    rates = _rates(records.known, start, end)
    if rates is None or not any(start <= slot.start < end for slot in records.metered):
        return None
    slots = slots_of(records, rates, start)
    soc_kwh = _soc_at(records.metered, start, house)
    at_rest, by_rules = _carried(before, soc_kwh)
    till = partial(_Till, records.sessions)
    return Bill(
        first=day,
        last=day,
        tariff=tariff,
        house=digest(house),
        is_demo=records.known.is_demo,
        standing_p=records.standing_p or 0.0,
        n_no_standing=int(records.standing_p is None),
        n_slots=(end - start) // SLOT,
        n_estimated=sum(slot.is_estimate for slot in slots),
        n_missing=(end - start) // SLOT - len(slots),
        actual=_actual(slots, till(), house, soc_kwh),
        no_battery=_played(slots, till(), without_battery(house), 0.0, lambda _: SELF_USE),
        self_use=_played(slots, till(), house, at_rest, lambda _: SELF_USE),
        reactive=_played(slots, till(), house, by_rules, _rules(house, records.known, day)),
    )


def without_battery(house: House) -> House:
    """The same house, but for its battery."""
    none = replace(
        house.battery,
        capacity_kwh=0.0,
        reserve_kwh=0.0,
        maximum_kwh=None,
        max_charge_kw=0.0,
        max_discharge_kw=0.0,
        standby_kw=0.0,
    )
    return replace(house, battery=none)


def digest(house: House) -> str:
    """Tells apart houses of other settings, and is the same for the same in each process."""
    return f"{crc32(json.dumps(to_plain(house)).encode()):08x}"


def _rates(known: KnownRates, start: datetime, end: datetime) -> RateForecast | None:
    """The day's rates, those not published by recent days; None where there is nothing to go by."""
    if end <= start:
        return None
    try:
        return forecast_rates(known, Horizon(start=start, n_slots=(end - start) // SLOT))
    except RatesUnavailable:
        return None


def _soc_at(metered: Sequence[SlotEnergy], start: datetime, house: House) -> float:
    """What is stored at the start, by the reading next to it; the reserve without any."""
    before = [slot.soc_kwh for slot in metered if slot.start < start and slot.soc_kwh is not None]
    if before:
        return before[-1]
    for slot in metered:
        if slot.start >= start and slot.soc_kwh is not None:
            return _soc_before(slot, slot.soc_kwh, house.battery)
    return house.battery.reserve_kwh


def _soc_before(slot: SlotEnergy, soc_kwh: float, battery: Battery) -> float:
    """What was stored at the start of a half hour that ended with so much."""
    charge_kwh, discharge_kwh = slot.charge_kwh or 0.0, slot.discharge_kwh or 0.0
    gained = battery.soc_after(-battery.standby_kw * SLOT_HOURS, charge_kwh, discharge_kwh)
    return min(max(soc_kwh - gained, 0.0), battery.capacity_kwh)


def _carried(before: Bill | None, soc_kwh: float) -> tuple[float, float]:
    """With what Self Use and the rules begin the day: what they left, else what there was."""
    if before is None:
        return soc_kwh, soc_kwh
    at_rest, by_rules = before.self_use.end_soc_kwh, before.reactive.end_soc_kwh
    return (
        soc_kwh if at_rest is None else at_rest,
        soc_kwh if by_rules is None else by_rules,
    )


def _actual(slots: Sequence[Slot], till: "_Till", house: House, soc_kwh: float) -> Account:
    """What was bought and sold; where nobody knows, as if the inverter had been in Self Use."""
    for slot in slots:
        given = _flows(slot, house, SELF_USE, soc_kwh)
        if slot.import_kwh is None or slot.export_kwh is None:
            till.add(slot, given.grid_import_kwh, given.grid_export_kwh)
        else:
            till.add(slot, slot.import_kwh, slot.export_kwh)
        soc_kwh = (
            _soc_after(house, soc_kwh, given) if slot.soc_end_kwh is None else slot.soc_end_kwh
        )
    return till.account(soc_kwh)


def _played(
    slots: Sequence[Slot],
    till: "_Till",
    house: House,
    soc_kwh: float,
    commanded: Callable[[datetime], InverterCommand],
) -> Account:
    """The same half hours with other commands."""
    for slot in slots:
        given = _flows(slot, house, commanded(slot.at), soc_kwh)
        till.add(slot, given.grid_import_kwh, given.grid_export_kwh)
        soc_kwh = _soc_after(house, soc_kwh, given)
    return till.account(soc_kwh)


def _rules(house: House, known: KnownRates, day: date) -> Callable[[datetime], InverterCommand]:
    """The reactive rules, on those of the day's rates that were published at the time."""
    start, end = day_bounds(day)

    def command(at: datetime) -> InverterCommand:
        imports = known.imports.between(start, min(end, published_until(at)))
        return reactive_command(house.battery, imports.at(at), imports.values)

    return command


def _flows(slot: Slot, house: House, command: InverterCommand, soc_kwh: float) -> Flows:
    return flows(
        house,
        command,
        soc_kwh=soc_kwh,
        load_kwh=slot.load_kwh,
        solar_kwh=slot.solar_kwh,
        hours=SLOT_HOURS,
    )


def _soc_after(house: House, soc_kwh: float, given: Flows) -> float:
    battery = house.battery
    left = max(0.0, soc_kwh - battery.standby_kw * SLOT_HOURS)
    return battery.soc_after(left, given.charge_kwh, given.discharge_kwh)


class _Till:
    """Adds up what was bought and sold, and what sessions pay for that."""

    def __init__(self, sessions: Sequence[Event]) -> None:
        self._sessions = sessions
        self._paid_p: float | None = None
        self._bought_kwh = self._sold_kwh = self._bought_p = self._sold_p = 0.0

    def add(self, slot: Slot, import_kwh: float, export_kwh: float) -> None:
        """A half hour's energies."""
        self._bought_kwh += import_kwh
        self._sold_kwh += export_kwh
        self._bought_p += slot.import_rate * import_kwh
        self._sold_p += slot.export_rate * export_kwh
        for each in self._sessions:
            if each.usual_kwh and each.holds_at(slot.at):
                usual_kwh = each.usual_at(slot.at)
                paid_p = each.paid_p(usual_kwh, slot.import_rate, import_kwh, export_kwh)
                self._paid_p = (self._paid_p or 0.0) + paid_p

    def account(self, soc_kwh: float) -> Account:
        """All so far."""
        return Account(
            import_kwh=self._bought_kwh,
            export_kwh=self._sold_kwh,
            import_p=self._bought_p,
            export_p=self._sold_p,
            end_soc_kwh=soc_kwh,
            sessions_p=self._paid_p,
        )
