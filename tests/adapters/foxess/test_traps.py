"""The traps of foxess_modbus, each a story: the real adapter, the integration as it was seen."""

from datetime import timedelta

import pytest

from battery_optimizer.errors import InverterError, TelemetryUnavailable
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from fox_polled import Link
from fox_story import CHARGE, DISCHARGE, HOLD, SELECT, Story


def test_sensors_and_a_changed_power_come_with_the_next_poll() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    assert story.shown == "Force Discharge"
    assert story.battery_kw == pytest.approx(0.5)
    story.wait(40)
    assert story.battery_kw == pytest.approx(3.0)
    story.adapter.apply(InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=1.0))
    assert story.inverter.force_discharge_kw == 3.0
    story.wait(10)
    assert story.inverter.force_discharge_kw == 1.0


def test_leaving_a_forced_discharge_takes_20_seconds() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    story.wait(60)
    story.adapter.apply(HOLD)
    story.wait(15)
    assert story.inverter.readings.discharge_kw == pytest.approx(3.0)
    story.wait(15)
    assert story.inverter.readings.discharge_kw == 0


def test_a_failed_force_call_is_carried_out_when_the_link_returns() -> None:
    story = Story()
    story.link.link = Link.REFUSED
    with pytest.raises(InverterError, match="Connection refused"):
        story.adapter.apply(CHARGE)
    assert story.shown == "Self Use"
    story.link.link = Link.UP
    story.wait(10)
    assert story.shown == "Force Charge"
    story.wait(30)
    assert story.battery_kw == pytest.approx(-2.0)
    assert story.adapter.current() == CHARGE  # so that whoever reads it back sees what came late


def test_calls_are_dropped_while_unavailable_so_none_is_made() -> None:
    story = Story()
    story.link.link = Link.REFUSED
    with pytest.raises(InverterError):
        story.adapter.apply(CHARGE)
    story.wait(60)
    assert story.shown == "unavailable"
    # Home Assistant says yes, and does nothing.
    assert story.fox.call("select/select_option", {"entity_id": SELECT, "option": "Self Use"}) == {
        "success": True,
        "result": {},
        "ad_status": "OK",
    }
    calls = story.calls
    with pytest.raises(InverterError, match="is unavailable"):
        story.adapter.apply(SELF_USE)
    assert story.calls == calls
    # The dropped Self Use did not cancel the force call that had failed before.
    story.link.link = Link.UP
    story.wait(10)
    assert story.shown == "Force Charge"
    story.adapter.apply(SELF_USE)
    story.wait(30)
    assert story.inverter.option == "Self Use"


def test_after_an_outage_of_28_seconds_the_select_lies_and_choosing_the_same_does_nothing() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    story.wait(60)
    story.link.link = Link.REFUSED
    story.wait(28)
    story.link.link = Link.UP
    story.wait(30)
    assert story.shown == "Force Discharge"
    assert story.inverter.option == "Feed-in First"
    assert story.battery_kw == pytest.approx(0.5)
    story.adapter.apply(DISCHARGE)
    assert story.fox.call(
        "select/select_option", {"entity_id": SELECT, "option": "Force Discharge"}
    )["success"]
    story.wait(40)
    assert story.inverter.option == "Feed-in First"
    # Another mode in between repairs it.
    story.adapter.apply(SELF_USE)
    story.adapter.apply(DISCHARGE)
    story.wait(40)
    assert story.battery_kw == pytest.approx(3.0)


def test_a_full_battery_acts_as_back_up_under_force_charge_and_resumes_below() -> None:
    story = Story(soc_kwh=10.0)
    story.adapter.apply(CHARGE)
    story.wait(60)
    assert story.shown == "Force Charge"
    assert story.battery_kw == 0
    story.inverter.soc_kwh = 9.0
    story.wait(20)
    assert story.battery_kw == pytest.approx(-2.0)


def test_a_bms_that_takes_nothing_is_commanded_full_power_all_the_same() -> None:
    story = Story()
    story.inverter.bms_charge_kw = 0.0
    story.adapter.apply(CHARGE)
    story.wait(60)
    assert (story.shown, story.inverter.force_charge_kw) == ("Force Charge", 2.0)
    assert story.battery_kw == 0


def test_by_day_the_first_poll_of_force_charge_commands_nothing() -> None:
    story = Story(sun=1.0)
    story.adapter.apply(InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0))
    assert story.inverter.force_charge_kw == 0
    story.wait(10)
    assert story.inverter.force_charge_kw == 2.0


