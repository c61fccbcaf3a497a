"""When a large load is going to run, from when it ran before: a car, hot water, an oven.

What may come in a half hour is what came in the same one of past days on which the load was as it
is now, off, newer days and days of the same kind weighing more. If it runs, it goes on for as long
as its past sessions did that had lasted as long; then it is off. Where a schedule is known, that
stands in for the guess, until half a day after its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.forecast.calendar import (
    Integers,
    by_wall_clock,
    off_days,
    wall_positions,
)
from battery_optimizer.forecast.large_loads import is_on, on_power_kw
from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, Floats, SlotSeries
from battery_optimizer.model.telemetry import PlannedRun

LEVELS: Final = (np.arange(20) + 0.5) / 20
"""The quantiles that a session forecast is made of: all equally likely."""

_MOST_DAYS: Final = 90
_FORGET_DAYS: Final = 60.0
_OTHER_KIND: Final = 0.3
_OTHER_STATE: Final = 0.05
_PRIOR: Final = 0.5
"""How many sessions of an hour and a half the first guess of their length weighs as much as."""
_PRIOR_SLOTS: Final = 3.0
_SCHEDULE_HOLDS: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Power expected in each half hour [kW]: the mean (n,), and LEVELS of it (20, n)."""

    mean_kw: Floats
    levels_kw: Floats


@dataclass(frozen=True, slots=True)
class _Past:
    """A load on the wall clock up to now: whole half hours, and the one that runs if known."""

    kw: Floats
    first: int
    """Position of the first of them on the wall clock."""
    running_kw: float

    @property
    def is_on(self) -> bool:
        is_known = np.isfinite(self.running_kw)
        power = np.append(self.kw, self.running_kw) if is_known else self.kw
        return bool(len(power)) and bool(is_on(np.nan_to_num(power))[-1])

    @property
    def going_kw(self) -> float:
        """What it draws while it runs; a half hour in which it began shows less."""
        began = not is_on(np.nan_to_num(self.kw))[-1:].any()
        usual = on_power_kw(self.kw) if began else 0.0
        return float(np.nanmax([*self.kw[-2:], self.running_kw, usual]))


def forecast_sessions(
    metered: SlotSeries, start: datetime, n_slots: int, planned: Sequence[PlannedRun] = ()
) -> Sessions:
    """The half hours from `start` on, which runs now; `metered` may hold what it drew so far."""
    whole = metered.between(metered.start, start)
    positions = wall_positions(whole.start, len(whole.values))
    target = wall_positions(start, n_slots)
    first = int(positions[0]) if len(positions) else int(target[0])
    kw = by_wall_clock(whole.values, positions, first, int(target[0]))
    past = _Past(kw, first, metered.at(start))
    guess = _when_off(past, target)
    lasts = _survival(past, n_slots) if past.is_on else np.zeros(n_slots)
    if planned:
        guess, is_known = _as_planned(guess, planned, start, on_power_kw(past.kw))
        lasts = np.where(is_known[0], 0.0, lasts)
    if not lasts.any():
        return guess
    return Sessions(
        mean_kw=lasts * past.going_kw + (1 - lasts) * guess.mean_kw,
        levels_kw=_mixed(guess.levels_kw, lasts, past.going_kw),
    )


