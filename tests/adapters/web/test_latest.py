"""What is served over HTTP."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from battery_optimizer.adapters.web.latest import (
    Status,
    health,
    page_data,
    plan,
    recommendation,
)
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.shown import Shown
from builders import MIDNIGHT, a_battery
from shown_values import a_demo_day, a_long_plan, a_planned_day, an_outcome, nothing_planned

STATUS = Status(started_at=MIDNIGHT, control="active")


def told(mode: Mode, power_kw: float | None = None) -> Shown:
    command = InverterCommand(mode=mode, power_kw=power_kw)
    return Shown(outcome=an_outcome(command=command), capacity_kwh=10.0)


def test_before_the_first_cycle_it_says_so() -> None:
    assert recommendation(None, voltage=None) == {
        "mode": None,
        "discharge_current": None,
        "reason": "no plan yet: the first one is made within a minute of the start",
        "optimization_status": "starting",
        "expected_soc": None,
    }
    assert health(None, STATUS, MIDNIGHT)["status"] == "starting"
    assert plan(None)["slots"] == []
    assert "no plan yet" in plan(None)["reason"]
    waiting = replace(STATUS, app_problem="no inverter found")
    assert health(None, waiting, MIDNIGHT)["status"] == "failed"
    assert health(None, waiting, MIDNIGHT)["problems"] == ["no inverter found"]


def test_the_recommendation_of_a_planned_day() -> None:
    day = a_planned_day()
    assert day.now is not None
    answer = recommendation(day, voltage=None)
    assert answer["mode"] == day.now.mode.value
    assert answer["reason"] == day.now.reason
    assert answer["optimization_status"] == "optimal"
    assert answer["expected_soc"] == pytest.approx(10 * day.now.soc_end_kwh, abs=0.05)
    assert answer["rates"] == "published"


@pytest.mark.parametrize(
    ("shown", "amperes"),
    [
        (told(Mode.FORCE_DISCHARGE, 3.0), 60.0),
        (told(Mode.FORCE_CHARGE, 3.0), 0.0),
        (told(Mode.HOLD), 0.0),
        (told(Mode.SELF_USE), None),
        (told(Mode.FEED_IN), None),
    ],
)
def test_the_discharge_current_is_said_where_it_is_known(
    shown: Shown, amperes: float | None
) -> None:
    assert recommendation(shown, voltage=50.0)["discharge_current"] == amperes


def test_without_a_voltage_there_is_no_current() -> None:
    discharging = told(Mode.FORCE_DISCHARGE, 3.0)
    assert recommendation(discharging, voltage=None)["discharge_current"] is None


def test_health_says_what_is_wrong() -> None:
    answer = health(nothing_planned(), STATUS, MIDNIGHT + timedelta(minutes=4))
    assert answer["status"] == "safe_mode"
    assert answer["problems"] == ["sensor.soc is unavailable"]
    assert answer["last_cycle_age_s"] == 240
    assert answer["solver"] is None
    aside = replace(STATUS, app_problem="another instance")
    assert health(a_planned_day(), aside, MIDNIGHT)["status"] == "failed"


def test_no_news_for_too_long_is_said() -> None:
    answer = health(a_planned_day(), STATUS, MIDNIGHT + timedelta(minutes=25))
    assert answer["status"] == "stale"
    assert "25 minutes ago" in answer["problems"][0]


def test_the_ages_of_what_it_knows_are_told() -> None:
    status = replace(STATUS, solar_source="Solcast", solar_issued_at=MIDNIGHT)
    for shown in (None, a_planned_day()):
        answer = health(shown, status, MIDNIGHT)
        assert answer["solar_source"] == "Solcast"
        assert answer["solar_issued_at"] == "2026-01-15T00:00:00Z"


def test_what_is_ahead_is_told() -> None:
    data = page_data(a_planned_day(), STATUS, MIDNIGHT, battery=a_battery())
    assert data["outlook"]["rate_class"] == "normal"
    today, tomorrow = data["outlook"]["days"]
    assert (today["cheapest"]["lowest"], today["dearest"]["highest"]) == (-2.0, 40.0)
    assert today["cheapest"]["is_published"]
    assert tomorrow == {"name": "tomorrow", "cheapest": None, "dearest": None}
    assert data["outlook"]["next"]["mode"] in set(Mode)
    empty = page_data(nothing_planned(), STATUS, MIDNIGHT, battery=a_battery())
    assert empty["outlook"] == {
        "rate_class": None, "next": None, "days": [
            {"name": name, "cheapest": None, "dearest": None} for name in ("today", "tomorrow")
        ],
    }  # fmt: skip


def test_demo_rates_are_called_so_everywhere() -> None:
    demo = a_demo_day()
    for answer in (
        recommendation(demo, voltage=None),
        plan(demo),
        health(demo, STATUS, MIDNIGHT),
    ):
        assert answer["rates"] == "demo rates"


def test_the_plan_has_every_slot_in_kw_and_percent() -> None:
    day = a_planned_day()
    answer = plan(day)
    assert len(answer["slots"]) == len(day.coming) == 8
    first, last = answer["slots"][0], answer["slots"][-1]
    assert first["start"] == "2026-01-15T00:00:00Z"
    assert last["end"] == "2026-01-15T04:00:00Z"
    for slot in answer["slots"]:
        # What is drawn adds up: house = solar + battery + grid, nothing curtailed here.
        assert slot["load_kw"] == pytest.approx(
            slot["solar_kw"] + slot["battery_kw"] + slot["grid_kw"], abs=0.003
        )


def test_all_that_the_page_draws_is_json() -> None:
    for shown in (None, nothing_planned(), a_demo_day(), a_long_plan(576, timedelta(minutes=5))):
        data = page_data(shown, STATUS, MIDNIGHT, battery=a_battery())
        assert json.loads(json.dumps(data, allow_nan=False)) == data
