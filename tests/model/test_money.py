from dataclasses import replace
from datetime import date, timedelta

import pytest

from battery_optimizer.model.money import Otherwise, by_month, month_of, total
from money_values import DAY, a_bill


def test_the_bill_has_the_standing_charge_and_the_savings_have_not() -> None:
    bill = a_bill()
    assert bill.bill_p == 120
    assert bill.bill_of(Otherwise.NO_BATTERY) == 350
    assert {other: bill.saved_against(other) for other in Otherwise} == {
        Otherwise.NO_BATTERY: 230,
        Otherwise.SELF_USE: 150,
        Otherwise.REACTIVE: -10,
    }


def test_what_is_left_in_the_battery_is_told_apart() -> None:
    bill = a_bill()
    assert bill.stored_more_than(Otherwise.SELF_USE) == 3
    assert bill.stored_more_than(Otherwise.NO_BATTERY) is None


def test_a_sum_says_how_many_days_are_missing() -> None:
    days = [a_bill(DAY - timedelta(days=3)), a_bill(DAY, n_estimated=2, standing_p=0)]
    days[1] = replace(days[1], n_no_standing=1)
    summed = total(days, DAY - timedelta(days=4), DAY)
    assert summed is not None
    assert (summed.n_days, summed.n_missing_days) == (2, 3)
    assert (summed.n_slots, summed.n_estimated, summed.n_no_standing) == (96, 2, 1)
    assert summed.bill_p == 190
    assert summed.saved_against(Otherwise.SELF_USE) == 300
    assert summed.actual.end_soc_kwh == 4
    assert summed.tariff == "agile"
    assert summed.is_estimate
    assert total([], DAY, DAY) is None


@pytest.mark.parametrize(
    "change",
    [{"is_demo": True}, {"n_estimated": 1}, {"n_missing": 1}, {"n_no_standing": 1},
     {"n_missing_days": 1}],
)  # fmt: skip
def test_what_is_not_certain_is_an_estimate(change: dict[str, object]) -> None:
    assert not a_bill().is_estimate
    assert a_bill(**change).is_estimate


def test_half_hours_of_made_up_rates_are_never_sure() -> None:
    assert a_bill(n_estimated=3, n_missing=1).n_sure == 44
    assert a_bill(is_demo=True).n_sure == 0


def test_months_are_as_long_as_they_are_and_cut_where_asked() -> None:
    assert month_of(date(2028, 2, 10)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert month_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))
    days = [a_bill(DAY + timedelta(days=t)) for t in range(4)]
    january, february = by_month(days, DAY, DAY + timedelta(days=9))
    assert (january.first, january.last, january.n_days) == (DAY, date(2026, 1, 31), 2)
    assert (february.last, february.n_days, february.n_missing_days) == (date(2026, 2, 8), 2, 6)
    # December has no bill, and so no line.
    assert [month.first for month in by_month(days, date(2025, 12, 1), DAY)] == [date(2026, 1, 1)]
