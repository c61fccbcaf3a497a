"""Past days in a database, as the real house leaves them behind: run, not made up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from battery_optimizer.config import Config
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from battery_optimizer.simulate.home.surroundings import PlausibleHome
from battery_optimizer.wiring.house import connect

SOLCAST = "sensor.solcast_pv_forecast_"


@dataclass
class _Home:
    """The simulated inverter, and what is forecast of the sun."""

    fox: SimulatedFoxEss
    now: datetime

    def states(self) -> Mapping[str, EntityState]:
        polled = {f"{SOLCAST}api_last_polled": EntityState(state=self.now.isoformat())}
        return {**self.fox.entities(), **polled, **{
            f"{SOLCAST}forecast_{name}": EntityState(
                state="1",
                attributes={
                    "detailedForecast": PlausibleHome().forecast(
                        self.now.date() + timedelta(days_ahead), days_ahead
                    )
                },
                last_reported=self.now,
            )
            for days_ahead, name in enumerate(("today", "tomorrow"))
        }}  # fmt: skip

    def call(self, service: str, /, **data: object) -> object:
        return self.fox.call(service, data)


def live_through(
    folder: Path, settings: dict[str, Any], *, end: datetime, hours: float, step_minutes: int = 10
) -> None:
    """Run the whole house for these hours, up to `end`, its database in `folder`."""
    own = {key: value for key, value in settings.items() if key not in ("module", "class")}
    config = Config.from_args(own | {"rates": {"demo": "always"}})
    start = end - timedelta(hours=hours)
    home = _Home(
        SimulatedFoxEss(
            SimulatedInverter(
                house=config.house, surroundings=PlausibleHome(), now=start, soc_kwh=5.0
            )
        ),
        start,
    )
    host = Host(
        app="battery_optimizer",
        folder=folder,
        latitude=51.5,
        longitude=-0.12,
        call_service=home.call,
        read_state=lambda entity_id: home.states().get(entity_id),
        list_entities=home.states,
        get_history=None,
        sleep=lambda _: None,
        now=lambda: home.now,
    )
    house = connect(config, host)
    try:
        for t in range(int(hours * 60 / step_minutes)):
            home.now = start + t * timedelta(minutes=step_minutes)
            home.fox.inverter.advance(home.now)
            house.run(home.now)
        house.standing.refresh(home.now)
        house.ledger.look(home.now)
    finally:
        house.close()


if __name__ == "__main__":
    import sys

    import yaml

    apps = yaml.safe_load(Path(sys.argv[1]).read_text())
    live_through(Path(sys.argv[2]), apps["battery_optimizer"], end=datetime.now(UTC), hours=30)