def _when_off(past: _Past, target: Integers) -> Sessions:
    """What may come if it does not run now."""
    back = np.arange(1, min(_MOST_DAYS, len(past.kw) // SLOTS_PER_DAY) + 1)
    if not len(back):
        nothing = np.zeros(len(target))
        return Sessions(nothing, np.zeros((len(LEVELS), len(target))))
    index = target - past.first - back[:, None] * SLOTS_PER_DAY
    inside = (index >= 0) & (index < len(past.kw))
    came = np.where(inside, past.kw[np.where(inside, index, 0)], np.nan)
    day = target // SLOTS_PER_DAY
    off = off_days(int(day[0]) - _MOST_DAYS - 1, int(day[-1] - day[0]) + _MOST_DAYS + 2)
    kind = off[day - day[0] + _MOST_DAYS + 1]
    their_kind = off[day - day[0] + _MOST_DAYS + 1 - back[:, None]]
    before = np.maximum(len(past.kw) - 1 - back * SLOTS_PER_DAY, 0)
    was_on = is_on(np.nan_to_num(past.kw))[before]
    weights = np.exp(-back / _FORGET_DAYS) * np.where(was_on, _OTHER_STATE, 1.0)
    weights = weights[:, None] * np.where(kind == their_kind, 1.0, _OTHER_KIND)
    weights = np.where(np.isfinite(came), weights, 0.0)
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    came = np.nan_to_num(came)
    order = np.argsort(came, axis=0)
    upto = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    ordered = np.take_along_axis(came, order, axis=0)
    row = np.minimum((upto[None] < LEVELS[:, None, None] - 1e-9).sum(axis=1), len(back) - 1)
    return Sessions((weights * came).sum(axis=0), np.take_along_axis(ordered, row, axis=0))


def _survival(past: _Past, n_slots: int) -> Floats:
    """How likely the session that runs lasts through each half hour, shape (n_slots,)."""
    on = is_on(np.nan_to_num(past.kw))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    lasted = int(ends[-1] - starts[-1]) if len(ends) and ends[-1] == len(on) else 0
    ended = ends < len(on)
    lengths = (ends - starts)[ended]
    weights = np.exp(-(len(on) - ends[ended]) / SLOTS_PER_DAY / _FORGET_DAYS)
    # The half hour that runs is seen to be one of them, or not known yet.
    is_running = int(np.isfinite(past.running_kw))
    lasted += is_running
    seen = np.where(lengths >= lasted, weights, 0.0)
    ahead = np.arange(1, n_slots + 1) - is_running
    longer = seen @ (lengths[:, None] >= lasted + ahead)
    guess = np.exp(-ahead / _PRIOR_SLOTS)
    return np.asarray((longer + _PRIOR * guess) / (seen.sum() + _PRIOR))


def _mixed(levels_kw: Floats, lasts: Floats, going_kw: float) -> Floats:
    """LEVELS of: as now with probability `lasts`, else as `levels_kw`."""
    going = going_kw >= levels_kw[-1]  # mostly: what runs draws all it can
    rest = np.maximum(1 - lasts, 1e-9)
    share = np.where(going, LEVELS[:, None] / rest, (LEVELS[:, None] - lasts) / rest)
    row = np.clip((share * len(LEVELS)).astype(int), 0, len(LEVELS) - 1)
    others = np.take_along_axis(levels_kw, row, axis=0)
    goes_on = np.where(going, LEVELS[:, None] > rest, LEVELS[:, None] < lasts)
    return np.sort(np.where(goes_on, going_kw, others), axis=0)


def _as_planned(
    guess: Sessions, planned: Sequence[PlannedRun], start: datetime, usual_kw: float
) -> tuple[Sessions, Floats]:
    """The guess with the schedule in its place, and 1 where a run is planned."""
    n_slots = len(guess.mean_kw)
    kw, covered = np.zeros(n_slots), np.zeros(n_slots)
    for run in planned:
        hours = (run.end - run.start) / timedelta(hours=1)
        power = usual_kw if run.kwh is None else run.kwh / max(hours, 1e-9)
        for t in range(n_slots):
            begin = start + t * SLOT
            shared = (min(run.end, begin + SLOT) - max(run.start, begin)) / SLOT
            if shared > 0:
                kw[t] += power * shared
                covered[t] = 1.0
    until = max(run.end for run in planned) + _SCHEDULE_HOLDS
    holds = np.array([start + t * SLOT < until for t in range(n_slots)])
    return Sessions(
        np.where(holds, kw, guess.mean_kw), np.where(holds, kw, guess.levels_kw)
    ), covered
