"""Ways to forecast a load: what each makes of a house whose habits are known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.simulate.forecasting.methods import (
    METHODS,
    Method,
    View,
    mean_of_week,
    quantiles_of_week,
    smoothing,
    weekday_shape,
    yesterday,
)

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def days(*loads_kw: float) -> SlotSeries:
    """The load of each day, the same all day long, from a Monday on."""
    return SlotSeries(start=MONDAY, values=np.repeat(np.array(loads_kw, float), 48))


def told(method: Method, load_kw: SlotSeries, n_slots: int = 96) -> Floats:
    return method(View.of(load_kw, load_kw.end, n_slots))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_house_that_always_draws_the_same_goes_on(method: Method) -> None:
    assert told(method, days(*[0.4] * 21)) == pytest.approx(np.full((3, 96), 0.4))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_quantiles_are_in_order_and_no_load_is_below_zero(method: Method) -> None:
    rng = np.random.default_rng(1)
    noisy = SlotSeries(start=MONDAY, values=rng.exponential(0.3, 30 * 48))
    found = told(method, noisy)
    assert found.shape == (3, 96)
    assert (np.diff(found, axis=0) >= -1e-12).all()
    assert (found >= 0).all()


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_nothing_after_the_moment_of_the_forecast_is_looked_at(method: Method) -> None:
    rng = np.random.default_rng(2)
    values = rng.exponential(0.3, 30 * 48)
    now = MONDAY + 25 * DAY + 9 * SLOT
    other = values.copy()
    other[25 * 48 + 9 :] *= 5
    one, two = (SlotSeries(start=MONDAY, values=each) for each in (values, other))
    assert np.array_equal(method(View.of(one, now, 96)), method(View.of(two, now, 96)))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_gaps_are_no_zeros(method: Method) -> None:
    values = np.full(30 * 48, 0.5)
    values[::5] = np.nan  # now and then
    values[10::48] = np.nan  # a half hour of the day that never is metered
    found = told(method, SlotSeries(start=MONDAY, values=values))
    assert found == pytest.approx(np.full((3, 96), 0.5))


def test_the_simple_ones_are_what_they_say() -> None:
    week = days(1, 2, 3, 4, 5, 6, 7)
    assert told(mean_of_week, week) == pytest.approx(np.full((3, 96), 4.0))
    assert told(quantiles_of_week, week)[:, 0] == pytest.approx([1.6, 4.0, 6.4])
    assert told(yesterday, week) == pytest.approx(np.full((3, 96), 7.0))


def test_a_weekend_is_forecast_by_weekends_and_a_day_by_its_own_weekday() -> None:
    """Washing on Mondays, everybody in at weekends; Friday asks for Saturday and Sunday."""
    week = [2.0, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5]
    friday = days(*week * 8, *week[:5])
    assert told(weekday_shape, friday)[1:] == pytest.approx(np.full((2, 96), 1.5), abs=0.1)
    monday = told(weekday_shape, days(*week * 8))[:, 0]
    assert monday == pytest.approx([0.5, 0.5, 2.0], abs=0.1)


def test_newer_days_weigh_more() -> None:
    changed = days(*[0.3] * 40, *[0.9] * 40)
    assert told(weekday_shape, changed)[1] == pytest.approx(0.9)
    assert told(smoothing, changed)[1] == pytest.approx(0.9, abs=0.05)


def test_smoothing_takes_over_more_where_a_level_drifts() -> None:
    """Half of what a day was off by, where each day is a little above the one before."""
    steady = np.tile([0.2, 0.8], 30)
    drift = np.linspace(0.2, 3.2, 60)
    assert told(smoothing, days(*drift))[1, 0] > 3.0
    assert told(smoothing, days(*steady))[1, 0] == pytest.approx(0.5, abs=0.35)
    band = told(smoothing, days(*steady))
    assert band[2, 0] - band[0, 0] == pytest.approx(0.6, abs=0.2)


def test_half_hours_are_those_of_the_wall_clock() -> None:
    """Tea at five, on the Sunday on which clocks go forward and after it, too."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    values = np.full(28 * 48, 0.2)
    values[34::48] = 2.0
    found = weekday_shape(View.of(SlotSeries(start=start, values=values), start + 28 * DAY, 96))
    # Clocks go forward in the night to Sunday, 29 March: five o'clock is then 16:00 UTC.
    assert np.flatnonzero(found[1] > 1).tolist() == [32, 80]
