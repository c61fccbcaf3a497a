"""What this roof will give: what the weather people say, corrected by what came of it before.

Once a day `solar_model` learns level, shade, spread and mean from past pairs of forecast and
outcome. At each call, what the panels gave in the last hours moves the next ones, fading with lead
time. With no forecast at all, recent days or a clear sky stand in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.forecast.cleaning import believable_solar
from battery_optimizer.forecast.sky import Site, clear_sky_kw
from battery_optimizer.forecast.solar_model import (
    Rows,
    SolarModel,
    learn_solar_model,
    recent_days_kw,
)
from battery_optimizer.forecast.told import quantiles_kw
from battery_optimizer.model.slots import (
    DAY,
    SLOT,
    SLOTS_PER_DAY,
    Floats,
    Horizon,
    SlotSeries,
    count_slots,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import SolarForecast

TOLD_DAYS: Final = 120
"""How far back forecasts are compared with what came [days]."""

_REACH: Final = 24
"""Half hours looked back on."""

_MEMORIES: Final = np.array([1.5, 12.0])
"""Half hours in which the weight of what the panels gave falls by e, in two averages,"""
_FADES: Final = np.array([3.0, 16.0])
"""half hours of lead in which their effect does,"""
_STRENGTHS: Final = np.array([0.7, 0.25])
"""and their effect at once."""
_FAINT: Final = 0.05
"""Less than so much of a clear day's peak says nothing about the sky."""

_SURER_AT_ONCE: Final = 0.3
_SURER_FADE: Final = 4.0
"""What the panels do now makes the next hour this much surer, and later ones less."""

