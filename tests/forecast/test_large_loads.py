"""Which large loads are taken out of the load, what is left, and what their sensors do wrong."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.large_loads import LargeLoads
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.telemetry import Observations

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)
DAYS = 40
N_SLOTS = 48 * DAYS
START = NOW - N_SLOTS * SLOT
RNG = np.random.default_rng(3)
HOUSE = RNG.uniform(0.3, 0.7, N_SLOTS)
CLOCK = (np.arange(N_SLOTS) + 24) % 48
NIGHTLY = np.repeat(RNG.random(DAYS + 1) < 0.5, 48)[24:][:N_SLOTS] & (CLOCK >= 2) & (CLOCK < 6)
CAR = np.where(NIGHTLY, 7.0, 0.0)


def series(values: Floats) -> SlotSeries:
    return SlotSeries(start=START, values=values)


def split(car: Floats = CAR, load: Floats = HOUSE + CAR, **more: Floats) -> LargeLoads:
    large = {"car": car, **more}
    observed = Observations(
        load_kw=series(load),
        solar_kw=series(load),
        large_kw={name: series(values) for name, values in large.items()},
    )
    return LargeLoads.of(observed, NOW)


def assert_whole(found: LargeLoads, load: Floats = HOUSE + CAR) -> None:
    assert found.apart == {}
    np.testing.assert_array_equal(found.base_kw.values, load)


def test_without_large_loads_the_load_is_as_it_was() -> None:
    observed = Observations(load_kw=series(HOUSE), solar_kw=series(HOUSE))
    assert LargeLoads.of(observed, NOW).base_kw is observed.load_kw


def test_what_a_car_draws_is_taken_out() -> None:
    found = split()
    np.testing.assert_allclose(found.base_kw.values, HOUSE)
    np.testing.assert_allclose(found.apart["car"].between(START, NOW).values, CAR)
    assert found.doubts == ()


def test_two_large_loads_are_taken_out_together() -> None:
    water = np.where(CLOCK == 30, 3.0, 0.0)
    found = split(load=HOUSE + CAR + water, water=water)
    assert set(found.apart) == {"car", "water"}
    np.testing.assert_allclose(found.base_kw.values, HOUSE)


def test_what_runs_most_of_the_time_stays_with_the_rest() -> None:
    heat_pump = RNG.uniform(0.3, 2.0, N_SLOTS)
    found = split(car=heat_pump, load=HOUSE + heat_pump)
    assert_whole(found, HOUSE + heat_pump)
    assert found.doubts == ()


def test_a_load_without_history_of_its_own_stays_with_the_rest() -> None:
    car = CAR.copy()
    car[: -10 * 48] = np.nan
    found = split(car)
    assert_whole(found)
    assert found.doubts == ()  # it will be known in time


def test_before_the_sensor_came_only_half_hours_without_the_car_are_learned_from() -> None:
    car = CAR.copy()
    car[: N_SLOTS // 2] = np.nan
    base = split(car).base_kw.values
    known = np.isfinite(base)
    np.testing.assert_allclose(base[known], HOUSE[known])
    assert not known[: N_SLOTS // 2][CAR[: N_SLOTS // 2] > 0].any()
    assert known.mean() > 0.9


def test_a_sensor_that_vanishes_leaves_the_load_whole_and_is_named() -> None:
    car = CAR.copy()
    car[-7:] = np.nan
    found = split(car)
    assert_whole(found)
    assert found.doubts == (
        "car is forecast with the rest of the house: its sensor has given nothing for 3 hours",
    )


def test_a_sensor_that_is_away_for_an_hour_changes_nothing_else() -> None:
    car = CAR.copy()
    car[-2:] = np.nan
    found = split(car)
    assert found.doubts == ()
    np.testing.assert_allclose(found.base_kw.values, HOUSE)


def test_a_sensor_that_never_gave_anything_is_named() -> None:
    found = split(np.full(N_SLOTS, np.nan))
    assert_whole(found)
    assert found.doubts[0].endswith("its sensor has given nothing yet")


@pytest.mark.parametrize(
    ("car", "load", "words"),
    [
        (CAR / 1000, HOUSE + CAR, "times as much: kW given as W?"),
        (CAR, HOUSE, "cannot be (negative, or more than the whole house drew)"),
        (-CAR, HOUSE + CAR, "cannot be (negative, or more than the whole house drew)"),
        (np.roll(CAR, 24), HOUSE + CAR, "cannot be (negative, or more"),
        (np.minimum(CAR, 0.4), HOUSE + CAR, "seems not to be a part of it: check both sensors"),
    ],
    ids=["kW as W", "not in the load", "negative", "of another time", "capped"],
)
def test_a_sensor_that_cannot_be_right_is_named_and_not_used(
    car: Floats, load: Floats, words: str
) -> None:
    found = split(car, load)
    assert_whole(found, load)
    assert any(words in doubt for doubt in found.doubts), found.doubts


def test_a_frozen_sensor_is_more_than_the_house_draws_and_not_believed() -> None:
    car = CAR.copy()
    car[-20:] = 7.0
    found = split(car)
    assert_whole(found)
    assert "half hours of the last day what cannot be" in found.doubts[0]


def test_a_jump_is_left_out_and_the_rest_used() -> None:
    car = CAR.copy()
    car[-300] = 60.0
    found = split(car)
    assert np.isnan(found.apart["car"].values[N_SLOTS - 300])
    np.testing.assert_allclose(found.base_kw.values, HOUSE)


def test_the_half_hour_that_runs_is_known_of_the_part_alone() -> None:
    observed = Observations(
        load_kw=series(np.append(HOUSE + CAR, 7.4)),
        solar_kw=series(HOUSE),
        large_kw={"car": series(np.append(CAR, 7.0))},
    )
    found = LargeLoads.of(observed, NOW + timedelta(minutes=10))
    assert len(found.base_kw.values) == N_SLOTS
    assert found.apart["car"].at(NOW) == 7.0
