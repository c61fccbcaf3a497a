from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.forecast.sky import Site
from battery_optimizer.forecast.solar import RoofForecast, SolarForecaster
from battery_optimizer.model.slots import SLOT, Floats, Horizon, SlotSeries
from battery_optimizer.model.solar import SolarArray
from battery_optimizer.model.telemetry import SolarForecast

NOW = datetime(2026, 5, 20, 11, tzinfo=UTC)
DAYS = 60
ARRAYS = ("mean_kwh", "p10_kwh", "p50_kwh", "p90_kwh")
SITE = Site(
    latitude=51.0, longitude=-2.0, arrays=(SolarArray(peak_kw=4, tilt_deg=35, azimuth_deg=0),)
)
START = NOW - timedelta(days=DAYS)
N_SLOTS = (DAYS + 4) * 48
HALF_HOUR = (22 + np.arange(N_SLOTS)) % 48
CLEAR_KW = 3.0 * np.maximum(0, np.sin(np.pi * (HALF_HOUR - 10) / 30)) * (HALF_HOUR > 10)
CLEAR_KW = np.where(HALF_HOUR < 40, CLEAR_KW, 0.0)


def clouds(seed: int = 1, spread: float = 0.35) -> Floats:
    """What of a clear sky comes through: one level a day, and some noise."""
    rng = np.random.default_rng(seed)
    daily = np.repeat(rng.uniform(1 - 2 * spread, 1, DAYS + 5), 48)[:N_SLOTS]
    return np.clip(daily * rng.normal(1, 0.1, N_SLOTS), 0.05, 1.0)


def series(kw: Floats) -> SlotSeries:
    return SlotSeries(start=START, values=np.asarray(kw, dtype=float))


def a_forecast(p50: Floats, p10: Floats | None = None, p90: Floats | None = None) -> SolarForecast:
    return SolarForecast(
        source="test",
        issued_at=NOW,
        p10_kw=series(p50 if p10 is None else p10),
        p50_kw=series(p50),
        p90_kw=series(p50 if p90 is None else p90),
    )


def expect(
    came: Floats, told: SolarForecast | None, now: datetime = NOW, n_slots: int = 96
) -> RoofForecast:
    return SolarForecaster(peak_kw=4.0).forecast(
        series(came), told, told, Horizon(start=now, n_slots=n_slots)
    )


def after(kw: Floats, now: datetime = NOW, n_slots: int = 96) -> Floats:
    """Energy of the slots from `now` on [kWh]."""
    first = (now - START) // SLOT
    return kw[first : first + n_slots] / 2


def same(one: RoofForecast, other: RoofForecast) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def assert_sound(expected: RoofForecast, n_slots: int = 96) -> None:
    for name in ARRAYS:
        values = getattr(expected, name)
        assert values.shape == (n_slots,)
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (expected.p10_kwh <= expected.p50_kwh + 1e-9).all()
    assert (expected.p50_kwh <= expected.p90_kwh + 1e-9).all()


def test_a_perfect_forecast_is_not_made_worse() -> None:
    came = CLEAR_KW * clouds()
    expected = expect(came, a_forecast(came))
    assert_sound(expected)
    assert expected.p50_kwh == pytest.approx(after(came), abs=0.01)
    assert expected.mean_kwh == pytest.approx(after(came), abs=0.02)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.5])
def test_panels_of_another_size_are_learned(factor: float) -> None:
    told = CLEAR_KW * clouds()
    expected = expect(np.minimum(factor * told, 5.2), a_forecast(told))
    assert expected.mean_kwh.sum() == pytest.approx(factor * after(told).sum(), rel=0.08)


def test_a_tree_in_the_afternoon_is_learned_by_half_hour() -> None:
    told = CLEAR_KW * clouds()
    shaded = (HALF_HOUR >= 30) & (HALF_HOUR < 36)
    expected = expect(np.where(shaded, 0.3 * told, told), a_forecast(told))
    in_shade, in_sun = after(shaded.astype(float)) > 0, after((~shaded).astype(float)) > 0
    ratio = expected.mean_kwh / np.maximum(after(told), 1e-6)
    bright = after(told) > 0.2
    assert ratio[in_shade & bright].mean() < 0.55
    assert ratio[in_sun & bright].mean() == pytest.approx(1, abs=0.1)


