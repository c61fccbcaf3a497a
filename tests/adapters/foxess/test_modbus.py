"""The Fox ESS adapter around the simulated inverter's entities and services.

The simulated ones answer as Home Assistant did; a test bends them where its story says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.adapters.foxess.models import EntityNames
from battery_optimizer.errors import InverterError
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BATTERY = Battery(
    capacity_kwh=10.0,
    max_charge_kw=4.0,
    max_discharge_kw=4.0,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
)
SELECT = "select.foxess_work_mode"
CHARGE, DISCHARGE = "number.foxess_force_charge_power", "number.foxess_force_discharge_power"


@dataclass
class World:
    """Home Assistant as the adapter sees it: what it shows can be bent, calls are recorded."""

    sun_kw: float | None = 0.0
    load_kw: float = 0.0
    prefix: str = "foxess"
    bent: dict[str, EntityState | None] = field(default_factory=dict)
    answer: Callable[[], object] | None = None
    calls: list[tuple[str, Any]] = field(default_factory=list)
    slept_s: float = 0.0
    thaw_after_s: float = 0.0

    def __post_init__(self) -> None:
        self.inverter = SimulatedInverter(
            house=House(battery=BATTERY, inverter=Inverter(ac_limit_kw=5.0), grid=GridConnection()),
            surroundings=_Steady(self),
            now=NOON,
            soc_kwh=5.0,
        )
        self.fox = SimulatedFoxEss(self.inverter, prefix=self.prefix)

    def states(self) -> dict[str, EntityState]:
        shown = {**self.fox.entities(), **self.bent}
        return {entity_id: state for entity_id, state in shown.items() if state is not None}

    def call_service(self, service: str, /, **data: object) -> object:
        self.calls.append((service, data.get("option", data.get("value"))))
        return self.answer() if self.answer else self.fox.call(service, data)

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        if self.thaw_after_s and self.slept_s >= self.thaw_after_s:
            self.bent.clear()

    def bend(self, entity_id: str, *, state: str | None = None, **attributes: object) -> None:
        shown = self.states()[entity_id]
        self.bent[entity_id] = replace(
            shown,
            state=shown.state if state is None else state,
            attributes={**shown.attributes, **attributes},
        )

    def adapter(self, **given: object) -> FoxEssModbus:
        return FoxEssModbus(
            call_service=self.call_service,
            read_state=lambda entity_id: self.states().get(entity_id),
            list_entities=self.states,
            battery=BATTERY,
            solar_kw=lambda: self.sun_kw,
            sleep=self.sleep,
            **given,
        )


@dataclass(frozen=True)
class _Steady:
    world: World

    def load_kw(self, _moment: datetime) -> float:
        return self.world.load_kw

    def solar_kw(self, _moment: datetime) -> float:
        return self.world.sun_kw or 0.0


def charge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def discharge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


@pytest.mark.parametrize(
    ("mode", "option"),
    [
        (Mode.SELF_USE, "Self Use"),
        (Mode.HOLD, "Back-up"),
        (Mode.FEED_IN, "Feed-in First"),
        (Mode.FORCE_CHARGE, "Force Charge"),
        (Mode.FORCE_DISCHARGE, "Force Discharge"),
    ],
)
def test_every_mode_is_set_by_its_option_and_read_back(mode: Mode, option: str) -> None:
    world = World()
    command = InverterCommand(mode=mode, power_kw=2.0 if mode.is_forced else None)
    world.adapter().apply(command)
    assert world.inverter.option == option
    assert world.adapter().current() == command


def test_the_power_is_set_before_the_mode() -> None:
    world = World()
    world.adapter().apply(charge(2.0))
    assert world.calls == [("number/set_value", 2.0), ("select/select_option", "Force Charge")]


def test_what_is_already_so_is_not_sent_again() -> None:
    world = World()
    world.adapter().apply(charge(2.0))
    world.calls.clear()
    world.adapter().apply(charge(2.0))
    world.adapter().apply(charge(2.04))
    assert world.calls == []


def test_only_the_power_is_sent_when_only_the_power_differs() -> None:
    world = World()
    world.adapter().apply(charge(2.0))
    world.calls.clear()
    world.adapter().apply(charge(3.0))
    assert world.calls == [("number/set_value", 3.0)]


@pytest.mark.parametrize(
    ("command", "sun_kw", "inverter_kw", "battery_kw"),
    [
        (charge(3.0), 2.0, 1.0, 3.0),  # the sun gives two of the three
        (charge(1.0), 2.0, 0.0, 2.0),  # the sun alone is more than wanted: no less can be had
        (charge(9.0), 0.0, 4.0, 4.0),  # what the battery takes
        (charge(2.0), None, 2.0, 2.0),  # no sun measured
        (discharge(1.0), 2.0, 3.0, -1.0),  # the sun goes out beside the battery
        (discharge(4.0), 3.0, 5.0, -2.0),  # the rating is shared: the sun goes first
        (discharge(9.0), 0.0, 4.0, -4.0),  # what the battery gives
        (discharge(0.0), 2.0, 2.0, 0.0),
    ],
)
def test_the_battery_gets_the_wanted_power_beside_the_sun(
    command: InverterCommand, sun_kw: float | None, inverter_kw: float, battery_kw: float
) -> None:
    world = World(sun_kw=sun_kw)
    world.adapter().apply(command)
    sent = {
        Mode.FORCE_CHARGE: world.inverter.force_charge_kw,
        Mode.FORCE_DISCHARGE: world.inverter.force_discharge_kw,
    }
    assert sent[command.mode] == pytest.approx(inverter_kw)
    world.inverter.advance(NOON + timedelta(minutes=1))
    readings = world.inverter.readings
    assert readings.charge_kw - readings.discharge_kw == pytest.approx(battery_kw)
    told = world.adapter().current()
    assert told is not None
    assert told.mode is command.mode
    assert told.power_kw == pytest.approx(abs(battery_kw))
    assert World(sun_kw=sun_kw).adapter().as_shown(command) == told


def test_the_power_follows_the_sun_when_applied_again() -> None:
    world = World(sun_kw=2.0)
    world.adapter().apply(charge(3.0))
    world.sun_kw = 0.5
    world.adapter().apply(charge(3.0))
    assert world.inverter.force_charge_kw == pytest.approx(2.5)


def test_a_power_is_clipped_to_what_the_number_allows() -> None:
    world = World()
    world.bend(CHARGE, min=1.0, max=2.5)
    world.thaw_after_s = 0.5
    world.adapter().apply(charge(4.0))
    assert world.inverter.force_charge_kw == 2.5


def test_a_mode_that_is_none_of_ours_is_none() -> None:
    world = World()
    world.bend(SELECT, state="Peak Shaving")
    assert world.adapter().current() is None


def test_a_slow_inverter_is_waited_for() -> None:
    world = World(thaw_after_s=4.0)
    world.bend(SELECT)
    world.adapter().apply(InverterCommand(mode=Mode.HOLD))
    assert world.slept_s == 4.0


def test_a_select_that_never_follows_is_an_error_after_the_time_out() -> None:
    world = World()
    world.bend(SELECT)
    with pytest.raises(InverterError, match="told Back-up, but still shows Self Use after 3 s"):
        world.adapter(confirm_timeout_s=3.0).apply(InverterCommand(mode=Mode.HOLD))
    assert world.slept_s == 3.0


def test_a_number_that_never_follows_leaves_the_mode_alone() -> None:
    world = World()
    world.bend(CHARGE)
    with pytest.raises(InverterError, match=f"{CHARGE} was told 2"):
        world.adapter().apply(charge(2.0))
    assert world.inverter.option == "Self Use"


def lost_host() -> object:
    raise KeyError("select")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: None, "not connected"),
        (lambda: {"success": False, "ad_status": "TIMEOUT"}, "did not answer in time"),
        (lambda: {"success": False, "error": {"message": "Modbus down"}}, "Modbus down"),
        (lambda: {"success": False, "error": "Modbus down"}, "Modbus down"),
        (lambda: "fine", "the answer was 'fine'"),
        (lost_host, "cannot be called"),
    ],
)
def test_a_call_that_does_not_succeed_is_an_error(answer: Callable[[], object], words: str) -> None:
    world = World(answer=answer)
    with pytest.raises(InverterError, match=words):
        world.adapter().apply(InverterCommand(mode=Mode.HOLD))


@pytest.mark.parametrize("state", ["unavailable", "unknown"])
def test_nothing_is_sent_to_an_inverter_that_is_away(state: str) -> None:
    world = World()
    world.bend(SELECT, state=state)
    with pytest.raises(InverterError, match=f"{SELECT} is {state}"):
        world.adapter().apply(SELF_USE)
    with pytest.raises(InverterError, match=f"{SELECT} is {state}"):
        world.adapter().current()
    assert world.calls == []


def test_an_option_that_is_not_offered_is_named_with_those_that_are() -> None:
    world = World()
    world.bend(SELECT, options=["Self Use", "Back-up"])
    with pytest.raises(InverterError, match="does not offer Force Charge, only Self Use, Back-up"):
        world.adapter().apply(charge(1.0))
    assert world.calls == []


def test_the_sun_cannot_be_turned_down() -> None:
    with pytest.raises(InverterError, match="can_curtail"):
        World().adapter().apply(InverterCommand(mode=Mode.SELF_USE, curtail=True))


@pytest.mark.parametrize("prefix", ["foxess", "", "fox_2"])
def test_entities_are_found_whatever_the_prefix(prefix: str) -> None:
    world = World(prefix=prefix)
    assert world.adapter().check() == ()
    world.adapter().apply(charge(1.0))
    assert world.inverter.option == "Force Charge"


def test_another_makers_work_mode_is_passed_over() -> None:
    world = World()
    world.bent["select.heat_pump_work_mode"] = EntityState(
        state="Eco", attributes={"options": ["Eco", "Boost"]}
    )
    assert world.adapter().check() == ()


def test_two_inverters_are_ambiguous_until_the_prefix_is_said() -> None:
    world = World()
    world.bent.update(World(prefix="garage").fox.entities())
    (problem,) = world.adapter().check()
    assert "select.foxess_work_mode, select.garage_work_mode" in problem
    assert "prefix" in problem
    assert world.adapter(names=EntityNames(prefix="foxess")).check() == ()
    assert world.adapter(names=EntityNames(work_mode=SELECT)).check() == ()


def test_renamed_entities_are_taken_by_their_full_ids() -> None:
    world = World()
    for known, renamed in (
        (SELECT, "select.mode"),
        (CHARGE, "number.in"),
        (DISCHARGE, "number.out"),
    ):
        world.bent[renamed] = world.states()[known]
        world.bent[known] = None
    names = EntityNames(
        work_mode="select.mode", force_charge_power="number.in", force_discharge_power="number.out"
    )
    assert world.adapter(names=names).check() == ()


def test_an_h1_over_lan_is_told_by_its_force_charge_mode() -> None:
    world = World()
    world.bent[SELECT] = None
    world.bent["select.foxess_force_charge_mode"] = EntityState(
        state="Force Charge", attributes={"options": ["Disable", "Force Charge", "Force Discharge"]}
    )
    told = world.adapter().current()
    assert told is not None
    assert told.mode is Mode.FORCE_CHARGE
    assert any("does not offer hold" in problem for problem in world.adapter().check())


def test_check_says_that_there_is_no_inverter() -> None:
    world = World()
    world.bent = dict.fromkeys(world.fox.entities())
    (problem,) = world.adapter().check()
    assert "no inverter found" in problem
    (problem,) = world.adapter(names=EntityNames(prefix="fx")).check()
    assert "select.fx_work_mode does not exist" in problem


@pytest.mark.parametrize(
    ("bending", "words"),
    [
        ({"unit_of_measurement": "W"}, "is in W, not kW"),
        ({"unit_of_measurement": None}, "is in no unit"),
        ({"min": 0, "max": 0}, "no range"),
        ({"max": "lots"}, "no range"),
        ({"state": "unavailable"}, "is unavailable"),
        ({"state": "much"}, "not a number"),
    ],
)
def test_check_names_a_number_that_cannot_be_right(bending: dict[str, Any], words: str) -> None:
    world = World()
    world.bend(DISCHARGE, **bending)
    (problem,) = world.adapter().check()
    assert DISCHARGE in problem
    assert words in problem


def test_check_names_each_missing_option_and_number() -> None:
    world = World()
    world.bend(SELECT, options=["Self Use", "Feed-in First", "Force Charge", "Force Discharge"])
    world.bent[CHARGE] = None
    problems = world.adapter().check()
    assert len(problems) == 2
    assert "Back-up" in problems[0]
    assert f"{CHARGE} does not exist" in problems[1]


def test_an_h1_over_lan_holds_by_a_current_limit_where_there_is_one() -> None:
    world = World()
    world.bent[SELECT] = None
    world.bent["select.foxess_force_charge_mode"] = EntityState(
        state="Disable", attributes={"options": ["Disable", "Force Charge", "Force Discharge"]}
    )
    adapter = world.adapter()
    assert adapter.abilities.modes == frozenset(Mode)
    adapter.apply(InverterCommand(mode=Mode.HOLD))
    assert world.calls == [("number/set_value", 0.0)]
    assert adapter.current() == InverterCommand(mode=Mode.HOLD)
    adapter.apply(SELF_USE)
    assert world.calls[1:] == [("number/set_value", 50.0)]
    for name in ("charge", "discharge"):
        world.bent[f"number.foxess_max_{name}_current"] = None
    assert Mode.HOLD not in adapter.abilities.modes
    with pytest.raises(InverterError, match="does not offer hold"):
        adapter.apply(InverterCommand(mode=Mode.HOLD))
    world.bent["select.foxess_force_charge_mode"] = None
    assert adapter.abilities.modes == frozenset(Mode)  # nothing is known: `apply` says why