_CLEAR_SKY_SHARES: Final = np.array([0.12, 0.42, 0.85])
"""p10, p50 and p90 of what a British sky lets through, of what a clear one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoofForecast:
    """Generation expected in each step of a horizon [kWh], each of shape (n_slots,).

    `mean_kwh` is the expected value; the quantiles are of each step by itself.
    """

    mean_kwh: Floats
    p10_kwh: Floats
    p50_kwh: Floats
    p90_kwh: Floats


class SolarForecaster:
    """Forecasts for one roof; keeps what it learned until the UTC day is over.

    `peak_kw` is the most that the panels could ever give, `site` where they are, both optional.
    """

    def __init__(self, *, peak_kw: float | None = None, site: Site | None = None) -> None:
        self._most_kw = 1000.0 if peak_kw is None else 1.3 * peak_kw
        self._site = site
        self._key: tuple[object, ...] = ()
        self._model: SolarModel | None = None

    def forecast(
        self,
        observed: SlotSeries,
        told: SolarForecast | None,
        latest: SolarForecast | None,
        horizon: Horizon,
        *,
        metered: SlotSeries | None = None,
    ) -> RoofForecast:
        """Generation from `horizon.start`, which is now.

        `observed` is the average power [kW], NaN also where it was turned down; `told`
        what had been forecast for past half hours before they began (see `told`); `latest` the
        newest usable forecast, None if there is none. `metered` is `observed` with what came where
        it was turned down, which is more than nothing where nobody tells what the sun will give.
        ForecastUnavailable if nothing is known.
        """
        now = floor_to_slot(horizon.start)
        start = now - TOLD_DAYS * DAY
        came = believable_solar(observed.between(start, now).values, self._most_kw)
        least = came
        if metered is not None and metered is not observed:
            least = believable_solar(metered.between(start, now).values, self._most_kw)
        if latest is None:
            given = self._stand_in(least, start, horizon.end)
            model = learn_solar_model(given[:, :0], came[:0], came[:0], _slots(start, 0))
        else:
            given = quantiles_kw(latest, start, horizon.end)
            if told is not None:
                given = _first_known(quantiles_kw(told, start, now), given)
            model = self._learn(given[:, : len(came)], came, start)
            if not np.isfinite(given[:, len(came) :]).all():
                given = self._filled(given, least, start, horizon.end)
        recent = len(came) - _REACH
        slot = _slots(start, given.shape[1])
        mean, quantiles = model.correct(given[:, recent:], slot[recent:])
        mean, quantiles = _corrected_by_now(mean, quantiles, came[recent:])

        def on_horizon(power_kw: Floats) -> Floats:
            series = SlotSeries(start=now, values=np.minimum(power_kw, self._most_kw))
            return series.on(horizon) * horizon.hours

        p10, p50, p90 = (on_horizon(row) for row in quantiles)
        return RoofForecast(mean_kwh=on_horizon(mean), p10_kwh=p10, p50_kwh=p50, p90_kwh=p90)

    def _learn(self, given_kw: Floats, came_kw: Floats, start: datetime) -> SolarModel:
        """The model of the days before today; from memory if it was made from the same."""
        slot = _slots(start, len(came_kw))
        # Whole days only, so that what is learned holds until the day is over.
        upto = len(came_kw) - (int(slot[-1]) + 1) % SLOTS_PER_DAY
        first = (SLOTS_PER_DAY - int(slot[0])) % SLOTS_PER_DAY
        given, came, slot = given_kw[:, first:upto], came_kw[first:upto], slot[first:upto]
        key = (start + first * SLOT, float(np.nansum(came)), float(np.nansum(given)))
        if self._model is None or key != self._key:
            age_days = (np.arange(len(came))[::-1] + 1) / SLOTS_PER_DAY
            self._model = learn_solar_model(given, came, age_days, slot)
            self._key = key
        return self._model

    def _filled(self, given: Floats, came: Floats, start: datetime, end: datetime) -> Floats:
        """`given` with what it lacks of the days to come: recent days, or its own last day."""
        try:
            return _first_known(given, self._stand_in(came, start, end))
        except ForecastUnavailable:
            filled = given.copy()
            for t in range(len(came), given.shape[1]):
                if not np.isfinite(filled[:, t]).all():
                    filled[:, t] = filled[:, t - SLOTS_PER_DAY]
            if not np.isfinite(filled[:, len(came) :]).all():
                raise
            return filled

    def _stand_in(self, came_kw: Floats, start: datetime, end: datetime) -> Floats:
        """p10, p50 and p90 [kW] of [start, end), (3, n), with nobody to ask."""
        n_slots = count_slots(start, end)
        recent = recent_days_kw(came_kw, _slots(start, len(came_kw)))
        if recent is not None:
            return recent[:, _slots(start, n_slots)]
        if self._site is None:
            raise ForecastUnavailable(
                "no solar forecast, and too few days metered to do without: "
                "check the forecast's entities, or set where the panels are"
            )
        clear = np.zeros(n_slots)
        first = len(came_kw) - _REACH
        middles = [start + (n + 0.5) * SLOT for n in range(first, n_slots)]
        clear[first:] = clear_sky_kw(middles, self._site)
        return _CLEAR_SKY_SHARES[:, None] * clear


def _first_known(preferred: Floats, other: Floats) -> Floats:
    """`preferred` where it is known, else `other`; both start together, as long as `other`."""
    result = other.copy()
    part = result[:, : preferred.shape[1]]
    part[...] = np.where(np.isfinite(preferred), preferred, part)
    return result


def _slots(start: datetime, count: int) -> Rows:
    """The UTC half hour of the day of `count` slots from `start` on."""
    return (start.hour * 2 + start.minute // 30 + np.arange(count)) % SLOTS_PER_DAY


def _corrected_by_now(mean: Floats, quantiles: Floats, came: Floats) -> tuple[Floats, Floats]:
    """Mean and quantiles [kW] of the slots after `came`, moved by how it differed from its mean.

    `mean` (n,) and `quantiles` (3, n) start with the slots of `came`. The difference is counted in
    widths of the band: what is surely sun, or surely none, hardly moves.
    """
    n_past = len(came)
    width = quantiles[2] - quantiles[0]
    known = np.isfinite(came) & np.isfinite(mean[:n_past])
    missed = np.where(known, came - mean[:n_past], 0.0)
    could = np.where(known, width[:n_past], 0.0)
    recency = np.exp(-np.arange(n_past)[::-1] / _MEMORIES[:, None])
    faint = _FAINT * float(np.nanmax(quantiles[2], initial=0.0)) + 1e-9
    shift = np.clip(recency @ missed / (recency @ could + faint), -1.5, 1.5)
    lead = np.arange(len(mean) - n_past)
    mean, quantiles, width = mean[n_past:], quantiles[:, n_past:], width[n_past:]
    moved = width * ((_STRENGTHS * shift) @ np.exp(-lead / _FADES[:, None]))
    seen = float(np.any(recency[0] @ could > faint))
    surer = 1 - seen * _SURER_AT_ONCE * np.exp(-lead / _SURER_FADE)
    middle = quantiles[1] + moved
    spread = middle + surer * (quantiles - quantiles[1])
    return np.maximum(mean + moved, 0.0), np.maximum(spread, 0.0)
