"""What is wrong with what is forecast of the sun, held against what the panels gave: in words.

A single forecast is judged where it comes from (`model.solar`). Here the coming day is held against
recent ones, which shows gross faults at once, and what was told against what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.forecast.cleaning import believable_solar
from battery_optimizer.forecast.sky import Place, sun_position
from battery_optimizer.model.slots import (
    DAY,
    SLOT,
    SLOT_HOURS,
    SLOTS_PER_DAY,
    Floats,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import Observations, SolarForecast

_RECENT_DAYS: Final = 28
_FEWEST_RECENT: Final = 7
"""So many days with each half hour say what is usual."""

_LEAST_SHARE: Final = 0.03
_MOST_TIMES: Final = 3.0
"""A day of less than this share of the mean of recent days, or of more than so many times the
best of all their half hours: on two roofs, 880 days, sound ones had 0.11 and 2.2, and with days
made worse by a third 0.064."""

_LEAST_KWH: Final = 0.4
"""A day's energy below which nothing is said."""

_BRIGHT: Final = 0.2
_LEAST_HOLES: Final = 2
"""Half hours of no power at all where the panels mostly give this share of their best hours."""

_DARK_DEG: Final = -2.0
_LIT: Final = 0.002
_LIT_DAYS: Final = 14
_LIGHT_IN_THE_DARK: Final = 0.005
"""So much of a day's energy while the sun is down shows a third of forecasts that are an hour off
on the first day, and no sound one. Only where the panels gave nothing in those half hours lately,
either: the place may be set wrong, and at Amsterdam's or Inverness's sound ones pass as well."""

_SIZE_DAYS: Final = 14
_SIZE_SLOTS: Final = _SIZE_DAYS * SLOTS_PER_DAY
_FEWEST_DAYS: Final = 3
_REFUSED: Final = (1 / 6, 3.0)
"""What came over what was told beyond which it is not used: sound ones had 0.22 to 1.9 in three
days. `solar_model` puts right what is within."""

_DAYS_TO_REMARK: Final = 10
_REMARKED: Final = (0.5, 1.65)
"""And beyond which it is named: sound ones had 0.54 to 1.5 in ten days or more."""

_UNIT_FACTOR: Final = 30.0
_WATTS: Final = "it looks like W given as kW"
_CHECK_SIZE: Final = "check its unit, the size of the panels, and the sensor of their power"
_LEAST_KW: Final = 4.0
"""Sun in all half hours together below which nothing can be said."""

_SHIFT_DAYS: Final = 5
_FEWEST_SHIFT_DAYS: Final = 2
_HOUR: Final = 2
_BETTER: Final = 0.9
_WORSE: Final = 1.15
"""An hour the one way it must miss so much less, and the other way so much more, to be called
shifted: on 269 days of one roof no sound forecast was, and nine in ten that were shifted."""

_MOST_SHIFT: Final = 8
_SHORT_TIMES: Final = {1: "half an hour", 2: "an hour"}


def forecast_doubt(
    latest: SolarForecast, observed: Observations, now: datetime, place: Place | None = None
) -> str | None:
    """Why a solar forecast should not be used, by recent days and by how it did; None if it may.

    `observed.told` is what its source told before.
    """
    end = floor_to_slot(now)
    came = _came(observed, end, _RECENT_DAYS)
    recent = came.reshape(_RECENT_DAYS, SLOTS_PER_DAY)
    came, told = came[-_SIZE_SLOTS:], _told(latest, observed, end)
    days = list(_coming_days(latest, recent, end))
    # What says most about the reason comes first.
    return (
        next(filter(None, (_of_no_weather(day) for day in days)), None)
        or _of_another_size(told, came)
        or _shifted(*(past[-_SHIFT_DAYS * SLOTS_PER_DAY :] for past in (told, came)))
        or _light_in_the_dark(latest, recent, end, place)
        or next(filter(None, (_with_holes(day) for day in days)), None)
    )


