"""What each source told of past half hours, put as it tells now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.told import Told, told_otherwise
from battery_optimizer.model.slots import Floats, SlotSeries, floor_to_slot
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import SolarForecast

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + 30 * DAY
RNG = np.random.default_rng(7)
CLOCK = np.arange(40 * 48) % 48
DAYS = np.repeat(RNG.uniform(0.15, 1.0, 40), 48)
HOURS = RNG.uniform(0.6, 1.0, 40 * 48)
SUN = np.where(abs(CLOCK - 24) < 11, 3 * np.cos((CLOCK - 24) / 22 * np.pi), 0.0) * DAYS * HOURS


def a_forecast(kw: Floats, at: datetime = NOW, source: str = "Solcast") -> SolarForecast:
    """Of the three days from the midnight before it was issued."""
    midnight = at.replace(hour=0, minute=0)
    first = (midnight - START) // timedelta(minutes=30)
    return without_spread(source, at, SlotSeries(start=midnight, values=kw[first : first + 144]))


def told_by(days: int, kw: Floats = SUN) -> Told:
    """Asked every six hours until now."""
    told = Told(NOW - days * DAY, NOW)
    for quarter in range(4 * days):
        told.add(a_forecast(kw, told.start + quarter * DAY / 4))
    return told


def p50(told: Told, source: str = "Solcast") -> Floats:
    forecast = told.by(source)
    assert forecast is not None
    return forecast.p50_kw.values


def test_told_is_what_was_said_last_before_a_half_hour_began() -> None:
    def issued(hours: float, kw: float, n_slots: int = 8) -> SolarForecast:
        at = NOW + timedelta(hours=hours)
        said = SlotSeries(start=floor_to_slot(at), values=np.full(n_slots, kw))
        return without_spread("test", at, said)

    told = Told(NOW - timedelta(hours=1), NOW + timedelta(hours=5))
    told.add(issued(0, 1.0))
    told.add(issued(1.1, 2.0, 3))
    expected = [np.nan] * 2 + [1.0] * 3 + [2.0] * 2 + [1.0] * 3 + [np.nan] * 2
    np.testing.assert_array_equal(p50(told, "test"), expected)


def test_each_source_has_its_own_past() -> None:
    told = told_by(3)
    told.add(a_forecast(9 * SUN, NOW - DAY, "another"))
    assert p50(told).max() < 4
    assert np.isnan(p50(told, "another")[:96]).all()
    assert np.nanmax(p50(told, "another")) > 4
    assert told.by("nobody") is None
    last = told.by()
    assert last is not None
    assert last.source == "another"
    assert Told(START, NOW).by() is None


@pytest.mark.parametrize("factor", [1000, 15, 2, 1.9, 0.5, 0.25, 0.001])
def test_what_was_told_in_another_size_is_put_in_that_of_now(factor: float) -> None:
    told = told_by(10)
    before = p50(told).copy()
    told.add(a_forecast(factor * SUN))
    np.testing.assert_allclose(p50(told), factor * before)
    told.add(a_forecast(SUN, NOW + timedelta(hours=2)))
    np.testing.assert_allclose(p50(told), before)


def test_it_is_found_in_answers_six_hours_apart_of_which_each_hour_changed() -> None:
    for seed in range(50):
        drift = np.random.default_rng(seed).uniform(0.75, 1.25, len(SUN))
        later = a_forecast(0.5 * drift * SUN, NOW + timedelta(hours=6))
        factor, shift = told_otherwise(a_forecast(SUN), later)
        assert factor == pytest.approx(0.5, rel=0.1)
        assert shift == 0


@pytest.mark.parametrize("slots", [1, 2, -2, 6])
def test_what_was_told_at_other_times_is_put_at_those_of_now(slots: int) -> None:
    told = told_by(10)
    before = p50(told).copy()
    told.add(a_forecast(np.roll(SUN, slots)))
    inner = slice(12, -12)
    np.testing.assert_allclose(p50(told)[inner], np.roll(before, slots)[inner])


@pytest.mark.parametrize("factor", [0.7, 1.4, 1.7])
def test_a_little_more_or_less_may_be_the_weather(factor: float) -> None:
    assert told_otherwise(a_forecast(SUN), a_forecast(factor * SUN)) == (1.0, 0)


def test_new_weather_is_no_other_way_of_telling() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        other = np.repeat(rng.uniform(0.3, 3.0, 40), 48) * rng.uniform(0.5, 1.5, len(SUN))
        assert told_otherwise(a_forecast(SUN), a_forecast(other * SUN)) == (1.0, 0)


def test_with_less_than_a_day_in_common_or_without_sun_nothing_is_said() -> None:
    late = NOW + timedelta(hours=20)
    short = replace(a_forecast(SUN), p50_kw=a_forecast(SUN).p50_kw.between(NOW, late + DAY / 2))
    assert told_otherwise(short, a_forecast(2 * SUN, late)) == (1.0, 0)
    assert told_otherwise(a_forecast(0 * SUN), a_forecast(SUN)) == (1.0, 0)
    assert told_otherwise(a_forecast(SUN), a_forecast(0 * SUN)) == (1.0, 0)


def test_a_gap_in_the_telling_is_none_in_the_size() -> None:
    told = told_by(10)
    told.add(a_forecast(0 * SUN))
    assert np.nanmax(p50(told)) > 1
