"""What the cold adds to the load: learned where it does, left alone where it does not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.warmth import Warmth, learn_warmth, temperature_outside
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.telemetry import Observations

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)
DAYS = 90
N_SLOTS = DAYS * 48
START = NOW - N_SLOTS * SLOT
RNG = np.random.default_rng(5)
OUTSIDE = np.interp(
    np.arange(N_SLOTS) / 48, np.arange(DAYS + 1), 6 + 4 * RNG.standard_normal(DAYS + 1)
)
OUTSIDE = OUTSIDE + 2 * np.sin(np.arange(N_SLOTS) / 48 * 2 * np.pi)
DEGREES = np.maximum(15.5 - OUTSIDE, 0)
HOUSE = RNG.gamma(4, 0.1, N_SLOTS)


def series(values: Floats, start: datetime = START) -> SlotSeries:
    return SlotSeries(start=start, values=values)


def learned(load: Floats, now: datetime = NOW) -> Warmth | None:
    return learn_warmth(series(load), series(DEGREES), now)


def test_a_heat_pump_is_learned() -> None:
    warmth = learned(HOUSE + 0.08 * DEGREES)
    assert warmth is not None
    assert warmth.kw_per_degree == pytest.approx(np.full(48, 0.08), abs=0.02)
    assert warmth.usual_degrees == pytest.approx(DEGREES[-7 * 48 :].mean(), abs=0.7)


def test_heating_by_the_clock_is_learned_by_the_clock() -> None:
    clock = (np.arange(N_SLOTS) + 24) % 48
    warmth = learned(HOUSE + np.where((clock >= 12) & (clock < 16), 0.2, 0.02) * DEGREES)
    assert warmth is not None
    assert warmth.kw_per_degree[12:16].min() > 0.15
    assert warmth.kw_per_degree[24:].max() < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_a_house_heated_by_gas_is_left_alone(seed: int) -> None:
    assert learned(np.random.default_rng(seed).gamma(2, 0.2, N_SLOTS)) is None


def test_what_no_longer_holds_is_not_used() -> None:
    since = np.arange(N_SLOTS) >= N_SLOTS - 28 * 48  # a heat pump that was taken out
    assert learned(HOUSE + np.where(since, 0.0, 0.08 * DEGREES)) is None


def test_six_weeks_are_needed() -> None:
    load = HOUSE + 0.08 * DEGREES
    assert learn_warmth(series(load[: 40 * 48]), series(DEGREES), START + 40 * 48 * SLOT) is None
    load[: -30 * 48] = np.nan
    assert learned(load) is None


def test_gaps_do_no_harm() -> None:
    load = HOUSE + 0.08 * DEGREES
    load[RNG.random(N_SLOTS) < 0.01] = np.nan
    warmth = learned(load)
    assert warmth is not None
    assert warmth.kw_per_degree.mean() == pytest.approx(0.08, abs=0.02)


def test_nothing_after_now_is_looked_at() -> None:
    load = HOUSE + 0.08 * DEGREES
    then = NOW - timedelta(days=20)
    known = (then - START) // SLOT
    other = load.copy()
    other[known:] = 5.0
    one, another = learned(load, then), learned(other, then)
    assert one is not None
    assert another is not None
    np.testing.assert_array_equal(one.kw_per_degree, another.kw_per_degree)


def test_added_is_what_differs_from_the_last_days_and_nothing_where_nobody_knows() -> None:
    warmth = Warmth(kw_per_degree=np.full(48, 0.1), usual_degrees=8.0)
    degrees = series(np.array([8.0, 10.0, np.nan, 0.0]), NOW)
    added = warmth.added_kw(degrees, NOW, NOW + 5 * SLOT)
    assert added == pytest.approx([0, 0.2, 0, -0.8, 0])


def outside(metered: Floats | None, weather: Floats | None = OUTSIDE) -> Observations:
    nothing = SlotSeries.empty(START)
    return Observations(
        load_kw=nothing,
        solar_kw=nothing,
        outside_c=None if metered is None else series(metered),
        weather_c=None if weather is None else series(weather),
    )


def test_without_a_forecast_there_is_no_temperature() -> None:
    assert temperature_outside(outside(OUTSIDE, None), NOW) is None


def test_without_a_sensor_the_weather_serves() -> None:
    found = temperature_outside(outside(None), NOW)
    assert found is not None
    np.testing.assert_array_equal(found.celsius.values, OUTSIDE)


def test_the_forecast_is_moved_to_what_is_metered_here() -> None:
    then = NOW - timedelta(days=2)
    found = temperature_outside(outside(OUTSIDE - 1.5), then)
    assert found is not None
    assert found.doubt is None
    np.testing.assert_allclose(found.celsius.values, OUTSIDE - 1.5)


@pytest.mark.parametrize(
    "metered",
    [OUTSIDE + 14, 20 + np.sin(OUTSIDE), OUTSIDE * 1.8 + 32],
    ids=["indoors", "heated", "Fahrenheit"],
)
def test_a_sensor_indoors_or_in_fahrenheit_is_named_and_not_used(metered: Floats) -> None:
    found = temperature_outside(outside(metered), NOW)
    assert found is not None
    np.testing.assert_array_equal(found.celsius.values, OUTSIDE)
    if np.nanmax(metered) < 45:
        assert "is the sensor indoors, in the sun, or in another unit?" in (found.doubt or "")


def test_what_no_weather_does_is_left_out() -> None:
    metered = OUTSIDE.copy()
    metered[500] = -127.0
    metered[700:760] = metered[700]  # frozen
    metered[900] += 20
    found = temperature_outside(outside(metered), NOW)
    assert found is not None
    np.testing.assert_allclose(found.celsius.values, OUTSIDE, atol=0.2)
