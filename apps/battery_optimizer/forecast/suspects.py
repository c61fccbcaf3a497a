"""What is wrong with what is forecast of the sun, as it shows in its history: in words.

A single forecast is judged where it comes from (`model.solar`); here it is held against what came.
"""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.forecast.cleaning import believable_solar
from battery_optimizer.model.slots import Floats, floor_to_slot
from battery_optimizer.model.telemetry import Observations, SolarForecast

_DAY: Final = timedelta(days=1)
_HOUR: Final = 2
_SHIFT_DAYS: Final = 5
_BETTER: Final = 0.9
_WORSE: Final = 1.15
"""An hour the one way it must miss so much less, and the other way so much more, to be called
shifted: on 269 days of one roof no sound forecast was, and nine in ten that were shifted."""

_SIZE_DAYS: Final = 7
_FEWEST_DAYS: Final = 2
_LEAST_KW: Final = 4.0
"""Sun in all half hours together below which nothing can be said."""

_UNIT_FACTOR: Final = 30.0
"""No weather makes panels give so many times more, or less, than was forecast."""

_HALF: Final = (1.8, 2.25)
"""Half of what it should be, more or less."""

_SLOTS_PER_DAY: Final = 48


def forecast_doubt(latest: SolarForecast, observed: Observations, now: datetime) -> str | None:
    """Why a solar forecast should not be used, by how it did before; None if it may."""
    end = floor_to_slot(now)
    told, came = _past(latest, observed, end, _SIZE_DAYS)
    if np.isfinite(told * came).sum() < _FEWEST_DAYS * _SLOTS_PER_DAY:
        return None
    ratio = _ratio(told, came)
    if not 1 / _UNIT_FACTOR < ratio < _UNIT_FACTOR:
        return (
            f"the panels gave {ratio:.2g} times what was forecast over the last days: "
            "it looks like W given as kW, or kW as W"
        )
    told, came = _past(latest, observed, end, _SHIFT_DAYS)
    missed = _missed(told, came)
    for lag, words in ((_HOUR, "early"), (-_HOUR, "late")):
        put_right, put_wrong = (_missed(np.roll(told, by), came) for by in (lag, -lag))
        if put_right < _BETTER * missed and put_wrong > _WORSE * missed:
            return f"over the last {_SHIFT_DAYS} days it was an hour {words}: check its time zone"
    return None


def forecast_remark(latest: SolarForecast, observed: Observations, now: datetime) -> str | None:
    """What is wrong with a forecast that can be put right, and is (see `solar_model`)."""
    told, came = _past(latest, observed, floor_to_slot(now), _SIZE_DAYS)
    if np.isfinite(told * came).sum() < (_SIZE_DAYS - 1) * _SLOTS_PER_DAY:
        return None
    least, most = _HALF
    ratios = [_ratio(told[first:], came[first:]) for first in (0, len(told) // 2)]
    if not all(least <= ratio <= most for ratio in ratios):
        return None
    return (
        f"the panels gave {ratios[0]:.1f} times what was forecast over the last days: is it kWh "
        "per half hour given as kW, or for fewer panels? It is scaled to what they give"
    )


def _past(
    latest: SolarForecast, observed: Observations, end: datetime, days: int
) -> tuple[Floats, Floats]:
    """What was forecast, and what came, in so many days [kW]."""
    start = end - days * _DAY
    came = believable_solar(observed.sun_kw.between(start, end).values, np.inf)
    given = latest.p50_kw.between(start, end).values
    if observed.told is not None:
        told = observed.told.p50_kw.between(start, end).values
        given = np.where(np.isfinite(told), told, given)
    return given, came


def _ratio(told: Floats, came: Floats) -> float:
    """What came over what was told, in all; 1 where there was next to nothing."""
    known = np.isfinite(told * came)
    given, had = float(told[known].sum()), float(came[known].sum())
    return had / given if max(given, had) > _LEAST_KW and given > 0 else 1.0


def _missed(told: Floats, came: Floats) -> float:
    """How far off a forecast was, as a share of what came."""
    known = np.isfinite(told * came)
    had = float(came[known].sum())
    return float(np.abs(told - came)[known].sum()) / had if had > _LEAST_KW else 0.0
