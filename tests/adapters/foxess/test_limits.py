"""Hold and Feed-in in the other way, by a current limit of 0, and that it is always undone."""

import pytest

from battery_optimizer.adapters.foxess.limits import ForgetfulMemory
from battery_optimizer.errors import InverterError, StoreUnavailable
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from fox_story import DISCHARGE, HOLD, Story

FEED_IN = InverterCommand(mode=Mode.FEED_IN)


@pytest.mark.parametrize(
    ("command", "sun", "limits"), [(HOLD, 0.0, (50.0, 0.0)), (FEED_IN, 2.0, (0.0, 50.0))]
)
def test_a_limit_of_0_stands_in_for_the_mode_until_the_next_command(
    command: InverterCommand, sun: float, limits: tuple[float, float]
) -> None:
    story = Story(load=1.0, sun=sun)
    story.adapter.apply(command, other_way=True)
    story.wait(40)
    assert story.shown == "Self Use"
    assert (story.inverter.charge_a, story.inverter.discharge_a) == limits
    assert story.battery_kw == 0
    assert story.adapter.current() == command
    story.adapter.apply(SELF_USE)
    story.wait(40)
    assert (story.inverter.charge_a, story.inverter.discharge_a) == (50.0, 50.0)
    assert story.battery_kw == pytest.approx(1.0 - sun, abs=0.01)
    assert story.adapter.current() == SELF_USE


def test_the_limit_that_the_household_had_comes_back_after_a_restart() -> None:
    story = Story()
    story.inverter.discharge_a = 31.5
    story.wait(10)
    story.adapter.memory = ForgetfulMemory()
    story.adapter.apply(HOLD, other_way=True)
    restarted = story.adapter_of()
    restarted.memory = ForgetfulMemory(dict(story.adapter.memory.kept))
    assert restarted.current() == HOLD
    restarted.apply(DISCHARGE)
    assert story.inverter.discharge_a == 31.5
    story.wait(10)
    restarted.apply(SELF_USE)
    assert story.inverter.discharge_a == 31.5


def test_from_one_other_way_to_the_other() -> None:
    story = Story()
    story.adapter.apply(HOLD, other_way=True)
    story.wait(10)
    story.adapter.apply(FEED_IN, other_way=True)
    assert (story.inverter.charge_a, story.inverter.discharge_a) == (0.0, 50.0)


def test_a_limit_that_somebody_else_set_is_theirs() -> None:
    story = Story()
    story.inverter.discharge_a = 0.0
    story.wait(10)
    assert story.adapter.current() == SELF_USE
    with pytest.raises(InverterError, match="is 0 already, and not by this app"):
        story.adapter.apply(HOLD, other_way=True)
    story.inverter.discharge_a = 50.0
    story.wait(10)
    story.adapter.apply(HOLD, other_way=True)
    story.inverter.discharge_a = 20.0
    story.wait(10)
    story.adapter.apply(SELF_USE)
    assert story.inverter.discharge_a == 20.0


def test_a_limit_of_0_that_nobody_here_set_is_told() -> None:
    story = Story()
    assert story.adapter.check() == ()
    story.adapter.apply(HOLD, other_way=True)
    assert story.adapter.check() == ()
    story.adapter.apply(SELF_USE)
    story.inverter.discharge_a = 0.0
    story.wait(10)
    (problem,) = story.adapter.check()
    assert "number.foxess_max_discharge_current is 0, and not by this app" in problem
    assert "cannot discharge" in problem


def test_a_limit_is_put_back_though_the_memory_is_lost_meanwhile() -> None:
    """The database was damaged and set aside, or another program has it just now."""
    for memory in (ForgetfulMemory(), BrokenStore()):
        story = Story()
        story.adapter.apply(HOLD, other_way=True)
        story.wait(10)
        story.adapter.memory = memory
        assert story.adapter.current() == HOLD
        story.adapter.apply(SELF_USE)
        assert story.inverter.discharge_a == 50.0


def test_a_forced_mode_has_no_other_way() -> None:
    with pytest.raises(InverterError, match="no other way"):
        Story().adapter.apply(DISCHARGE, other_way=True)


class BrokenStore:
    def get_state(self, _key: str) -> str | None:
        raise StoreUnavailable("the disk is full")

    def put_state(self, _key: str, _value: str) -> None:
        raise StoreUnavailable("the disk is full")


def test_what_cannot_be_remembered_is_not_touched_and_control_goes_on() -> None:
    story = Story()
    story.adapter.memory = BrokenStore()
    with pytest.raises(InverterError, match="the disk is full"):
        story.adapter.apply(HOLD, other_way=True)
    assert story.inverter.discharge_a == 50.0
    story.adapter.apply(HOLD)
    assert story.adapter.current() == HOLD
    story.adapter.apply(SELF_USE)
    assert story.adapter.current() == SELF_USE


def test_self_use_is_set_even_where_the_limit_cannot_be_put_back() -> None:
    story = Story()
    story.adapter.apply(HOLD, other_way=True)
    story.wait(10)
    story.inverter.select("Back-up")
    story.wait(10)
    story.broken = "number/set_value"
    with pytest.raises(InverterError, match="Modbus down"):
        story.adapter.apply(SELF_USE)
    assert story.shown == "Self Use"
    story.broken = ""
    story.adapter.apply(SELF_USE)
    assert story.inverter.discharge_a == 50.0
