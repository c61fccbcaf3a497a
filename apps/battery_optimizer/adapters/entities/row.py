"""What an entity is made of: a row of the table in `entities`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from battery_optimizer.adapters.entities.facts import Attributes, Value, shortened
from battery_optimizer.model.shown import DEMO, Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of the table."""

    name: str
    """As shown; the id is sensor.battery_optimizer_ and this in small letters."""
    value: Callable[[Shown], Value]
    icon: str
    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = None
    attributes: Callable[[Shown], Attributes] = lambda _: {}
    shows_rates: bool = False
    domain: str = "sensor"

    @property
    def id(self) -> str:
        """The entity id."""
        return f"{self.domain}.battery_optimizer_{self.name.lower().replace(' ', '_')}"

    def state(self, shown: Shown) -> str | float | int:
        """As Home Assistant takes it."""
        value = self.value(shown)
        if value is None:
            return "unknown"
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="seconds")
        return shortened(value) if isinstance(value, str) else value

    def all_attributes(self, shown: Shown) -> dict[str, Any]:
        """What goes with the state."""
        is_demo = self.shows_rates and shown.is_demo
        constant = {
            "friendly_name": f"Battery Optimizer {self.name}{f' ({DEMO})' if is_demo else ''}",
            "icon": self.icon,
            "unit_of_measurement": self.unit,
            "device_class": self.device_class,
            "state_class": self.state_class,
            "rates": DEMO if is_demo else None,
        }
        given = {key: value for key, value in constant.items() if value is not None}
        return given | dict(self.attributes(shown))
