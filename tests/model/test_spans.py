from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.model.spans import Span, half_hourly

START = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)


def spans(*minutes_and_kw: tuple[float, float, float]) -> list[Span]:
    return [
        Span(start=START + timedelta(minutes=start), end=START + timedelta(minutes=end), kw=kw)
        for start, end, kw in minutes_and_kw
    ]


def test_quarter_hours_and_hours_become_half_hours() -> None:
    series = half_hourly(spans((0, 15, 1), (15, 30, 2), (30, 90, 4)))
    assert series.start == START
    assert list(series.values) == [1.5, 4, 4]


def test_what_is_not_wholly_covered_is_not_known() -> None:
    assert list(half_hourly(spans((0, 30, 1), (40, 60, 2), (60, 90, 3))).values) == pytest.approx(
        [1, np.nan, 3], nan_ok=True
    )
    assert list(half_hourly(spans((20, 60, 1))).values) == [1]


def test_part_of_a_half_hour_may_stand_for_all_of_it() -> None:
    assert list(half_hourly(spans((10, 30, 3)), least_covered=0.5).values) == [3]


def test_half_hours_given_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="half hour of 29 Mar 00:30 UTC is given twice"):
        half_hourly(spans((0, 60, 1), (30, 60, 2)))


def test_a_date_far_away_does_not_fill_the_memory() -> None:
    year = 366 * 24 * 60
    with pytest.raises(ValueError, match="more than a year apart"):
        half_hourly(spans((0, 30, 1), (30, year + 1, 1)))


def test_nothing_gives_no_series() -> None:
    with pytest.raises(ValueError, match="no values"):
        half_hourly([])


@given(st.lists(st.tuples(st.integers(1, 7200), st.floats(0, 20)), min_size=1, max_size=40))
def test_energy_is_kept(seconds_and_kw: list[tuple[int, float]]) -> None:
    made, at = [], START
    for seconds, kw in seconds_and_kw:
        made.append(Span(start=at, end=at + timedelta(seconds=seconds), kw=kw))
        at += timedelta(seconds=seconds)
    rest = -(at - START) % timedelta(minutes=30)
    made.append(Span(start=at, end=at + rest, kw=1.0))
    kwh = sum(span.kw * span.hours for span in made)
    assert half_hourly(made).values.sum() * 0.5 == pytest.approx(kwh, abs=1e-5)
