from datetime import timedelta

import pytest

from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import SLOT
from builders import MIDNIGHT, plan_for


def test_the_slot_that_holds_a_moment() -> None:
    plan = plan_for([10, 40, 10], load_kwh=[0, 1, 0])
    assert plan.at(MIDNIGHT + timedelta(minutes=59)) is plan.slots[1]
    assert plan.at(MIDNIGHT) is plan.slots[0]


def test_outside_of_the_plan_there_is_no_slot() -> None:
    plan = plan_for([10, 40, 10])
    for moment in (MIDNIGHT - timedelta(seconds=1), MIDNIGHT + 3 * SLOT):
        with pytest.raises(IndexError):
            plan.at(moment)


def test_a_slot_shows_the_mode_of_its_command() -> None:
    slot = plan_for([10, 60], load_kwh=[0, 2]).slots[0]
    assert slot.mode is slot.command.mode is Mode.FORCE_CHARGE
