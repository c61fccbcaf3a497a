"""What the house will draw, half hour by half hour, learned from what it drew.

The mean is a regression on day shapes and on how the last hours and days differed from them (see
`load_model`). The quantiles are those of past days at the same half hour, moved part of the way
with the mean. The heavy work is done once a local day and kept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import numpy as np

from battery_optimizer.forecast.calendar import (
    Integers,
    by_wall_clock,
    off_days,
    wall_positions,
)
from battery_optimizer.forecast.cleaning import believable_load
from battery_optimizer.forecast.load_model import LoadModel, learn_load_model
from battery_optimizer.model.slots import (
    SLOT,
    SLOTS_PER_DAY,
    Floats,
    Horizon,
    SlotSeries,
    count_slots,
    floor_to_slot,
)

HISTORY_DAYS: Final = 400
"""How far back forecasts may look."""
_LEAST_DAYS: Final = 0.5
_SHORT_HISTORY_DAYS: Final = 14.0
_FEW_DAYS: Final = 3
"""Until so many whole days are known, today counts in full at once."""

_RECENT_DAYS: Final = 3
_LEAST_KW: Final = 0.01
"""No house in use draws less on average: never plan for nothing by accident,"""
_LEAST_QUANTILE: Final = 0.02
_LEAST_OF_DAYS: Final = 28
"""nor for less than what stays on when nobody is in: the least it drew lately, but for this share
of the half hours. The last hours may pull the mean below that, as when a household leaves."""


class LoadBasis(StrEnum):
    """What a load forecast rests on."""

    DEFAULT = "default"
    """A common British house: less than half a day has been metered."""
    SHORT_HISTORY = "short history"
    """Less than two weeks."""
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadForecast:
    """House load expected in each step of a horizon [kWh], each of shape (n_slots,).

    `mean_kwh` is the expected value, above the median where load comes in bursts. The quantiles
    are of each step by itself, not of sums over steps.
    """

    mean_kwh: Floats
    p10_kwh: Floats
    p50_kwh: Floats
    p90_kwh: Floats
    bursts_kwh: Floats
    """How each part of a step's distribution departs from the mean, shape (n_bursts, n_slots)."""
    basis: LoadBasis
    days_known: float
    """Days of believable metering that it rests on."""


