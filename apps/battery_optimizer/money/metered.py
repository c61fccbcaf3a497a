"""The half hours of a day as bills need them: as metered, or estimated and marked so.

Where nothing was metered, load and sun are those that Home Assistant remembers, else the last
plan's; the grid is the last plan's, else whoever makes the bill takes the inverter to have been in
Self Use. What cannot be estimated is left out, and counts nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from battery_optimizer.forecast.rates import RateForecast
from battery_optimizer.model.slots import SLOT, SLOT_HOURS
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import FEWEST_READINGS, Observations, SlotEnergy
from battery_optimizer.model.wishes import Event


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
    sessions: Sequence[Event] = ()
    """The supplier's, half hour by half hour, with what is usual in it."""
    has_solar: bool = True
    """Whether the sun has a sensor; without one there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
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


def slots_of(records: DayRecords, rates: RateForecast, start: datetime) -> list[Slot]:
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


def _slot(seen: SlotEnergy, plan: SlotEnergy, records: DayRecords) -> Slot | None:
    """A half hour's energies, estimated where they were not metered; None where nobody knows."""
    load, solar = _house_and_sun(seen, has_solar=records.has_solar)
    bought, sold = _at_the_meter(seen, load, solar)
    was_metered = None not in (load, solar, seen.grid_import_kwh, seen.grid_export_kwh)
    load = _first(load, _known_kwh(records.observed.load_kw.at(seen.start)), plan.load_kwh)
    solar = _first(solar, _known_kwh(records.observed.solar_kw.at(seen.start)), plan.solar_kwh)
    if load is None or solar is None:
        return None
    return Slot(
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
