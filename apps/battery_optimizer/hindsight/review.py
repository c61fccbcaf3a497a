"""Looks back at past days from the store: what each lost and why, and how good forecasts were.

As the backtest does for recorded days, with what the live app has kept (see `stored`). What comes
after now is taken as the day's last plan expected it. In read-only mode execution is what the other
controller lost against ours. Yesterday goes first; days that were missed follow, newest first.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from battery_optimizer.errors import BatteryOptimizerError
from battery_optimizer.hindsight.accuracy import (
    Expected,
    Read,
    errors_by_hour,
    errors_by_lead,
)
from battery_optimizer.hindsight.lived import LivedDay
from battery_optimizer.hindsight.loss import Hindsight
from battery_optimizer.hindsight.stored import Past, lived_day
from battery_optimizer.model.house import House
from battery_optimizer.model.loss import NO_ERRORS, ForecastErrors, Split, Yesterday
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import DAY, Floats, SlotSeries, day_bounds, local_day
from battery_optimizer.ports import Rates

PLANS_A_LOOK: Final = 3
"""Work for one look: a day is split in the course of the morning, and no cycle waits for long."""
MOST_DAYS: Final = 30
"""How far back days are caught up, as far as the store still has what they were planned from."""
_AHEAD: Final = timedelta(days=2)
_AGAIN: Final = timedelta(hours=1)
_OLD_AGAIN: Final = timedelta(hours=12)
"""When a day is tried again of which something was missing: it may have come late."""

NOT_YET: Final = "yesterday has not been looked at yet"


class Losses(Protocol):
    """Where the splits are kept; ranges of days are inclusive."""

    def save_loss(self, split: Split) -> None:
        """Keep how a day's money fell short of the best possible."""

    def losses(self, first: date, last: date) -> Sequence[Split]:
        """The splits of these days, oldest first, of those that were looked back on."""

    def first_metered(self) -> datetime | None:
        """The start of the first half hour of which there is a reading."""


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


@dataclass(frozen=True, slots=True)
class _Work:
    """A day whose split has been begun."""

    lived: LivedDay
    splitting: Generator[None, None, Split]


class Review:
    """Splits each day once it is over, a few plans at a look, and keeps what it finds."""

    def __init__(
        self,
        *,
        past: Past,
        losses: Losses,
        rates: Rates,
        house: Callable[[], House],
        settings: PlannerSettings,
    ) -> None:
        self._past = past
        self._losses = losses
        self._rates = rates
        self._house = house
        self._settings = settings
        self._hindsight: Hindsight | None = None
        self._yesterday: date | None = None
        self._due: list[date] = []
        self._listed_at: datetime | None = None
        self._failed_at: dict[date, datetime] = {}
        self._begun: dict[date, _Work] = {}
        self.latest: Yesterday | str = NOT_YET
        """What was found of yesterday, or why nothing was."""

    def look(self, now: datetime) -> None:
        """Go on with yesterday's split, or with one of a day before that has none."""
        yesterday = local_day(now) - DAY
        if self._yesterday != yesterday:
            self._yesterday, self._listed_at, self.latest = yesterday, None, NOT_YET
        day = yesterday
        try:
            self._list_days(yesterday, now)
            for day in self._due:
                if self._may_be_tried(day, now):
                    self._go_on(day, now)
                    break
        except BatteryOptimizerError as error:
            self._failed_at[day] = now
            self._begun.pop(day, None)
            if day == yesterday and isinstance(self.latest, str):
                self.latest = str(error)

    def _list_days(self, yesterday: date, now: datetime) -> None:
        """Which days have no split yet, newest first."""
        if self._listed_at is not None and now - self._listed_at < _OLD_AGAIN:
            return
        oldest = yesterday - (MOST_DAYS - 1) * DAY
        metered = self._losses.first_metered()
        begun = yesterday if metered is None else max(oldest, local_day(metered))
        kept = {local_day(split.start): split for split in self._losses.losses(begun, yesterday)}
        days = [yesterday - t * DAY for t in range(max(1, (yesterday - begun) // DAY + 1))]
        self._due = [day for day in days if day not in kept]
        self._failed_at = {day: at for day, at in self._failed_at.items() if day in self._due}
        self._begun = {day: work for day, work in self._begun.items() if day in self._due}
        self._listed_at = now
        if yesterday in kept and isinstance(self.latest, str):
            self.latest = self._recalled(kept[yesterday], now)

    def _may_be_tried(self, day: date, now: datetime) -> bool:
        failed_at = self._failed_at.get(day)
        again = _AGAIN if day == self._yesterday else _OLD_AGAIN
        return failed_at is None or now - failed_at >= again

    def _go_on(self, day: date, now: datetime) -> None:
        if day not in self._begun:
            lived = self._as_lived(day, now)
            self._begun[day] = _Work(lived, self._for_this_house().splitting(lived))
            if day == self._yesterday:
                self.latest = NOT_YET
        work = self._begun[day]
        try:
            for _ in range(PLANS_A_LOOK):
                next(work.splitting)
        except StopIteration as end:
            lived = work.lived
            split = replace(end.value, n_bridged=lived.n_bridged, n_sessions=lived.n_sessions)
            self._losses.save_loss(split)
            self._due.remove(day)
            del self._begun[day]
            if day == self._yesterday:
                self.latest = _yesterday(work.lived, split)

    def _recalled(self, split: Split, now: datetime) -> Yesterday:
        """As it was found before the app was started anew; its forecasts are judged again."""
        try:
            return _yesterday(self._as_lived(local_day(split.start), now), split)
        except BatteryOptimizerError:
            return Yesterday(split=split, load=NO_ERRORS, solar=NO_ERRORS)

    def _as_lived(self, day: date, now: datetime) -> LivedDay:
        start, end = day_bounds(day)
        known = self._rates.known_rates(start, end + _AHEAD, now)
        return lived_day(self._past, known, start, end, now)

    def _for_this_house(self) -> Hindsight:
        """What the inverter can be told may change, and is not known while it is not there."""
        house = self._house()
        if self._hindsight is None or self._hindsight.house != house:
            self._hindsight = Hindsight(house, self._settings)
        return self._hindsight


def _yesterday(day: LivedDay, split: Split) -> Yesterday:
    return Yesterday(
        split=split,
        load=forecast_errors(day, lambda each: each.load_kw, day.actual.load_kw),
        solar=forecast_errors(day, lambda each: each.solar_kw, day.actual.solar_kw),
    )
