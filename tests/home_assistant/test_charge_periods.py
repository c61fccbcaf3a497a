"""A model that is charged by a charge period, in Home Assistant: set, cleared, and watched over."""

import shutil
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from battery_optimizer.adapters.foxess.periods import HELPER
from battery_optimizer.model.slots import UK
from home_assistant.core import HERE, PACKAGE, SELECT, HomeAssistant
from home_assistant.story import House, Octopus, house
from home_assistant.test_ends import HURRIED, notice

SWITCH = "binary_sensor.foxess_time_period_2_enable_force_charge"
START, END = "sensor.foxess_time_period_2_start", "sensor.foxess_time_period_2_end"
UNFORCED = {", 'Force Charge', 'Force Discharge'] }}": "] }}"}
STAND_IN = HERE / "foxess_modbus"


@pytest.fixture
def core(tmp_path: Path) -> Iterator[HomeAssistant]:
    """An inverter without force modes, and the watchdog by a quicker clock."""
    made = HomeAssistant(tmp_path / "core")
    made.add_package(HERE / "inverter.yaml", UNFORCED)
    made.add_package(PACKAGE, HURRIED)
    shutil.copytree(STAND_IN, made.folder / "custom_components" / STAND_IN.name)
    (made.folder / "packages" / "periods.yaml").write_text("foxess_modbus:\n")
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def charging(tmp_path: Path, core: HomeAssistant, octopus: Octopus) -> Iterator[House]:
    core.start()
    while f"{datetime.now(UK):%H:%M}" > "23:56":  # no period reaches midnight
        time.sleep(1)
    octopus.buy_now()
    with house(tmp_path / "app", core, octopus) as made:
        made.wait_for_plan()
        core.wait_for_state(SWITCH, "on")
        yield made


def period(core: HomeAssistant) -> str:
    return f"{str(core.state(START))[:5]}-{str(core.state(END))[:5]}"


def by_hand(core: HomeAssistant, *, is_on: bool) -> None:
    core.call(
        "foxess_modbus/update_charge_period",
        inverter="foxess",
        charge_period=2,
        enable_force_charge=is_on,
        enable_charge_from_grid=is_on,
        start="02:00",
        end="05:00",
    )


def test_a_plan_becomes_a_period_and_a_clean_stop_clears_it(charging: House) -> None:
    core = charging.core
    assert charging.mode == "Self Use"
    assert core.state(HELPER) == period(core)
    charging.app.process.send_signal(signal.SIGTERM)
    core.wait_for_state(SWITCH, "off")
    assert charging.app.process.wait(30) == 0


def test_a_plan_without_charging_clears_it(charging: House) -> None:
    charging.octopus.nothing_to_gain()
    charging.think_again()
    assert charging.core.state(SWITCH) == "off", charging.why


def test_the_watchdog_clears_it_when_appdaemon_is_killed(charging: House) -> None:
    core = charging.core
    core.call("input_boolean/turn_on", entity_id="input_boolean.foxess_refuses")
    charging.app.process.kill()
    charging.app.process.wait()
    core.wait_until(lambda: "each minute, but does not" in str(notice(core)), "a try", 40)
    assert core.state(SWITCH) == "on"
    core.call("input_boolean/turn_off", entity_id="input_boolean.foxess_refuses")
    core.wait_for_state(SWITCH, "off", 30)
    core.wait_until(lambda: "its charge period cleared" in str(notice(core)), "a word of it")


def test_the_watchdog_clears_it_when_the_whole_machine_was_started_again_without_us(
    charging: House,
) -> None:
    core = charging.core
    charging.app.process.kill()
    charging.app.process.wait()
    core.stop()
    core.start()
    core.wait_for_state(SWITCH, "off", 40)


def test_the_watchdog_leaves_what_somebody_else_has_set(core: HomeAssistant) -> None:
    core.start()
    by_hand(core, is_on=True)
    core.call("select/select_option", entity_id=SELECT, option="Self Use")
    time.sleep(5)
    assert core.state(SWITCH) == "on"
    assert notice(core) is None
    assert "ServiceNotFound" not in core.log
