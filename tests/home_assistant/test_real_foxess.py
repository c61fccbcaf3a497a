"""Our app around the real foxess_modbus, and what a simulated H1 behind it then does."""

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appdaemon_process import running
from battery_optimizer.adapters.overrides import CHOICE, POWER
from battery_optimizer.control.proof import SETTLED_AFTER
from battery_optimizer.simulate.home.octopus_entities import octopus_entities
from home_assistant.core import SELECT
from home_assistant.h1 import H1, MAX_SOC, MIN_SOC_ON_GRID, WorkMode
from home_assistant.modbus_tcp import Link
from home_assistant.real_foxess import CHECKOUT, RealHouse, real_house
from home_assistant.story import HEALTH, House, Octopus, house
from home_assistant.test_ends import HURRIED, notice
from home_assistant.test_set_up import five_lines

pytestmark = pytest.mark.skipif(
    CHECKOUT is None,
    reason="needs foxess_modbus: set FOXESS_MODBUS to a checkout of it, see docs/developing.md",
)
SUN, BATTERY = "sensor.pv_power_foxess", "sensor.foxess_invbatpower"
SOC_KWH = 6.0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """Started once again, since the sum of the panels has no value before."""
    with real_house(tmp_path_factory.mktemp("core"), H1()) as made:
        start_again(made)
        yield made


@pytest.fixture
def idle(tmp_path: Path, real: RealHouse, octopus: Octopus) -> Iterator[House]:
    """An app that remembers nothing; nobody orders anything, the link is up, and the sun is not."""
    real.adapter.link = Link.UP
    real.h1.sun_kw = 0.0
    real.h1.soc_kwh = SOC_KWH
    real.h1.write(MAX_SOC, 100)
    real.core.wait_until(lambda: real.core.state(SELECT) != "unavailable", "the link")
    real.core.call("input_select/select_option", entity_id=CHOICE, option="Automatic")
    shows(real, SUN, 0.0)
    octopus.nothing_to_gain()
    with house(tmp_path, real.core, octopus) as made:
        made.wait_for_plan()
        until_it_does(real, "Self Use")
        yield made


def start_again(real: RealHouse, select: str = SELECT) -> None:
    real.core.stop()
    real.core.start()
    real.core.wait_until(lambda: real.core.state(select) not in (None, "unknown"), "the first poll")


def until_it_does(real: RealHouse, mode: str, seconds: float = 60.0) -> float:
    """What the inverter itself does, whatever the select shows."""
    return real.core.wait_until(
        lambda: real.h1.does == mode, f"{mode}, not {real.h1.does}", seconds
    )


def until_it_discharges(real: RealHouse) -> None:
    """With its fallback, which foxess_modbus may write with its next poll only."""
    real.core.wait_until(
        lambda: real.h1.does == "Force Discharge" and real.h1.work_mode is WorkMode.FEED_IN_FIRST,
        "a discharge and its fallback",
    )


def shows(real: RealHouse, entity_id: str, kw: float) -> None:
    real.core.wait_until(
        lambda: (
            real.core.state(entity_id) not in ("unknown", "unavailable")
            and float(str(real.core.state(entity_id))) == pytest.approx(kw, abs=0.02)
        ),
        f"{entity_id} to show {kw}, not {real.core.state(entity_id)}",
    )


def order(made: House, choice: str, kw: float = 0.0) -> datetime:
    """When it was told."""
    made.core.call("input_number/set_value", entity_id=POWER, value=kw)
    made.core.call("input_select/select_option", entity_id=CHOICE, option=choice)
    made.think_again()
    return datetime.now(UTC)


def until_judged(made: House, told_at: datetime) -> None:
    """The app looks at the powers by itself, when a new mode has had its time."""
    settled = told_at + SETTLED_AFTER
    made.core.wait_until(lambda: (made.heartbeat or told_at) >= settled, "another cycle", 330)


@pytest.mark.parametrize("name", ["FoxESS", ""])
def test_five_lines_find_it_all_with_and_without_a_name(
    tmp_path: Path, octopus: Octopus, name: str
) -> None:
    h1 = H1(sun_kw=1.2)
    h1.write(MIN_SOC_ON_GRID, 20)
    stem, panels = (f"{name.lower()}_", f"pv_power_{name.lower()}") if name else ("", "pv_power")
    with real_house(tmp_path / "core", h1, name=name) as real:
        for entity_id, shown in octopus_entities(datetime.now(UTC)).items():
            attributes = json.loads(json.dumps(dict(shown.attributes), default=str))
            real.core.set_entity(entity_id, shown.state, **attributes)
        with running(
            tmp_path / "app", five_lines(octopus), environment=real.core.environment
        ) as app:
            made = House(real.core, app, octopus)
            made.wait_for_plan()
            app.wait_for(f"select.{stem}work_mode (found by its modes)")
            for found in (
                f"sensor.{stem}battery_soc (60 %)",
                f"sensor.{stem}load_power (0.5 kW)",
                f"sensor.{panels} (unknown kW)",
                "if it stays unknown restart Home Assistant once",
                f"sensor.{stem}grid_ct (0.0 kW)",
                f"sensor.{stem}invbatpower (-0.7 kW)",
                "2.08 kWh kept in reserve (inverter)",
                "charges at 5 kW (inverter), discharges at 5 kW (inverter)",
            ):
                assert found in app.log, found
            start_again(real, select=f"select.{stem}work_mode")
            app.wait_for(f"sensor.{panels} (1.2 kW)")