@dataclass(frozen=True, slots=True)
class _Learned:
    """A model, and the kinds of days around it."""

    model: LoadModel
    first_day: int
    off: Integers
    days_known: float
    least_kw: float

    @classmethod
    def of(cls, load_kw: Floats, positions: Integers, today: int) -> Self:
        """Learn from the load [kW] at these positions of the wall clock."""
        first_day = int(positions[0]) // SLOTS_PER_DAY if len(positions) else today
        last_day = int(positions[-1]) // SLOTS_PER_DAY + 1 if len(positions) else first_day
        history = by_wall_clock(
            load_kw, positions, first_day * SLOTS_PER_DAY, last_day * SLOTS_PER_DAY
        ).reshape(-1, SLOTS_PER_DAY)
        known = float(np.isfinite(history).sum()) / SLOTS_PER_DAY
        off = off_days(first_day - _RECENT_DAYS, today - first_day + 20)
        lately = load_kw[-_LEAST_OF_DAYS * SLOTS_PER_DAY :]
        lately = lately[np.isfinite(lately)]
        least = float(np.quantile(lately, _LEAST_QUANTILE)) if len(lately) else 0.0
        return cls(
            model=learn_load_model(history, off[_RECENT_DAYS:]),
            first_day=first_day,
            off=off,
            days_known=known,
            least_kw=max(least, _LEAST_KW),
        )

    def predict(
        self, recent_kw: Floats, origin: int, target: Integers
    ) -> tuple[Floats, Floats, Floats]:
        """Mean, quantiles and bursts at these positions of the wall clock [kW]."""
        past = np.arange(origin - len(recent_kw), origin)
        return self.model.predict(
            recent_kw,
            self._is_off(past),
            np.maximum(target - origin, 0),
            target % SLOTS_PER_DAY,
            self._is_off(target),
        )

    def _is_off(self, positions: Integers) -> Integers:
        return self.off[positions // SLOTS_PER_DAY - self.first_day + _RECENT_DAYS]


class LoadForecaster:
    """Forecasts from metered load; keeps what it learned until the local day is over."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._learned: _Learned | None = None

    def forecast(self, observed: SlotSeries, horizon: Horizon, now: datetime) -> LoadForecast:
        """The load of each step of the horizon; `observed` is the average power [kW].

        Only half hours that ended by `now` are looked at.
        """
        end = floor_to_slot(now)
        start = max(observed.start, end - HISTORY_DAYS * SLOTS_PER_DAY * SLOT)
        metered = observed.between(min(start, end), end)
        origin = int(wall_positions(end, 1)[0])
        learned = self._learn(metered, origin)
        first = floor_to_slot(horizon.start)
        n_slots = count_slots(first, horizon.end)
        target = wall_positions(first, n_slots)
        mean, quantiles, bursts = learned.predict(self._recent(metered, origin), origin, target)

        def on_horizon(power_kw: Floats) -> Floats:
            return SlotSeries(start=first, values=power_kw).on(horizon) * horizon.hours

        return LoadForecast(
            mean_kwh=on_horizon(np.maximum(mean, learned.least_kw)),
            p10_kwh=on_horizon(np.maximum(quantiles[0], learned.least_kw / 2)),
            p50_kwh=on_horizon(np.maximum(quantiles[1], learned.least_kw)),
            p90_kwh=on_horizon(np.maximum(quantiles[2], learned.least_kw)),
            bursts_kwh=np.stack([on_horizon(each) for each in bursts]),
            basis=_basis(learned.days_known),
            days_known=learned.days_known,
        )

    def _learn(self, metered: SlotSeries, origin: int) -> _Learned:
        """What can be learned up to the start of today; from memory if nothing changed."""
        known = np.flatnonzero(np.isfinite(metered.values))
        first = int(known[0]) if len(known) else len(metered.values)
        positions = wall_positions(metered.start, len(metered.values))
        today = origin // SLOTS_PER_DAY
        upto = len(positions)
        if first < upto and today - int(positions[first]) // SLOTS_PER_DAY > _FEW_DAYS:
            # Whole days only, so that a window that moves with the clock changes nothing by day.
            midnight = (int(positions[first]) // SLOTS_PER_DAY + 1) * SLOTS_PER_DAY
            first, upto = np.searchsorted(positions, (midnight, today * SLOTS_PER_DAY)).tolist()
        values = metered.values[first:upto]
        key = (metered.start + first * SLOT, today, upto - first, float(np.nansum(values)))
        if self._learned is None or key != self._key:
            self._learned = _Learned.of(believable_load(values), positions[first:upto], today)
            self._key = key
        return self._learned

    def _recent(self, metered: SlotSeries, origin: int) -> Floats:
        """Load of the last days on the wall clock's half hours up to `origin`, (3 * 48,) [kW]."""
        n_slots = _RECENT_DAYS * SLOTS_PER_DAY + 2  # two more: clocks may have gone forward
        judged = metered.between(metered.end - 10 * n_slots * SLOT, metered.end)
        values = believable_load(judged.values)[-n_slots:]
        positions = wall_positions(metered.end - n_slots * SLOT, n_slots)
        return by_wall_clock(values, positions, origin - _RECENT_DAYS * SLOTS_PER_DAY, origin)


def _basis(days_known: float) -> LoadBasis:
    if days_known < _LEAST_DAYS:
        return LoadBasis.DEFAULT
    return LoadBasis.SHORT_HISTORY if days_known < _SHORT_HISTORY_DAYS else LoadBasis.HISTORY
