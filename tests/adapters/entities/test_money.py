"""Bills and savings as entities; or why there are none."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.model.money import Savings
from battery_optimizer.model.shown import Shown
from money_values import DAY, a_bill
from shown_values import a_planned_day

MONTH = a_bill(DAY.replace(day=1), last=DAY, n_days=28, n_missing_days=2, n_estimated=5)
NAMES = ("bill_today", "bill_this_month", "saved_today", "saved_this_month")


def shown(day: Shown, name: str) -> tuple[object, Mapping[str, Any]]:
    entity = next(each for each in ENTITIES if each.id == f"sensor.battery_optimizer_{name}")
    json.dumps(entity.all_attributes(day), allow_nan=False)
    return entity.state(day), entity.all_attributes(day)


def test_the_bill_is_in_pounds_and_says_what_it_is_made_of() -> None:
    day = a_planned_day(savings=Savings(today=a_bill(), month=MONTH))
    state, attributes = shown(day, "bill_today")
    assert state == 1.2
    assert (attributes["import_cost"], attributes["export_income"]) == (1.0, 0.3)
    assert attributes["standing_charge"] == 0.5
    assert attributes["is_estimate"] is False
    assert attributes["last_reset"] == "2026-01-30T00:00:00+00:00"


def test_what_sessions_pay_stands_apart_and_only_where_one_was_on() -> None:
    paid = a_bill()
    paid = replace(paid, actual=replace(paid.actual, sessions_p=310.0),
                   self_use=replace(paid.self_use, sessions_p=40.0))  # fmt: skip
    day = a_planned_day(savings=Savings(today=paid, month=MONTH))
    state, attributes = shown(day, "bill_today")
    assert (state, attributes["sessions_estimate"]) == (1.2, 3.1)
    assert shown(day, "saved_today")[1]["sessions_estimate"] == 2.7
    assert "sessions_estimate" not in shown(day, "bill_this_month")[1]


def test_the_month_says_what_is_missing() -> None:
    day = a_planned_day(savings=Savings(today=a_bill(), month=MONTH))
    state, attributes = shown(day, "saved_this_month")
    assert state == 1.5
    assert (attributes["days"], attributes["days_missing"]) == (28, 2)
    assert attributes["half_hours_estimated"] == 5
    assert attributes["is_estimate"] is True
    assert attributes["against_no_battery"] == 2.3
    assert attributes["against_reactive"] == -0.1
    assert attributes["stored_more_than_self_use_kwh"] == 3.0
    assert attributes["last_reset"] == "2026-01-01T00:00:00+00:00"


def test_an_unknown_standing_charge_is_unknown_not_nothing() -> None:
    bill = replace(a_bill(), standing_p=0.0, n_no_standing=1)
    _, attributes = shown(a_planned_day(savings=Savings(today=bill)), "bill_today")
    assert attributes["standing_charge"] is None
    assert attributes["is_estimate"] is True


def test_what_a_bill_is_made_of_makes_the_bill() -> None:
    """Of a month the standing charge of single days may not be known."""
    month = replace(MONTH, n_no_standing=1)
    state, attributes = shown(a_planned_day(savings=Savings(month=month)), "bill_this_month")
    made_of = (
        attributes["import_cost"] - attributes["export_income"] + attributes["standing_charge"]
    )
    assert made_of == pytest.approx(state)
    assert attributes["days_without_standing_charge"] == 1


def test_just_after_midnight_it_says_why_there_is_no_bill() -> None:
    state, attributes = shown(a_planned_day(savings=Savings(month=MONTH)), "bill_today")
    assert state == "unknown"
    assert attributes["why"] == "no half hour of it is over and metered yet"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_bill_it_says_why(name: str) -> None:
    state, attributes = shown(a_planned_day(savings=Savings(problem="nothing yet")), name)
    assert state == "unknown"
    assert attributes["why"] == "nothing yet"


@pytest.mark.parametrize("name", NAMES)
def test_home_assistant_keeps_statistics_of_money_as_a_total(name: str) -> None:
    _, attributes = shown(a_planned_day(savings=Savings(today=a_bill(), month=MONTH)), name)
    assert attributes["unit_of_measurement"] == "GBP"
    assert (attributes["device_class"], attributes["state_class"]) == ("monetary", "total")
