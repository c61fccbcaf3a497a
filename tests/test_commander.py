"""Orders given through the real adapter to an inverter with the traps of the real one."""

from dataclasses import dataclass, field

import pytest

from battery_optimizer.commander import Commander
from battery_optimizer.errors import InverterError, TelemetryUnavailable
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.settings import CommandSettings, Control
from battery_optimizer.model.wishes import NO_WISHES
from fakes import MemoryJournal
from fox_polled import Link
from fox_story import CHARGE, DISCHARGE, HOLD, SELECT, Story

FIVE_MINUTES, SECOND_LOOK = 300.0, 40.0
APPLIED, UNCHANGED = CommandResult.APPLIED, CommandResult.UNCHANGED
FAILED, PAUSED = CommandResult.FAILED, CommandResult.PAUSED


@dataclass
class Run:
    """A commander who wants one thing, and looks as often as the app would."""

    story: Story
    wanted: InverterCommand
    control: Control = Control.ACTIVE
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commander = Commander(
            inverter=self.story.adapter,
            journal=MemoryJournal(),
            control=self.control,
            settings=CommandSettings(),
        )

    def cycle(self) -> CommandResult:
        now = self.story.inverter.now
        in_force, _, seen = self.commander.look(now, NO_WISHES)
        try:
            telemetry = self.story.meters.read(now)
        except TelemetryUnavailable:
            telemetry = None
        house = self.story.inverter.house
        result, problems = self.commander.send(now, self.wanted, in_force, house, telemetry)
        self.said = [*seen, *problems]
        return result

    def live(self, minutes: float) -> list[CommandResult]:
        """Cycles every five minutes, and the second looks between them."""
        results = []
        for _ in range(round(minutes / 5)):
            results.append(self.cycle())
            left_s = FIVE_MINUTES
            while self.commander.should_look_again(self.story.inverter.now):
                self.story.wait(SECOND_LOOK)
                left_s -= SECOND_LOOK
                results.append(self.cycle())
            self.story.wait(left_s)
        return results


def test_an_ordinary_day_needs_one_write_each_change() -> None:
    run = Run(Story(), DISCHARGE)
    assert run.live(20) == [APPLIED, *[UNCHANGED] * 4]
    assert run.commander.writes(run.story.inverter.now) == 2
    run.wanted = SELF_USE
    assert run.live(15) == [APPLIED, *[UNCHANGED] * 3]
    assert run.commander.writes(run.story.inverter.now) == 3
    assert not run.said


def test_a_force_mode_lost_in_silence_is_noticed_by_power_and_set_again() -> None:
    run = Run(Story(), DISCHARGE)
    run.live(10)
    run.story.link.link = Link.REFUSED
    run.story.wait(28)
    run.story.link.link = Link.UP
    run.story.wait(60)
    assert (run.story.shown, run.story.inverter.option) == ("Force Discharge", "Feed-in First")
    results = run.live(5)
    assert results == [UNCHANGED, APPLIED, UNCHANGED]
    assert run.story.inverter.option == "Force Discharge"
    assert not run.said


def test_a_force_call_that_comes_late_is_taken_back_at_once() -> None:
    run = Run(Story(), CHARGE)
    run.story.link.link = Link.REFUSED
    assert run.cycle() is FAILED
    run.wanted = SELF_USE
    run.story.wait(20)
    run.story.link.link = Link.UP
    run.story.wait(10)
    assert run.story.shown == "Force Charge"
    assert run.cycle() is APPLIED
    run.story.wait(30)
    assert run.story.inverter.option == "Self Use"


def test_back_up_that_does_not_hold_is_had_by_a_current_limit_and_undone_at_the_end() -> None:
    run = Run(Story(load=1.0), HOLD)
    run.story.inverter.misfires = {"Back-up": "Self Use"}
    run.live(30)
    assert run.story.inverter.discharge_a == 0
    assert run.story.battery_kw == 0
    run.live(10)
    assert not run.said
    run.commander.make_safe()
    assert run.story.inverter.discharge_a == 50.0
    assert run.story.shown == "Self Use"


