"""What past forecasts and outcomes teach about the next: level, shade, spread, and the mean.

Arrays are by UTC half hour: the sun keeps no summer time.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_optimizer.model.slots import SLOTS_PER_DAY, Bools, Floats

_QUANTILES: Final = (0.1, 0.9)
_BLEND: Final = np.array([0.2, 0.6, 0.2])
"""Weights of p10, p50, p90 in the mean, until learned; for skewed clouds p50 is not the mean."""

_BLEND_PENALTY: Final = 1500.0
_LEVEL_DAYS: Final = 30.0
_LEVEL_DOUBT_DAYS: Final = 4.0
"""The told level counts as much as so many days of outcomes."""

_SHADE_DAYS: Final = 25.0
_SHADE_DOUBT_DAYS: Final = 12.0
_CLEARNESS: Final = np.linspace(0.0, 1.1, 12)
_CLEARNESS_WIDTH: Final = 0.12
_ERROR_DOUBT: Final = 60.0
"""How many half hours of errors the assumed spread counts as much as."""

_RECENT_DAYS: Final = 21
_FEWEST_DAYS: Final = 2
_SAME_KW: Final = 1e-6
_ASSUMED_LOW: Final = 0.45
_ASSUMED_HIGH: Final = 0.35
"""Assumed p10 and p90 of a forecast without spread: so much of it below, and above."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SolarModel:
    """Corrects what is told for a half hour of the (UTC) day."""

    factor: Floats
    """Outcome over forecast by half hour of the day, shape (48,)."""
    envelope_kw: Floats
    """What a clear day gives lately, shape (48,)."""
    low: Floats
    high: Floats
    """For a forecast without spread: 10 % and 90 % error over envelope at _CLEARNESS."""
    stretch: Floats
    """How much wider than told the gap below and above p50 must be, shape (2,)."""
    blend: Floats
    """Weights of p10, p50, p90 in the mean."""

    def correct(self, told_kw: Floats, slot: Rows) -> tuple[Floats, Floats]:
        """Mean (n,) and quantiles (3, n) [kW] from what is told, (3, n): p10, p50, p90."""
        told = told_kw * self.factor[slot]
        quantiles = self.spread(told, slot)
        mean = np.maximum(self.blend @ quantiles, 0.0)
        gaps = self.stretch[:, None] * np.abs(quantiles[[0, 2]] - quantiles[1])
        low = np.maximum(quantiles[1] - gaps[0], 0.0)
        return mean, np.stack((low, quantiles[1], quantiles[1] + gaps[1]))

    def spread(self, told_kw: Floats, slot: Rows) -> Floats:
        """The told quantiles, and where they are all the same, ones learned from errors.

        Shape (3, n): p10, p50 and p90 [kW].
        """
        p10, p50, p90 = told_kw
        envelope = np.maximum(self.envelope_kw[slot], p50)
        clearness = p50 / np.maximum(envelope, 1e-6)
        low = p50 + envelope * np.interp(clearness, _CLEARNESS, self.low)
        high = p50 + envelope * np.interp(clearness, _CLEARNESS, self.high)
        certain = has_no_spread(told_kw)
        return np.stack(
            (
                np.where(certain, np.clip(low, 0.0, p50), p10),
                p50,
                np.where(certain, np.clip(high, p50, envelope), p90),
            )
        )


def has_no_spread(told_kw: Floats) -> Bools:
    """Where p10 and p90 say nothing that p50 does not, shape (n,)."""
    return np.asarray(told_kw[2] - told_kw[0] < _SAME_KW)


def learn_solar_model(told_kw: Floats, came_kw: Floats, age_days: Floats, slot: Rows) -> SolarModel:
    """Learn from pairs: what was told (3, n), what came (n,) [kW], how old and of which half hour.

    NaN in either is left out. With no pairs nothing is corrected.
    """
    known = np.isfinite(came_kw) & np.isfinite(told_kw).all(axis=0) & (told_kw[2] > 0)
    told, came, age, slot = told_kw[:, known], came_kw[known], age_days[known], slot[known]
    factor = _learn_factor(_BLEND @ told, came, age, slot)
    told = told * factor[slot]
    envelope = _learn_envelope(np.maximum(came, told[1]), slot, age)
    low, high = _learn_errors(told[1], came, envelope[slot])
    bare = SolarModel(factor, envelope, low, high, np.ones(2), _BLEND)
    quantiles = bare.spread(told, slot)
    return SolarModel(
        factor=factor,
        envelope_kw=envelope,
        low=low,
        high=high,
        stretch=_learn_stretch(quantiles, came),
        blend=_learn_blend(quantiles, came, age),
    )


