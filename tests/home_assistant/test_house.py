"""Plans, entities, orders and troubles, as Home Assistant itself shows them."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.adapters.overrides import CHOICE, POWER, TARGET, TARGET_BY, UNTIL
from home_assistant.core import HASS, SELECT
from home_assistant.story import HEALTH, MODE, House

MOST_BYTES = 16_384
"""The recorder keeps no attributes beyond this."""
DISCHARGE_POWER = "number.foxess_force_discharge_power"
CHARGE_POWER = "number.foxess_force_charge_power"
SOC = "sensor.foxess_battery_soc"
CONNECTED = "input_boolean.foxess_connected"
REFUSES = "input_boolean.foxess_refuses"
SOC_KNOWN = "input_boolean.foxess_soc_known"
# Home Assistant's own tables: which unit and state class go with a device class.
ITS_RULES = """
import json, sys
from homeassistant.components.sensor.const import DEVICE_CLASS_STATE_CLASSES, DEVICE_CLASS_UNITS
for each in json.load(sys.stdin):
    device, unit, state = (each.get(key) for key in ("device_class", "unit", "state_class"))
    if device in DEVICE_CLASS_UNITS and unit not in DEVICE_CLASS_UNITS[device]:
        print(each["id"], device, "has the unit", unit)
    if state and device and state not in DEVICE_CLASS_STATE_CLASSES[device]:
        print(each["id"], device, "has the state class", state)
