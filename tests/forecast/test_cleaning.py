import numpy as np

from battery_optimizer.forecast.cleaning import believable_load, believable_solar

RNG = np.random.default_rng(1)


def a_load(n_slots: int = 500) -> np.ndarray:
    return RNG.uniform(0.1, 2.0, n_slots)


def test_a_sound_load_is_left_alone() -> None:
    load = a_load()
    assert (believable_load(load) == load).all()


def test_negative_and_absurd_load_is_absent() -> None:
    load = a_load()
    load[[10, 20]] = -0.5, 90.0
    assert np.flatnonzero(np.isnan(believable_load(load))).tolist() == [10, 20]


def test_a_lone_spike_far_above_the_rest_is_absent() -> None:
    load = a_load()
    load[10] = 15.0
    assert np.isnan(believable_load(load)[10])


def test_a_car_that_charges_often_is_no_spike() -> None:
    load = a_load()
    load[::40] = 7.4
    assert np.isfinite(believable_load(load)).all()


def test_hours_of_exactly_nothing_are_a_dead_sensor_but_a_single_zero_is_not() -> None:
    load = a_load()
    load[100:106] = 0.0
    load[200] = 0.0
    assert np.flatnonzero(np.isnan(believable_load(load))).tolist() == list(range(100, 106))


def test_half_a_day_of_one_value_is_a_frozen_sensor() -> None:
    load = a_load()
    load[100:124] = 0.4
    load[200:223] = 0.4
    assert np.flatnonzero(np.isnan(believable_load(load))).tolist() == list(range(100, 124))


def test_a_load_in_kw_that_is_given_as_w_is_no_house_either() -> None:
    load = a_load()
    load[100:120] /= 1000
    assert np.flatnonzero(np.isnan(believable_load(load))).tolist() == list(range(100, 120))


def test_a_frozen_sensor_may_differ_in_the_last_bit_or_by_a_watt() -> None:
    load = a_load()
    load[100:124] = np.where(np.arange(24) % 3, 0.4, np.nextafter(0.4, 1))
    load[200:230] = 0.7 + 0.001 * RNG.random(30)
    absent = np.flatnonzero(np.isnan(believable_load(load))).tolist()
    assert absent == [*range(100, 124), *range(200, 230)]


def test_three_hours_are_enough_for_a_value_that_is_high_for_this_house() -> None:
    load = a_load()
    load[100:106], load[200:205], load[300:306] = 6.0, 6.0, 0.5
    assert np.flatnonzero(np.isnan(believable_load(load))).tolist() == list(range(100, 106))


def test_a_quiet_night_or_a_holiday_is_no_frozen_sensor() -> None:
    fridge = 0.08 + 0.01 * RNG.random(48 * 14)
    load = np.concatenate((a_load(), fridge))
    assert (believable_load(load) == load).all()


def test_nights_are_dark_and_no_fault() -> None:
    solar = np.concatenate((np.zeros(30), RNG.uniform(0.1, 3.0, 18), np.full(20, -0.01)))
    cleaned = believable_solar(solar, most_kw=4.0)
    assert np.isfinite(cleaned).all()
    assert (cleaned[-20:] == 0).all()


def test_sun_beyond_the_panels_or_stuck_is_absent() -> None:
    solar = RNG.uniform(0.1, 3.0, 48)
    solar[5] = 9.0
    solar[20:26] = 1.5
    absent = np.flatnonzero(np.isnan(believable_solar(solar, most_kw=4.0)))
    assert absent.tolist() == [5, *range(20, 26)]
