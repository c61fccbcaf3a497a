"""The regression behind the load forecast. Time here is the wall clock's half hours.

A forecast for one half hour is a weighted sum of what is usual then (three day shapes of different
memory) and of how the last half hour, hours and days differed from the usual, fading with lead
time. The weights are found by ridge regression over the forecasts that would have been made before.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_optimizer.forecast.calendar import Integers
from battery_optimizer.forecast.load_profiles import (
    PART_EDGES,
    QUANTILES,
    Profiles,
    Spread,
    learn_profiles,
    learn_spread,
)
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import SLOTS_PER_DAY, Floats

_TRAINING_DAYS: Final = 90
_ORIGINS: Final = np.arange(0, SLOTS_PER_DAY, 8)
"""Half hours of the day at which the past forecasts to learn from are made."""

_LEADS: Final = np.arange(2 * SLOTS_PER_DAY)
_FORGET_DAYS: Final = 90.0

_SET_WEIGHTS: Final = np.array([0.5, 0.5, 0.0, 0.1, 0.3, 0.3, 0.2, 0.2])
"""What the weights of `_terms` are held to, and are as long as nothing was learned."""

_PENALTY: Final = 2000.0
"""How many forecast half hours the set weights weigh as much as."""

_SHAPES: Final = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
_SUM_PENALTY: Final = 10.0
"""The day shapes' weights are held to a sum of 1 so much harder: bursts in few days of learning
would shrink it, and the forecast with it."""

_LEAST_SWING: Final = 0.25
"""Least swing of a term, over the mean load, that its penalty is made for: in the first days few
half hours must not move the weights far."""

_REACH: Final = 3 * SLOTS_PER_DAY
"""Slots looked back on for how the recent past differed from the usual."""

_SHIFT: Final = np.array([0.15, 0.4, 0.6])
"""How far each quantile follows the mean when it departs from the usual,"""
_PART_SHIFT: Final = np.interp((PART_EDGES[:-1] + PART_EDGES[1:]) / 2, QUANTILES, _SHIFT)
"""and each part."""


def _memory_kernels() -> Floats:
    """Weights of the last _REACH slots, oldest first, in five averages, shape (_REACH, 5)."""
    age = np.arange(_REACH)[::-1]
    return np.stack(
        [
            np.where(age < SLOTS_PER_DAY, 1.0, 0.0),
            np.ones(_REACH),
            np.where(age == 0, 1.0, 0.0),
            np.where(age < SLOTS_PER_DAY // 2, np.exp(-age / 6.0), 0.0),
            np.where(age < 2 * SLOTS_PER_DAY, np.exp(-age / 24.0), 0.0),
        ],
        axis=1,
    )


_KERNELS: Final = _memory_kernels()


@dataclass(frozen=True, slots=True)
class LoadModel:
    """What was learned up to the start of a local day, or, in the first days, up to now."""

    usual: Profiles
    """Of the one day being forecast from, n_days 1."""
    spread: Spread
    weights: Floats

    def predict(
        self, recent_kw: Floats, recent_off: Integers, lead: Integers, slot: Integers, off: Integers
    ) -> tuple[Floats, Floats, Floats]:
        """Mean (n,), quantiles (3, n) and bursts (n_bursts, n) of the load [kW] so far ahead.

        `lead` counts half hours. The bursts depart from the mean, and average nothing.
        `recent_kw` is the load of the last _REACH half hours, oldest first, the last one ending
        where lead 0 starts; `recent_off` and `off` tell the kind of day, `slot` the half hour.
        """
        recent_slot = (slot[0] - lead[0] + np.arange(-_REACH, 0)) % SLOTS_PER_DAY
        unusual = recent_kw - self.usual.slow[0, recent_off, recent_slot]
        levels = _levels(unusual[None, :])
        terms = _terms(self.usual, levels[:, None, :], lead, slot, (np.zeros_like(off), off))
        mean = np.maximum(terms[0] @ self.weights, 0.0)
        shift = mean - self.usual.slow[0, off, slot]
        quantiles = self.spread.quantiles[off, :, slot].T + _SHIFT[:, None] * shift
        parts = np.maximum(self.spread.parts[off, :, slot].T + _PART_SHIFT[:, None] * shift, 0.0)
        return (
            mean,
            np.maximum.accumulate(np.maximum(quantiles, 0.0), axis=0),
            parts - BURST_WEIGHTS @ parts,
        )


def learn_load_model(history_kw: Floats, off: Integers) -> LoadModel:
    """Learn from days of shape (n_days, 48) [kW]; `off` covers them and the day after, at least."""
    n_days = len(history_kw)
    first = max(0, n_days - _TRAINING_DAYS)
    at_days = np.arange(first, n_days + 1)
    profiles = learn_profiles(history_kw, off[:n_days], at_days)
    today = Profiles(profiles.slow[-1:], profiles.season[-1:], profiles.fast[-1:])
    return LoadModel(
        usual=today,
        spread=learn_spread(history_kw, off[:n_days]),
        weights=_learn_weights(history_kw, off, profiles, first),
    )


def _learn_weights(history_kw: Floats, off: Integers, profiles: Profiles, first: int) -> Floats:
    """The weights of `_terms` that would have served best, held to the set ones."""
    n_days = len(history_kw)
    n_past = n_days - first
    if n_past == 0:
        return _SET_WEIGHTS
    blank = np.full(_REACH, np.nan)
    padded = np.concatenate((blank, history_kw.ravel(), blank))  # three days before and after
    days_off = np.concatenate((off[:1], off[:1], off[:1], off[: n_days + 1], off[:1], off[:1]))

    day = np.arange(n_past)[:, None, None]
    starts = (first + day) * SLOTS_PER_DAY + _ORIGINS[None, :, None]  # in history
    back = starts + np.arange(_REACH)  # in padded: the _REACH slots before the start
    usual = profiles.slow[day, days_off[back // SLOTS_PER_DAY], back % SLOTS_PER_DAY]
    levels = _levels(padded[back] - usual)
    ahead = starts + _REACH + _LEADS
    kinds = days_off[ahead // SLOTS_PER_DAY]
    terms = _terms(profiles, levels[:, :, None, :], _LEADS, ahead % SLOTS_PER_DAY, (day, kinds))

    came = padded[ahead]
    known = np.isfinite(came)
    importance = np.exp(-(n_past - day) / _FORGET_DAYS)
    rows = terms[known]
    weighted = rows * np.broadcast_to(importance, came.shape)[known][:, None]
    typical = rows.var(axis=0) if len(rows) else np.zeros(terms.shape[-1])
    least = (_LEAST_SWING * profiles.slow[-1].mean()) ** 2
    penalty = np.diag(_PENALTY * np.maximum(typical, least))
    penalty += _PENALTY * _SUM_PENALTY * profiles.slow[-1].mean() ** 2 * np.outer(_SHAPES, _SHAPES)
    return np.asarray(
        np.linalg.solve(
            weighted.T @ rows + penalty, weighted.T @ came[known] + penalty @ _SET_WEIGHTS
        )
    )


def _levels(unusual_kw: Floats) -> Floats:
    """Five averages of how the recent past (..., _REACH) differed from the usual, (..., 5) [kW].

    Where less than half of an average's slots are known it shrinks towards zero.
    """
    known = np.isfinite(unusual_kw)
    total = np.where(known, unusual_kw, 0.0) @ _KERNELS
    return np.asarray(total / np.maximum(known @ _KERNELS, 0.5 * _KERNELS.sum(axis=0)))


def _terms(
    usual: Profiles, levels: Floats, lead: Integers, slot: Integers, at: tuple[Integers, Integers]
) -> Floats:
    """The terms of the sum, shape (..., n_leads, 8) [kW]."""
    day, kind = at
    slow = usual.slow[day, kind, slot]
    relative = slow / usual.slow.mean(axis=(1, 2))[day]
    last_day, three_days, last_slot, last_hours, two_days = np.moveaxis(levels, -1, 0)
    terms = (
        slow,
        usual.season[day, kind, slot],
        usual.fast[day, kind, slot],
        last_day,
        three_days * relative,
        last_slot * np.exp(-lead / 2.0),
        last_hours * np.exp(-lead / 8.0),
        two_days * relative * np.exp(-lead / 30.0),
    )
    return np.stack(np.broadcast_arrays(*terms), axis=-1)
