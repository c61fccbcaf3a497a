"""`mqtt: {enabled: true}` with a real broker and Home Assistant's MQTT integration."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from battery_optimizer.adapters.entities.mqtt import EXPIRE_S
from battery_optimizer.adapters.entities.table import ENTITIES
from home_assistant.broker import BROKER, mosquitto
from home_assistant.core import HomeAssistant
from home_assistant.story import HEALTH, MODE, House, Octopus, house

pytestmark = pytest.mark.skipif(BROKER is None, reason="no MQTT broker: apt install mosquitto")
IDS = {entity.id for entity in ENTITIES}
MQTT = {"mqtt": {"enabled": True}}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Home Assistant with the MQTT integration set up, as one does it by hand."""
    made = HomeAssistant(tmp_path_factory.mktemp("mqtt"))
    with mosquitto() as port:
        made.start()
        try:
            set_up_mqtt(made, port)
            yield made
        finally:
            made.stop()


def set_up_mqtt(core: HomeAssistant, port: int) -> None:
    """The two steps of its dialogue."""

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(
            f"{core.url}/api/config/config_entries/flow{path}",
            json=body,
            headers={"Authorization": f"Bearer {core.token}"},
            timeout=30,
        )
        assert answer.ok, answer.text
        return dict(answer.json())

    flow = post("", {"handler": "mqtt"})
    assert flow["type"] == "form", flow
    made = post(f"/{flow['flow_id']}", {"broker": "127.0.0.1", "port": port})
    assert made["type"] == "create_entry", made


def availability(core: HomeAssistant) -> set[bool]:
    """Of all entities: whether they are available."""
    return {core.state(entity_id) not in (None, "unavailable") for entity_id in IDS}


def registered(core: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Ours in the registry of entities."""
    return {
        each["entity_id"]: each
        for each in core.ask("config/entity_registry/list")
        if each["platform"] == "mqtt"
    }


def test_all_entities_are_one_device_with_their_own_ids(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    octopus.usual_days()
    with house(tmp_path / "app", core, octopus, **MQTT) as made:
        told(made)
        found = registered(core)
        assert set(found) == IDS
        assert len({each["unique_id"] for each in found.values()}) == len(IDS)
        (device,) = (
            each for each in core.ask("config/device_registry/list")
            if ["mqtt", "battery_optimizer"] in each["identifiers"]
        )  # fmt: skip
        assert device["name"] == "Battery Optimizer"
        assert {each["device_id"] for each in found.values()} == {device["id"]}
        same_as_asked_for(made)
        assert availability(core) == {True}
        # Stopped by SIGTERM, as the add-on does.
        made.app.stop()
        core.wait_until(lambda: availability(core) == {False}, "all to be unavailable")
    # The broker keeps them: after a restart they are there, though nobody refreshes them.
    core.stop()
    core.start()
    core.wait_until(lambda: set(registered(core)) == IDS, "the entities to be announced")
    core.wait_until(lambda: availability(core) == {False}, "all to be unavailable still")
    with house(tmp_path / "again", core, octopus, **MQTT) as made:
        told(made)
        assert set(registered(core)) == IDS, "nothing that ends in _2"
        assert complaints(core) == []


def test_switched_over_it_begins_with_the_next_restart_of_home_assistant(
    tmp_path: Path, octopus: Octopus
) -> None:
    """Else the entities would be called ..._2, for good: the plain ones have the ids."""
    core = HomeAssistant(tmp_path / "core")
    with mosquitto() as port:
        core.start()
        try:
            set_up_mqtt(core, port)
            with house(tmp_path / "plain", core, octopus) as made:
                made.wait_for_plan()
            with house(tmp_path / "app", core, octopus, **MQTT) as made:
                made.app.wait_for("mqtt.enabled begins with Home Assistant's next restart")
                made.wait_for_plan()
                assert registered(core) == {}
                assert core.state(HEALTH) == "ok"
                core.stop()
                core.start()
                core.wait_until(lambda: set(registered(core)) == IDS, "the entities", 90)
                core.wait_until(lambda: availability(core) == {True}, "their states")
        finally:
            core.stop()


def told(made: House) -> None:
    """Wait until Home Assistant has heard of a plan by way of the broker."""
    made.app.wait_for("battery_optimizer: Plan until", 180)
    made.core.wait_until(lambda: availability(made.core) == {True}, "the entities")


def same_as_asked_for(made: House) -> None:
    """What Home Assistant shows is what the app says, attributes and classes included."""
    core, said = made.core, made.app.endpoint("recommendation")
    assert core.state(MODE) == said["mode"]
    assert core.state(HEALTH) == "ok", core.attributes(HEALTH)
    expected = core.attributes("sensor.battery_optimizer_expected_soc")
    assert len(expected["forecast"]) == len(made.app.endpoint("plan")["slots"])
    assert expected["unit_of_measurement"] == "%"
    assert core.attributes(MODE)["friendly_name"] == "Battery Optimizer Mode"
    assert core.state("binary_sensor.battery_optimizer_problem") == "off"
    for entity in ENTITIES:
        shown = core.attributes(entity.id)
        assert shown.get("state_class") == entity.state_class, entity.id
        assert shown.get("device_class") == entity.device_class, entity.id


def complaints(core: HomeAssistant) -> list[str]:
    """What Home Assistant says against our messages."""
    return [
        line
        for line in core.log.splitlines()
        if ("WARNING" in line or "ERROR" in line) and ("mqtt" in line or "battery_opt" in line)
    ]


@pytest.mark.slow
def test_killed_they_become_unavailable_by_themselves(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    with house(tmp_path / "app", core, octopus, **MQTT) as made:
        told(made)
        made.app.process.kill()
        killed = time.monotonic()
        core.wait_until(
            lambda: availability(core) == {False}, "all to be unavailable", EXPIRE_S + 60
        )
        sys.stdout.write(f"unavailable {time.monotonic() - killed:.0f} s after the kill\n")