def test_slots_left_out_as_curtailed_do_not_count_as_shade() -> None:
    told = CLEAR_KW * clouds()
    at_noon = (HALF_HOUR >= 23) & (HALF_HOUR < 27)
    expected = expect(np.where(at_noon, np.nan, told), a_forecast(told))
    assert expected.mean_kwh.sum() == pytest.approx(after(told).sum(), rel=0.05)


def test_a_spread_is_learned_where_the_source_has_none() -> None:
    came = CLEAR_KW * clouds()
    told = CLEAR_KW * 0.65
    inside, outside = 0, 0
    forecaster = SolarForecaster(peak_kw=4.0)
    for day in range(-30, 2):
        now = NOW.replace(hour=2) + timedelta(days=day)
        horizon = Horizon(start=now, n_slots=48)
        expected = forecaster.forecast(series(came), a_forecast(told), a_forecast(told), horizon)
        bright = after(told, now, 48) > 0.2
        truth = after(came, now, 48)
        covered = (expected.p10_kwh <= truth) & (truth <= expected.p90_kwh)
        inside += int(covered[bright].sum())
        outside += int((~covered)[bright].sum())
    assert inside / (inside + outside) == pytest.approx(0.8, abs=0.1)


def test_too_narrow_a_spread_is_widened() -> None:
    came = CLEAR_KW * clouds()
    told = CLEAR_KW * 0.65
    expected = expect(came, a_forecast(told, told * 0.97, told * 1.03))
    tomorrow = slice(40, 96)
    width = (expected.p90_kwh - expected.p10_kwh)[tomorrow].sum()
    assert width > 2 * 0.06 * after(told)[tomorrow].sum()


@pytest.mark.parametrize("share", [0.3, 1.4])
def test_what_the_panels_do_now_moves_the_next_hours_and_fades(share: float) -> None:
    told = CLEAR_KW * 0.6 * clouds(spread=0.05)
    forecast = a_forecast(told, told * 0.5, np.minimum(told * 1.5, CLEAR_KW))
    usual = expect(told, forecast)
    came = told.copy()
    at = (NOW - START) // SLOT
    came[at - 4 : at] *= share
    ratio = expect(came, forecast).mean_kwh / np.maximum(usual.mean_kwh, 1e-6)
    assert abs(ratio[0] - 1) > 0.15
    assert (ratio[0] > 1) == (share > 1)
    assert abs(ratio[12] - 1) < 0.5 * abs(ratio[0] - 1)
    assert ratio[60] == pytest.approx(1, abs=0.02)


def test_at_dawn_a_little_light_proves_nothing() -> None:
    told = CLEAR_KW * 0.6
    dawn = NOW.replace(hour=6)
    came = told.copy()
    at = (dawn - START) // SLOT
    came[at - 2 : at] = 0.0
    forecast = a_forecast(told, told * 0.5, told * 1.5)
    ratio = (
        expect(came, forecast, dawn).mean_kwh.sum() / expect(told, forecast, dawn).mean_kwh.sum()
    )
    assert ratio == pytest.approx(1, abs=0.1)


def test_the_first_forecast_is_taken_as_it_is() -> None:
    told = CLEAR_KW * clouds()
    forecast = a_forecast(told, told * 0.5, told * 1.2)
    expected = SolarForecaster().forecast(
        SlotSeries.empty(NOW), None, forecast, Horizon(start=NOW, n_slots=96)
    )
    assert expected.p50_kwh == pytest.approx(after(told))
    assert expected.p90_kwh == pytest.approx(after(told * 1.2))
    mean = 0.2 * after(told * 0.5) + 0.6 * after(told) + 0.2 * after(told * 1.2)
    assert expected.mean_kwh == pytest.approx(mean)


def test_with_no_forecast_recent_days_stand_in() -> None:
    came = CLEAR_KW * clouds()
    expected = expect(came, None)
    assert_sound(expected)
    # The second day: what the panels do now has faded.
    assert expected.mean_kwh[48:].sum() == pytest.approx(after(CLEAR_KW * 0.65)[48:].sum(), rel=0.2)
    assert (expected.mean_kwh[after(CLEAR_KW) == 0] < 0.05).all()


