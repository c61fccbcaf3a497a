"""The load put together of its parts: the rest, large loads, and what the cold adds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.house_load import HouseLoadForecaster, load_doubts
from battery_optimizer.forecast.load import LoadForecaster
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import SLOT, Floats, Horizon, SlotSeries
from battery_optimizer.model.telemetry import Observations, PlannedRun
from battery_optimizer.simulate.days.households import (
    HOUSEHOLDS,
    forecast_temperature,
    generate_loads,
    generate_temperature,
    half_hours,
)

START = datetime(2025, 9, 1, tzinfo=UTC)
DAYS = 110
NOW = START + timedelta(days=100, hours=18)
UNTIL = (NOW - START) // SLOT


class Home:
    """A made-up household as it is known at some moment."""

    def __init__(self, name: str) -> None:
        home = HOUSEHOLDS[name]
        load_kw, large_kw = generate_loads(home, START, DAYS, 4)
        self.load_kw = half_hours(load_kw)
        self.outside_c = half_hours(generate_temperature(START, DAYS, 4))
        self.forecast_c = forecast_temperature(self.outside_c, 4)
        self.large_kw = {name: half_hours(kw) for name, kw in large_kw.items()}

    def seen(self, now: datetime = NOW) -> Observations:
        """All that is known."""
        until = (now - START) // SLOT
        weather = np.concatenate([self.outside_c[:until], self.forecast_c[until:]])
        return Observations(
            load_kw=series(self.load_kw[:until]),
            solar_kw=series(self.load_kw[:0]),
            large_kw={name: series(kw[:until]) for name, kw in self.large_kw.items()},
            outside_c=series(self.outside_c[:until]),
            weather_c=series(weather),
        )

    def missed(self, observed_by: str, days: int = 8) -> float:
        """Mean absolute error of the mean load [kW], four times a day, by what is known."""
        forecaster, errors = HouseLoadForecaster(), []
        for step in range(4 * days):
            now = NOW + step * timedelta(hours=6)
            seen = self.seen(now)
            seen = seen if observed_by == "all" else bare(seen)
            horizon = Horizon(start=now, n_slots=48)
            band = forecaster.forecast(seen, horizon)
            came = series(self.load_kw).on(horizon) * horizon.hours
            errors.append(float(np.abs(band.mean_kwh - came).mean()) * 2)
        return float(np.mean(errors))


def series(values: Floats) -> SlotSeries:
    return SlotSeries(start=START, values=values)


def bare(seen: Observations) -> Observations:
    return Observations(load_kw=seen.load_kw, solar_kw=seen.solar_kw)


@pytest.fixture(scope="module")
def heat_pump() -> Home:
    return Home("heat_pump")


@pytest.fixture(scope="module")
def car() -> Home:
    return Home("electric_car")


def forecast(seen: Observations, now: datetime = NOW, **horizon: timedelta) -> Band:
    n_slots = 96 * (SLOT // horizon.get("step", SLOT))
    return HouseLoadForecaster().forecast(seen, Horizon(start=now, n_slots=n_slots, **horizon))


def assert_sound(band: Band) -> None:
    for values in (band.mean_kwh, band.p10_kwh, band.p90_kwh):
        assert np.isfinite(values).all()
        assert (values > 0).all()
    assert (band.p10_kwh <= band.p90_kwh).all()
    assert band.bursts_kwh is not None
    assert BURST_WEIGHTS @ band.bursts_kwh == pytest.approx(np.zeros(len(band.mean_kwh)), abs=1e-9)
    assert (np.diff(band.bursts_kwh, axis=0) >= -1e-9).all()


def assert_as_of_the_whole(band: Band, seen: Observations) -> None:
    whole = LoadForecaster().forecast(seen.load_kw, Horizon(start=NOW, n_slots=96), NOW)
    np.testing.assert_array_equal(band.mean_kwh, whole.mean_kwh)
    np.testing.assert_array_equal(band.p10_kwh, whole.p10_kwh)
    np.testing.assert_array_equal(band.p90_kwh, whole.p90_kwh)
    assert band.large_kwh == {}


def test_with_neither_it_is_the_forecast_of_the_whole_to_the_last_digit(car: Home) -> None:
    seen = bare(car.seen())
    assert_as_of_the_whole(forecast(seen), seen)
    assert load_doubts(seen, NOW) == ()


def test_a_house_that_the_cold_does_not_move_is_forecast_as_without_it(car: Home) -> None:
    seen = replace(car.seen(), large_kw={})
    assert_as_of_the_whole(forecast(seen), seen)


def test_what_is_known_of_the_cold_and_of_hot_water_makes_the_forecast_better(
    heat_pump: Home,
) -> None:
    assert heat_pump.missed("all") < 0.9 * heat_pump.missed("load alone")


def charging(car: Home) -> list[datetime]:
    """A half hour after each time that the car began to charge."""
    on = car.large_kw["car"] > 7.0
    begins = np.flatnonzero(on[1:] & ~on[:-1]) + 1
    return [START + int(at + 1) * SLOT for at in begins if UNTIL - 60 * 48 < at < UNTIL]


def test_while_the_car_charges_the_next_hours_are_told_better(car: Home) -> None:
    errors = []
    for now in charging(car):
        came = series(car.load_kw).on(Horizon(start=now, n_slots=6)) / 2
        seen = car.seen(now)
        bands = [forecast(each, now).mean_kwh[:6] for each in (seen, bare(seen))]
        errors.append([np.abs(kwh - came).mean() for kwh in bands])
    apart, whole = np.mean(errors, axis=0)
    assert len(errors) > 10
    assert apart < 0.97 * whole


def test_parts_and_rest_add_up(car: Home) -> None:
    seen = car.seen()
    band = forecast(seen)
    rest = series(seen.load_kw.values - seen.large_kw["car"].values)
    alone = LoadForecaster().forecast(rest, Horizon(start=NOW, n_slots=96), NOW)
    assert set(band.large_kwh) == {"car"}
    np.testing.assert_allclose(band.mean_kwh, alone.mean_kwh + band.large_kwh["car"], rtol=1e-6)
    assert_sound(band)
    # A car that may come or not is the greatest burst of all.
    assert band.bursts_kwh is not None
    assert band.bursts_kwh[-1].max() > alone.bursts_kwh[-1].max() + 1.0
    # A car that may come or not is the greatest burst of all.
    assert band.bursts_kwh is not None
    assert band.bursts_kwh[-1].max() > alone.bursts_kwh[-1].max() + 1.0


def test_steps_of_five_minutes_hold_the_same_energy(heat_pump: Home) -> None:
    seen = heat_pump.seen()
    fine = forecast(seen, step=timedelta(minutes=5))
    assert_sound(fine)
    assert fine.mean_kwh.sum() == pytest.approx(forecast(seen).mean_kwh.sum())


def test_a_car_that_charges_now_goes_on(car: Home) -> None:
    now = charging(car)[-1]
    band = forecast(car.seen(now), now)
    assert band.large_kwh["car"][0] > 0.5 * 7.2 / 2
    assert band.p90_kwh[0] > 7.2 / 2


def test_a_schedule_makes_the_car_certain(car: Home) -> None:
    run = PlannedRun(start=NOW + 8 * SLOT, end=NOW + 12 * SLOT, kwh=14.0)
    band = forecast(replace(car.seen(), planned={"car": [run]}))
    assert band.large_kwh["car"][8:12] == pytest.approx([3.5] * 4)
    assert band.large_kwh["car"][:8].max() == 0
    assert band.p10_kwh[8:12].min() > 3.5


def test_a_sensor_that_vanishes_neither_loses_the_car_nor_counts_it_twice(car: Home) -> None:
    seen = car.seen()
    gone = seen.large_kw["car"].values.copy()
    gone[-10:] = np.nan
    without = replace(seen, large_kw={"car": series(gone)})
    assert_as_of_the_whole(replace(forecast(without), large_kwh={}), bare(without))
    energy = [forecast(each).mean_kwh[:96].sum() for each in (seen, without)]
    assert energy[1] == pytest.approx(energy[0], rel=0.25)
    assert load_doubts(without, NOW) == (
        "car is forecast with the rest of the house: its sensor has given nothing for 3 hours",
    )


def test_a_cold_spell_to_come_raises_the_load(heat_pump: Home) -> None:
    seen = heat_pump.seen()
    assert seen.weather_c is not None
    colder = seen.weather_c.values.copy()
    colder[UNTIL:] -= 5
    usual = forecast(seen)
    cold = forecast(replace(seen, weather_c=series(colder)))
    assert_sound(cold)
    raised_kwh = cold.mean_kwh[:48].sum() - usual.mean_kwh[:48].sum()
    assert 5 < raised_kwh < 15
    assert (cold.p90_kwh[:48] >= usual.p90_kwh[:48]).all()


def test_weather_that_is_told_anew_has_nothing_learned_anew(heat_pump: Home) -> None:
    forecaster = HouseLoadForecaster()
    seen = heat_pump.seen()
    forecaster.forecast(seen, Horizon(start=NOW, n_slots=96))
    before = [each._learned for each in forecaster._forecasters.values()]
    later = heat_pump.seen(NOW + SLOT)
    assert later.weather_c is not None
    other = later.weather_c.values + 0.3
    told = replace(later, weather_c=series(other))
    forecaster.forecast(told, Horizon(start=NOW + SLOT, n_slots=96))
    after = [each._learned for each in forecaster._forecasters.values()]
    assert len(before) == 1
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_a_heat_wave_leaves_what_the_house_draws_besides(heat_pump: Home) -> None:
    seen = heat_pump.seen()
    assert seen.weather_c is not None
    hot = seen.weather_c.values.copy()
    hot[UNTIL:] = 30
    assert_sound(forecast(replace(seen, weather_c=series(hot))))


def test_the_first_day_is_sound_with_all_sensors(heat_pump: Home) -> None:
    for hours in (0.5, 6, 30):
        now = START + timedelta(hours=hours)
        assert_sound(forecast(heat_pump.seen(now), now))


def test_nothing_after_now_changes_a_forecast(heat_pump: Home) -> None:
    seen = heat_pump.seen(NOW + timedelta(days=2))
    cut = heat_pump.seen()
    assert seen.weather_c is not None
    weather = heat_pump.seen().weather_c
    ahead = forecast(replace(seen, weather_c=weather))
    np.testing.assert_array_equal(ahead.mean_kwh, forecast(cut).mean_kwh)
    np.testing.assert_array_equal(ahead.p90_kwh, forecast(cut).p90_kwh)
