"""From the ports to an outlook: what is wrong with meters and forecasts is named, and not used."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_optimizer.errors import ForecastUnavailable, StoreUnavailable
from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.foresight import Foresight
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import Floats, Horizon, SlotSeries
from battery_optimizer.model.telemetry import Observations, SolarForecast
from battery_optimizer.model.wishes import NO_WISHES
from battery_optimizer.ports import Ports
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.house import PlayedHouse
from builders import a_house

N_DAYS = 30
START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = START + timedelta(days=25, hours=9)
RNG = np.random.default_rng(2)
CLOCK = np.arange(48 * N_DAYS) % 48
CLEAR = np.where(abs(CLOCK - 24) < 11, 3 * np.cos((CLOCK - 24) / 22 * np.pi), 0.0)
SUN = CLEAR * np.repeat(RNG.uniform(0.4, 1, N_DAYS), 48) * RNG.uniform(0.7, 1, 48 * N_DAYS)
TOLD = CLEAR * np.repeat(SUN.reshape(-1, 48).sum(1) / CLEAR[:48].sum(), 48)
LOAD = RNG.uniform(0.3, 0.7, 48 * N_DAYS)


class NoWeather:
    """A weather service that does not answer."""

    def temperature(self, now: datetime) -> SlotSeries:
        raise ForecastUnavailable(f"Open-Meteo, temperature outside: silent at {now:%H:%M}")


class LockedAtFirst(PlayedHouse):
    """The database is locked by somebody when past forecasts are first asked for."""

    n_asked = 0

    def issued(self, start: datetime, end: datetime) -> Sequence[SolarForecast]:  # noqa: ARG002
        self.n_asked += 1
        if self.n_asked == 1:
            raise StoreUnavailable("the database is locked by another program")
        return (replace(self.latest(end), issued_at=START),)


@dataclass
class Noting(HistoryForecaster):
    """Notes for how many half hours it knew what had been told."""

    n_told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def solar(self, observed: Observations, latest: SolarForecast | None, horizon: Horizon) -> Band:
        assert observed.told is not None
        self.n_told.append(int(np.isfinite(observed.told.p50_kw.values).sum()))
        return super().solar(observed, latest, horizon)


def played(
    told: Floats = TOLD, load: Floats = LOAD, kind: type[PlayedHouse] = PlayedHouse
) -> PlayedHouse:
    def series(values: Floats) -> SlotSeries:
        return SlotSeries(start=START, values=values)

    rates = series(np.full(48 * N_DAYS, 20.0))
    days = RecordedDays(
        imports=rates,
        exports=rates,
        load_kw=series(load),
        solar_kw=series(SUN),
        solar_p10_kw=series(0.7 * told),
        solar_p50_kw=series(told),
        solar_p90_kw=series(1.2 * told),
        run_start=NOW,
        run_end=START + timedelta(days=N_DAYS),
    )
    return kind(a_house(), days, soc_kwh=5)


def ports_of(world: PlayedHouse, **more: Any) -> Ports:  # noqa: ANN401
    return Ports(
        meters=world, rates=world, solar=world, history=world, inverter=world, journal=world, **more
    )


def foreseen(
    told: Floats = TOLD,
    load: Floats = LOAD,
    **more: Any,  # noqa: ANN401
) -> tuple[Outlook, tuple[str, ...]]:
    ports = ports_of(played(told, load), **more)
    return Foresight(ports, HistoryForecaster(), PlannerSettings()).outlook(
        NOW, NO_WISHES, a_house().battery
    )


def test_without_the_weather_the_load_is_forecast_as_ever_and_that_is_named() -> None:
    outlook, [problem] = foreseen(weather=NoWeather())
    assert problem == (
        "Open-Meteo, temperature outside: silent at 09:00; the load is forecast without the "
        "temperature"
    )
    np.testing.assert_array_equal(outlook.load_kwh, foreseen()[0].load_kwh)


def test_where_all_is_well_nothing_is_named() -> None:
    outlook, problems = foreseen()
    assert problems == ()
    assert outlook.solar_kwh[:24].sum() == pytest.approx(TOLD[1218:1242].sum() / 2, rel=0.4)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (1000 * TOLD, "it looks like W given as kW"),
        (TOLD / 1000, "it looks like kW taken for W, or like no forecast"),
        (np.roll(TOLD, 2), "it was an hour late: check its time zone"),
        (np.roll(TOLD, -2), "it was an hour early: check its time zone"),
    ],
)
def test_a_forecast_that_cannot_be_is_named_and_not_used(told: Floats, words: str) -> None:
    outlook, [problem] = foreseen(told)
    assert problem.startswith("the solar forecast of recorded is not used: ")
    assert words in problem
    assert problem.endswith("the sun of recent days is taken instead")
    # Recent days give about as much, when it should be.
    sun = outlook.solar_kwh[:48].sum()
    assert sun == pytest.approx(SUN[-14 * 48 :].sum() / 2 / 14, rel=0.35)


def test_one_of_half_the_size_is_named_and_put_right() -> None:
    usual, _ = foreseen()
    outlook, [problem] = foreseen(TOLD / 2)
    assert problem.startswith("the solar forecast of recorded: the panels gave 2.0 times")
    assert outlook.solar_kwh.sum() == pytest.approx(usual.solar_kwh.sum(), rel=0.2)


def test_a_meter_that_cannot_be_is_named_and_not_learned_from() -> None:
    now = (NOW - START) // timedelta(minutes=30)
    load = LOAD.copy()
    load[now - 20 : now] = -2.0
    outlook, [problem] = foreseen(load=load)
    assert problem.startswith("the load metered in 20 half hours of the last day cannot be")
    assert outlook.load_kwh[:48].sum() == pytest.approx(12, rel=0.15)


def test_with_a_forecast_refused_where_it_comes_from_the_meters_are_still_looked_at() -> None:
    now = (NOW - START) // timedelta(minutes=30)
    load = LOAD.copy()
    load[now - 20 : now] = -2.0
    told = TOLD.copy()
    told[now:] = np.nan
    _, problems = foreseen(told, load)
    assert len(problems) == 2
    assert "the sun of recent days is taken instead" in problems[0]


def test_a_database_that_is_locked_for_a_moment_costs_that_cycle_only() -> None:
    world, forecaster = played(kind=LockedAtFirst), Noting()
    foresight = Foresight(ports_of(world), forecaster, PlannerSettings())
    for minutes in (0, 5, 10):
        foresight.outlook(NOW + timedelta(minutes=minutes), NO_WISHES, a_house().battery)
    # Since the first of May; the third cycle knows it from the second.
    assert forecaster.n_told == [0, 25 * 48, 25 * 48]
    assert isinstance(world, LockedAtFirst)
    assert world.n_asked == 2
