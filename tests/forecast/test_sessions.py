"""When a large load runs: from when and for how long it ran before, or as it is planned."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.sessions import LEVELS, Sessions, forecast_sessions
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.telemetry import PlannedRun

MONDAY = datetime(2026, 1, 12, tzinfo=UTC)
DAYS = 42
START = MONDAY - timedelta(days=DAYS)
N_SLOTS = DAYS * 48
CLOCK = np.arange(N_SLOTS) % 48
DAY = np.arange(N_SLOTS) // 48
HOUR = timedelta(hours=1)


def metered(power: Floats) -> SlotSeries:
    return SlotSeries(start=START, values=power)


def nightly(every: int = 1, slots: int = 8) -> Floats:
    """7 kW from 01:00 on, on every so manieth day."""
    since = CLOCK - 2
    return np.where((since >= 0) & (since < slots) & (DAY % every == 0), 7.0, 0.0)


def expected(power: Floats, now: datetime = MONDAY, *runs: PlannedRun) -> Sessions:
    until = (now - START) // SLOT
    return forecast_sessions(metered(power[:until]), now, 96, runs)


def test_what_runs_each_night_is_expected_to_the_half_hour() -> None:
    came = expected(nightly())
    tonight = np.zeros(96)
    tonight[2:10] = tonight[50:58] = 7.0
    np.testing.assert_allclose(came.mean_kw, tonight, atol=0.05)
    np.testing.assert_allclose(came.levels_kw, np.broadcast_to(tonight, (20, 96)), atol=0.05)


def test_what_runs_every_other_night_is_as_likely_as_not() -> None:
    came = expected(nightly(every=2))
    assert came.mean_kw[2:10] == pytest.approx(np.full(8, 3.5), abs=0.4)
    share = (came.levels_kw[:, 2:10] > 6).mean(axis=0)
    assert share == pytest.approx(np.full(8, 0.5), abs=0.1)
    assert came.mean_kw[12:48].max() < 0.1


def test_days_off_have_a_habit_of_their_own() -> None:
    weekend = np.isin(DAY % 7, (5, 6))  # the first day is a Monday
    power = np.where(weekend & (CLOCK == 20), 3.0, 0.0)
    friday = expected(power, MONDAY - timedelta(days=3))
    assert friday.mean_kw[48 + 20] > 3 * friday.mean_kw[20]


def test_what_runs_goes_on_for_as_long_as_it_usually_does() -> None:
    power = nightly(every=3)
    now = MONDAY + 3 * HOUR  # four half hours of eight are over
    power = np.append(power, [0.0, 0.0, 7.0, 7.0, 7.0, 7.0])
    came = forecast_sessions(metered(power), now, 96)
    assert came.mean_kw[:4].min() > 6
    assert came.mean_kw[4:8].max() < 1.5
    assert (came.levels_kw[:, 1] > 6).mean() > 0.8


def test_a_session_longer_than_any_before_fades() -> None:
    power = np.append(nightly(every=3), np.full(20, 7.0))
    came = forecast_sessions(metered(power), MONDAY + 10 * HOUR, 96)
    assert 6 > came.mean_kw[0] > came.mean_kw[3] > came.mean_kw[8] > 0


def test_the_half_hour_that_runs_tells_of_its_beginning() -> None:
    power = nightly(every=3)
    started = forecast_sessions(metered(np.append(power, 2.0)), MONDAY, 96)
    assert started.mean_kw[:6].min() > 6  # the average since the half hour began says less
    idle = forecast_sessions(metered(np.append(power, 0.0)), MONDAY, 96)
    assert idle.mean_kw[0] < 0.5


def test_the_end_of_a_session_is_seen_within_the_half_hour() -> None:
    power = np.append(nightly(every=3), [0.0, 0.0, 7.0, 7.0])
    over = forecast_sessions(metered(np.append(power, 0.0)), MONDAY + 2 * HOUR, 96)
    assert over.mean_kw[:6].max() < 3


def test_a_schedule_stands_in_for_the_guess_until_half_a_day_after_its_end() -> None:
    run = PlannedRun(start=MONDAY + 4 * HOUR, end=MONDAY + 5.75 * HOUR, kwh=7.0)
    came = expected(nightly(), MONDAY, run)
    assert came.mean_kw[:8].max() == 0  # not at 01:00, as else
    assert came.mean_kw[8:12] == pytest.approx([4, 4, 4, 2])
    assert came.mean_kw.sum() / 2 == pytest.approx(7 + 4 * 7, rel=0.03)  # the next night as ever
    np.testing.assert_array_equal(came.levels_kw[:, 9], np.full(20, 4.0))


def test_a_run_of_unknown_energy_draws_what_it_usually_does() -> None:
    run = PlannedRun(start=MONDAY + 4 * HOUR, end=MONDAY + 5 * HOUR)
    assert expected(nightly(), MONDAY, run).mean_kw[8:10] == pytest.approx([7, 7])


def test_what_runs_outside_of_its_schedule_goes_on_as_usual() -> None:
    power = np.append(nightly(every=3), [7.0, 7.0])
    run = PlannedRun(start=MONDAY + 8 * HOUR, end=MONDAY + 9 * HOUR, kwh=7.0)
    came = forecast_sessions(metered(power), MONDAY + HOUR, 96, [run])
    assert came.mean_kw[0] > 6
    assert came.mean_kw[10] == pytest.approx(0, abs=0.4)
    assert came.mean_kw[14:16].min() > 6.5


@pytest.mark.parametrize("days", [0, 0.3, 1, 2])
def test_with_little_history_it_is_still_sound(days: float) -> None:
    count = round(48 * days)
    power = SlotSeries(start=MONDAY - count * SLOT, values=nightly()[:count])
    came = forecast_sessions(power, MONDAY, 96)
    assert np.isfinite(came.mean_kw).all()
    assert came.levels_kw.shape == (len(LEVELS), 96)
    assert (np.diff(came.levels_kw, axis=0) >= 0).all()
    assert (came.levels_kw >= 0).all()


def test_gaps_are_not_taken_for_rest() -> None:
    power = nightly()
    power[(DAY % 3 == 0)] = np.nan
    assert expected(power).mean_kw[2:10] == pytest.approx(np.full(8, 7.0), abs=0.2)


def test_clocks_that_change_move_a_session_with_the_wall_clock() -> None:
    sunday = datetime(2026, 3, 29, tzinfo=UTC)  # forward at 01:00
    start = sunday - timedelta(days=30)
    clock = np.arange(30 * 48) % 48
    power = SlotSeries(start=start, values=np.where((clock >= 10) & (clock < 14), 3.0, 0.0))
    came = forecast_sessions(power, sunday, 48)
    assert came.mean_kw[8:12].min() > 2.9  # 05:00 by the clock is 04:00 UTC now
    assert came.mean_kw[12:14].max() < 0.1
