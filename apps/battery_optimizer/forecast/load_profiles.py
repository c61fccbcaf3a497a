"""Day shapes learned from past days: averages and quantiles of each half hour of the day."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_optimizer.forecast.calendar import Integers
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import SLOTS_PER_DAY, Floats

QUANTILES: Final = (0.1, 0.5, 0.9)
PART_EDGES: Final = np.concatenate(([0.0], np.cumsum(BURST_WEIGHTS)))
"""Quantiles between which the parts of a distribution lie."""

_HOURLY_DEFAULT_KW: Final = (
    0.24, 0.20, 0.19, 0.18, 0.18, 0.20, 0.27, 0.36, 0.37, 0.34, 0.32, 0.32,
    0.34, 0.33, 0.31, 0.32, 0.40, 0.52, 0.57, 0.54, 0.50, 0.45, 0.38, 0.30,
)  # fmt: skip
"""A common British house of some 2,960 kWh a year, until this one is known."""

DEFAULT_KW: Final = np.repeat(np.array(_HOURLY_DEFAULT_KW), 2)

_DEFAULT_SPREAD: Final = np.array([0.35, 0.5, 0.6, 0.75, 0.95, 1.25, 1.7, 2.4])
"""Load of one half hour over its average, for a house that is not known."""

_DEFAULT_DAYS: Final = 0.7
"""How many days of history the default weighs as much as, at first."""

_DOUBT_DAYS: Final = 2.0
"""After so many days of history the default has lost two thirds of its weight."""

_LEVEL_SLOTS: Final = 12
"""How many slots of history the default's level weighs as much as."""

SLOW_DAYS: Final = 28.0
SEASON_DAYS: Final = 90.0
FAST_DAYS: Final = 5.0
_SPREAD_DAYS: Final = 45.0
_OTHER_KIND: Final = 0.3
"""Weight of a weekend in the shape of working days, and the other way round."""

_OTHER_KIND_IN_SEASON: Final = 0.05
"""The same in the long memory, which has seen enough of either kind."""

_NEIGHBOURS: Final = np.array([0.022, 0.229, 0.498, 0.229, 0.022])
"""A half hour's events could as well have come one sooner or later."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Expected load by half hour of the day [kW], as known at the start of each of some days.

    Shape (n_days, 2, 48): [:, 0] for working days, [:, 1] for days off.
    """

    slow: Floats
    season: Floats
    fast: Floats


