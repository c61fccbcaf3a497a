"""Looks back at yesterday from the store: what it lost and why, and how good its forecasts were.

As the backtest does for recorded days, with what the live app has kept. What it cannot know: a
person's orders and missed cycles count as execution, sun that was turned down as sun that never
shone, and what comes after now is taken as yesterday's last plan expected it. In read-only mode
execution is what the other controller lost against ours.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from battery_optimizer.errors import BatteryOptimizerError, DataError
from battery_optimizer.model.decision import CycleOutcome, Decision
from battery_optimizer.model.house import House
from battery_optimizer.model.loss import ForecastErrors, Split, Yesterday
from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import (
    SLOT,
    Floats,
    SlotSeries,
    day_bounds,
    floor_to_slot,
    local_day,
)
from battery_optimizer.model.tariff import KnownRates, bill
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy
from battery_optimizer.ports import Rates
from battery_optimizer.simulate.hindsight.learning import (
    Expected,
    Read,
    errors_by_hour,
    errors_by_lead,
)
from battery_optimizer.simulate.hindsight.lived import Actual, LivedDay, Moment
from battery_optimizer.simulate.hindsight.loss import Hindsight

PLANS_A_LOOK: Final = 3
"""Work for one look: a day is split in the course of the morning, and no cycle waits for long."""
_AHEAD: Final = timedelta(days=2)
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


def lived_day(
    past: Past, known: KnownRates, start: datetime, end: datetime, now: datetime
) -> LivedDay:
    """The day [start, end) as the store has it at `now`; DataError says what is missing.

    `known` are the rates from `start` on, as far as they are published.
    """
    observed = past.observations(start, floor_to_slot(now))
    actual = Actual(
        imports=known.imports,
        exports=known.exports,
        load_kw=observed.load_kw,
        solar_kw=observed.solar_kw,
    )
    metered = past.slot_energy(kind=EnergyKind.METERED, start=start, end=end)
    before = past.decisions(start - SLOT, start)
    last = past.outcome(before[-1].at) if before else None
    return LivedDay(
        moments=_moments(past, start, end),
        before=SELF_USE if last is None else last.command,
        start_soc_kwh=_stored_kwh(past, start),
        end_soc_kwh=_stored_kwh(past, end),
        bill_p=_bill_p(metered, actual, start, end),
        discharged_kwh=sum(slot.discharge_kwh or 0.0 for slot in metered),
        actual=actual,
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
    for decision in past.decisions(at, at + SLOT):
        if decision.soc_kwh is not None:
            return decision.soc_kwh
    raise DataError(f"how full the battery was at {at:%d %b %H:%M} UTC is not known")


def _bill_p(metered: Sequence[SlotEnergy], actual: Actual, start: datetime, end: datetime) -> float:
    whole = [slot for slot in metered if None not in (slot.grid_import_kwh, slot.grid_export_kwh)]
    missing = (end - start) // SLOT - len(whole)
    if missing:
        raise DataError(f"of {missing} half hours the energy at the meter is not known")
    bought = np.array([slot.grid_import_kwh for slot in whole], float)
    sold = np.array([slot.grid_export_kwh for slot in whole], float)
    imports = actual.imports.between(start, end).values
    exports = actual.exports.between(start, end).values
    return float(bill(imports, exports, bought, sold))


def forecast_errors(day: LivedDay, read: Read, metered: SlotSeries) -> ForecastErrors:
    """Errors of what the day's plans expected, of the half hours metered since."""
    expected = [Expected.by(moment.outlook) for moment in day.moments if moment.outlook]
    hours, leads = (
        errors_by_hour(expected, read, metered),
        errors_by_lead(expected, read, metered),
    )
    return ForecastErrors(
        by_hour_kw=_known(hours.absolute_kw),
        by_hour_bias_kw=_known(hours.bias_kw),
        by_lead_kw=_known(leads.absolute_kw),
        by_lead_bias_kw=_known(leads.bias_kw),
    )


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values)


class Review:
    """Splits each day once it is over, a few plans at a look."""

    def __init__(
        self,
        *,
        past: Past,
        rates: Rates,
        house: Callable[[], House],
        settings: PlannerSettings,
    ) -> None:
        self._past = past
        self._rates = rates
        self._house = house
        self._settings = settings
        self._hindsight: Hindsight | None = None
        self._begun: date | None = None
        self._lived: LivedDay | None = None
        self._work: Generator[None, None, Split] | None = None
        self.latest: Yesterday | str = "yesterday has not been looked at yet"
        """What was found, or why nothing was."""

    def look(self, now: datetime) -> None:
        """Go on with yesterday's split, if there is something left of it."""
        today = local_day(now)
        try:
            if self._begun != today:
                self._begun = today
                self._begin(now)
            self._go_on()
        except BatteryOptimizerError as error:
            self._work, self.latest = None, str(error)

    def _go_on(self) -> None:
        if self._work is None or self._lived is None:
            return
        try:
            for _ in range(PLANS_A_LOOK):
                next(self._work)
        except StopIteration as end:
            self._work, self.latest = None, _yesterday(self._lived, end.value)

    def _begin(self, now: datetime) -> None:
        self._work = None
        start, end = day_bounds(local_day(now) - timedelta(days=1))
        known = self._rates.known_rates(start, end + _AHEAD, now)
        self._lived = lived_day(self._past, known, start, end, now)
        house = self._house()
        # What the inverter can be told may change, and is not known while it is not there.
        if self._hindsight is None or self._hindsight.house != house:
            self._hindsight = Hindsight(house, self._settings)
        self._work = self._hindsight.splitting(self._lived)


def _yesterday(day: LivedDay, split: Split) -> Yesterday:
    return Yesterday(
        split=split,
        load=forecast_errors(day, lambda each: each.load_kw, day.actual.load_kw),
        solar=forecast_errors(day, lambda each: each.solar_kw, day.actual.solar_kw),
    )
