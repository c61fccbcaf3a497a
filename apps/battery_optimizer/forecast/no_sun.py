"""Panels that give nothing although sun was forecast: a dead meter, or a roof under snow."""

from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, Bools, Floats, floor_to_slot
from battery_optimizer.model.telemetry import Observations, SolarForecast

_DEAD_SLOTS: Final = 2 * SLOTS_PER_DAY
"""Two days: one without any sun was metered on a sound roof, off for a day."""
_DEAD_KWH: Final = 2.0
_DEAD_SHARE: Final = 1 / 300
"""Less than this of the most that was forecast: nothing, or kW given as W. Fog leaves ten times
more."""
_MOST_SUN_KW: Final = 50.0
"""A forecast of more is none for a house, and condemns no meter."""

_DEAD_SUN: Final = (
    "the solar power metered in the last two days is nothing, or a thousandth of what was "
    "forecast, and is not learned from: check its sensor and its unit (kW given as W?), and "
    "whether the panels are on"
)
_NO_SUN: Final = (
    "the panels have given nothing for two days, though sun was forecast, and the other meters add "
    "up without any: are they under snow, or switched off? These days are not learned from"
)
_TRUE_SHARE: Final = 0.2
"""Less than this of the sun that was forecast is missing where the panels truly gave none."""


def no_sun(
    observed: Observations, latest: SolarForecast | None, now: datetime
) -> tuple[Bools, tuple[str, ...]]:
    """In which half hours the panels' meter was dead, or showed a thousandth; if now, in words.

    By whole days of UTC, and by the last two days: so long without any sun although it was
    forecast, by a forecast that is none of a power station.
    """
    solar = observed.solar_kw
    dead = np.zeros(len(solar.values), dtype=bool)
    if not len(dead):
        return dead, ()
    told, came = _told_kw(latest, observed), observed.sun_kw.values
    end = min((floor_to_slot(now) - solar.start) // SLOT, len(dead))
    clock = (solar.start - solar.start.replace(hour=0, minute=0)) // SLOT
    midnights = range(-clock % SLOTS_PER_DAY, end - _DEAD_SLOTS + 1, SLOTS_PER_DAY)
    known = np.flatnonzero(np.isfinite(told))
    since = int(known[0]) - SLOTS_PER_DAY if len(known) else end
    for first in (*midnights, max(0, end - _DEAD_SLOTS)):
        part = slice(first, first + _DEAD_SLOTS)
        if first >= since and _is_dead(came[part], told[part]):
            dead[part] = np.isfinite(solar.values[part])
    if not dead[:end][-1:].all():
        return dead, ()
    return dead, (_NO_SUN if _is_true(observed, told, dead) else _DEAD_SUN,)


def _is_true(observed: Observations, told: Floats, dead: Bools) -> bool:
    """Whether the other meters add up with the panels giving nothing, as they do under snow."""
    if observed.flows is None:
        return False
    start, end = observed.solar_kw.start, observed.solar_kw.end
    load, grid, battery = (
        series.between(start, end).values
        for series in (observed.load_kw, observed.flows.grid_kw, observed.flows.battery_kw)
    )
    missing = load - grid - battery
    seen = dead & np.isfinite(missing * told)
    return bool(
        seen.sum() >= _DEAD_SLOTS // 2 and missing[seen].sum() < _TRUE_SHARE * told[seen].sum()
    )


def _is_dead(came: Floats, told: Floats) -> bool:
    known = np.isfinite(came * told)
    if known.sum() < _DEAD_SLOTS // 2:
        return False
    most = float(told[known].max())
    should_kwh = float(told[known].sum()) / 2
    return (
        should_kwh >= _DEAD_KWH
        and most <= _MOST_SUN_KW
        and float(came[known].max()) < _DEAD_SHARE * most
    )


def _told_kw(latest: SolarForecast | None, observed: Observations) -> Floats:
    """What had been forecast of the sun for the half hours of the metered one [kW]."""
    start, end = observed.solar_kw.start, observed.solar_kw.end
    told = np.full(len(observed.solar_kw.values), np.nan)
    # The latest counts where nothing was kept.
    for forecast in (latest, observed.told):
        if forecast is not None:
            newer = forecast.p50_kw.between(start, end).values
            told = np.where(np.isfinite(newer), newer, told)
    return told
