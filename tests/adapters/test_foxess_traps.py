"""The traps of foxess_modbus, each a story: the real adapter, the integration as it was seen."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.foxess_modbus import FoxEssModbus
from battery_optimizer.adapters.telemetry import EntityMeters
from battery_optimizer.errors import InverterError, TelemetryUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.simulate.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.fox_polled import Link, Polled
from battery_optimizer.simulate.inverter import SimulatedInverter

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BATTERY = Battery(capacity_kwh=10.0, reserve_kwh=1.0, max_charge_kw=4.0, max_discharge_kw=4.0)
SELECT = "select.foxess_work_mode"
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)
HOLD = InverterCommand(mode=Mode.HOLD)


@dataclass(frozen=True)
class Steady:
    load: float
    sun: float

    def load_kw(self, _moment: datetime) -> float:
        return self.load

    def solar_kw(self, _moment: datetime) -> float:
        return self.sun


class Story:
    """A house behind the polled integration, driven and read by the real adapters."""

    def __init__(self, *, load: float = 0.5, sun: float = 0.0, soc_kwh: float = 5.0) -> None:
        house = House(battery=BATTERY, inverter=Inverter(ac_limit_kw=5.0), grid=GridConnection())
        self.inverter = SimulatedInverter(
            house=house, surroundings=Steady(load, sun), now=NOON, soc_kwh=soc_kwh
        )
        self.link = Polled(self.inverter)
        self.fox = SimulatedFoxEss(self.inverter, integration=self.link)
        self.calls = 0
        self.adapter = FoxEssModbus(
            call_service=self.call,
            read_state=self.state,
            list_entities=self.fox.entities,
            battery=BATTERY,
            solar_kw=lambda: sun,
            sleep=self.wait,
        )
        self.meters = EntityMeters(
            read_state=self.state,
            entities=MeterEntities(
                soc="sensor.foxess_battery_soc",
                load="sensor.foxess_load_power",
                battery="sensor.foxess_invbatpower",
            ),
            battery=BATTERY,
        )
        self.wait(20)

    def call(self, service: str, /, **data: object) -> object:
        self.calls += 1
        return self.fox.call(service, data)

    def state(self, entity_id: str) -> EntityState | None:
        return self.fox.entities().get(entity_id)

    def wait(self, seconds: float) -> None:
        self.link.advance(self.inverter.now + timedelta(seconds=seconds))
        self.fox.entities()  # Home Assistant looks all the time

    @property
    def shown(self) -> str:
        return self.fox.entities()[SELECT].state

    @property
    def battery_kw(self) -> float:
        """Measured: above 0 it discharges."""
        power_kw = self.meters.read(self.inverter.now).battery_kw
        assert power_kw is not None
        return power_kw


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
