"""A house for the stories: Home Assistant, AppDaemon with the app, and an Octopus of our own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from appdaemon_process import LiveAppDaemon, running, shipped_apps
from battery_optimizer.adapters.overrides import CHOICE, POWER, TARGET, TARGET_BY, UNTIL
from battery_optimizer.model.slots import SLOT, floor_to_slot
from home_assistant.core import SELECT, HomeAssistant
from octopus_server import Asked, OctopusServer, a_row, half_hours

IMPORT: Final = "E-1R-AGILE-24-10-01-C"
EXPORT: Final = "E-1R-AGILE-OUTGOING-19-05-13-C"
SLOTS_BEFORE: Final = 48
NEVER, FAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
HEALTH: Final = "sensor.battery_optimizer_health"
HEARTBEAT: Final = "sensor.battery_optimizer_heartbeat"
TURNED: Final = (
    SELECT,
    "number.foxess_force_charge_power",
    "number.foxess_force_discharge_power",
    "sensor.foxess_battery_soc",
    CHOICE,
    UNTIL,
    POWER,
    TARGET,
    TARGET_BY,
)
"""What stories turn."""
MODE: Final = "sensor.battery_optimizer_mode"


class Octopus(OctopusServer):
    """Prices that leave no doubt what to do now, whatever the time of day."""

    first_asked_at: datetime | None = None

    def reply(self, asked: Asked) -> tuple[int, Any]:
        self.first_asked_at = self.first_asked_at or datetime.now(UTC)
        return super().reply(asked)

    def sell_now(self) -> None:
        """Exports pay best now and a little less each half hour; soon energy is nearly free."""
        dear = [100.0 - 3 * t for t in range(4)]
        self._publish(imports=[96.0] * 4 + [1.0] * 92, exports=dear + [0.5] * 92)

    def buy_now(self) -> None:
        """Cheap now, dearer each half hour, then dear for good; exports pay nothing."""
        self._publish(imports=[-20.0, -15.0, -10.0] + [40.0] * 93, exports=[0.0] * 96)

    def nothing_to_gain(self) -> None:
        """The same all day long."""
        self._publish(imports=[25.0] * 96, exports=[0.0] * 96)

    def usual_days(self) -> None:
        """Cheap nights, dear evenings; exports at half the price."""
        start = floor_to_slot(datetime.now(UTC))
        hours = [(start + t * SLOT).hour for t in range(96)]
        imports = [33.0 if 16 <= hour < 19 else 7.5 if hour < 5 else 18.0 for hour in hours]
        self._publish(imports=imports, exports=[rate / 2 for rate in imports])

    def _publish(self, *, imports: list[float], exports: list[float]) -> None:
        start = floor_to_slot(datetime.now(UTC))
        before = start - SLOTS_BEFORE * SLOT
        for code, values in ((IMPORT, imports), (EXPORT, exports)):
            self.unit_rates[code] = half_hours(before, [25.0 * (code == IMPORT)] * SLOTS_BEFORE)
            self.publish(code, half_hours(start, values))
            self.standing_charges[code] = [a_row(before, None, 50.0)]


@dataclass(frozen=True)
class House:
    """All that runs."""

    core: HomeAssistant
    app: LiveAppDaemon
    octopus: Octopus

    def think_again(self) -> None:
        """Another cycle now, with the prices as they are."""
        # A heartbeat is told to the second, and Home Assistant's answer is not renewed by the same.
        time.sleep(1)
        self.app.wait_until(self._is_up_to_date, "AppDaemon to have heard of everything")
        self.octopus.first_asked_at = None
        answer = self.app.post("/api/appdaemon/battery_optimizer_refresh_prices", {})
        assert answer.status_code == 202
        # Not any cycle: the one that follows the prices.
        self.app.wait_until(
            lambda: (self.octopus.first_asked_at or FAR) < self._told_at, "prices and a cycle"
        )

    @property
    def _told_at(self) -> datetime:
        """When Home Assistant was last told a heartbeat."""
        found = self.core.get(f"/api/states/{HEARTBEAT}")
        return NEVER if found is None else datetime.fromisoformat(found["last_reported"])

    def _is_up_to_date(self) -> bool:
        """Whether AppDaemon sees what Home Assistant shows: on a busy machine it lags."""
        return all(
            (self.app.state(each) or {}).get("state") == self.core.state(each) for each in TURNED
        )

    @property
    def heartbeat(self) -> datetime | None:
        """When the last cycle was; None where Home Assistant does not know."""
        state = self.core.state(HEARTBEAT)
        return None if state in (None, "unknown", "unavailable") else datetime.fromisoformat(state)

    def wait_for_plan(self, count: int = 1) -> None:
        """Until so many plans were logged since the start of AppDaemon."""
        self.app.wait_until(lambda: self.plans >= count, f"plan {count}", 180)
        self.core.wait_until(lambda: self.is_told, "the entities")

    @property
    def is_told(self) -> bool:
        """Whether all entities are there: the full heartbeat comes last."""
        return "device_class" in self.core.attributes(HEARTBEAT)

    @property
    def plans(self) -> int:
        return self.app.log.count("battery_optimizer: Plan until")

    @property
    def mode(self) -> str | None:
        """The inverter's, in Home Assistant's own state."""
        return self.core.state(SELECT)

    @property
    def problems(self) -> str:
        """What health says."""
        return " ".join(self.core.attributes(HEALTH).get("problems", ()))

    @property
    def why(self) -> str:
        """For a test that fails: what the app says of itself."""
        return f"{self.problems} {self.app.endpoint('recommendation')} {self.app.log[-3000:]}"


def settings(octopus: OctopusServer, **changes: object) -> dict[str, Any]:
    """The shipped ones, but for a fixed tariff, no dwell, and nothing known of the entities."""
    apps = shipped_apps(
        entities={},
        commands={"dwell_minutes": 0, "writes_per_day": 1000},
        rates={
            "import_product": "AGILE-24-10-01",
            "export_product": "AGILE-OUTGOING-19-05-13",
            "region": "C",
            "base_url": octopus.url,
        },
        solar={"sources": ["solcast"]},
    )
    apps["battery_optimizer"] |= changes
    return apps


@contextmanager
def house(
    folder: Path, core: HomeAssistant, octopus: Octopus, **changes: object
) -> Iterator[House]:
    """The app, connected to this Home Assistant."""
    with running(folder, settings(octopus, **changes), environment=core.environment) as app:
        yield House(core, app, octopus)
