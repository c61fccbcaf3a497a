"""Entities by MQTT discovery: the calls that Home Assistant would see."""

import json
from datetime import timedelta
from typing import Any

import pytest
from jinja2 import Environment

from battery_optimizer.adapters.entities.mqtt import MqttEntities, config_of, is_plain
from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.money import Savings
from money_values import a_bill
from shown_values import a_demo_day, a_long_plan, a_planned_day, nothing_planned

LARGEST = 16_384
BILL = "sensor.battery_optimizer_bill_today"
DONE = {"success": True}


class Broker:
    """Stands for Home Assistant's service and the broker behind it."""

    def __init__(self, answer: object = DONE) -> None:
        self.answer = answer
        self.retained: dict[str, str] = {}
        self.calls: list[str] = []

    def __call__(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        assert service == "mqtt/publish"
        assert data["retain"] is True
        if isinstance(self.answer, Exception):
            raise self.answer
        self.calls.append(data["topic"])
        if self.answer == DONE:
            self.retained[data["topic"]] = data["payload"]
        return self.answer

    def config(self, entity_id: str) -> dict[str, Any]:
        domain, _, name = entity_id.partition(".")
        key = name.removeprefix("battery_optimizer_")
        return dict(
            json.loads(self.retained[f"homeassistant/{domain}/battery_optimizer/{key}/config"])
        )

    def shows(self, entity_id: str) -> dict[str, Any]:
        """State and attributes as Home Assistant gets them by the entity's configuration."""
        config = self.config(entity_id)
        assert config["value_template"] == "{{ value_json.state }}"
        assert config["json_attributes_topic"] == config["state_topic"]
        return dict(json.loads(self.retained[config["state_topic"]]))


def test_every_entity_is_one_of_one_device_with_its_own_id() -> None:
    broker = Broker()
    MqttEntities(call_service=broker).publish(a_planned_day())
    configs = [broker.config(entity.id) for entity in ENTITIES]
    assert len({config["unique_id"] for config in configs}) == len(ENTITIES)
    assert {str(config["device"]) for config in configs} == {str(configs[0]["device"])}
    assert configs[0]["device"]["identifiers"] == ["battery_optimizer"]
    for entity, config in zip(ENTITIES, configs, strict=True):
        # The same ids as without MQTT, so that dashboards and the watchdog go on.
        assert config["default_entity_id"] == entity.id
        assert f"{entity.domain}.{config['object_id']}" == entity.id
        assert broker.retained[config["availability_topic"]] == "online"
        assert config["expire_after"] >= 600
        assert config.get("unit_of_measurement") == entity.unit


def test_totals_say_when_they_began_anew_as_home_assistant_wants_it_by_mqtt() -> None:
    """It takes no last_reset from attributes: without it each midnight counts as money lost."""
    broker = Broker()
    MqttEntities(call_service=broker).publish(a_planned_day(savings=Savings(today=a_bill())))
    for entity in ENTITIES:
        told = broker.config(entity.id).get("last_reset_value_template")
        assert (told is not None) == (entity.state_class == "total"), entity.id
    template = broker.config(BILL)["last_reset_value_template"]
    payload = json.loads(broker.retained[broker.config(BILL)["state_topic"]])
    render = Environment(autoescape=True).from_string(template).render
    assert render(value_json=payload) == "2026-01-30T00:00:00+00:00"
    assert render(value_json={"state": None, "attributes": {}}) == ""


def test_states_and_attributes_are_those_of_the_plain_entities() -> None:
    broker, shown = Broker(), a_demo_day()
    MqttEntities(call_service=broker).publish(shown)
    for entity in ENTITIES:
        told = broker.shows(entity.id)
        state = entity.state(shown)
        assert told["state"] == (None if state == "unknown" else state)
        attributes = entity.all_attributes(shown)
        known = json.loads(json.dumps(attributes)) | {"via": "MQTT"}
        assert told["attributes"].items() <= known.items()
        assert "friendly_name" not in told["attributes"]
    assert broker.shows("sensor.battery_optimizer_import_rate")["attributes"]["rates"] == (
        "demo rates"
    )
    assert broker.config("binary_sensor.battery_optimizer_problem")["payload_on"] == "on"


@pytest.mark.parametrize("minutes", [5, 30])
def test_no_message_is_larger_than_the_recorder_takes(minutes: int) -> None:
    broker = Broker()
    n_slots = 7 * 24 * 60 // minutes
    MqttEntities(call_service=broker).publish(a_long_plan(n_slots, timedelta(minutes=minutes)))
    assert max(len(payload.encode()) for payload in broker.retained.values()) < LARGEST


def test_what_is_announced_is_not_announced_again_but_states_are_refreshed() -> None:
    broker = Broker()
    mqtt = MqttEntities(call_service=broker)
    mqtt.publish(a_planned_day())
    first = len(broker.calls)
    mqtt.publish(nothing_planned())
    assert first == 2 * len(ENTITIES) + 1
    assert len(broker.calls) == first + len(ENTITIES)
    assert broker.shows("sensor.battery_optimizer_import_rate")["state"] is None


def test_on_leaving_they_are_unavailable_and_then_available_again() -> None:
    broker = Broker()
    mqtt = MqttEntities(call_service=broker)
    mqtt.publish(a_planned_day())
    mqtt.leave()
    topic = broker.config("sensor.battery_optimizer_mode")["availability_topic"]
    assert broker.retained[topic] == "offline"
    mqtt.publish(a_planned_day())
    assert broker.retained[topic] == "online"


@pytest.mark.parametrize(
    "answer",
    [ValueError("no such service"), {"success": False, "error": {"message": "not set up"}}, None],
)
def test_without_mqtt_in_home_assistant_it_says_what_to_do_and_tries_again(answer: object) -> None:
    broker = Broker(answer)
    mqtt = MqttEntities(call_service=broker)
    mqtt.publish(a_planned_day())
    assert "nothing is published by MQTT" in mqtt.problem
    mqtt.leave()
    broker.answer = DONE
    mqtt.publish(a_planned_day())
    assert mqtt.problem == ""
    assert broker.shows("sensor.battery_optimizer_mode")["state"] is not None


def test_after_a_silence_of_home_assistant_all_is_announced_anew() -> None:
    """Meanwhile it may have come to another broker."""
    broker = Broker()
    mqtt = MqttEntities(call_service=broker)
    mqtt.publish(a_planned_day())
    broker.answer = None  # Home Assistant is not connected
    mqtt.publish(a_planned_day())
    assert "Home Assistant is not connected" in mqtt.problem
    broker.answer, broker.retained = DONE, {}
    mqtt.publish(a_planned_day())
    assert mqtt.problem == ""
    assert len(broker.retained) == 2 * len(ENTITIES) + 1


def test_plain_states_are_told_from_those_of_a_broker() -> None:
    broker = Broker()
    MqttEntities(call_service=broker).publish(a_planned_day())
    heartbeat = broker.shows("sensor.battery_optimizer_heartbeat")
    name = {"friendly_name": "Battery Optimizer Heartbeat"}
    plain = {key: heartbeat["attributes"][key] for key in ("instance", "inverter")}
    for is_it, state, attributes in (
        (False, heartbeat["state"], name | heartbeat["attributes"]),
        (False, "unavailable", name),
        (False, "unknown", name),
        (True, heartbeat["state"], name | plain),
        (True, "unavailable", name | plain),  # the app took its leave
        (True, "unavailable", {}),
    ):
        assert is_plain(EntityState(state=state, attributes=attributes)) == is_it
    assert not is_plain(None)


def test_another_discovery_prefix() -> None:
    broker = Broker()
    MqttEntities(call_service=broker, prefix="ha").publish(a_planned_day())
    assert any(topic.startswith("ha/sensor/battery_optimizer/") for topic in broker.retained)
    assert not any(topic.startswith("homeassistant/") for topic in broker.retained)


def test_classes_that_home_assistant_keeps_statistics_of() -> None:
    """What its sensor platform allows, or it warns and drops the statistics."""
    allowed = {
        "power": {"measurement"},
        "monetary": {"total"},
        "battery": {"measurement"},
        "duration": {"measurement", "total", "total_increasing"},
        "energy": {"total", "total_increasing"},
        "timestamp": set(),
        "enum": set(),
        "problem": set(),
    }
    for entity in ENTITIES:
        config = config_of(entity)
        device_class, state_class = config.get("device_class"), config.get("state_class")
        if state_class is not None and device_class is not None:
            assert state_class in allowed[str(device_class)], entity.id
        if device_class in ("timestamp", "enum"):
            assert "unit_of_measurement" not in config
    measured = {entity.id for entity in ENTITIES if entity.state_class == "measurement"}
    assert {f"sensor.battery_optimizer_{name}" for name in (
        "import_rate", "export_rate", "expected_soc", "solar_forecast_error", "lost_yesterday",
    )} <= measured  # fmt: skip
