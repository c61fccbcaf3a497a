"""Forecasts of load and sun made over recorded days, each from what was known then, and scored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.errors import DataError
from battery_optimizer.forecast.house_load import HouseLoadForecaster
from battery_optimizer.forecast.load import LoadForecast, LoadForecaster
from battery_optimizer.forecast.solar import SolarForecaster
from battery_optimizer.model.slots import (
    SLOT,
    SLOT_HOURS,
    SLOTS_PER_DAY,
    Floats,
    Horizon,
    SlotSeries,
)
from battery_optimizer.model.telemetry import Observations, SolarForecast
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.forecasting.methods import METHODS, QUANTILES, WEEK, View
from battery_optimizer.simulate.house import outside_at

AHEAD: Final = 96
"""Half hours of each forecast: two days,"""
EVERY: Final = timedelta(hours=12)
"""and how far they are apart."""

OURS, COMBINED = "ours", "ours with the best other"
WARMTH: Final = "ours with the temperature"
TOLD: Final = "the file's own"
_BEFORE_ANY: Final = "quantiles of seven days"
_LEAST_KNOWN: Final = 0.5
"""Share of the last week that must have been metered for a forecast to be made."""


def pinball(came: Floats, quantiles: Floats) -> float:
    """Mean pinball loss of p10, p50 and p90, shape (3, n), over the known half hours."""
    off = came - quantiles
    share = np.array(QUANTILES)[:, None]
    return float(np.nanmean(np.maximum(share * off, (share - 1) * off)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How far a forecast of two days was off [kW]: mean pinball loss, absolute and squared error.

    The absolute error is the median's, the squared one the mean's.
    """

    pinball_kw: float
    absolute_kw: float
    squared_kw2: float

    @classmethod
    def of(cls, came: Floats, quantiles: Floats, mean: Floats) -> "Score":
        """Of one forecast; half hours that were not metered do not count."""
        off = came - mean
        return cls(
            pinball_kw=pinball(came, quantiles),
            absolute_kw=float(np.nanmean(np.abs(came - quantiles[1]))),
            squared_kw2=float(np.nanmean(off**2)),
        )


@dataclass(frozen=True)
class Scores:
    """Those of each method, forecast by forecast, in the order in which they were made."""

    made_at: list[datetime] = field(default_factory=list)
    load: dict[str, list[Score]] = field(default_factory=dict)
    solar: dict[str, list[Score]] = field(default_factory=dict)

    def mean_load(self) -> Mapping[str, Score]:
        """Over all forecasts of the load, the best first."""
        return _means(self.load)

    def mean_solar(self) -> Mapping[str, Score]:
        """Over all forecasts of the sun, the best first."""
        return _means(self.solar)

    def best_other(self, now: datetime) -> str:
        """The method that did best of those that are not ours, by the forecasts over by `now`."""
        over = sum(at + AHEAD * SLOT <= now for at in self.made_at)
        if not over:
            return _BEFORE_ANY
        return min(
            METHODS, key=lambda name: sum(each.pinball_kw for each in self.load[name][:over])
        )


def _means(scores: Mapping[str, list[Score]]) -> dict[str, Score]:
    means = {
        name: Score(
            pinball_kw=float(np.mean([each.pinball_kw for each in rows])),
            absolute_kw=float(np.mean([each.absolute_kw for each in rows])),
            squared_kw2=float(np.mean([each.squared_kw2 for each in rows])),
        )
        for name, rows in scores.items()
    }
    return dict(sorted(means.items(), key=lambda item: item[1].pinball_kw))


