"""A day's bill from its metered half hours, and what the same house would have paid otherwise.

The others live through the same load, sun and rates by the physics of `model.modes`, their battery
carried on from the day before. Within a half hour the load is taken as even, which flatters them: a
real Self Use buys and sells at once more often than its half-hourly averages tell.

A half hour that was not metered is estimated: load and sun by what Home Assistant remembers, else
by the last plan; the grid by the last plan, else as if the inverter had been in Self Use. A rate
that is not known is that of recent days at the same time of day. What cannot be estimated counts
nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zlib import crc32

import numpy as np

from battery_optimizer.control.fallback import reactive_command
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.forecast.rates import RateForecast, forecast_rates
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import SELF_USE, Flows, InverterCommand, flows
from battery_optimizer.model.money import Account, Bill
from battery_optimizer.model.slots import (
    SLOT,
    SLOT_HOURS,
    Horizon,
    day_bounds,
    floor_to_slot,
)
from battery_optimizer.model.tariff import KnownRates, published_until
from battery_optimizer.model.telemetry import Observations, SlotEnergy

FEWEST_READINGS = 3
"""Of a half hour; with fewer its average is an estimate."""


@dataclass(frozen=True, kw_only=True)
class DayRecords:
    """What is remembered of a day.

    `metered` begins with the half hour before the day; `known` are the rates of the day and of the
    fortnight before it; `standing_p` is its standing charge [p].
    """

    metered: Sequence[SlotEnergy]
    expected: Sequence[SlotEnergy]
    observed: Observations
    known: KnownRates
    standing_p: float | None
    has_solar: bool = True
    """Whether the sun has a sensor; without one there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """A half hour with all that counts [kWh, p/kWh]; the grid's energies None if not known."""

    at: datetime
    load_kwh: float
    solar_kwh: float
    import_kwh: float | None
    export_kwh: float | None
    soc_end_kwh: float | None
    is_estimate: bool
    import_rate: float = 0.0
    export_rate: float = 0.0


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
    slots = _slots(records, rates, start)
    soc_kwh = _soc_at(records.metered, start, house)
    at_rest, by_rules = _carried(before, soc_kwh)
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
        actual=_actual(slots, house, soc_kwh),
        no_battery=_played(slots, without_battery(house), 0.0, lambda _: SELF_USE),
        self_use=_played(slots, house, at_rest, lambda _: SELF_USE),
        reactive=_played(slots, house, by_rules, _rules(house, records.known, day)),
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
    """Tells apart houses of other settings."""
    return f"{crc32(repr(house).encode()):08x}"


