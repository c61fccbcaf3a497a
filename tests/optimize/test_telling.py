"""What was chosen is told alike, whether anybody reads why or not."""

from dataclasses import replace

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.optimize.planner import Planner
from builders import a_house, an_outlook

HOLD = InverterCommand(mode=Mode.HOLD)
CERTAIN = an_outlook([30, 5, 40, 10], 4, 1, [0, 0, 2, 0])


def in_doubt(outlook: Outlook) -> Outlook:
    """The same, where the load may be half or twice of what is expected."""
    futures = tuple(
        Future(weight=0.5, load_kwh=outlook.load_kwh * factor, solar_kwh=outlook.solar_kwh)
        for factor in (0.5, 2.0)
    )
    return replace(outlook, futures=futures)


def test_a_plan_without_reasons_is_else_the_same() -> None:
    for outlook in (CERTAIN, in_doubt(CERTAIN)):
        told = Planner().plan(a_house(), outlook, 2, in_force=HOLD)
        silent = Planner(with_reasons=False).plan(a_house(), outlook, 2, in_force=HOLD)
        assert all(slot.reason for slot in told.slots)
        assert silent.slots == tuple(replace(slot, reason="") for slot in told.slots)
        assert silent.alternatives == told.alternatives


def test_the_command_alone_is_that_of_the_plan() -> None:
    commands = []
    for outlook in (CERTAIN, an_outlook([5, 40, 40, 10], 4, 1)):
        for world in (outlook, in_doubt(outlook)):
            plan = Planner().plan(a_house(), world, 2, in_force=HOLD)
            commands.append(Planner().command(a_house(), world, 2, in_force=HOLD))
            assert commands[-1] == plan.slots[0].command
    assert {each.mode for each in commands} == {Mode.SELF_USE, Mode.FORCE_CHARGE}
