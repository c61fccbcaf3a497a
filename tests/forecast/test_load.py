from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_optimizer.forecast.load import LoadBasis, LoadForecast, LoadForecaster
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import SLOT, UK, Floats, Horizon, SlotSeries, floor_to_slot

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)  # a Tuesday
ARRAYS = ("mean_kwh", "p10_kwh", "p50_kwh", "p90_kwh")
WEIGHTS = BURST_WEIGHTS[:, None]


def a_history(days: float, now: datetime = NOW, *, noise: float = 0.2, seed: int = 1) -> SlotSeries:
    """A house with quiet nights, evening peaks and weekend mornings, up to `now` [kW]."""
    count = round(days * 48)
    start = floor_to_slot(now) - count * SLOT
    rng = np.random.default_rng(seed)
    values = [usual_kw(start + n * SLOT) * float(rng.gamma(1 / noise, noise)) for n in range(count)]
    return SlotSeries(start=start, values=np.array(values))


def usual_kw(moment: datetime) -> float:
    local = moment.astimezone(UK)
    if 17 <= local.hour < 21:
        return 1.2
    if local.weekday() >= 5 and 9 <= local.hour < 12:
        return 0.9
    return 0.2 if local.hour < 6 else 0.4


def forecast(
    observed: SlotSeries, now: datetime = NOW, *, n_slots: int = 96, **horizon: timedelta
) -> LoadForecast:
    return LoadForecaster().forecast(observed, Horizon(start=now, n_slots=n_slots, **horizon), now)


def usual_kwh(horizon: Horizon) -> Floats:
    return np.array([usual_kw(start) for start in horizon.starts]) * horizon.hours


def same(one: LoadForecast, other: LoadForecast) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def assert_sound(expected: LoadForecast, n_slots: int = 96) -> None:
    for name in ARRAYS:
        values = getattr(expected, name)
        assert values.shape == (n_slots,)
        assert np.isfinite(values).all()
        assert (values > 0).all()
    assert (expected.p10_kwh <= expected.p50_kwh).all()
    assert (expected.p50_kwh <= expected.p90_kwh).all()
    assert expected.bursts_kwh.shape == (len(BURST_WEIGHTS), n_slots)
    assert (WEIGHTS * expected.bursts_kwh).sum(axis=0) == pytest.approx(np.zeros(n_slots))
    assert (np.diff(expected.bursts_kwh, axis=0) >= -1e-12).all()


def test_learns_the_shape_of_the_day() -> None:
    expected = forecast(a_history(60))
    usual = usual_kwh(Horizon(start=NOW, n_slots=96))
    assert expected.basis is LoadBasis.HISTORY
    assert np.abs(expected.mean_kwh - usual).mean() < 0.15 * usual.mean()
    assert expected.mean_kwh.sum() == pytest.approx(usual.sum(), rel=0.05)


def test_weekends_have_a_shape_of_their_own() -> None:
    friday = datetime(2026, 2, 20, 23, 30, tzinfo=UTC)
    expected = forecast(a_history(60, friday), friday)
    saturday_morning = expected.mean_kwh[1 + 18 : 1 + 24].mean()
    thursday = datetime(2026, 2, 18, 23, 30, tzinfo=UTC)
    thursday_morning = forecast(a_history(60, thursday), thursday).mean_kwh[19:25].mean()
    assert saturday_morning > 1.6 * thursday_morning


def test_a_bank_holiday_is_like_a_weekend() -> None:
    maundy_thursday = datetime(2026, 4, 2, 22, 30, tzinfo=UTC)
    expected = forecast(a_history(60, maundy_thursday), maundy_thursday)
    good_friday_morning = expected.mean_kwh[1 + 18 : 1 + 24].mean()
    assert good_friday_morning > 0.5 * 0.7


def test_one_in_ten_is_above_p90_and_one_in_ten_below_p10() -> None:
    truth = a_history(140, NOW + timedelta(days=60))
    forecaster = LoadForecaster()
    above, below = [], []
    for day in range(56):
        now = NOW + timedelta(days=day)
        horizon = Horizon(start=now, n_slots=48)
        expected = forecaster.forecast(truth, horizon, now)
        came = truth.on(horizon) * horizon.hours
        above.append((came > expected.p90_kwh).mean())
        below.append((came < expected.p10_kwh).mean())
    assert np.mean(above) == pytest.approx(0.1, abs=0.03)
    assert np.mean(below) == pytest.approx(0.1, abs=0.03)