def origins(days: RecordedDays) -> list[datetime]:
    """When forecasts are made: every twelve hours, as far as what came of them is known."""
    first = max(days.run_start, days.load_kw.start + WEEK * SLOTS_PER_DAY * SLOT)
    n_made = max(0, (days.run_end - AHEAD * SLOT - first) // EVERY + 1)
    if not n_made:
        raise DataError(
            "there are too few days: before the first forecast a week is needed, and two days after"
        )
    return [first + n * EVERY for n in range(n_made)]


def scored(days: RecordedDays, scores: Scores) -> Iterator[datetime]:
    """Make the forecasts one by one, and put how they came out into `scores`.

    What a method is given ends at the moment of its forecast.
    """
    load, house, sun = LoadForecaster(), HouseLoadForecaster(), SolarForecaster()
    has_sun = bool(np.nanmax(days.solar_kw.values, initial=0.0) > 0)
    for now in origins(days):
        week = days.load_kw.between(now - WEEK * SLOTS_PER_DAY * SLOT, now).values
        came = days.load_kw.between(now, now + AHEAD * SLOT).values
        if np.isfinite(week).mean() >= _LEAST_KNOWN and np.isfinite(came).any():
            forecasts = _load_forecasts(load, days.load_kw, now, scores.best_other(now))
            weather = outside_at(days, now)
            if weather is not None:
                forecasts[WARMTH] = _with_temperature(house, days, now, weather)
            for name, (quantiles, mean) in forecasts.items():
                scores.load.setdefault(name, []).append(Score.of(came, quantiles, mean))
            scores.made_at.append(now)
            if has_sun:
                _score_sun(sun, days, now, scores)
        yield now


def _load_forecasts(
    ours: LoadForecaster, load_kw: SlotSeries, now: datetime, best_other: str
) -> dict[str, tuple[Floats, Floats]]:
    """Quantiles and mean [kW] by method; the median stands for a mean that nobody tells."""
    known = load_kw.between(load_kw.start, now)
    mine, mean = _as_power(ours.forecast(known, Horizon(start=now, n_slots=AHEAD), now))
    view = View.of(known, now, AHEAD)
    others = {name: method(view) for name, method in METHODS.items()}
    best = others[best_other]
    return {
        OURS: (mine, mean),
        **{name: (quantiles, quantiles[1]) for name, quantiles in others.items()},
        COMBINED: ((mine + best) / 2, (mean + best[1]) / 2),
    }


def _with_temperature(
    ours: HouseLoadForecaster, days: RecordedDays, now: datetime, weather: SlotSeries
) -> tuple[Floats, Floats]:
    """Ours as a house with a sensor outside has it; large loads stay with the rest."""
    outside = days.outside_c
    observed = Observations(
        load_kw=days.load_kw.between(days.load_kw.start, now),
        solar_kw=SlotSeries.empty(now),
        outside_c=None if outside is None else outside.between(outside.start, now),
        weather_c=weather,
    )
    ours.forecast(observed, Horizon(start=now, n_slots=AHEAD))
    assert ours.latest is not None  # noqa: S101 (just made)
    return _as_power(ours.latest)


def _as_power(told: LoadForecast) -> tuple[Floats, Floats]:
    """Quantiles and mean [kW]."""
    quantiles = np.stack([told.p10_kwh, told.p50_kwh, told.p90_kwh])
    return quantiles / SLOT_HOURS, told.mean_kwh / SLOT_HOURS


def _score_sun(ours: SolarForecaster, days: RecordedDays, now: datetime, scores: Scores) -> None:
    end = now + AHEAD * SLOT
    rows = (days.solar_p10_kw, days.solar_p50_kw, days.solar_p90_kw)
    file = np.stack([row.between(now, end).values for row in rows])
    came = days.solar_kw.between(now, end).values
    if not (np.isfinite(file).all() and np.isfinite(came).any()):
        return
    told = ours.forecast(
        days.solar_kw.between(days.solar_kw.start, now),
        None,
        SolarForecast(
            source="recorded", issued_at=now, p10_kw=rows[0], p50_kw=rows[1], p90_kw=rows[2]
        ),
        Horizon(start=now, n_slots=AHEAD),
    )
    mine = np.stack([told.p10_kwh, told.p50_kwh, told.p90_kwh]) / SLOT_HOURS
    mean = told.mean_kwh / SLOT_HOURS
    scores.solar.setdefault(OURS, []).append(Score.of(came, mine, mean))
    scores.solar.setdefault(TOLD, []).append(Score.of(came, file, file[1]))


def later_half(days: RecordedDays) -> RecordedDays:
    """Without the first half, which is history then; from a midnight (UTC) on."""
    n_days = days.n_slots // SLOTS_PER_DAY
    return replace(days, run_start=days.run_start + (n_days // 2) * SLOTS_PER_DAY * SLOT)