def test_feed_in_first_that_does_not_serve_the_house_is_had_by_a_current_limit() -> None:
    run = Run(Story(load=1.0), InverterCommand(mode=Mode.FEED_IN))
    run.story.inverter.misfires = {"Feed-in First": "Back-up"}
    run.live(30)
    assert run.story.inverter.charge_a == 0
    assert run.story.battery_kw == pytest.approx(1.0)


def test_a_battery_that_takes_nothing_is_given_up_for_a_while() -> None:
    run = Run(Story(), CHARGE)
    run.story.inverter.bms_charge_kw = 0.0
    results = run.live(40)
    assert results[-1] is PAUSED
    assert run.story.shown == "Self Use"
    assert run.commander.writes(run.story.inverter.now) == 10
    run.live(20)  # tried once more, and given up for longer
    assert run.live(45)[-1] is PAUSED
    assert run.commander.writes(run.story.inverter.now) == 14
    run.story.inverter.bms_charge_kw = None
    run.live(30)
    assert run.story.battery_kw == pytest.approx(-2.0)


def test_a_discharge_that_will_not_stop_is_told_so_and_tried_ever_less_often() -> None:
    run = Run(Story(soc_kwh=10.0), SELF_USE)
    run.story.inverter.misfires = {"Self Use": "Force Discharge", "Back-up": "Force Discharge"}
    power = {"entity_id": "number.foxess_force_discharge_power", "value": 3.0}
    run.story.call("number/set_value", **power)
    run.live(60)
    assert any("discharges at 3.0 kW" in words for words in run.said)
    assert run.commander.writes(run.story.inverter.now) <= 16


def test_cold_and_full_batteries_are_not_pestered() -> None:
    run = Run(Story(soc_kwh=9.9), CHARGE)
    assert set(run.live(60)) == {APPLIED, UNCHANGED}
    assert run.commander.writes(run.story.inverter.now) == 2


@pytest.mark.parametrize("command", [CHARGE, DISCHARGE])
def test_what_home_assistants_restart_leaves_behind_is_put_right_at_once(
    command: InverterCommand,
) -> None:
    run = Run(Story(), command)
    run.live(10)
    run.story.link.link = Link.STOPPED
    run.story.wait(30)
    run.story.link.link = Link.UP
    run.story.wait(10)
    run = Run(run.story, command)  # AppDaemon starts the app anew
    assert run.cycle() is APPLIED
    run.story.wait(30)
    assert run.story.inverter.option in ("Force Charge", "Force Discharge")


@pytest.mark.parametrize("link", [Link.REFUSED, Link.HANGING])
def test_an_inverter_that_is_away_is_waited_for_and_told_with_the_first_cycle(link: Link) -> None:
    run = Run(Story(soc_kwh=10.0), DISCHARGE)
    run.live(10)
    run.story.link.link = link
    run.wanted = CHARGE
    run.story.broken = "select/select_option"
    run.cycle()  # what fails while it is going is no reason to pause
    run.cycle()
    assert set(run.live(60)) == {FAILED}
    assert any("is unavailable" in each for each in run.said)
    run.wanted, run.story.broken = DISCHARGE, ""
    run.story.link.link = Link.UP
    run.story.wait(10)
    run.live(10)  # the select may say so already: by power it is seen not to be so
    assert run.story.battery_kw == pytest.approx(3.0)
    assert not run.said


def test_a_mode_that_is_to_be_left_is_not_judged_by_what_an_adapter_that_hangs_shows() -> None:
    """Its power was set to 0 in the place of self-use, and the last reading goes on being shown."""
    run = Run(Story(soc_kwh=10.0), DISCHARGE)
    run.live(10)
    run.story.link.link = Link.HANGING
    run.wanted = SELF_USE
    for _ in range(3):
        assert run.cycle() is FAILED
        assert not any("the inverter was told" in each for each in run.said), run.said
        assert not run.commander.should_look_again(run.story.inverter.now)
        run.story.wait(SECOND_LOOK)


