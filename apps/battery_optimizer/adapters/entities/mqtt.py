"""The same entities by MQTT discovery: with unique ids, as one device, with its availability.

Messages go through Home Assistant's own service `mqtt/publish`, so that no broker's address or
password is needed here. Everything is retained: after a restart of Home Assistant the broker has
the entities ready, and for what this app no longer refreshes there is an expiry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from battery_optimizer.adapters.entities.row import Entity
from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.service import CallService, failure
from battery_optimizer.model.shown import Shown

NODE: Final = "battery_optimizer"
_HEARTBEAT: Final = next(entity for entity in ENTITIES if entity.name == "Heartbeat")
AVAILABILITY: Final = f"{NODE}/availability"
EXPIRE_S: Final = 900
"""Three cycles: then Home Assistant shows the entities as unavailable."""
_DEVICE: Final = {
    "identifiers": [NODE],
    "name": "Battery Optimizer",
    "manufacturer": "Battery Optimizer",
    "model": "AppDaemon app",
}
_MARK: Final = {"via": "MQTT"}
"""What tells the heartbeat of a broker from a plain state."""
RESTART_FIRST: Final = (
    "mqtt.enabled begins with Home Assistant's next restart: until then its plain states of before "
    "are there, and entities by MQTT would get ids that end in _2 for good"
)
_LAST_RESET: Final = "{{ value_json.attributes.last_reset | default('') }}"

_SHOWN_BY_CONFIG: Final = (
    "friendly_name", "icon", "unit_of_measurement", "device_class", "state_class",
)  # fmt: skip


@dataclass(kw_only=True)
class MqttEntities:
    """Publishes what changed; `prefix` is Home Assistant's discovery prefix."""

    call_service: CallService
    prefix: str = "homeassistant"
    problem: str = ""
    """Why the last publication failed; empty after a success."""
    _sent: dict[str, str] = field(default_factory=dict)

    def publish(self, shown: Shown) -> None:
        """Announce what is not announced yet, and send each entity's state and attributes."""
        try:
            for entity in ENTITIES:
                self._once(f"{self.prefix}/{entity.domain}/{NODE}/{_key(entity)}/config", entity)
            self._send(AVAILABILITY, "online")
            for entity in ENTITIES:
                mark = _MARK if entity is _HEARTBEAT else {}
                self._send(_topic(entity), _payload(entity, shown, mark))
        except _NotPublished as error:
            self.problem = f"nothing is published by MQTT: {error}"
            # It may be another broker afterwards: announce all anew.
            self._sent.clear()
        else:
            self.problem = ""

    def arrive(self, heartbeat: str, facts: Mapping[str, str]) -> None:
        """Say that somebody is there, to an entity that is known from before."""
        try:
            self._send(AVAILABILITY, "online")
            self._publish(_topic(_HEARTBEAT), _written(heartbeat, {**facts, **_MARK}))
        except _NotPublished as error:
            self.problem = str(error)

    def leave(self) -> None:
        """Say that nobody refreshes them any more."""
        try:
            self._send(AVAILABILITY, "offline")
        except _NotPublished as error:
            self.problem = str(error)

    def _once(self, topic: str, entity: Entity) -> None:
        if topic not in self._sent:
            self._publish(topic, json.dumps(config_of(entity)))

    def _send(self, topic: str, payload: str) -> None:
        # Refreshed even if it is the same, or it would expire; but said only once who is there.
        if topic != AVAILABILITY or self._sent.get(topic) != payload:
            self._publish(topic, payload)

    def _publish(self, topic: str, payload: str) -> None:
        message = {"topic": topic, "payload": payload, "retain": True, "qos": 0}
        if why := failure(self.call_service, "mqtt/publish", message):
            raise _NotPublished(
                f"{why}; if it stays so, set up the MQTT integration in Home Assistant, or set "
                "mqtt.enabled to false"
            )
        self._sent[topic] = payload


class _NotPublished(Exception):
    """A message that did not get out."""


def is_plain(heartbeat: EntityState | None) -> bool:
    """Whether Home Assistant still has the entities as plain states, since its last start."""
    if heartbeat is None or _MARK.items() <= heartbeat.attributes.items():
        return False
    # Of a broker that went silent only what it was announced with is left, such as the name.
    is_silent = heartbeat.state in ("unavailable", "unknown")
    is_announced = "friendly_name" in heartbeat.attributes
    return not (is_silent and is_announced and "instance" not in heartbeat.attributes)


def config_of(entity: Entity) -> dict[str, object]:
    """What Home Assistant is told of an entity; its id stays as it is without MQTT."""
    topic = _topic(entity)
    told = {
        "name": entity.name,
        "unique_id": f"{NODE}_{_key(entity)}",
        "object_id": entity.id.partition(".")[2],
        "default_entity_id": entity.id,
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topic,
        "json_attributes_template": "{{ value_json.attributes | tojson }}",
        "availability_topic": AVAILABILITY,
        "expire_after": EXPIRE_S,
        "icon": entity.icon,
        "unit_of_measurement": entity.unit,
        "device_class": entity.device_class,
        "state_class": entity.state_class,
        # Among the attributes it is passed over, and each midnight would count as money lost.
        "last_reset_value_template": _LAST_RESET if entity.state_class == "total" else None,
        "payload_on": "on" if entity.domain == "binary_sensor" else None,
        "payload_off": "off" if entity.domain == "binary_sensor" else None,
        "device": _DEVICE,
    }
    return {key: value for key, value in told.items() if value is not None}


def _payload(entity: Entity, shown: Shown, more: Mapping[str, object]) -> str:
    state = entity.state(shown)
    attributes = {**entity.all_attributes(shown), **more}
    return _written(
        state,
        {name: value for name, value in attributes.items() if name not in _SHOWN_BY_CONFIG},
    )


def _written(state: str | float, attributes: Mapping[str, object]) -> str:
    return json.dumps(
        {
            # What Home Assistant's MQTT takes for "unknown".
            "state": None if state == "unknown" else state,
            "attributes": attributes,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _topic(entity: Entity) -> str:
    return f"{NODE}/{entity.domain}/{_key(entity)}"


def _key(entity: Entity) -> str:
    return entity.id.partition(".")[2].removeprefix(f"{NODE}_")