def _learn_factor(expected: Floats, came: Floats, age: Floats, slot: Rows) -> Floats:
    """Outcome over forecast, of all together and then by half hour, each held towards 1.

    Shape (48,).
    """
    if not len(came):
        return np.ones(SLOTS_PER_DAY)
    weight = np.exp(-age / _LEVEL_DAYS)
    a_day = float(weight @ expected) / max(1.0, float(_days(weight, age)))
    doubt = _LEVEL_DOUBT_DAYS * a_day + 1e-6
    level = (weight @ came + doubt) / (weight @ expected + doubt)
    weight = np.exp(-age / _SHADE_DAYS)
    missed = np.bincount(slot, weight * (came - level * expected), minlength=SLOTS_PER_DAY)
    given = np.bincount(slot, weight * level * expected, minlength=SLOTS_PER_DAY)
    # Held by what a typical daylight half hour gives, so that dawn and dusk are not made of noise.
    typical = _SHADE_DOUBT_DAYS * level * a_day / (SLOTS_PER_DAY / 2) + 1e-6
    shade = np.clip(missed / (given + typical), -0.8, 1.0)
    return np.asarray(np.clip(level * (1 + shade), 0.1, 3.0))


def _days(weight: Floats, age: Floats) -> float:
    """How many days the pairs span, by their weights."""
    _, first = np.unique(np.floor(age), return_index=True)
    return float(weight[first].sum())


def _learn_envelope(most_kw: Floats, slot: Rows, age: Floats) -> Floats:
    """Nearly the most that each half hour gave in the last weeks, shape (48,)."""
    envelope = np.zeros(SLOTS_PER_DAY)
    recent = age <= _LEVEL_DAYS
    for half_hour in range(SLOTS_PER_DAY):
        values = most_kw[recent & (slot == half_hour)]
        if len(values):
            envelope[half_hour] = np.quantile(values, 0.95)
    return np.maximum(envelope, (np.roll(envelope, 1) + np.roll(envelope, -1)) / 2)


def _learn_errors(p50: Floats, came: Floats, envelope: Floats) -> tuple[Floats, Floats]:
    """10 % and 90 % quantile of error over envelope, each of the shape of _CLEARNESS."""
    bright = envelope > 0.05 * max(1e-6, float(envelope.max(initial=0.0)))
    scale = np.maximum(envelope[bright], 1e-6)
    error = (came[bright] - p50[bright]) / scale
    order = np.argsort(error)
    error, clearness = error[order], (p50[bright] / scale)[order]
    assumed = (-_ASSUMED_LOW * _CLEARNESS, _ASSUMED_HIGH * np.minimum(_CLEARNESS, 1.0))
    learned = []
    for quantile, guess in zip(_QUANTILES, assumed, strict=True):
        values = guess.copy()
        for index, centre in enumerate(_CLEARNESS):
            weight = np.exp(-0.5 * ((clearness - centre) / _CLEARNESS_WIDTH) ** 2)
            total = float(weight.sum())
            if total <= 0:
                continue
            at = int(np.searchsorted(np.cumsum(weight), quantile * total))
            share = total / (total + _ERROR_DOUBT)
            values[index] = share * error[min(at, len(error) - 1)] + (1 - share) * guess[index]
        learned.append(values)
    return learned[0], learned[1]


def _learn_stretch(quantiles: Floats, came: Floats) -> Floats:
    """By how much the gaps to p10 and p90 must be widened for one in ten to lie beyond each.

    Shape (2,).
    """
    p10, p50, p90 = quantiles
    stretch = np.ones(2)
    for index, (gap, miss) in enumerate(((p50 - p10, p50 - came), (p90 - p50, came - p50))):
        wide = gap > 0.02 * max(1e-6, float(p90.max(initial=0.0)))
        if wide.any():
            needed = float(np.quantile(miss[wide] / gap[wide], 0.9))
            share = wide.sum() / (wide.sum() + 5 * _ERROR_DOUBT)
            stretch[index] = 1 + share * (np.clip(needed, 0.3, 3.0) - 1)
    return stretch


def _learn_blend(quantiles: Floats, came: Floats, age: Floats) -> Floats:
    """Ridge regression of what came on the three quantiles, held to the set blend, shape (3,)."""
    if not len(came):
        return _BLEND
    weighted = quantiles * np.exp(-age / 120.0)
    penalty = np.diag(_BLEND_PENALTY * np.maximum(quantiles.var(axis=1), 1e-9))
    return np.asarray(
        np.linalg.solve(weighted @ quantiles.T + penalty, weighted @ came + penalty @ _BLEND)
    )


def recent_days_kw(came_kw: Floats, slot: Rows) -> Floats | None:
    """p10, p50 and p90 of each half hour of the day in the last weeks [kW], shape (3, 48).

    None if less than two days were metered. `came_kw` ends now.
    """
    recent = slice(max(0, len(came_kw) - _RECENT_DAYS * SLOTS_PER_DAY), None)
    came, slot = came_kw[recent], slot[recent]
    known = np.isfinite(came)
    if known.sum() < _FEWEST_DAYS * SLOTS_PER_DAY:
        return None
    quantiles = np.zeros((3, SLOTS_PER_DAY))
    for half_hour in range(SLOTS_PER_DAY):
        near = np.isin((slot - half_hour) % SLOTS_PER_DAY, (0, 1, SLOTS_PER_DAY - 1))
        values = came[known & near]
        if len(values):
            quantiles[:, half_hour] = np.quantile(values, (0.1, 0.5, 0.9))
    return quantiles
