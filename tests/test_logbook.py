"""What the log says after a cycle, in words."""

import logging
from dataclasses import replace

import pytest

from battery_optimizer.logbook import LogBook
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.shown import Shown
from battery_optimizer.optimize.mapping import PAUSE
from shown_values import a_planned_day, an_outcome, nothing_planned


def said(caplog: pytest.LogCaptureFixture, shown: Shown) -> list[str]:
    with caplog.at_level(logging.INFO):
        LogBook(logging.getLogger("house")).say(shown)
    return [record.getMessage() for record in caplog.records]


def test_a_mode_is_told_with_its_name_in_the_makers_app(caplog: pytest.LogCaptureFixture) -> None:
    day = a_planned_day()
    hold = replace(day.outcome, command=InverterCommand(mode=Mode.HOLD), reason="Because.")
    lines = said(caplog, replace(day, outcome=hold))
    assert lines[:2] == ["Inverter set to Hold (Back-up) and read back", "Hold: Because."]
    assert lines[2].startswith("Plan until Thu 04:00: ")


def test_a_pause_is_hold_with_what_is_really_told(caplog: pytest.LogCaptureFixture) -> None:
    outcome = an_outcome(command=PAUSE, command_result=CommandResult.UNCHANGED)
    lines = said(caplog, Shown(outcome=outcome, capacity_kwh=10.0))
    assert lines[0] == "Inverter is in Hold (Force Charge at 0 kW) already, as read back"
    assert lines[1].startswith("Hold: ")


def test_without_a_plan_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    lines = said(caplog, nothing_planned())
    assert "No plan" in lines
    assert not [line for line in lines if line.startswith("Plan")]


def test_a_mode_by_the_same_name_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    charge = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.678)
    for command, words in (
        (InverterCommand(mode=Mode.SELF_USE), "Self Use"),
        (charge, "Charge at 3.68 kW (Force Charge)"),
    ):
        caplog.clear()
        lines = said(caplog, Shown(outcome=an_outcome(command=command), capacity_kwh=10.0))
        assert lines[0] == f"Inverter set to {words} and read back"