@pytest.mark.parametrize(
    ("ordered", "sun_kw", "does", "battery_kw"),
    [
        (("Hold", 0.0), 0.0, "Back-up", 0.0),
        (("Feed in", 0.0), 2.0, "Feed-in First", 0.0),
        # The powers are the inverter's: the sun stands between them and the battery's.
        (("Charge", 3.0), 2.0, "Force Charge", -3.0),
        (("Discharge", 1.5), 2.0, "Force Discharge", 1.5),
        # All the sun, of which the battery may be given more than by the AC side.
        (("Charge", 2.0), 4.5, "Force Charge", -4.5),
    ],
)
def test_the_battery_does_as_ordered_and_the_app_sees_that_it_does(
    idle: House,
    real: RealHouse,
    ordered: tuple[str, float],
    sun_kw: float,
    does: str,
    battery_kw: float,
) -> None:
    real.h1.sun_kw = sun_kw
    shows(real, SUN, sun_kw)
    told_at = order(idle, *ordered)
    until_it_does(real, does)
    real.core.wait_until(
        lambda: real.h1.powers.battery == pytest.approx(battery_kw, abs=0.03), f"{real.h1.powers}"
    )
    shows(real, BATTERY, battery_kw)
    until_judged(idle, told_at)
    assert "the inverter was told" not in idle.app.log
    assert real.h1.does == does


def test_a_force_that_is_lost_in_silence_is_seen_by_its_power_and_set_again(
    idle: House, real: RealHouse
) -> None:
    """An outage of less than five polls: nothing is unavailable, and the select knows nothing."""
    told_at = order(idle, "Discharge", 3.0)
    until_it_discharges(real)
    shows(real, BATTERY, 3.0)
    until_judged(idle, told_at)
    real.adapter.link = Link.DOWN
    until_it_does(real, "Feed-in First")
    real.adapter.link = Link.UP
    shows(real, BATTERY, 0.5)
    assert idle.mode == "Force Discharge"
    idle.think_again()
    idle.think_again()
    assert "it is set again" in idle.problems
    until_it_does(real, "Force Discharge")
    shows(real, BATTERY, 3.0)


def test_what_is_wanted_is_told_as_soon_as_a_lost_inverter_is_back(
    idle: House, real: RealHouse
) -> None:
    order(idle, "Discharge", 3.0)
    until_it_discharges(real)
    real.adapter.link = Link.DOWN
    order(idle, "Automatic")
    assert idle.core.state(HEALTH) != "ok"
    real.core.wait_for_state(SELECT, "unavailable", 120)
    assert real.h1.does == "Feed-in First"
    real.adapter.link = Link.UP
    until_it_does(real, "Self Use")


def test_what_an_adapter_answers_late_ends_as_it_is_wanted(idle: House, real: RealHouse) -> None:
    """Its queue holds writes of the old mode, which are carried out when it wakes up."""
    order(idle, "Discharge", 3.0)
    until_it_discharges(real)
    real.adapter.link = Link.HANGS
    order(idle, "Automatic")
    real.core.wait_for_state(SELECT, "unavailable", 240)
    real.adapter.link = Link.UP
    until_it_does(real, "Self Use")
    real.core.wait_for_state(SELECT, "Self Use")
    idle.think_again()
    assert real.h1.does == "Self Use", idle.why


def test_a_write_that_fails_is_told_and_needs_no_help(idle: House, real: RealHouse) -> None:
    """foxess_modbus carries a mode out with its next poll that it has refused."""
    real.adapter.fails_writes = 1
    order(idle, "Discharge", 3.0)
    assert "was refused (select.foxess_work_mode, Force Discharge)" in idle.problems
    until_it_does(real, "Force Discharge")
    idle.think_again()
    assert idle.problems == "", "late, and nobody else's change"


def test_at_max_soc_where_force_charge_acts_as_back_up_the_app_holds(
    idle: House, real: RealHouse
) -> None:
    order(idle, "Charge", 3.0)
    until_it_does(real, "Force Charge")
    real.core.call("number/set_value", entity_id="number.foxess_max_soc", value=60)
    until_it_does(real, "Back-up")
    assert idle.mode == "Force Charge", "the select knows nothing of it"
    idle.think_again()
    assert idle.mode == "Back-up", idle.why
    assert "the inverter was told" not in idle.problems


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_restart_of_home_assistant_the_force_goes_on(
    idle: House, real: RealHouse, by: signal.Signals
) -> None:
    idle.octopus.sell_now()
    idle.think_again()
    until_it_discharges(real)
    real.core.stop(by)
    until_it_does(real, "Feed-in First")
    real.core.start()
    until_it_does(real, "Force Discharge", 120)
    real.core.wait_until(lambda: idle.is_told, "the entities")


def test_when_appdaemon_is_killed_the_watchdog_ends_the_force_and_our_charge_period(
    tmp_path: Path, octopus: Octopus
) -> None:
    octopus.sell_now()
    with real_house(tmp_path / "core", H1(), hurried=HURRIED) as real:
        real.core.wait_until(lambda: real.core.state(SELECT) != "unknown", "the first poll")
        real.core.call(
            "foxess_modbus/update_charge_period",
            inverter="FoxESS",
            charge_period=2,
            start="02:00",
            end="05:00",
            enable_force_charge=True,
            enable_charge_from_grid=True,
        )
        ours = "input_text.battery_optimizer_charge_period"
        real.core.call("input_text/set_value", entity_id=ours, value="02:00-05:00")
        with house(tmp_path / "app", real.core, octopus) as made:
            made.wait_for_plan()
            until_it_does(real, "Force Discharge")
            made.app.process.kill()
            made.app.process.wait()
            until_it_does(real, "Self Use")
            period = "binary_sensor.foxess_time_period_2_enable_force_charge"
            real.core.wait_for_state(period, "off")
            assert "was set to Self Use" in str(notice(real.core))