def test_an_inverter_that_does_not_obey_is_no_better_for_having_been_away() -> None:
    run = Run(Story(), CHARGE)
    run.story.inverter.bms_charge_kw = 0.0
    assert run.live(40)[-1] is PAUSED
    run.story.link.link = Link.REFUSED
    run.story.wait(60)
    run.cycle()
    run.story.link.link = Link.UP
    run.story.wait(10)
    assert run.cycle() is PAUSED


def test_read_only_touches_nothing() -> None:
    run = Run(Story(), DISCHARGE, control=Control.READ_ONLY)
    assert set(run.live(10)) == {CommandResult.READ_ONLY}
    run.commander.make_safe()
    assert run.story.calls == 0


def test_self_use_that_was_set_for_safety_is_nobody_elses_wish() -> None:
    """After a cycle that hung or crashed the plan is followed again, not left alone for an hour."""
    run = Run(Story(), DISCHARGE)
    run.live(10)
    run.commander.make_safe()
    assert run.story.shown == "Self Use"
    assert run.cycle() is APPLIED
    assert not run.said
    assert run.story.shown == "Force Discharge"


def test_self_use_for_safety_is_a_write_like_any_other_however_often_it_is_set() -> None:
    run = Run(Story(), DISCHARGE)
    run.live(10)
    assert run.commander.writes(run.story.inverter.now) == 2
    for _ in range(3):
        run.commander.make_safe()
    run.cycle()
    assert run.commander.writes(run.story.inverter.now) == 5  # and once more mode and power
    run.wanted = SELF_USE
    for _ in range(3):
        run.cycle()
        run.commander.make_safe()
    assert run.commander.writes(run.story.inverter.now) == 6  # nothing for what is so already


def test_what_could_not_be_set_for_safety_is_no_write() -> None:
    run = Run(Story(), DISCHARGE)
    run.live(10)
    run.story.broken = "select/select_option"
    with pytest.raises(InverterError, match="Modbus down"):
        run.commander.make_safe()
    run.story.broken = ""
    run.cycle()
    # The power alone, which was put to 0 meanwhile.
    assert run.commander.writes(run.story.inverter.now) == 3


def test_what_another_app_left_behind_is_nobodys_wish() -> None:
    """It drove while this one stood aside, and fell silent: its mode is not left for an hour."""
    run = Run(Story(), HOLD)
    run.live(10)
    run.commander.stand_aside()
    forced = {"entity_id": SELECT, "option": "Force Discharge"}
    run.story.fox.call("select/select_option", forced)
    run.story.wait(FIVE_MINUTES)
    in_force, wishes, _ = run.commander.look(run.story.inverter.now, NO_WISHES)
    assert in_force is not None
    assert in_force.mode is Mode.FORCE_DISCHARGE
    assert wishes == NO_WISHES


def test_self_use_after_one_failure_too_many_is_nobody_elses_wish() -> None:
    run = Run(Story(), HOLD)
    run.live(5)
    run.wanted = CHARGE
    run.story.broken = "number/set_value"
    assert run.live(15) == [FAILED, FAILED, FAILED]
    assert run.story.shown == "Self Use"
    run.story.broken = ""
    run.live(40)
    assert not any("somebody else" in each for each in run.said)
    assert run.story.shown == "Force Charge"


def test_more_than_the_inverter_can_give_beside_the_sun_is_sent_once() -> None:
    # 5 kW are its rating: the sun goes first, and leaves 2 kW of the 3 to the battery.
    run = Run(Story(sun=3.0), DISCHARGE)
    results = run.live(30)
    assert results[0] is APPLIED
    assert set(results[1:]) == {UNCHANGED}
    assert run.commander.writes(run.story.inverter.now) == 2