def forecast_remark(latest: SolarForecast, observed: Observations, now: datetime) -> str | None:
    """What is wrong with a forecast that can be put right, and is (see `solar_model`)."""
    end = floor_to_slot(now)
    told, came = _told(latest, observed, end), _came(observed, end, _SIZE_DAYS)
    if _known_days(told, came) < _DAYS_TO_REMARK:
        return None
    least, most = _REMARKED
    ratio = _ratio(told, came)
    if least <= ratio <= most:
        return None
    return (
        f"the panels gave {ratio:.1f} times what was forecast over the last {_SIZE_DAYS} days: is "
        "it kWh per half hour given as kW, or for other panels? It is scaled to what they give"
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """What is forecast for 24 hours, beside the mean and the best of recent days [kW].

    Only in the half hours in which all three are known, shape (n,).
    """

    starts: list[datetime]
    ahead: Floats
    usual: Floats
    best: Floats


def _coming_days(latest: SolarForecast, recent: Floats, end: datetime) -> Iterator[_Day]:
    """The next two days, as far as most of each is known; `recent` is (days, 48), ending now."""
    enough = np.isfinite(recent).sum(axis=0) >= _FEWEST_RECENT
    if not enough.any():
        return
    usual, best = np.zeros((2, SLOTS_PER_DAY))
    usual[enough] = np.nanmean(recent[:, enough], axis=0)
    best[enough] = np.nanmax(recent[:, enough], axis=0)
    for day in (end, end + DAY):
        ahead = latest.p50_kw.between(day, day + DAY).values
        known = np.flatnonzero(enough & np.isfinite(ahead))
        if len(known) and best[known].sum() >= best.sum() / 2:
            starts = [day + int(t) * SLOT for t in known]
            yield _Day(starts, ahead[known], usual[known], best[known])


def _of_no_weather(day: _Day) -> str | None:
    given, mean, most = (SLOT_HOURS * float(kw.sum()) for kw in (day.ahead, day.usual, day.best))
    if given < _LEAST_SHARE * mean and mean > _LEAST_KWH:
        return (
            f"it has next to nothing for a whole day, while the panels lately gave {mean:.2g} kWh "
            "a day: it looks like kW taken for W, or like no forecast"
        )
    if given > max(_MOST_TIMES * most, _LEAST_KWH):
        return (
            f"it has more for a day than {_MOST_TIMES:g} times what the best hours of the last "
            f"{_RECENT_DAYS} days make together ({most:.2g} kWh): "
            + (_WATTS if given > _UNIT_FACTOR * most else _CHECK_SIZE)
        )
    return None


def _with_holes(day: _Day) -> str | None:
    holes = np.flatnonzero((day.ahead <= 0) & (day.usual > _BRIGHT * day.best.max()))
    if len(holes) < _LEAST_HOLES:
        return None
    return (
        f"it has no power at all at {day.starts[holes[0]]:%H:%M} UTC and later, when the panels "
        "mostly give some"
    )


def _light_in_the_dark(
    latest: SolarForecast, recent: Floats, end: datetime, place: Place | None
) -> str | None:
    lately = recent[-_LIT_DAYS:]
    seen = np.isfinite(lately)
    ahead = latest.p50_kw.between(end, end + DAY).values
    if place is None or not seen.any() or not np.isfinite(ahead).all():
        return None
    most = np.where(seen, lately, 0.0).max(axis=0)
    unlit = (seen.sum(axis=0) >= _FEWEST_DAYS) & (most <= _LIT * most.max())
    height, _ = sun_position([end + (t + 0.5) * SLOT for t in range(len(ahead))], *place)
    dark = unlit & (np.degrees(height) < _DARK_DEG)
    if ahead[dark].sum() <= _LIGHT_IN_THE_DARK * ahead.sum():
        return None
    brightest = end + int(np.argmax(np.where(dark, ahead, 0.0))) * SLOT
    return f"it has sun at {brightest:%H:%M} UTC, when it is dark: check its time zone"


def _of_another_size(told: Floats, came: Floats) -> str | None:
    ratio = _ratio(told, came)
    least, most = _REFUSED
    if _known_days(told, came) < _FEWEST_DAYS or least < ratio < most:
        return None
    is_unit = not 1 / _UNIT_FACTOR < ratio < _UNIT_FACTOR
    return f"the panels gave {ratio:.2g} times what was forecast over the last days: " + (
        f"{_WATTS}, or kW taken for W" if is_unit else _CHECK_SIZE
    )


def _shifted(told: Floats, came: Floats) -> str | None:
    if _known_days(told, came) < _FEWEST_SHIFT_DAYS:
        return None
    missed = _missed(told, came)
    for way, words in ((1, "early"), (-1, "late")):
        put_right, put_wrong = (_missed(np.roll(told, lag * _HOUR), came) for lag in (way, -way))
        if put_right < _BETTER * missed and put_wrong > _WORSE * missed:
            lags = range(1, _MOST_SHIFT + 1)
            best = min(lags, key=lambda lag: _missed(np.roll(told, way * lag), came))
            hours = _SHORT_TIMES.get(best, f"{best * SLOT_HOURS:g} hours")
            return f"over the last {_SHIFT_DAYS} days it was {hours} {words}: check its time zone"
    return None


def _came(observed: Observations, end: datetime, days: int) -> Floats:
    """What the panels gave in so many days [kW]."""
    return believable_solar(observed.sun_kw.between(end - days * DAY, end).values, np.inf)


def _told(latest: SolarForecast, observed: Observations, end: datetime) -> Floats:
    """What was forecast for the same days as far as its size is judged [kW]."""
    start = end - _SIZE_DAYS * DAY
    given = latest.p50_kw.between(start, end).values
    if observed.told is None:
        return given
    told = observed.told.p50_kw.between(start, end).values
    return np.where(np.isfinite(told), told, given)


def _known_days(told: Floats, came: Floats) -> float:
    return float(np.isfinite(told * came).sum()) / SLOTS_PER_DAY


def _ratio(told: Floats, came: Floats) -> float:
    """What came over what was told, in all; 1 where there was next to nothing of both."""
    known = np.isfinite(told * came)
    given, had = float(told[known].sum()), float(came[known].sum())
    if max(given, had) <= _LEAST_KW:
        return 1.0
    return had / given if given > 0 else np.inf


def _missed(told: Floats, came: Floats) -> float:
    """How far off a forecast was, as a share of what came."""
    known = np.isfinite(told * came)
    had = float(came[known].sum())
    return float(np.abs(told - came)[known].sum()) / had if had > _LEAST_KW else 0.0