def test_a_house_that_was_left_goes_on_drawing_what_stays_on() -> None:
    lived_in = a_history(60)
    left = SlotSeries(start=lived_in.start, values=lived_in.values.copy())
    left.values[-3 * 48 :] = np.random.default_rng(1).uniform(0.08, 0.12, 3 * 48)
    expected = forecast(left)
    assert expected.mean_kwh.mean() < 0.3 * forecast(lived_in).mean_kwh.mean()
    assert expected.mean_kwh.min() > 0.07 * 0.5


def test_a_busy_morning_raises_the_next_hours_more_than_tomorrow() -> None:
    usual = a_history(60)
    busy = SlotSeries(start=usual.start, values=usual.values.copy())
    busy.values[-8:] += 1.5
    ratio = forecast(busy).mean_kwh / forecast(usual).mean_kwh
    assert ratio[0] > 1.3
    assert 1.0 < ratio[60:96].mean() < ratio[:12].mean()


def test_without_history_a_common_house_is_assumed_and_said() -> None:
    expected = forecast(SlotSeries.empty(NOW))
    assert_sound(expected)
    assert expected.basis is LoadBasis.DEFAULT
    assert expected.days_known == 0
    assert expected.mean_kwh.sum() / 2 == pytest.approx(8.1, abs=0.3)


@pytest.mark.parametrize("days", [0.02, 0.1, 0.5, 1, 1.5, 2, 3, 4, 6])
def test_the_first_days_give_a_sound_forecast_near_what_was_seen(days: float) -> None:
    expected = forecast(a_history(days))
    usual = usual_kwh(Horizon(start=NOW, n_slots=96)).sum()
    assert_sound(expected)
    assert expected.basis is (LoadBasis.DEFAULT if days < 0.5 else LoadBasis.SHORT_HISTORY)
    assert 0.5 * usual < expected.mean_kwh.sum() < 2 * usual


def test_a_large_house_is_seen_as_one_after_a_day() -> None:
    history = a_history(1)
    large = SlotSeries(start=history.start, values=5 * history.values)
    usual = 5 * usual_kwh(Horizon(start=NOW, n_slots=96)).sum()
    assert forecast(large).mean_kwh.sum() == pytest.approx(usual, rel=0.35)


def test_gaps_are_bridged() -> None:
    whole = a_history(40)
    holed = SlotSeries(start=whole.start, values=whole.values.copy())
    rng = np.random.default_rng(2)
    holed.values[rng.random(len(holed.values)) < 0.3] = np.nan
    holed.values[-30:] = np.nan
    expected = forecast(holed)
    assert_sound(expected)
    assert expected.mean_kwh.sum() == pytest.approx(forecast(whole).mean_kwh.sum(), rel=0.1)


def test_a_half_hour_that_was_never_metered_is_not_zero() -> None:
    history = a_history(40)
    midday = [(history.start + n * SLOT).hour == 12 for n in range(len(history.values))]
    history.values[np.array(midday)] = np.nan
    expected = forecast(history)
    assert_sound(expected)
    assert expected.mean_kwh[0] > 0.1


@pytest.mark.parametrize("wrong", [0.0, -1.0, 65.0, 0.7, np.nan, np.inf])
def test_days_of_a_broken_sensor_change_little(wrong: float) -> None:
    sound = a_history(40)
    broken = SlotSeries(start=sound.start, values=sound.values.copy())
    broken.values[-100:-40] = wrong
    expected = forecast(broken)
    assert_sound(expected)
    assert expected.mean_kwh.sum() == pytest.approx(forecast(sound).mean_kwh.sum(), rel=0.1)


def test_a_counter_that_jumps_changes_little() -> None:
    sound = a_history(40)
    jumped = SlotSeries(start=sound.start, values=sound.values.copy())
    jumped.values[[-300, -100, -1]] = 30.0
    expected = forecast(jumped)
    assert expected.mean_kwh.sum() == pytest.approx(forecast(sound).mean_kwh.sum(), rel=0.1)


def test_a_history_of_nothing_but_zeros_is_no_history() -> None:
    dead = SlotSeries(start=NOW - 480 * SLOT, values=np.zeros(480))
    expected = forecast(dead)
    assert_sound(expected)
    assert expected.basis is LoadBasis.DEFAULT


