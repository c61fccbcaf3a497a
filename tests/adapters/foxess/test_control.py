"""The services of foxess_control around an integration that does as its documentation says."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.foxess.control import FoxEssControl
from battery_optimizer.errors import InverterError
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.slots import local_day

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
BATTERY = Battery(capacity_kwh=10.0, max_charge_kw=4.0, max_discharge_kw=3.0)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)
MODES = {"force_charge": "ForceCharge", "force_discharge": "ForceDischarge", "feedin": "Feedin"}


@dataclass
class Cloud:
    """Does what it is told until its time is up; its sensor is read every five minutes."""

    now: datetime = NOON
    mode: str = "SelfUse"
    until: datetime | None = None
    shown: str = "SelfUse"
    refuses: bool = False
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        if self.refuses:
            return {"success": False, "error": {"message": "FoxESS API error: 40400"}}
        name = service.partition("/")[2]
        duration = data.get("duration")
        self.calls.append((name, duration and duration["minutes"]))
        self.mode = MODES.get(name, "SelfUse")
        self.until = duration and self.now + timedelta(minutes=duration["minutes"])
        assert self.until is None or local_day(self.until) == local_day(self.now)
        return {"success": True}

    def wait(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            if self.until is not None and self.now >= self.until:
                self.mode, self.until = "SelfUse", None
            if self.now.minute % 5 == 0:
                self.shown = self.mode

    def state(self, entity_id: str) -> EntityState | None:
        return EntityState(state=self.shown) if entity_id == "sensor.foxess_work_mode" else None

    def adapter(self, **given: str) -> FoxEssControl:
        return FoxEssControl(
            call_service=self.call,
            read_state=self.state,
            battery=BATTERY,
            now=lambda: self.now,
            **given,
        )


@pytest.mark.parametrize(
    ("command", "call", "mode"),
    [
        (CHARGE, ("force_charge", 30), "ForceCharge"),
        (DISCHARGE, ("force_discharge", 30), "ForceDischarge"),
        (FEED_IN, ("feedin", 30), "Feedin"),
        (SELF_USE, ("clear_overrides", None), "SelfUse"),
    ],
)
def test_each_mode_is_a_service_for_half_an_hour(
    command: InverterCommand, call: tuple[str, int | None], mode: str
) -> None:
    cloud = Cloud()
    adapter = cloud.adapter()
    adapter.apply(command)
    assert cloud.calls == [call]
    assert cloud.mode == mode
    assert adapter.current() == command  # believed before the sensor shows it
    cloud.wait(8)
    assert adapter.current() == command


def test_more_time_is_asked_for_while_the_cycles_go_on() -> None:
    cloud = Cloud()
    adapter = cloud.adapter()
    adapter.apply(CHARGE)
    for _ in range(24):
        cloud.wait(5)
        assert adapter.current() == CHARGE
        assert cloud.mode == "ForceCharge"
    assert len(cloud.calls) == 7


def test_it_ends_by_itself_when_the_app_is_gone() -> None:
    cloud = Cloud()
    cloud.adapter().apply(DISCHARGE)
    cloud.wait(31)
    assert cloud.mode == "SelfUse"


def test_what_ended_by_itself_is_nobodys_change() -> None:
    cloud = Cloud()
    adapter = cloud.adapter()
    adapter.apply(CHARGE)
    cloud.wait(40)
    with pytest.raises(InverterError, match="ended by itself"):
        adapter.current()
    assert adapter.current() == SELF_USE


def test_what_somebody_else_set_is_seen_when_the_sensor_shows_it() -> None:
    cloud = Cloud()
    adapter = cloud.adapter()
    adapter.apply(SELF_USE)
    cloud.mode = "ForceDischarge"
    cloud.wait(10)
    assert adapter.current() == DISCHARGE
    cloud.mode = "Backup"
    cloud.wait(5)
    assert adapter.current() == InverterCommand(mode=Mode.HOLD)
    cloud.mode = "PeakShaving"
    cloud.wait(5)
    assert adapter.current() is None


def test_a_duration_does_not_cross_the_households_midnight() -> None:
    cloud = Cloud(now=datetime(2026, 1, 15, 23, 50, tzinfo=UTC))
    adapter = cloud.adapter()
    adapter.apply(CHARGE)
    assert cloud.calls == [("force_charge", 9)]
    cloud.wait(8)
    with pytest.raises(InverterError, match="last minutes of a day"):
        adapter.apply(DISCHARGE)
    summer = Cloud(now=datetime(2026, 6, 15, 22, 45, tzinfo=UTC))
    summer.adapter().apply(CHARGE)
    assert summer.calls == [("force_charge", 14)]


@pytest.mark.parametrize(
    ("now", "minutes"),
    [
        # The day before the clocks go forward, in winter time; "the same time tomorrow" is 00:40.
        (datetime(2026, 3, 28, 23, 40, tzinfo=UTC), 19),
        (datetime(2026, 3, 29, 0, 10, tzinfo=UTC), 30),
        # The first hour of the day on which they go back, in summer time, is before midnight UTC.
        (datetime(2025, 10, 25, 23, 5, tzinfo=UTC), 30),
        (datetime(2025, 10, 25, 22, 50, tzinfo=UTC), 9),
        (datetime(2025, 10, 26, 23, 40, tzinfo=UTC), 19),
    ],
)
def test_around_a_change_of_the_clocks_midnight_is_that_of_the_wall_clock(
    now: datetime, minutes: int
) -> None:
    cloud = Cloud(now=now)
    cloud.adapter().apply(CHARGE)
    assert cloud.calls == [("force_charge", minutes)]


def test_it_cannot_hold_nor_do_things_in_another_way() -> None:
    adapter = Cloud().adapter()
    assert Mode.HOLD not in adapter.abilities.modes
    with pytest.raises(InverterError, match="no service for Hold"):
        adapter.apply(InverterCommand(mode=Mode.HOLD))
    with pytest.raises(InverterError, match="no other way"):
        adapter.apply(FEED_IN, other_way=True)
    with pytest.raises(InverterError, match="can_curtail"):
        adapter.apply(InverterCommand(mode=Mode.SELF_USE, curtail=True))


def test_refusals_and_missing_entities_are_named() -> None:
    cloud = Cloud(refuses=True)
    with pytest.raises(InverterError, match="FoxESS API error: 40400"):
        cloud.adapter().apply(CHARGE)
    (problem,) = cloud.adapter(work_mode="sensor.fox").check()
    assert "sensor.fox does not exist" in problem
    assert cloud.adapter().check() == ()