def test_an_unknown_entity_succeeds_so_existence_is_looked_at_first() -> None:
    story = Story()
    nobody = {"entity_id": "select.work_mod", "option": "Self Use"}
    assert story.fox.call("select/select_option", nobody)["success"] is True
    story.adapter.names = type(story.adapter.names)(work_mode="select.work_mod")
    with pytest.raises(InverterError, match=r"select\.work_mod does not exist"):
        story.adapter.apply(SELF_USE)
    assert story.calls == 0


def test_a_hanging_adapter_freezes_what_is_shown_and_times_out() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    story.wait(60)
    story.link.link = Link.HANGING
    with pytest.raises(InverterError, match="did not answer in time; it may yet be done"):
        story.adapter.apply(SELF_USE)
    story.wait(100)
    assert story.battery_kw == pytest.approx(3.0)  # frozen, and long untrue:
    assert story.inverter.option == "Feed-in First"
    story.wait(60)
    assert story.shown == "unavailable"
    with pytest.raises(TelemetryUnavailable):
        story.meters.read(story.inverter.now)


def test_of_the_writes_that_waited_only_the_first_arrives() -> None:
    story = Story()
    story.link.link = Link.HANGING
    for command in (InverterCommand(mode=Mode.FEED_IN), SELF_USE, HOLD):
        if command != SELF_USE:
            with pytest.raises(InverterError, match="may yet be done"):
                story.adapter.apply(command)
    story.link.link = Link.UP
    story.wait(10)
    assert story.adapter.current() == InverterCommand(mode=Mode.FEED_IN)


@pytest.mark.parametrize(("command", "fallback"), [(CHARGE, Mode.HOLD), (DISCHARGE, Mode.FEED_IN)])
def test_without_home_assistant_the_watchdog_leaves_a_mode_that_is_not_self_use(
    command: InverterCommand, fallback: Mode
) -> None:
    story = Story()
    story.adapter.apply(command)
    story.wait(60)
    story.link.link = Link.STOPPED
    with pytest.raises(InverterError, match="no inverter found"):
        story.adapter.current()
    story.wait(30)
    story.link.link = Link.UP
    with pytest.raises(InverterError, match=f"no inverter found|{SELECT} is unknown"):
        story.adapter.current()
    story.wait(10)
    told = story.adapter.current()
    assert told == InverterCommand(mode=fallback)  # the force mode is not resumed


def test_a_steady_sensor_reports_nothing_and_is_not_stale() -> None:
    story = Story(load=0.0, soc_kwh=10.0)
    story.wait(310)
    state = story.state("sensor.foxess_battery_soc")
    assert state is not None
    assert state.last_reported is not None
    assert story.inverter.now - state.last_reported > timedelta(minutes=5)
    assert story.meters.read(story.inverter.now).soc_kwh == 10.0


def refusing(story: Story, *refused: tuple[str, str]) -> None:
    """These services are refused for these entities."""
    answer = story.fox.call

    def call(service: str, data: dict[str, object]) -> dict[str, object]:
        if (service, str(data["entity_id"])) in refused:
            return {"success": False, "error": "no"}
        return answer(service, data)

    story.fox.call = call  # type: ignore[method-assign]


def test_a_force_whose_end_is_refused_is_left_without_power() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    story.wait(60)
    refusing(story, ("select/select_option", SELECT))
    with pytest.raises(InverterError, match="was refused"):
        story.adapter.apply(SELF_USE)
    story.wait(60)
    assert story.shown == "Force Discharge"
    assert story.battery_kw == pytest.approx(0.0)


def test_a_force_ends_though_what_should_follow_cannot_be_had() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    story.wait(60)
    refusing(story, ("number/set_value", "number.foxess_force_charge_power"))
    with pytest.raises(InverterError, match="was refused"):
        story.adapter.apply(CHARGE)
    assert story.shown == "Self Use"


def test_what_is_wanted_goes_on_though_its_power_cannot_be_changed() -> None:
    story = Story()
    story.adapter.apply(DISCHARGE)
    refusing(story, ("number/set_value", "number.foxess_force_discharge_power"))
    with pytest.raises(InverterError, match="was refused"):
        story.adapter.apply(InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=1.0))
    assert story.shown == "Force Discharge"