def learn_profiles(history_kw: Floats, off: Integers, at_days: Integers) -> Profiles:
    """Shapes from the days before each of `at_days`, which are indices into the history's days.

    `history_kw` has shape (n_days, 48), NaN where not metered; `off` (n_days,) says which days
    are off.
    """
    age = at_days[:, None] - np.arange(len(history_kw))[None, :]
    default = _scaled_default(history_kw, age)
    return Profiles(
        slow=_average(history_kw, off, age, SLOW_DAYS, _OTHER_KIND, default),
        season=_average(history_kw, off, age, SEASON_DAYS, _OTHER_KIND_IN_SEASON, default),
        fast=_average(history_kw, off, age, FAST_DAYS, 1.0, default),
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """What the load of a half hour of the day may be [kW]; kinds as in Profiles."""

    quantiles: Floats
    """QUANTILES of it, shape (2, 3, 48)."""
    parts: Floats
    """Its mean in each part, the least of its values first, shape (2, n_parts, 48)."""


def learn_spread(history_kw: Floats, off: Integers) -> Spread:
    """From each half hour's values, and with less weight its neighbours', newer ones weighing more.

    `history_kw` and `off` are as for `learn_profiles`.
    """
    n_days = len(history_kw)
    age = np.arange(n_days, 0, -1)
    default = _scaled_default(history_kw, age[None, :])[0] * _DEFAULT_SPREAD[:, None]
    values = [history_kw, np.roll(history_kw, 1, axis=1), np.roll(history_kw, -1, axis=1), default]
    pooled = np.concatenate(values)
    order = np.argsort(pooled, axis=0)  # NaN come last
    pooled = np.take_along_axis(pooled, order, axis=0)
    quantiles = np.empty((2, len(QUANTILES), SLOTS_PER_DAY))
    parts = np.empty((2, len(BURST_WEIGHTS), SLOTS_PER_DAY))
    for kind in (0, 1):
        daily = np.exp(-age / _SPREAD_DAYS) * np.where(off == kind, 1.0, _OTHER_KIND)
        unknown = np.full(len(_DEFAULT_SPREAD), _DEFAULT_DAYS / len(_DEFAULT_SPREAD))
        weights = np.concatenate((daily, 0.135 * daily, 0.135 * daily, unknown))[order]
        weights[np.isnan(pooled)] = 0.0
        upto = np.cumsum(weights, axis=0)
        middle = (upto - weights / 2) / upto[-1]
        for index, quantile in enumerate(QUANTILES):
            quantiles[kind, index] = _crossing(middle, pooled, quantile)
        parts[kind] = means_of_parts(np.nan_to_num(pooled), weights)
    return Spread(quantiles=quantiles, parts=parts)


def means_of_parts(values: Floats, weights: Floats) -> Floats:
    """The mean of each part of some distributions, one a column, shape (n_parts, n_columns).

    `values` are sorted in each column; both have shape (n_values, n_columns).
    """
    upto = np.cumsum(weights, axis=0)
    upto, share = upto / upto[-1], weights / upto[-1]
    low, high = PART_EDGES[:-1, None, None], PART_EDGES[1:, None, None]
    within = np.minimum(upto, high) - np.maximum(upto - share, low)
    within = np.maximum(within, 0.0)
    return np.asarray((within * values).sum(axis=1) / within.sum(axis=1))


def _crossing(share: Floats, values: Floats, quantile: float) -> Floats:
    """The value at which each column's share reaches the quantile, shape (columns,)."""
    n_known = np.isfinite(values).sum(axis=0)
    above = np.clip((share < quantile).sum(axis=0), 1, n_known - 1)
    columns = np.arange(values.shape[1])
    low, high = share[above - 1, columns], share[above, columns]
    part = np.clip((quantile - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    crossing = values[above - 1, columns] * (1 - part) + values[above, columns] * part
    return np.asarray(crossing)


def _scaled_default(history_kw: Floats, age: Floats | Integers) -> Floats:
    """The default shape at the level of the days before, shape (n_at, 48)."""
    weights = np.where(age > 0, np.exp(-age / SLOW_DAYS), 0.0)
    known = np.isfinite(history_kw)
    metered = weights @ np.where(known, history_kw, 0.0).sum(axis=1)
    expected = weights @ (known @ DEFAULT_KW)
    head_start = _LEVEL_SLOTS * DEFAULT_KW.mean()
    return np.asarray(((metered + head_start) / (expected + head_start))[:, None] * DEFAULT_KW)


def _average(
    history_kw: Floats, off: Integers, age: Integers, days: float, other: float, default: Floats
) -> Floats:
    """Average by half hour with weights that fall by e in so many days, shape (n_at, 2, 48)."""
    known = np.isfinite(history_kw)
    by_age = np.where(age > 0, np.exp(-age / days), 0.0)
    result = np.empty((len(age), 2, SLOTS_PER_DAY))
    for kind in (0, 1):
        weights = by_age * np.where(off == kind, 1.0, other)
        metered = _blurred(weights @ np.where(known, history_kw, 0.0))
        weight = _blurred(weights @ known)
        doubt = _DEFAULT_DAYS * np.exp(-weight / _DOUBT_DAYS)
        result[:, kind] = (metered + doubt * default) / (weight + doubt)
    return result


def _blurred(by_slot: Floats) -> Floats:
    """Each half hour mixed with its neighbours, round the clock."""
    blurred = np.zeros_like(by_slot)
    for offset, weight in enumerate(_NEIGHBOURS, start=-2):
        blurred += weight * np.roll(by_slot, offset, axis=-1)
    return blurred
