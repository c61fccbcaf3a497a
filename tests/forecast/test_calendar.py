from datetime import UTC, date, datetime

import pytest

from battery_optimizer.forecast.calendar import is_off_day, off_days, wall_positions
from battery_optimizer.model.slots import SLOT


def clock(position: int) -> tuple[date, float]:
    return date.fromordinal(position // 48), position % 48 / 2


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (date(2026, 11, 21), True),  # a Saturday
        (date(2026, 11, 23), False),
        (date(2026, 4, 3), True),  # Good Friday
        (date(2022, 9, 19), True),  # a funeral nobody could compute
        (date(2026, 12, 28), True),  # instead of Boxing Day, a Saturday
    ],
)
def test_weekends_and_bank_holidays_are_off(day: date, *, off: bool) -> None:
    assert is_off_day(day) is off


def test_off_days_are_counted_from_the_first() -> None:
    assert off_days(date(2026, 11, 20).toordinal(), 4).tolist() == [0, 1, 1, 0]


def test_positions_follow_the_clock_on_the_wall() -> None:
    start = datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert [clock(p) for p in wall_positions(start, 4)] == [
        (date(2026, 7, 1), 23.0),
        (date(2026, 7, 1), 23.5),
        (date(2026, 7, 2), 0.0),
        (date(2026, 7, 2), 0.5),
    ]


def test_an_hour_is_skipped_when_clocks_go_forward() -> None:
    positions = wall_positions(datetime(2026, 3, 28, 0, tzinfo=UTC), 200)
    times = [clock(p) for p in positions]
    assert (date(2026, 3, 29), 0.5) in times
    assert (date(2026, 3, 29), 1.0) not in times
    assert (date(2026, 3, 29), 2.0) in times
    assert sum(day == date(2026, 3, 29) for day, _ in times) == 46


def test_an_hour_comes_twice_when_clocks_go_back() -> None:
    positions = wall_positions(datetime(2026, 10, 24, 0, tzinfo=UTC), 200)
    times = [clock(p) for p in positions]
    assert times.count((date(2026, 10, 25), 1.0)) == 2
    assert sum(day == date(2026, 10, 25) for day, _ in times) == 50


def test_a_part_of_a_run_has_the_same_positions_as_the_whole() -> None:
    start = datetime(2026, 3, 27, 5, 30, tzinfo=UTC)
    whole = wall_positions(start, 400)
    assert wall_positions(start + 77 * SLOT, 100).tolist() == whole[77:177].tolist()
