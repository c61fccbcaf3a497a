"""Force charge by a charge period, on an H1 without remote control as foxess_modbus shows it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.foxess.limits import ForgetfulMemory
from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.adapters.foxess.periods import HELPER, FoxEssWithPeriods
from battery_optimizer.errors import DataError, InverterError
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from builders import a_battery

SELECT = "select.foxess_work_mode"
OPTIONS = ["Self Use", "Feed-in First", "Back-up"]
ON = "binary_sensor.foxess_time_period_2_enable_force_charge"
START, END = "sensor.foxess_time_period_2_start", "sensor.foxess_time_period_2_end"
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)
HOLD = InverterCommand(mode=Mode.HOLD)
SUMMER_NIGHT = datetime(2026, 6, 1, 0, 30, 20, tzinfo=UTC)
"""01:30 by the inverter's clock."""


class BrokenMemory(ForgetfulMemory):
    def put_state(self, key: str, value: str) -> None:
        raise DataError(f"the disk is full: {key} {value}")

    def get_state(self, key: str) -> str | None:
        raise DataError(f"the disk is full: {key}")


@dataclass
class World:
    """What Home Assistant shows, and does."""

    now: datetime = SUMMER_NIGHT
    options: list[str] = field(default_factory=lambda: list(OPTIONS))
    has_periods: bool = True
    refusal: str | None = None
    is_deaf: bool = False
    memory: ForgetfulMemory = field(default_factory=ForgetfulMemory)
    calls: list[dict[str, Any]] = field(default_factory=list)
    helper: str | None = None
    """What Home Assistant's package remembers; None without it."""
    names: dict[str, str] = field(default_factory=dict)
    """Of entities that have one to be read by people."""

    def __post_init__(self) -> None:
        self.mode = "Self Use"
        self.shown = {ON: "off", START: "00:00:00", END: "00:00:00"}

    def states(self) -> dict[str, EntityState]:
        select = EntityState(state=self.mode, attributes={"options": self.options})
        helper = {} if self.helper is None else {HELPER: EntityState(state=self.helper)}
        periods = {
            each: EntityState(state=state, attributes={"friendly_name": self.names.get(each)})
            for each, state in self.shown.items()
        }
        return {SELECT: select, **helper, **(periods if self.has_periods else {})}

    def call(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        if service == "select/select_option":
            self.mode = data["option"]
            return {"success": True}
        if service == "input_text/set_value":
            assert data["entity_id"] == HELPER
            self.helper = data["value"]
            return {"success": True}
        assert service == "foxess_modbus/update_charge_period"
        self.calls.append(data)
        if self.refusal is not None:
            return {"success": False, "error": self.refusal}
        assert data["end"] > data["start"], "the service refuses it"
        assert data["charge_period"] == 2
        if not self.is_deaf:
            self.shown[ON] = "on" if data["enable_force_charge"] else "off"
            if data["enable_force_charge"]:
                assert data["enable_charge_from_grid"]
                self.shown |= {START: f"{data['start']}:00", END: f"{data['end']}:00"}
        return {"success": True}

    def adapter(self, name: str | None = None) -> FoxEssWithPeriods:
        """The app's own, fresh as after a restart."""
        inner = FoxEssModbus(
            call_service=self.call,
            read_state=lambda entity_id: self.states().get(entity_id),
            list_entities=self.states,
            battery=a_battery(),
            solar_kw=lambda: 0.0,
            sleep=lambda _: None,
        )
        return FoxEssWithPeriods(inner=inner, memory=self.memory, now=lambda: self.now, name=name)


def test_a_charge_is_a_period_of_an_hour_from_now_by_the_inverters_clock() -> None:
    world = World()
    fox = world.adapter()
    assert Mode.FORCE_CHARGE in fox.abilities.modes
    assert Mode.FORCE_DISCHARGE not in fox.abilities.modes
    assert not fox.abilities.sets_powers
    world.mode = "Back-up"
    fox.apply(CHARGE)
    (call,) = world.calls
    assert (call["inverter"], call["start"], call["end"]) == ("foxess", "01:30", "02:30")
    assert world.mode == "Self Use"
    assert fox.current() == CHARGE


def test_another_command_clears_it_first() -> None:
    world = World()
    fox = world.adapter(name="My Fox")
    fox.apply(CHARGE)
    fox.apply(HOLD)
    assert world.shown[ON] == "off"
    assert world.mode == "Back-up"
    assert fox.current() == HOLD
    assert world.calls[-1]["inverter"] == "My Fox"
    n_calls = len(world.calls)
    fox.apply(SELF_USE)
    assert len(world.calls) == n_calls, "nothing is left to clear"


def test_the_inverter_is_called_as_its_entities_name_it() -> None:
    """foxess_modbus's services want its friendly name; ids have that in small letters."""
    world = World()
    world.names = {ON: "Period 2 - Enable Force Charge (My Fox (garage))"}
    world.adapter().apply(CHARGE)
    assert world.calls[-1]["inverter"] == "My Fox (garage)"


def test_it_is_moved_on_while_it_is_wanted_and_not_too_often() -> None:
    world = World()
    fox = world.adapter()
    fox.apply(CHARGE)
    for _ in range(36):  # three hours
        world.now += timedelta(minutes=5)
        assert fox.current() == CHARGE
    assert 3 <= len(world.calls) <= 5
    assert fox.renewals == len(world.calls) - 1
    fox.apply(SELF_USE)
    assert world.shown[ON] == "off"


def test_it_does_not_reach_midnight() -> None:
    world = World(now=datetime(2026, 1, 15, 23, 40, tzinfo=UTC))
    world.adapter().apply(CHARGE)
    assert world.calls[-1]["end"] == "23:59"
    last = World(now=datetime(2026, 1, 15, 23, 59, 30, tzinfo=UTC))
    with pytest.raises(InverterError, match="last minute of a day"):
        last.adapter().apply(CHARGE)


def test_what_the_app_left_behind_when_it_was_killed_is_seen_and_cleared() -> None:
    world = World()
    world.adapter().apply(CHARGE)
    world.now += timedelta(hours=2)
    again = world.adapter()
    with pytest.raises(InverterError, match="would come back"):
        again.current()
    again.apply(SELF_USE)
    assert world.shown[ON] == "off"
    assert again.current() == SELF_USE


def test_after_a_restart_it_still_charges_but_is_not_moved_on_by_itself() -> None:
    world = World()
    world.adapter().apply(CHARGE)
    world.now += timedelta(minutes=55)
    again = world.adapter()
    assert again.current() == CHARGE
    assert len(world.calls) == 1


def test_somebody_elses_period_is_not_overwritten() -> None:
    world = World()
    world.shown |= {ON: "on", START: "02:00:00", END: "05:00:00"}
    fox = world.adapter()
    with pytest.raises(InverterError, match="set by somebody else"):
        fox.apply(CHARGE)
    assert fox.current() == SELF_USE
    fox.apply(HOLD)
    assert not world.calls
    world.now = datetime(2026, 6, 1, 2, tzinfo=UTC)
    world.mode = "Self Use"
    assert fox.current() == CHARGE, "theirs charges, too"
    with pytest.raises(InverterError, match="period 2, 02:00 to 05:00, is set by somebody else"):
        fox.apply(SELF_USE)
    assert not world.calls
    assert any("period 2, 02:00 to 05:00" in each for each in fox.check())
    world.shown[START] = "soon"
    assert any("which is no time" in each for each in fox.check())


def test_a_period_of_ours_that_its_owner_has_changed_is_theirs() -> None:
    world = World()
    fox = world.adapter()
    fox.apply(CHARGE)
    world.shown |= {START: "01:00:00", END: "06:00:00"}
    with pytest.raises(InverterError, match="is set by somebody else"):
        fox.apply(SELF_USE)
    assert world.shown[ON] == "on"


def test_a_period_that_was_cleared_and_comes_back_is_not_somebody_elses_wish() -> None:
    world = World()
    fox = world.adapter()
    fox.apply(CHARGE)
    fox.apply(SELF_USE)
    world.shown[ON] = "on"
    with pytest.raises(InverterError, match="was to be cleared, but is there"):
        fox.current()
    fox.apply(SELF_USE)
    assert world.shown[ON] == "off"


def test_home_assistants_helper_is_told_and_remembers_when_the_database_is_lost() -> None:
    world = World(helper="")
    world.adapter().apply(CHARGE)
    assert world.helper == "01:30-02:30"
    world.memory = ForgetfulMemory()
    world.adapter().apply(SELF_USE)
    assert world.shown[ON] == "off"


def test_one_that_is_moved_on_is_ours_before_and_after() -> None:
    world = World(helper="")
    fox = world.adapter()
    fox.apply(CHARGE)
    world.now += timedelta(minutes=50)
    world.refusal = "Modbus down"
    with pytest.raises(InverterError, match="Modbus down"):
        fox.current()
    assert world.helper == "01:30-02:30 02:20-03:20"
    world.refusal = None
    world.memory.put_state("our charge period", "")
    world.adapter().apply(SELF_USE)
    assert world.shown[ON] == "off"


def test_what_is_refused_or_not_shown_is_told() -> None:
    world = World(refusal="Specified period overlaps existing charge period 1")
    with pytest.raises(InverterError, match="overlaps existing charge period 1"):
        world.adapter().apply(CHARGE)
    deaf = World(is_deaf=True)
    with pytest.raises(InverterError, match="was set, but does not show it"):
        deaf.adapter().apply(CHARGE)


def test_what_cannot_be_cleared_is_told_and_self_use_set_all_the_same() -> None:
    world = World()
    fox = world.adapter()
    fox.apply(CHARGE)
    world.mode, world.refusal = "Feed-in First", "Modbus down"
    with pytest.raises(InverterError, match="Modbus down"):
        fox.apply(SELF_USE)
    assert world.mode == "Self Use"
    world.refusal, world.is_deaf = None, True
    with pytest.raises(InverterError, match="was cleared, but does not show it"):
        fox.apply(SELF_USE)


def test_without_a_memory_there_is_no_charge_that_nobody_would_clear() -> None:
    world = World(memory=BrokenMemory())
    fox = world.adapter()
    with pytest.raises(InverterError, match="could not be kept"):
        fox.apply(CHARGE)
    assert not world.calls
    fox.apply(HOLD)
    assert fox.current() == HOLD


def test_a_model_with_neither_force_modes_nor_periods_refuses_clearly() -> None:
    world = World(has_periods=False)
    fox = world.adapter()
    assert Mode.FORCE_CHARGE not in fox.abilities.modes
    assert fox.abilities.sets_powers
    with pytest.raises(InverterError, match=r"does not offer Force Charge.*EVO and Kuara"):
        fox.apply(CHARGE)
    assert any("Force Charge" in each for each in fox.check())
    assert not any("Force Charge" in each for each in World().adapter().check())


def test_an_inverter_that_is_not_there_is_said_once() -> None:
    world = World(options=[])
    (words,) = world.adapter().check()
    assert "no inverter found" in words


def test_a_model_with_force_modes_goes_its_own_way() -> None:
    world = World(options=[*OPTIONS, "Force Charge", "Force Discharge"])
    fox = world.adapter()
    assert fox.abilities.sets_powers
    assert fox.check() == fox.inner.check()
    world.shown |= {ON: "on", START: "01:00:00", END: "02:00:00"}
    assert fox.current() == SELF_USE
    assert fox.abilities == fox.inner.abilities


def test_what_a_period_cannot_do_is_refused() -> None:
    with pytest.raises(InverterError, match="no other way"):
        World().adapter().apply(CHARGE, other_way=True)


def test_a_time_that_is_none_is_named() -> None:
    world = World()
    world.shown |= {ON: "on", START: "soon"}
    with pytest.raises(InverterError, match="shows 'soon', which is no time"):
        world.adapter().current()