def test_nothing_at_or_after_now_is_looked_at() -> None:
    now = NOW + timedelta(minutes=17)
    history = a_history(30, NOW + timedelta(days=3))
    at = (NOW - history.start) // SLOT
    for change in (0.0, 9.0, np.nan):
        changed = SlotSeries(start=history.start, values=history.values.copy())
        changed.values[at:] = change
        assert same(forecast(changed, now), forecast(history, now))


def test_remembering_changes_nothing() -> None:
    truth = a_history(30, NOW + timedelta(days=3))
    kept = LoadForecaster()
    for hours in (0, 1, 7, 13, 14, 37, 60):
        now = NOW + timedelta(hours=hours)
        horizon = Horizon(start=now, n_slots=96)
        assert same(kept.forecast(truth, horizon, now), forecast(truth, now))


def test_a_window_of_history_that_moves_with_the_clock_is_learned_from_once_a_day() -> None:
    truth = a_history(60)
    kept = LoadForecaster()
    models = set()
    for hours in range(10):
        now = NOW - timedelta(hours=hours)
        window = truth.between(now - timedelta(days=40), now)
        kept.forecast(window, Horizon(start=now, n_slots=4), now)
        models.add(id(kept._learned))
    assert len(models) == 1


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
)
@pytest.mark.parametrize("days_before", [0, 1, -1])
def test_the_evening_stays_in_the_evening_when_clocks_change(
    day: datetime, days_before: int
) -> None:
    now = day - timedelta(days=days_before) + timedelta(hours=3)
    expected = forecast(a_history(50, now, noise=0.01), now)
    horizon = Horizon(start=now, n_slots=96)
    assert_sound(expected)
    # The day before and after have their peak at the same wall-clock hours; not a slot further.
    high = expected.mean_kwh > 0.4
    assert (high == (usual_kwh(horizon) > 0.5)).mean() > 0.95


def test_energy_is_that_of_the_part_of_a_slot_that_is_left() -> None:
    history = a_history(30)
    whole = forecast(history, NOW)
    part = forecast(history, NOW + timedelta(minutes=20))
    assert part.mean_kwh[0] == pytest.approx(whole.mean_kwh[0] / 3)
    assert part.mean_kwh[1:] == pytest.approx(whole.mean_kwh[1:])


def test_five_minute_steps_hold_the_same_energy() -> None:
    history = a_history(30)
    fine = forecast(history, n_slots=144, step=timedelta(minutes=5))
    assert fine.mean_kwh.reshape(24, 6).sum(axis=1) == pytest.approx(
        forecast(history, n_slots=24).mean_kwh
    )


@settings(max_examples=30, deadline=None)
@given(
    kw=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=300),
    minutes=st.integers(0, 60 * 24 * 3),
)
def test_no_metered_nonsense_makes_an_unsound_forecast(kw: list[float], minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    start = floor_to_slot(NOW) - 200 * SLOT
    assert_sound(forecast(SlotSeries(start=start, values=np.array(kw, dtype=float)), now))


def test_bursts_are_the_parts_of_what_half_hours_were() -> None:
    """Four in five half hours draw 0.2 kW, each fifth 1.2 kW: 0.4 on average, whenever it is."""
    count = 120 * 48
    rng = np.random.default_rng(7)
    values = np.where(rng.random(count) < 0.2, 1.2, 0.2)
    expected = forecast(SlotSeries(start=NOW - count * SLOT, values=values))
    bursts_kw = 2 * expected.bursts_kwh.mean(axis=1)
    # The least 70 % are quiet, of the next 25 % ten parts are, the last 5 % are all bursts.
    assert bursts_kw == pytest.approx([-0.2, -0.2, 0.4, 0.8], abs=0.05)


def test_bursts_reach_further_where_they_came_that_far() -> None:
    """Both houses have the same mean and nine in ten half hours the same, the tails not."""

    def reach_kw(burst_kw: float, share: float) -> float:
        rng = np.random.default_rng(8)
        values = np.where(rng.random(120 * 48) < share, burst_kw, 0.2)
        observed = SlotSeries(start=NOW - len(values) * SLOT, values=values)
        return float(2 * forecast(observed).bursts_kwh[-1].mean())

    assert reach_kw(4.2, 0.05) > 3.0
    assert reach_kw(1.2, 0.2) < 1.0
