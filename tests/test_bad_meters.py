"""A house lives on while a meter is wrong: its store, its foresight, reading by reading."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.foresight import Foresight
from battery_optimizer.model.decision import (
    CommandResult,
    CycleInputs,
    CycleOutcome,
    CycleResult,
)
from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import Observations, SolarForecast, Telemetry
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.ports import Ports
from builders import a_house
from fakes import FixedRates, daily

START = datetime(2026, 5, 1, tzinfo=UTC)
SEEDED = timedelta(days=30)
HOUR = timedelta(hours=1)
CYCLE = timedelta(minutes=5)
RNG = np.random.default_rng(4)
N_SLOTS = 60 * 48
CLOCK = np.arange(N_SLOTS) % 48 / 2
LOAD = (0.25 + 0.8 * np.exp(-(((CLOCK - 18.5) / 2) ** 2))) * RNG.gamma(8, 1 / 8, N_SLOTS)
TOLD = np.maximum(3 * np.cos((CLOCK - 12) / 15 * np.pi), 0) * np.repeat(
    RNG.uniform(0.3, 1, N_SLOTS // 48), 48
)
SUN = TOLD * RNG.uniform(0.7, 1.3, N_SLOTS)
LOAD_KWH = LOAD.sum() / 2 / (N_SLOTS / 48)


class ToldSun:
    """Forecasts the days aright, not the clouds."""

    def latest(self, now: datetime, *refused: tuple[str, ...]) -> SolarForecast:
        if any(refused):
            raise ForecastUnavailable("no other source")
        return without_spread("told", now, SlotSeries(start=START, values=TOLD))

    def issued(self, start: datetime, end: datetime) -> list[SolarForecast]:
        return [self.latest(start)] if start < end else []


class MeteredHouse:
    """A month of sound history, then readings every five minutes, of which one may be wrong."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "battery_optimizer.db")
        self.now = START + SEEDED
        n = SEEDED // SLOT
        self.store.seed_observations(
            Observations(
                load_kw=SlotSeries(start=START, values=LOAD[:n]),
                solar_kw=SlotSeries(start=START, values=SUN[:n]),
            )
        )
        rates = FixedRates(
            daily(START, START + timedelta(days=60), {"00:00": 10, "16:00": 30}),
            daily(START, START + timedelta(days=60), {"00:00": 5}),
        )
        self.house = a_house()
        unused = None
        ports = Ports(
            meters=unused,
            rates=rates,
            solar=ToldSun(),
            history=self.store,
            inverter=unused,
            journal=self.store,
        )
        self.foresight = Foresight(ports, HistoryForecaster(), PlannerSettings())

    def lives(
        self,
        time: timedelta,
        wrong: Callable[[Telemetry], Telemetry] = lambda told: told,
        wishes: Wishes = NO_WISHES,
        load_times: float = 1.0,
    ) -> tuple[Outlook, tuple[str, ...]]:
        """What is foreseen after a time of readings, and what is told."""
        end = self.now + time
        inputs = CycleInputs(house=self.house, settings=PlannerSettings(), wishes=wishes)
        while self.now < end:
            slot = (self.now - START) // SLOT
            load, sun = LOAD[slot] * load_times, SUN[slot]
            told = Telemetry(
                measured_at=self.now,
                soc_kwh=5.0,
                load_kw=load,
                solar_kw=sun,
                grid_kw=load - sun,
                battery_kw=0.0,
            )
            self.store.save_observation(wrong(told))
            if self.now.minute % 30 == 0:
                self.store.record(a_cycle(self.now, inputs))
            self.now += CYCLE
        return self.foresight.outlook(self.now, wishes, self.house.battery)


def a_cycle(now: datetime, inputs: CycleInputs) -> CycleOutcome:
    return CycleOutcome(
        at=now,
        result=CycleResult.PLANNED,
        command=SELF_USE,
        command_result=CommandResult.UNCHANGED,
        reason="as ever",
        inputs=inputs,
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[MeteredHouse]:
    home = MeteredHouse(tmp_path)
    yield home
    home.store.close()


def kwh(outlook: Outlook) -> float:
    """The load of a day."""
    return float(outlook.load_kwh[:48].sum())


def test_with_sound_meters_nothing_is_told(home: MeteredHouse) -> None:
    outlook, told = home.lives(24 * HOUR)
    assert told == ()
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.1)


def test_a_load_in_kw_that_is_labelled_w_is_told_within_three_hours(home: MeteredHouse) -> None:
    def wrong(told: Telemetry) -> Telemetry:
        return replace(told, load_kw=told.load_kw / 1000 if told.load_kw else None)

    outlook, [told] = home.lives(3 * HOUR, wrong)
    assert told.startswith("the load metered in 6 half hours of the last day cannot be (negative")
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.15)
    outlook, [told] = home.lives(45 * HOUR, wrong)
    assert told.startswith("the meters do not add up: the load is about a thousandth of what")
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.1)


def test_a_load_sensor_that_jumps_each_hour_moves_the_forecast_little(home: MeteredHouse) -> None:
    def wrong(told: Telemetry) -> Telemetry:
        jumps = told.measured_at.minute == 30
        return replace(told, load_kw=34.0) if jumps else told

    outlook, [told] = home.lives(24 * HOUR, wrong)
    assert told.startswith("the meters do not add up: the load ")
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.1)


def test_a_dead_solar_meter_is_told_and_the_forecast_of_the_sun_goes_on(home: MeteredHouse) -> None:
    def wrong(told: Telemetry) -> Telemetry:
        return replace(told, solar_kw=0.0, grid_kw=None)

    outlook, [told] = home.lives(50 * HOUR, wrong)
    assert told.startswith("the solar power metered in the last two days is nothing, or a")
    slot = (home.now - START) // SLOT
    assert outlook.solar_kwh[:48].sum() == pytest.approx(TOLD[slot : slot + 48].sum() / 2, rel=0.2)


def test_after_a_holiday_the_first_day_back_is_one_at_home(home: MeteredHouse) -> None:
    away = Wishes(away_until=home.now + 72 * HOUR)
    outlook, told = home.lives(71 * HOUR, wishes=away, load_times=0.3)
    assert told == ()
    # For the hour that is left, what a quiet house draws.
    assert outlook.load_kwh[0] < 0.15
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.15)
    outlook, told = home.lives(2 * HOUR)
    assert told == ()
    assert kwh(outlook) == pytest.approx(LOAD_KWH, rel=0.15)
