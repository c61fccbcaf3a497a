"""The simulated home inside AppDaemon: a Fox ESS household where there is no Home Assistant.

It owns the entities that foxess_modbus and Solcast would have, and answers the services that
Home Assistant would, so that the app runs unchanged around a battery that really fills. In
`apps.yaml`, every key but the first two optional; of the battery the capacity is enough:

    simulated_home:
      module: battery_optimizer.simulate.home.app
      class: SimulatedHome
      battery: {capacity_kwh: 10.4, max_charge_kw: 3.68, max_discharge_kw: 3.68}
      inverter: {ac_limit_kw: 3.68}
      grid: {import_limit_kw: 15}
      panels: {peak_kw: 5, tilt_deg: 35, azimuth_deg: 0}
      prefix: foxess          # select.foxess_work_mode, ...
      soc_percent: 50         # at the first start
      force_modes: true       # false: a model that is charged by daily charge periods instead
      work_mode: Self Use     # at the first start; or Feed-in First, or Back-up
      speed: 1                # the battery fills and empties this many times faster
      tick_seconds: 5
      seed: 1                 # another seed, another house and weather
      solar_forecast: true    # publish one in Solcast's shape
      octopus: false          # show the Octopus Energy integration's entities, with made-up rates
      plunges: false          # of which an hour in four is below 0
"""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from appdaemon.adapi import ADAPI
from appdaemon.models.config.app import AppConfig
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from battery_optimizer.errors import ConfigError
from battery_optimizer.model.entity import EntityState, finite
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.slots import SLOT_HOURS, local_day
from battery_optimizer.model.solar import SolarArray
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.fox_periods import NO_PERIODS, UPDATE
from battery_optimizer.simulate.home.inverter import OPTIONS, SimulatedInverter
from battery_optimizer.simulate.home.octopus_entities import octopus_entities
from battery_optimizer.simulate.home.surroundings import Place, PlausibleHome

SERVICES: Final = (
    "select/select_option",
    "number/set_value",
    "input_select/select_option",
    UPDATE,
)
TOLD: Final = ("notify/notify", "mqtt/publish")
"""Services that only pass something on: what is said stands in the log."""
SHOWN: Final = ("title", "message", "topic", "payload", "retain")
SOLCAST: Final = "sensor.solcast_pv_forecast_"
USUAL_POWERS: Final = {"max_charge_kw": 3.68, "max_discharge_kw": 3.68}


