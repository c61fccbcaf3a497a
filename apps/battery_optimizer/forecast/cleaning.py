"""What of the metered values can be believed: absent is better than wrong."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from battery_optimizer.model.slots import Bools, Floats

_MOST_LOAD_KW: Final = 40.0
"""No house fuse passes more than about 24 kW for half an hour; more is a meter that jumped."""

_ZERO_KW: Final = 0.01
_ZERO_SLOTS: Final = 6
"""A house always draws something: three hours of next to nothing are a dead sensor, or one in kW
that is given as W. Any fridge draws more: the quietest three hours of 277 days reached 82 W."""

_FROZEN_SLOTS: Final = 24
"""Twelve hours of one and the same average are a frozen sensor,"""
_HIGH_FROZEN_SLOTS: Final = 6
_HIGH: Final = 0.95
"""and three, if this share of the half hours draws less."""
_STILL_KW: Final = 0.004
"""The same but for rounding, and a frozen sensor's own noise: in the quietest twelve hours of 277
days the averages were 30 W apart, in the quietest three 10 W."""

_SPIKE_RATIO: Final = 5.0
_SPIKE_QUANTILE: Final = 0.995
_LEAST_SPIKE_KW: Final = 8.0
_LEAST_TO_JUDGE: Final = 96

_OUTSIDE_C: Final = (-30.0, 45.0)
_MOST_CHANGE_C: Final = 10.0
"""No weather changes by more within half an hour."""


def believable_load(load_kw: Floats) -> Floats:
    """The load [kW] with NaN for what no house draws: negative, absurd, dead or frozen values.

    A lone value far above all the rest of the history (a counter that jumped) goes as well.
    """
    load = np.where((load_kw >= 0) & (load_kw <= _MOST_LOAD_KW), load_kw, np.nan)
    load[_in_runs(np.abs(load) <= _ZERO_KW, _ZERO_SLOTS)] = np.nan
    frozen = _frozen(load, _FROZEN_SLOTS, _STILL_KW)
    known = load[np.isfinite(load) & ~frozen]
    if len(known) >= _LEAST_TO_JUDGE:
        is_high = load > float(np.quantile(known, _HIGH))
        frozen |= is_high & _frozen(load, _HIGH_FROZEN_SLOTS, _STILL_KW)
    load[frozen] = np.nan
    known = load[np.isfinite(load)]
    if len(known) >= _LEAST_TO_JUDGE and known.max() > _LEAST_SPIKE_KW:
        most = max(_LEAST_SPIKE_KW, _SPIKE_RATIO * float(np.quantile(known, _SPIKE_QUANTILE)))
        load[load > most] = np.nan
    return load


def believable_solar(solar_kw: Floats, most_kw: float) -> Floats:
    """Generation [kW] with NaN for what no panels give; a little below zero at night is zero."""
    slightly_below = -0.05 * most_kw
    solar = np.where((solar_kw >= slightly_below) & (solar_kw <= most_kw), solar_kw, np.nan)
    solar = np.maximum(solar, 0.0)
    # By night nothing changes for hours; while there is sun, no two half hours are the same.
    solar[_frozen(solar, _ZERO_SLOTS) & (solar > 0)] = np.nan
    return solar


def believable_temperature(celsius: Floats) -> Floats:
    """The temperature outside with NaN for what no British weather has, and for a frozen sensor."""
    low, high = _OUTSIDE_C
    outside = np.where((celsius >= low) & (celsius <= high), celsius, np.nan)
    jumps = np.abs(np.diff(outside, prepend=outside[:1])) > _MOST_CHANGE_C
    outside[jumps] = np.nan
    outside[_frozen(outside, _FROZEN_SLOTS)] = np.nan
    return outside


def _frozen(values: Floats, length: int, tolerance: float = 0.0) -> Bools:
    """Where a value is one of at least `length` in a row that are the same, but for a tolerance."""
    frozen = np.zeros(len(values), dtype=bool)
    if len(values) < length:
        return frozen
    # As most neighbours differ by more, only runs of near ones are looked at whole.
    near = np.zeros(len(values), dtype=bool)
    with np.errstate(invalid="ignore"):  # infinities
        near[1:] = np.abs(np.diff(values)) <= tolerance
    starts = np.flatnonzero(_in_runs(near, length - 1)) - 1
    starts = starts[starts + length <= len(values)]
    runs = sliding_window_view(values, length)[starts]
    starts = starts[np.ptp(runs, axis=1) <= tolerance]
    frozen[starts[:, None] + np.arange(length)] = True
    return frozen


def _in_runs(flags: Bools, length: int) -> Bools:
    """Where a flag is one of at least `length` in a row."""
    padded = np.zeros(len(flags) + 2, dtype=bool)
    padded[1:-1] = flags
    runs = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    result = np.zeros(len(flags), dtype=bool)
    for first, last in runs[runs[:, 1] - runs[:, 0] >= length].tolist():
        result[first:last] = True
    return result
