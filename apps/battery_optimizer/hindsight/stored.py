"""A past day as the app's database has it, put together to be lived through again.

A half hour that was not metered, between two that were, is taken as the mean of these; how many
there were is said. What it cannot know: a person's orders and missed cycles count as execution, sun
that was turned down as sun that never shone. What sessions pay is left out; that there was one is
said.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np

from battery_optimizer.errors import DataError
from battery_optimizer.hindsight.lived import Actual, LivedDay, Moment
from battery_optimizer.model.decision import CycleOutcome, Decision
from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.slots import SLOT, UK, Floats, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import KnownRates, bill
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy
from battery_optimizer.model.wishes import Event

_PROMPT: Final = timedelta(minutes=6)
"""An outlook made later in its half hour says too little of it."""

_MOST_BLIND: Final = 0.25
"""Share of the day without an outlook above which forecasts cannot be told from the rest."""


class Past(Protocol):
    """What the store remembers."""

    def decisions(self, start: datetime, end: datetime) -> Sequence[Decision]:
        """One line for each cycle of [start, end), oldest first."""

    def outcome(self, at: datetime) -> CycleOutcome | None:
        """The cycle of this moment with its outlook, as long as they are kept."""

    def slot_energy(
        self, *, kind: EnergyKind, start: datetime, end: datetime
    ) -> Sequence[SlotEnergy]:
        """Energies of each known half hour of [start, end) [kWh], oldest first."""

    def observations(self, start: datetime, end: datetime) -> Observations:
        """Load and solar of [start, end) [kW average per half hour]; NaN where not metered."""

    def sessions(self, start: datetime, end: datetime) -> Sequence[Event]:
        """The supplier's sessions that plans counted on in [start, end), by half hour."""


def lived_day(
    past: Past, known: KnownRates, start: datetime, end: datetime, now: datetime
) -> LivedDay:
    """The day [start, end) as the store has it at `now`; DataError says what is missing.

    `known` are the rates from `start` on, as far as they are published.
    """
    observed = past.observations(start - SLOT, floor_to_slot(now))
    load_kw, solar_kw = _bridged(observed.load_kw), _bridged(observed.solar_kw)
    actual = Actual(
        imports=known.imports, exports=known.exports, load_kw=load_kw, solar_kw=solar_kw
    )
    metered = past.slot_energy(kind=EnergyKind.METERED, start=start - SLOT, end=end + SLOT)
    bought, sold, given = (
        _energies(metered, read, start - SLOT, end + SLOT)
        for read in (_grid_import, _grid_export, _discharge)
    )
    absent = np.zeros((end - start) // SLOT, bool)
    for series in (observed.load_kw, observed.solar_kw, bought, sold):
        absent |= ~np.isfinite(series.between(start, end).values)
    before = past.decisions(start - SLOT, start)
    last = past.outcome(before[-1].at) if before else None
    return LivedDay(
        moments=_moments(past, start, end),
        before=SELF_USE if last is None else last.command,
        start_soc_kwh=_stored_kwh(past, start),
        end_soc_kwh=_stored_kwh(past, end),
        bill_p=_bill_p(_bridged(bought), _bridged(sold), actual, start, end),
        discharged_kwh=float(np.nansum(_bridged(given).between(start, end).values)),
        actual=actual,
        n_bridged=int(absent.sum()),
        n_sessions=len({each.start for each in past.sessions(start, end)}),
    )


def _moments(past: Past, start: datetime, end: datetime) -> tuple[Moment, ...]:
    """Each half hour with its first cycle; without one, what was commanded before goes on."""
    firsts: dict[datetime, datetime] = {}
    for decision in past.decisions(start, end):
        firsts.setdefault(floor_to_slot(decision.at), decision.at)
    moments, command, at = [], SELF_USE, start
    while at < end:
        outcome = past.outcome(firsts[at]) if at in firsts else None
        command = command if outcome is None else outcome.command
        is_prompt = at in firsts and firsts[at] - at <= _PROMPT
        moments.append(
            Moment(
                at=at,
                until=at + SLOT,
                outlook=outcome.outlook if outcome is not None and is_prompt else None,
                command=command,
            )
        )
        at += SLOT
    missing = sum(moment.outlook is None for moment in moments)
    if missing > _MOST_BLIND * len(moments):
        raise DataError(f"of {missing} half hours it is not known what was expected")
    return tuple(moments)


def _stored_kwh(past: Past, at: datetime) -> float:
    """As the first cycle of the half hour had it, or where it has none the last one before it."""
    for decision in (*past.decisions(at, at + SLOT), *reversed(past.decisions(at - SLOT, at))):
        if decision.soc_kwh is not None:
            return decision.soc_kwh
    raise DataError(f"how full the battery was on {at.astimezone(UK):%d %b at %H:%M} is not known")


def _bill_p(
    bought: SlotSeries, sold: SlotSeries, actual: Actual, start: datetime, end: datetime
) -> float:
    energies = [series.between(start, end).values for series in (bought, sold)]
    missing = int((~np.isfinite(energies)).any(axis=0).sum())
    if missing:
        raise DataError(f"of {missing} half hours the energy at the meter is not known")
    imports = actual.imports.between(start, end).values
    exports = actual.exports.between(start, end).values
    return float(bill(imports, exports, *energies))


def _energies(
    metered: Sequence[SlotEnergy],
    read: Callable[[SlotEnergy], float | None],
    start: datetime,
    end: datetime,
) -> SlotSeries:
    """One of the energies of [start, end) [kWh]; NaN where it is not known."""
    known = {slot.start: value for slot in metered if (value := read(slot)) is not None}
    series = SlotSeries.from_slots(known) if known else SlotSeries.empty(start)
    return series.between(start, end)


def _grid_import(slot: SlotEnergy) -> float | None:
    return slot.grid_import_kwh


def _grid_export(slot: SlotEnergy) -> float | None:
    return slot.grid_export_kwh


def _discharge(slot: SlotEnergy) -> float | None:
    return slot.discharge_kwh


def _bridged(series: SlotSeries) -> SlotSeries:
    """With the mean of its neighbours where a single half hour is missing between two."""
    values: Floats = series.values.copy()
    is_known = np.isfinite(values)
    gaps = 1 + np.flatnonzero(~is_known[1:-1] & is_known[:-2] & is_known[2:])
    values[gaps] = (values[gaps - 1] + values[gaps + 1]) / 2
    return SlotSeries(start=series.start, values=values)