"""


@pytest.fixture
def idle(lived_in: House) -> Iterator[House]:
    """Nobody orders anything, nothing is broken, and no price is worth a mode of its own."""
    lived_in.octopus.nothing_to_gain()
    lived_in.think_again()
    lived_in.core.wait_for_state(SELECT, "Self Use")
    yield lived_in
    core = lived_in.core
    core.call("input_boolean/turn_on", entity_id=[CONNECTED, SOC_KNOWN])
    core.call("input_boolean/turn_off", entity_id=REFUSES)
    core.call("input_select/select_option", entity_id=CHOICE, option="Automatic")
    core.call("input_number/set_value", entity_id=[POWER, TARGET], value=0)


def test_a_plan_becomes_a_mode_and_a_power_in_home_assistant(idle: House) -> None:
    idle.octopus.sell_now()
    idle.think_again()
    assert idle.mode == "Force Discharge", idle.why
    assert float(idle.core.state(DISCHARGE_POWER) or 0) > 1
    assert idle.core.state(MODE) == "force_discharge"
    idle.octopus.buy_now()
    idle.think_again()
    assert idle.mode == "Force Charge", idle.why
    assert float(idle.core.state(CHARGE_POWER) or 0) > 1
    idle.octopus.nothing_to_gain()
    idle.think_again()
    assert idle.mode == "Self Use", idle.why
    assert idle.core.state(HEALTH) == "ok", idle.problems


def test_every_entity_is_there_with_its_unit_and_classes(idle: House) -> None:
    idle.octopus.sell_now()
    idle.think_again()
    for entity in ENTITIES:
        assert idle.core.state(entity.id) is not None, entity.id
        shown = idle.core.attributes(entity.id)
        for key, wanted in (
            ("unit_of_measurement", entity.unit),
            ("device_class", entity.device_class),
            ("state_class", entity.state_class),
            ("icon", entity.icon),
        ):
            assert shown.get(key) == wanted, (entity.id, key)


def test_units_and_classes_are_such_as_home_assistant_allows() -> None:
    assert HASS is not None
    table = [
        {
            "id": each.id,
            "device_class": each.device_class,
            "unit": each.unit,
            "state_class": each.state_class,
        }
        for each in ENTITIES
        if each.domain == "sensor"
    ]
    complaints = subprocess.run(
        [str(Path(HASS).parent / "python"), "-c", ITS_RULES],
        input=json.dumps(table),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert complaints == ""


def test_no_attributes_are_too_large_for_the_recorder(idle: House) -> None:
    sizes = {
        entity.id: len(json.dumps(idle.core.attributes(entity.id)).encode()) for entity in ENTITIES
    }
    assert max(sizes.values()) < MOST_BYTES, sizes
    assert "exceed maximum size" not in idle.core.log


@pytest.mark.parametrize(
    "name", ["import_rate", "export_rate", "solar_forecast", "load_forecast", "expected_soc"]
)
def test_series_reach_the_charts_whole_and_night_is_zero(idle: House, name: str) -> None:
    forecast = idle.core.attributes(f"sensor.battery_optimizer_{name}")["forecast"]
    assert len(forecast) >= 96
    assert all(isinstance(point["value"], float | int) for point in forecast)
    if name == "solar_forecast":
        assert min(point["value"] for point in forecast) == 0


def test_there_are_statistics_of_what_is_measured(idle: House) -> None:
    listed = {each["statistic_id"]: each for each in idle.core.ask("recorder/list_statistic_ids")}
    for entity in ENTITIES:
        assert (entity.id in listed) == (entity.state_class is not None), entity.id
    issues = idle.core.ask("recorder/validate_statistics")
    assert not [each for each in issues if "battery_optimizer" in each], issues


def test_what_the_recorder_remembers_is_learned_from_without_a_complaint(idle: House) -> None:
    assert "learning from Home Assistant's history failed" not in idle.app.log
    assert "this is a bug" not in idle.app.log


@pytest.mark.parametrize(
    ("order", "mode"),
    [
        ("Hold", "Back-up"),
        ("Feed in", "Feed-in First"),
        ("Charge", "Force Charge"),
        ("Discharge", "Force Discharge"),
        ("Self use", "Self Use"),
    ],
)
def test_an_order_in_home_assistant_is_carried_out(idle: House, order: str, mode: str) -> None:
    idle.core.call("input_number/set_value", entity_id=POWER, value=1.5)
    idle.core.call("input_select/select_option", entity_id=CHOICE, option=order)
    idle.think_again()
    assert idle.mode == mode, idle.why
    if order == "Discharge":
        assert float(idle.core.state(DISCHARGE_POWER) or 0) == pytest.approx(1.5)
    idle.core.call("input_select/select_option", entity_id=CHOICE, option="Automatic")
    idle.think_again()
    assert idle.mode == "Self Use", idle.why


def test_an_order_ends_at_its_time_and_the_helper_says_automatic(idle: House) -> None:
    end = datetime.now(UTC) + timedelta(seconds=8)
    idle.core.call("input_datetime/set_datetime", entity_id=UNTIL, timestamp=round(end.timestamp()))
    idle.core.call("input_select/select_option", entity_id=CHOICE, option="Hold")
    idle.think_again()
    assert idle.mode == "Back-up", idle.why
    idle.core.wait_until(lambda: datetime.now(UTC) > end, "the end")
    idle.think_again()
    assert idle.mode == "Self Use", idle.why
    assert idle.core.state(CHOICE) == "Automatic"


def test_while_paused_the_inverter_is_left_to_whoever_sets_it(idle: House) -> None:
    idle.core.call("input_select/select_option", entity_id=CHOICE, option="Pause")
    idle.think_again()
    assert idle.mode == "Self Use", idle.why
    idle.core.call("select/select_option", entity_id=SELECT, option="Feed-in First")
    idle.octopus.sell_now()
    idle.think_again()
    assert idle.mode == "Feed-in First", idle.why
    idle.core.call("select/select_option", entity_id=SELECT, option="Self Use")


def test_a_target_is_planned_for(idle: House) -> None:
    by = (datetime.now(UTC) + timedelta(hours=8)).astimezone(ZoneInfo("Europe/London"))
    idle.core.call("input_datetime/set_datetime", entity_id=TARGET_BY, time=f"{by:%H:%M}:00")
    idle.core.call("input_number/set_value", entity_id=TARGET, value=95)
    idle.think_again()
    forecast = idle.core.attributes("sensor.battery_optimizer_expected_soc")["forecast"]
    soon = forecast[:18]
    assert max(point["value"] for point in soon) >= 94
    idle.core.call("input_number/set_value", entity_id=TARGET, value=0)
    idle.think_again()


def test_what_a_person_sets_at_the_inverter_is_left_alone_and_told(idle: House) -> None:
    idle.core.call("select/select_option", entity_id=SELECT, option="Back-up")
    idle.think_again()
    assert idle.mode == "Back-up", idle.why
    assert "somebody else set Hold" in idle.problems
    idle.core.call("select/select_option", entity_id=SELECT, option="Self Use")
    idle.think_again()
    assert idle.problems == ""


def test_a_refusal_is_told_and_followed_by_the_next_attempt(idle: House) -> None:
    """Home Assistant answers service_validation_error."""
    idle.core.call("input_boolean/turn_on", entity_id=REFUSES)
    idle.octopus.sell_now()
    idle.think_again()
    assert idle.mode == "Self Use", idle.why
    assert "select/select_option was refused (select.foxess_work_mode, Force" in idle.problems
    assert "is not valid" in idle.problems
    assert idle.core.state("binary_sensor.battery_optimizer_problem") == "on"
    idle.core.call("input_boolean/turn_off", entity_id=REFUSES)
    idle.think_again()
    assert idle.mode == "Force Discharge", idle.why
    assert "Traceback" not in idle.app.log


def test_without_the_batterys_charge_nothing_is_forced(idle: House) -> None:
    idle.octopus.sell_now()
    idle.think_again()
    assert idle.mode == "Force Discharge", idle.why
    idle.core.call("input_boolean/turn_off", entity_id=SOC_KNOWN)
    idle.core.wait_for_state(SOC, "unavailable")
    idle.think_again()
    assert idle.mode == "Self Use", idle.why
    assert f"{SOC} is unavailable" in idle.problems
    idle.core.call("input_boolean/turn_on", entity_id=SOC_KNOWN)
    idle.think_again()
    assert idle.mode == "Force Discharge", idle.why


def test_an_inverter_that_goes_away_is_waited_for(idle: House) -> None:
    idle.core.call("input_boolean/turn_off", entity_id=CONNECTED)
    idle.core.wait_for_state(SELECT, "unavailable")
    idle.think_again()
    assert f"{SELECT} is unavailable: see whether foxess_modbus is connected" in idle.problems
    idle.octopus.sell_now()
    for _ in range(4):
        idle.think_again()
    assert "commands are paused" not in idle.problems
    idle.core.call("input_boolean/turn_on", entity_id=CONNECTED)
    # Without being told to think again.
    idle.core.wait_for_state(SELECT, "Force Discharge")
