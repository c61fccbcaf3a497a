from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pytest

from battery_optimizer.model.slots import (
    SLOT,
    Horizon,
    SlotSeries,
    count_slots,
    day_bounds,
    floor_to_slot,
    half_hour_of_day,
    is_within,
    local_day,
    local_time,
    require_utc,
)

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)

SHORT_DAY = date(2026, 3, 29)
LONG_DAY = date(2026, 10, 25)


def a_series(*values: float, start: datetime = NOON) -> SlotSeries:
    return SlotSeries(start=start, values=np.array(values))


@pytest.mark.parametrize(
    ("minutes", "step", "floored"),
    [(0, SLOT, 0), (29.99, SLOT, 0), (30, SLOT, 30), (44, FIVE_MINUTES, 40)],
)
def test_a_moment_is_floored_to_its_step(minutes: float, step: timedelta, floored: int) -> None:
    moment = NOON + timedelta(minutes=minutes)
    assert floor_to_slot(moment, step) == NOON + timedelta(minutes=floored)


@pytest.mark.parametrize(("minutes", "n_slots"), [(-40, 0), (0, 0), (1, 1), (30, 1), (31, 2)])
def test_a_begun_half_hour_counts_as_one(minutes: int, n_slots: int) -> None:
    assert count_slots(NOON, NOON + timedelta(minutes=minutes)) == n_slots


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 6, 15), NOON.astimezone(timezone(timedelta(hours=1)))],  # noqa: DTZ001
)
def test_times_that_are_not_utc_are_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="is not an aware UTC time"):
        require_utc(moment)
    with pytest.raises(ValueError, match="is not an aware UTC time"):
        Horizon(start=moment, n_slots=4)


@pytest.mark.parametrize(("day", "n_slots"), [(SHORT_DAY, 46), (NOON.date(), 48), (LONG_DAY, 50)])
def test_a_local_day_has_46_48_or_50_half_hours(day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    assert (end - start) / SLOT == n_slots
    assert local_day(start) == day
    assert local_day(end - timedelta(seconds=1)) == day
    assert local_day(end) == day + timedelta(days=1)


def test_a_wall_clock_is_an_hour_before_utc_in_summer() -> None:
    assert local_time(NOON.date(), time(16)) == NOON + timedelta(hours=3)
    assert local_time(date(2026, 1, 15), time(16)) == datetime(2026, 1, 15, 16, tzinfo=UTC)


def test_the_short_day_skips_two_half_hours_of_the_clock() -> None:
    start, end = day_bounds(SHORT_DAY)
    clock = [half_hour_of_day(start + t * SLOT) for t in range((end - start) // SLOT)]
    assert clock == [0, 1, *range(4, 48)]


def test_the_long_day_shows_two_half_hours_twice() -> None:
    start, end = day_bounds(LONG_DAY)
    clock = [half_hour_of_day(start + t * SLOT) for t in range((end - start) // SLOT)]
    assert clock == [0, 1, 2, 3, 2, 3, *range(4, 48)]


def test_the_first_step_of_a_horizon_is_cut_short_by_now() -> None:
    horizon = Horizon.of_hours(NOON + timedelta(minutes=20), 2)
    assert horizon.starts == (
        NOON + timedelta(minutes=20), NOON + SLOT, NOON + 2 * SLOT, NOON + 3 * SLOT,
    )  # fmt: skip
    assert horizon.hours == pytest.approx([1 / 6, 0.5, 0.5, 0.5])
    assert horizon.end == NOON + 4 * SLOT


def test_a_horizon_of_five_minute_steps() -> None:
    horizon = Horizon.of_hours(NOON + timedelta(minutes=2), 1, FIVE_MINUTES)
    assert horizon.n_slots == 12
    assert horizon.hours == pytest.approx([0.05, *[1 / 12] * 11])
    assert horizon.starts[1] == NOON + FIVE_MINUTES


@pytest.mark.parametrize(("minutes", "index"), [(20, 0), (29, 0), (30, 1), (119, 3)])
def test_a_moment_is_found_in_the_horizon(minutes: int, index: int) -> None:
    horizon = Horizon.of_hours(NOON + timedelta(minutes=20), 2)
    assert horizon.index_of(NOON + timedelta(minutes=minutes)) == index


@pytest.mark.parametrize("minutes", [19, 120])
def test_a_moment_outside_the_horizon_is_an_error(minutes: int) -> None:
    horizon = Horizon.of_hours(NOON + timedelta(minutes=20), 2)
    with pytest.raises(IndexError):
        horizon.index_of(NOON + timedelta(minutes=minutes))


def test_an_empty_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one slot, not 0"):
        Horizon(start=NOON, n_slots=0)


@pytest.mark.parametrize("minutes", [0, -5, 7, 60])
def test_a_step_that_does_not_divide_the_half_hour_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="must divide 30 minutes"):
        Horizon(start=NOON, n_slots=4, step=timedelta(minutes=minutes))


def test_a_series_starts_on_a_half_hour() -> None:
    with pytest.raises(ValueError, match="starts on a half hour"):
        a_series(1, start=NOON + FIVE_MINUTES)


def test_half_hours_that_are_not_named_are_unknown() -> None:
    series = SlotSeries.from_slots({NOON + 2 * SLOT: 3.0, NOON: 1.0})
    assert series.start == NOON
    assert series.values == pytest.approx([1, np.nan, 3], nan_ok=True)
    with pytest.raises(ValueError, match="no values"):
        SlotSeries.from_slots({})


def test_what_a_series_does_not_cover_is_unknown() -> None:
    cut = a_series(1, 2, 3).between(NOON - SLOT, NOON + 2 * SLOT)
    assert cut.start == NOON - SLOT
    assert cut.values == pytest.approx([np.nan, 1, 2], nan_ok=True)
    beyond = a_series(1).between(NOON + 5 * SLOT, NOON + 7 * SLOT)
    assert np.isnan(beyond.values).all()
    assert len(a_series(1).between(NOON, NOON - SLOT).values) == 0


@pytest.mark.parametrize(("minutes", "value"), [(-1, np.nan), (0, 1), (59, 2), (60, np.nan)])
def test_the_value_at_a_moment(minutes: int, value: float) -> None:
    at_moment = a_series(1, 2).at(NOON + timedelta(minutes=minutes))
    assert at_moment == pytest.approx(value, nan_ok=True)


def test_an_empty_series_knows_nothing() -> None:
    series = SlotSeries.empty(NOON + FIVE_MINUTES)
    assert series.start == series.end == NOON
    assert np.isnan(series.at(NOON))


def test_values_are_repeated_for_shorter_steps() -> None:
    horizon = Horizon.of_hours(NOON + timedelta(minutes=21), 1, timedelta(minutes=10))
    assert a_series(1, 2, 3).on(horizon) == pytest.approx([1, 2, 2, 2, 3, 3])


@pytest.mark.parametrize(
    ("minutes_ago", "within"), [(0, True), (4.9, True), (5, False), (-1, False), (None, False)]
)
def test_what_is_still_to_come_was_not_of_late(
    minutes_ago: float | None,
    *,
    within: bool,
) -> None:
    at = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    assert is_within(FIVE_MINUTES, at, NOON) is within
