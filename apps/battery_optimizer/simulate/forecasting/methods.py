"""Other ways to forecast a load, to be measured beside ours. Not used live.

Each is a function of a view, which holds nothing that was not metered by the moment of the
forecast, and gives p10, p50 and p90 [kW], shape (3, n_slots); a point gives the same three times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import numpy as np

from battery_optimizer.forecast.calendar import (
    Integers,
    by_wall_clock,
    off_days,
    wall_positions,
)
from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, Floats, SlotSeries

QUANTILES: Final = (0.1, 0.5, 0.9)
WEEK: Final = 7
"""Days that the simple methods look back on,"""
_MEMORY_DAYS: Final = 28.0
"""days in which the weight of a day falls by e,"""
_OTHER_WEEKDAY, _OTHER_KIND = 0.4, 0.1
"""what other weekdays weigh that are worked, or not, like this one, and those that are not,"""
_MOST_DAYS: Final = 120
"""and days after which nothing counts."""

_SHARES: Final = (0.03, 0.06, 0.12, 0.25, 0.5)
"""What of an error is taken over, tried on the days before;"""
_JUDGED_DAYS: Final = 42
"""on so many, which tell the spread as well."""


@dataclass(frozen=True)
class View:
    """What was metered of a load before a forecast from its end on.

    `recent_kw` are the last seven times 24 hours, shape (7, 48); `history_kw` are local days, the
    last of which is today as far as it has gone, shape (n_days, 48), NaN where not metered.
    `slot` and `day` are the half hour of the day and the place in `history_kw` (or beyond) of each
    half hour forecast, shape (n_slots,); `weekday` and `off` tell the kind of all these days.
    """

    recent_kw: Floats
    history_kw: Floats
    slot: Integers
    day: Integers
    weekday: Integers
    off: Integers

    @classmethod
    def of(cls, load_kw: SlotSeries, now: datetime, n_slots: int) -> Self:
        """At `now`, the start of a half hour, for the next `n_slots`."""
        start = max(load_kw.start, now - _MOST_DAYS * SLOTS_PER_DAY * SLOT)
        past = load_kw.between(start, now)
        positions = wall_positions(past.start, len(past.values))
        target = wall_positions(now, n_slots)
        first, today = int(positions[0]) // SLOTS_PER_DAY, int(target[0]) // SLOTS_PER_DAY
        history = by_wall_clock(
            past.values, positions, first * SLOTS_PER_DAY, (today + 1) * SLOTS_PER_DAY
        )
        n_known = today + 1 - first
        n_days = int(target[-1]) // SLOTS_PER_DAY + 1 - first
        week = load_kw.between(now - WEEK * SLOTS_PER_DAY * SLOT, now)
        return cls(
            recent_kw=week.values.reshape(WEEK, SLOTS_PER_DAY),
            history_kw=history.reshape(n_known, SLOTS_PER_DAY),
            slot=target % SLOTS_PER_DAY,
            day=target // SLOTS_PER_DAY - first,
            weekday=(first + np.arange(n_days) - 1) % WEEK,
            off=off_days(first, n_days),
        )

    @property
    def n_slots(self) -> int:
        """Half hours to be forecast."""
        return len(self.slot)


Method = Callable[[View], Floats]


def mean_of_week(view: View) -> Floats:
    """The mean of the last seven days at the same time, as a point."""
    known = np.isfinite(view.recent_kw)
    total = np.where(known, view.recent_kw, 0.0).sum(axis=0)
    everything = total.sum() / known.sum()
    mean = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), everything)
    return _repeated(mean[None, :], view.n_slots)


def quantiles_of_week(view: View) -> Floats:
    """The quantiles of the last seven days at the same time."""
    known = np.where(
        np.isfinite(view.recent_kw), view.recent_kw, mean_of_week(view)[0, :SLOTS_PER_DAY]
    )
    return _repeated(np.quantile(known, QUANTILES, axis=0), view.n_slots)


def yesterday(view: View) -> Floats:
    """What was drawn a day before, as a point."""
    last = view.recent_kw[-1]
    return _repeated(
        np.where(np.isfinite(last), last, mean_of_week(view)[0, :SLOTS_PER_DAY])[None, :],
        view.n_slots,
    )


def weekday_shape(view: View) -> Floats:
    """The quantiles of each half hour on such a weekday, newer days weighing more."""
    n_known = len(view.history_kw)
    age = n_known - 1 - np.arange(n_known)
    result = np.empty((len(QUANTILES), view.n_slots))
    for day in np.unique(view.day):
        like = np.where(view.off[:n_known] == view.off[day], _OTHER_WEEKDAY, _OTHER_KIND)
        like = np.where(view.weekday[:n_known] == view.weekday[day], 1.0, like)
        shape = _weighted_quantiles(view.history_kw, like * np.exp(-age / _MEMORY_DAYS))
        at = view.day == day
        result[:, at] = shape[:, view.slot[at]]
    return result


def smoothing(view: View) -> Floats:
    """Exponential smoothing of each half hour of the day; its errors of a day ahead are the band.

    The share of an error that is taken over is the one that served best before.
    """
    tried = [_smoothed(view.history_kw, share) for share in _SHARES]
    errors = [view.history_kw[-_JUDGED_DAYS:] - before[-_JUDGED_DAYS:] for before, _ in tried]
    missed = [float(np.nanmean(np.abs(error))) for error in errors]
    best = int(np.argmin(missed))
    spread = _weighted_quantiles(errors[best], np.ones(len(errors[best])))
    quantiles = tried[best][1] + spread
    return np.maximum(quantiles, 0.0)[:, view.slot]


METHODS: Final[dict[str, Method]] = {
    "mean of seven days": mean_of_week,
    "quantiles of seven days": quantiles_of_week,
    "yesterday": yesterday,
    "shape by weekday": weekday_shape,
    "exponential smoothing": smoothing,
}
"""By name, as they are shown."""


def _repeated(by_slot: Floats, n_slots: int) -> Floats:
    """Rows of the last 24 hours as so many half hours to come; a single row three times."""
    ahead = by_slot[:, np.arange(n_slots) % SLOTS_PER_DAY]
    return np.array(np.broadcast_to(ahead, (len(QUANTILES), n_slots)))


def _weighted_quantiles(values: Floats, weights: Floats) -> Floats:
    """Quantiles of each column, its rows weighing so much, shape (3, n_columns).

    A column of which nothing is known takes what all of them have.
    """
    order = np.argsort(values, axis=0)  # NaN come last
    ranked = np.take_along_axis(values, order, axis=0)
    weight = np.where(np.isfinite(ranked), weights[order], 0.0)
    total = weight.sum(axis=0)
    middle = (np.cumsum(weight, axis=0) - weight / 2) / np.where(total > 0, total, 1.0)
    result = np.empty((len(QUANTILES), values.shape[1]))
    everything = np.nanquantile(values, QUANTILES)
    for column in range(values.shape[1]):
        known = int(np.isfinite(ranked[:, column]).sum())
        result[:, column] = (
            np.interp(QUANTILES, middle[:known, column], ranked[:known, column])
            if known
            else everything
        )
    return result


def _smoothed(history_kw: Floats, share: float) -> tuple[Floats, Floats]:
    """The level before each day, shape (n_days, 48), and after the last one, (48,)."""
    level = np.full(SLOTS_PER_DAY, np.nanmean(history_kw[:WEEK]))
    before = np.empty_like(history_kw)
    for day, came in enumerate(history_kw):
        before[day] = level
        # At first the mean of what came so far: the beginning is not to be carried on for weeks.
        part = max(share, 1 / (day + 1))
        level = np.where(np.isfinite(came), level + part * (came - level), level)
    return before, level
