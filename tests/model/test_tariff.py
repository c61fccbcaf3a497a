from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import (
    RateClass,
    UnitRate,
    bill,
    classify,
    doubtful,
    half_hourly,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = np.arange(10.0, 50.0)


def a_rate(p_per_kwh: float, start: int, end: int | None) -> UnitRate:
    """From one half hour after noon to another."""
    return UnitRate(
        start=NOON + start * SLOT,
        end=None if end is None else NOON + end * SLOT,
        p_per_kwh=p_per_kwh,
    )


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (-0.01, RateClass.NEGATIVE),
        (0.0, RateClass.CHEAP),
        (19.7, RateClass.CHEAP),
        (20.0, RateClass.NORMAL),
        (39.0, RateClass.NORMAL),
        (39.3, RateClass.EXPENSIVE),
    ],
)
def test_a_rate_is_cheap_in_the_lowest_quarter_dear_in_the_highest(
    rate: float, expected: RateClass
) -> None:
    assert classify(rate, DAY) is expected


@pytest.mark.parametrize("around", [[], [np.nan, np.nan], [15.0, 15.0, np.nan]])
def test_a_rate_with_nothing_to_compare_is_normal(around: list[float]) -> None:
    assert classify(15.0, np.array(around)) is RateClass.NORMAL


def test_rates_are_laid_on_half_hours_and_gaps_stay_unknown() -> None:
    series = half_hourly([a_rate(10, 0, 1), a_rate(20, 2, 3)], NOON, NOON + 4 * SLOT)
    assert series.values == pytest.approx([10, np.nan, 20, np.nan], nan_ok=True)


def test_a_fixed_rate_goes_on_without_end() -> None:
    assert half_hourly([a_rate(15, -9, None)], NOON, NOON + 3 * SLOT).values.tolist() == [15] * 3


def test_the_rate_that_started_later_holds() -> None:
    rates = [a_rate(30, 1, None), a_rate(15, -9, None)]
    assert half_hourly(rates, NOON, NOON + 3 * SLOT).values.tolist() == [15, 30, 30]


def test_a_window_that_starts_within_a_slot_holds_that_slot() -> None:
    series = half_hourly([a_rate(10, 0, 2)], NOON + timedelta(minutes=10), NOON + 2 * SLOT)
    assert (series.start, series.values.tolist()) == (NOON, [10, 10])


def test_an_empty_window_has_no_rates() -> None:
    assert len(half_hourly([a_rate(10, 0, 2)], NOON, NOON - SLOT).values) == 0


def test_the_bill_is_what_is_bought_less_what_is_sold() -> None:
    pence = bill(np.array([10.0, 30]), np.array([5.0, 15]), np.array([2.0, 0]), np.array([0, 1.0]))
    assert pence == pytest.approx(5)


def test_being_paid_to_import_makes_the_bill_negative() -> None:
    nothing = np.zeros(1)
    assert bill(np.array([-4.0]), nothing, np.array([2.0]), nothing) == pytest.approx(-8)


@pytest.mark.parametrize(
    ("import_rate", "export_rate", "expected"),
    [(20, 5, False), (5, 5, True), (4, 5, True), (-1, -3, True), (20, -1, True)],
)
def test_slots_are_doubtful_where_two_ways_at_once_could_pay(
    import_rate: float, export_rate: float, *, expected: bool
) -> None:
    assert doubtful(np.array([import_rate]), np.array([export_rate])).tolist() == [expected]