def _rates(known: KnownRates, start: datetime, end: datetime) -> RateForecast | None:
    """The day's rates, those not published by recent days; None where there is nothing to go by."""
    if end <= start:
        return None
    try:
        return forecast_rates(known, Horizon(start=start, n_slots=(end - start) // SLOT))
    except RatesUnavailable:
        return None


def _slots(records: DayRecords, rates: RateForecast, start: datetime) -> list[_Slot]:
    """The half hours that count, from `start` on."""
    metered = {slot.start: slot for slot in records.metered}
    expected = {slot.start: slot for slot in records.expected}
    slots = []
    for t in range(len(rates.published)):
        at = start + t * SLOT
        nothing = SlotEnergy(start=at)
        slot = _slot(metered.get(at, nothing), expected.get(at, nothing), records)
        if slot is not None:
            slots.append(
                replace(
                    slot,
                    import_rate=float(rates.import_rate[t]),
                    export_rate=float(rates.export_rate[t]),
                    is_estimate=slot.is_estimate or not rates.published[t],
                )
            )
    return slots


def _slot(seen: SlotEnergy, plan: SlotEnergy, records: DayRecords) -> _Slot | None:
    """A half hour's energies, estimated where they were not metered; None where nobody knows."""
    load, solar = _house_and_sun(seen, has_solar=records.has_solar)
    bought, sold = _at_the_meter(seen, load, solar)
    was_metered = None not in (load, solar, seen.grid_import_kwh, seen.grid_export_kwh)
    load = _first(load, _known_kwh(records.observed.load_kw.at(seen.start)), plan.load_kwh)
    solar = _first(solar, _known_kwh(records.observed.solar_kw.at(seen.start)), plan.solar_kwh)
    if load is None or solar is None:
        return None
    return _Slot(
        at=seen.start,
        load_kwh=load,
        solar_kwh=solar,
        import_kwh=plan.grid_import_kwh if bought is None else bought,
        export_kwh=plan.grid_export_kwh if sold is None else sold,
        soc_end_kwh=seen.soc_kwh,
        is_estimate=not was_metered or 0 < seen.n_samples < FEWEST_READINGS,
    )


def _house_and_sun(seen: SlotEnergy, *, has_solar: bool) -> tuple[float | None, float | None]:
    """Load and sun as metered; one, or the difference of both, by what else was metered."""
    load, solar = seen.load_kwh, seen.solar_kwh if has_solar else 0.0
    bought, sold, charge, discharge = (
        seen.grid_import_kwh, seen.grid_export_kwh, seen.charge_kwh, seen.discharge_kwh,
    )  # fmt: skip
    if bought is None or sold is None or charge is None or discharge is None:
        return load, solar
    net = bought - sold + discharge - charge
    if load is None and solar is None:
        return max(net, 0.0), max(-net, 0.0)
    if load is None and solar is not None:
        return max(net + solar, 0.0), solar
    if solar is None and load is not None:
        return load, max(load - net, 0.0)
    return load, solar


def _at_the_meter(
    seen: SlotEnergy, load: float | None, solar: float | None
) -> tuple[float | None, float | None]:
    """What was bought and sold as metered, or by all else that was."""
    if seen.grid_import_kwh is not None and seen.grid_export_kwh is not None:
        return seen.grid_import_kwh, seen.grid_export_kwh
    charge, discharge = seen.charge_kwh, seen.discharge_kwh
    if load is None or solar is None or charge is None or discharge is None:
        return None, None
    net = load - solar + charge - discharge
    return max(net, 0.0), max(-net, 0.0)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _known_kwh(average_kw: float) -> float | None:
    return average_kw * SLOT_HOURS if np.isfinite(average_kw) else None


def _soc_at(metered: Sequence[SlotEnergy], start: datetime, house: House) -> float:
    """What is stored at the start, by the reading next to it; the reserve without any."""
    before = [slot.soc_kwh for slot in metered if slot.start < start and slot.soc_kwh is not None]
    after = [slot.soc_kwh for slot in metered if slot.start >= start and slot.soc_kwh is not None]
    return before[-1] if before else after[0] if after else house.battery.reserve_kwh


def _carried(before: Bill | None, soc_kwh: float) -> tuple[float, float]:
    """With what Self Use and the rules begin the day: what they left, else what there was."""
    if before is None:
        return soc_kwh, soc_kwh
    at_rest, by_rules = before.self_use.end_soc_kwh, before.reactive.end_soc_kwh
    return (
        soc_kwh if at_rest is None else at_rest,
        soc_kwh if by_rules is None else by_rules,
    )


def _actual(slots: Sequence[_Slot], house: House, soc_kwh: float) -> Account:
    """What was bought and sold; where nobody knows, as if the inverter had been in Self Use."""
    till = _Till()
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
    slots: Sequence[_Slot],
    house: House,
    soc_kwh: float,
    commanded: Callable[[datetime], InverterCommand],
) -> Account:
    """The same half hours with other commands."""
    till = _Till()
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


def _flows(slot: _Slot, house: House, command: InverterCommand, soc_kwh: float) -> Flows:
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
    """Adds up what was bought and sold."""

    def __init__(self) -> None:
        self._bought_kwh = self._sold_kwh = self._bought_p = self._sold_p = 0.0

    def add(self, slot: _Slot, import_kwh: float, export_kwh: float) -> None:
        """A half hour's energies."""
        self._bought_kwh += import_kwh
        self._sold_kwh += export_kwh
        self._bought_p += slot.import_rate * import_kwh
        self._sold_p += slot.export_rate * export_kwh

    def account(self, soc_kwh: float) -> Account:
        """All so far."""
        return Account(
            import_kwh=self._bought_kwh,
            export_kwh=self._sold_kwh,
            import_p=self._bought_p,
            export_p=self._sold_p,
            end_soc_kwh=soc_kwh,
        )
