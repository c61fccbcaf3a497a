"""A house wired of real parts around the simulated inverter, and the host that it would see."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from battery_optimizer.config import Config
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from battery_optimizer.simulate.home.surroundings import PlausibleHome
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.running import RunningHouse

NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
BATTERY = {"capacity_kwh": 10.0, "max_charge_kw": 4.0, "max_discharge_kw": 4.0}
SETTINGS: dict[str, Any] = {
    "battery": BATTERY,
    "rates": {"demo": "always"},
    "entities": {"prefix": "foxess"},
}


@dataclass
class SimulatedHouse:
    """A home, and the host that an app in it would see."""

    folder: Path
    now: datetime = NIGHT
    others: dict[str, EntityState] = field(default_factory=dict)
    has_home_assistant: bool = False
    services: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        house = House(battery=Battery(**BATTERY), inverter=Inverter(), grid=GridConnection())
        self.fox = SimulatedFoxEss(
            SimulatedInverter(house=house, surroundings=PlausibleHome(), now=self.now, soc_kwh=5.0)
        )
        self.asked: list[str] = []
        polled = "sensor.solcast_pv_forecast_api_last_polled"
        self.others[polled] = EntityState(state=self.now.isoformat())
        for days_ahead, name in enumerate(("today", "tomorrow")):
            rows = PlausibleHome().forecast(self.now.date() + timedelta(days_ahead), days_ahead)
            self.others[f"sensor.solcast_pv_forecast_forecast_{name}"] = EntityState(
                state="1", attributes={"detailedForecast": rows}, last_reported=self.now
            )

    def states(self) -> dict[str, EntityState]:
        return self.fox.entities() | self.others

    def call(self, service: str, /, **data: object) -> object:
        return self.fox.call(service, data)

    def history(
        self, entity_id: str, start: datetime, end: datetime
    ) -> list[list[Mapping[str, object]]]:
        """Half a kilowatt in the last two hours."""
        self.asked.append(entity_id)
        assert end - start == timedelta(days=10)
        times = [end - timedelta(minutes=minutes) for minutes in range(120, 0, -10)]
        return [[{"state": "0.5", "last_changed": time.isoformat()} for time in times]]

    def list_services(self) -> list[dict[str, str]]:
        return [
            dict(zip(("domain", "service"), each.split("."), strict=True)) for each in self.services
        ]

    def host(self) -> Host:
        return Host(
            app="app",
            folder=self.folder,
            latitude=51.5,
            longitude=-0.12,
            call_service=self.call,
            read_state=lambda entity_id: self.states().get(entity_id),
            list_entities=self.states,
            get_history=self.history if self.has_home_assistant else None,
            list_services=self.list_services,
            sleep=lambda _: None,
            now=lambda: self.now,
        )


@contextmanager
def connected(home: SimulatedHouse, **changes: object) -> Iterator[RunningHouse]:
    house = connect(Config.from_args(SETTINGS | changes), home.host())
    try:
        yield house
    finally:
        house.close()