class HomeSettings(BaseModel):
    """The keys of `apps.yaml`; their meaning stands above."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    battery: Battery = Battery(
        capacity_kwh=10.4, reserve_kwh=1.04, max_charge_kw=3.68, max_discharge_kw=3.68
    )
    inverter: Inverter = Inverter(ac_limit_kw=3.68)
    grid: GridConnection = GridConnection()
    panels: SolarArray = SolarArray(peak_kw=5.0, tilt_deg=35.0, azimuth_deg=0.0)
    prefix: str = "foxess"
    soc_percent: Annotated[float, Field(ge=0, le=100)] = 50.0
    force_modes: bool = True
    work_mode: Literal["Self Use", "Feed-in First", "Back-up"] = "Self Use"
    speed: Annotated[float, Field(gt=0, le=1000)] = 1.0
    tick_seconds: Annotated[float, Field(ge=1, le=60)] = 5.0
    seed: Annotated[int, Field(ge=0)] = 1
    solar_forecast: bool = True
    octopus: bool = False
    plunges: bool = False

    @field_validator("battery", mode="before")
    @classmethod
    def _completed(cls, battery: object) -> object:
        """With the powers that the app, too, assumes where nobody tells it others."""
        return {**USUAL_POWERS, **battery} if isinstance(battery, dict) else battery

    @field_validator("battery")
    @classmethod
    def _is_one(cls, battery: Battery) -> Battery:
        if battery.capacity_kwh == 0:
            raise ValueError("capacity_kwh must be above 0")
        return battery

    @classmethod
    def from_args(cls, args: dict[str, Any]) -> Self:
        """From an app's arguments, AppDaemon's own left out; ConfigError names what is wrong."""
        own = {field.alias or name for name, field in AppConfig.model_fields.items()}
        try:
            return cls(**{key: value for key, value in args.items() if key not in own})
        except ValidationError as error:
            mistakes = [
                f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}"
                for mistake in error.errors()
            ]
            raise ConfigError(f"the simulated home's settings: {'; '.join(mistakes)}") from error


class SimulatedHome(ADAPI):
    """Lives in the default namespace; steps aside if Home Assistant has that."""

    def initialize(self) -> None:
        """Make the house, show it, and let time pass."""
        if self.AD.plugins.get_plugin_object(self.namespace) is not None:
            self.log(
                "Home Assistant is connected, so the simulated home stays out of its way: remove "
                "this app from apps.yaml",
                level="WARNING",
            )
            return
        settings = HomeSettings.from_args(self.args)
        self._with_forecast = settings.solar_forecast
        self._with_octopus, self._plunges = settings.octopus, settings.plunges
        self._forecast_hour: datetime | None = None
        # Services are called on other threads than the clock ticks on.
        self._turn = threading.Lock()
        self._home = self._surroundings(settings)
        self._fox = SimulatedFoxEss(
            self._inverter(settings),
            prefix=settings.prefix,
            has_force_modes=settings.force_modes,
        )
        self._fox.inverter.select(settings.work_mode)
        self._restore()
        for service in SERVICES:
            self.register_service(service, self._serve)
        for service in TOLD:
            self.register_service(service, self._pass_on)
        self._tick()
        self.run_every(self._tick, "now", settings.tick_seconds)
        self.log(
            "Simulated home: %.1f kWh battery at %.0f %%, no Home Assistant",
            settings.battery.capacity_kwh,
            100 * self._fox.inverter.soc_kwh / settings.battery.capacity_kwh,
        )

    def _surroundings(self, settings: HomeSettings) -> PlausibleHome:
        config = self.AD.config
        place = Place(
            latitude_deg=config.latitude,
            longitude_deg=config.longitude,
            zone=ZoneInfo(str(config.time_zone)),
        )
        return PlausibleHome(place=place, panels=settings.panels, seed=settings.seed)

    def _inverter(self, settings: HomeSettings) -> SimulatedInverter:
        # Started a tick ago, so that the sensors show something from the first moment on.
        return SimulatedInverter(
            house=House(battery=settings.battery, inverter=settings.inverter, grid=settings.grid),
            surroundings=self._home,
            now=datetime.now(UTC) - timedelta(seconds=settings.tick_seconds),
            soc_kwh=settings.soc_percent / 100 * settings.battery.capacity_kwh,
            speed=settings.speed,
            periods=() if settings.force_modes else NO_PERIODS,
        )

    def _restore(self) -> None:
        """A real inverter does not notice that an app was reloaded: go on from what was shown."""
        shown = {entity_id: self.get_state(entity_id) for entity_id in self._fox.entities()}
        inverter = self._fox.inverter
        option = shown[self._fox.select_id]
        if option in OPTIONS:
            inverter.select(str(option))
        soc_kwh = finite(shown[self._fox.soc_kwh_id])
        if soc_kwh is not None:
            inverter.soc_kwh = min(soc_kwh, inverter.house.battery.capacity_kwh)
        inverter.force_charge_kw = finite(shown.get(self._fox.charge_power_id)) or 0.0
        inverter.force_discharge_kw = finite(shown.get(self._fox.discharge_power_id)) or 0.0
        if inverter.periods:
            inverter.periods = self._fox.periods.periods_of(shown)

    def _tick(self, **_: object) -> None:
        now = datetime.now(UTC)
        with self._turn:
            self._fox.inverter.advance(now)
            self._show_all()
        self._show_hourly(now)

    def _serve(
        self, _namespace: str, domain: str, service: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        """Answer a service call as Home Assistant would."""
        if domain == "input_select":
            return self._select_input(data)
        with self._turn:
            self._fox.inverter.advance(datetime.now(UTC))
            answer = self._fox.call(f"{domain}/{service}", data)
            self._show_all()
        return answer

    def _pass_on(
        self, _namespace: str, domain: str, service: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        """Nobody is there to hear it."""
        said = {key: value for key, value in data.items() if key in SHOWN}
        self.log("%s/%s: %s", domain, service, json.dumps(said, default=str))
        return {"success": True}

    def _select_input(self, data: dict[str, Any]) -> dict[str, Any]:
        """Set an input helper that some app made; it drives nothing in the house."""
        entity_id = str(data.get("entity_id"))
        if self.get_state(entity_id) is not None:
            self.set_state(entity_id, state=str(data.get("option")))
        return {"success": True}

    def _show_all(self) -> None:
        for entity_id, state in self._fox.entities().items():
            self._show(entity_id, state)

    def _show(self, entity_id: str, state: EntityState) -> None:
        self.set_state(
            entity_id,
            state=state.state,
            attributes=dict(state.attributes),
            replace=True,
            check_existence=False,
        )

    def _show_hourly(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour == self._forecast_hour:
            return
        self._forecast_hour = hour
        if self._with_forecast:
            self._show_forecast(now)
        if self._with_octopus:
            for entity_id, state in octopus_entities(now, plunges=self._plunges).items():
                self._show(entity_id, state)

    def _show_forecast(self, now: datetime) -> None:
        today = local_day(now, self._home.place.zone)
        for days_ahead, name in enumerate(("today", "tomorrow")):
            day = today + timedelta(days=days_ahead)
            rows = self._home.forecast(day, days_ahead)
            self._show(f"{SOLCAST}forecast_{name}", _forecast_entity(rows))
        self._show(
            f"{SOLCAST}api_last_polled",
            EntityState(state=now.isoformat(), attributes={"device_class": "timestamp"}),
        )


def _forecast_entity(rows: list[dict[str, float | str]]) -> EntityState:
    energy_kwh = sum(float(row["pv_estimate"]) for row in rows) * SLOT_HOURS
    return EntityState(
        state=f"{energy_kwh:.4f}",
        attributes={
            "detailedForecast": rows,
            "unit_of_measurement": "kWh",
            "device_class": "energy",
        },
    )