def test_with_no_forecast_even_what_was_turned_down_is_more_than_nothing() -> None:
    came = CLEAR_KW * clouds()
    most = 1.4 + 0.2 * np.random.default_rng(2).random(N_SLOTS)  # the limit and the load
    limited, seen = np.minimum(came, most), np.where(came < most, came, np.nan)
    horizon = Horizon(start=NOW, n_slots=96)
    forecaster = SolarForecaster(peak_kw=4.0)
    dull = forecaster.forecast(series(seen), None, None, horizon)
    expected = forecaster.forecast(series(seen), None, None, horizon, metered=series(limited))
    assert_sound(expected)
    assert expected.p50_kwh[2] > 1.05 * dull.p50_kwh[2]


def test_with_neither_forecast_nor_history_a_clear_sky_stands_in() -> None:
    forecaster = SolarForecaster(peak_kw=4.0, site=SITE)
    expected = forecaster.forecast(
        SlotSeries.empty(NOW), None, None, Horizon(start=NOW, n_slots=96)
    )
    assert_sound(expected)
    assert 15 < expected.mean_kwh.sum() < 50


def test_with_nothing_at_all_it_says_so_instead_of_planning_for_darkness() -> None:
    with pytest.raises(ForecastUnavailable, match="where the panels are"):
        expect(np.full(N_SLOTS, np.nan), None)


def test_a_forecast_that_ends_too_soon_is_continued() -> None:
    came = CLEAR_KW * clouds()
    told = came.copy()
    told[(NOW - START) // SLOT + 26 :] = np.nan
    expected = expect(came, a_forecast(told))
    assert_sound(expected)
    assert expected.mean_kwh[48:].sum() > 0.3 * after(CLEAR_KW)[48:].sum()


def test_nothing_at_or_after_now_is_looked_at_but_the_forecast() -> None:
    came = CLEAR_KW * clouds()
    told = a_forecast(CLEAR_KW * 0.6, CLEAR_KW * 0.3, CLEAR_KW)
    now = NOW + timedelta(minutes=17)
    at = (NOW - START) // SLOT
    for change in (0.0, 3.9, np.nan):
        changed = came.copy()
        changed[at:] = change
        assert same(expect(changed, told, now), expect(came, told, now))


def test_remembering_changes_nothing() -> None:
    came = CLEAR_KW * clouds()
    told = a_forecast(CLEAR_KW * 0.6, CLEAR_KW * 0.3, CLEAR_KW)
    kept = SolarForecaster(peak_kw=4.0)
    for hours in (0, 1, 7, 13, 14, 37):
        now = NOW + timedelta(hours=hours)
        horizon = Horizon(start=now, n_slots=48)
        assert same(kept.forecast(series(came), told, told, horizon), expect(came, told, now, 48))


@pytest.mark.parametrize("wrong", [-3.0, 90.0, 1.7, np.nan, np.inf])
def test_a_broken_meter_does_not_teach(wrong: float) -> None:
    came = CLEAR_KW * clouds()
    told = a_forecast(CLEAR_KW * 0.65, CLEAR_KW * 0.3, CLEAR_KW)
    broken = came.copy()
    broken[-400:] = wrong
    expected = expect(broken, told)
    assert_sound(expected)
    assert expected.mean_kwh.sum() == pytest.approx(expect(came, told).mean_kwh.sum(), rel=0.15)


@pytest.mark.parametrize(
    "now", [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]
)
def test_the_sun_does_not_change_its_clock(now: datetime) -> None:
    forecaster = SolarForecaster(peak_kw=4.0, site=SITE)
    expected = forecaster.forecast(
        SlotSeries.empty(now), None, None, Horizon(start=now, n_slots=96)
    )
    first, second = expected.p50_kwh[:48], expected.p50_kwh[48:]
    assert first == pytest.approx(second, abs=0.03)


def test_five_minute_steps_hold_the_same_energy() -> None:
    came = CLEAR_KW * clouds()
    told = a_forecast(CLEAR_KW * 0.65, CLEAR_KW * 0.3, CLEAR_KW)
    forecaster = SolarForecaster(peak_kw=4.0)
    fine = Horizon(start=NOW, n_slots=144, step=timedelta(minutes=5))
    by_step = forecaster.forecast(series(came), told, told, fine).mean_kwh
    assert by_step.reshape(24, 6).sum(axis=1) == pytest.approx(
        expect(came, told, n_slots=24).mean_kwh
    )
