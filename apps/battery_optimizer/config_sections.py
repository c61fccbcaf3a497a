"""The parts of the settings that are about sources, entities and what is served.

Numbers have their Range beside their type, units stand in [brackets] in the docstrings:
`config_docs` makes docs/settings.md of them.
"""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from battery_optimizer.model.meters import LargeLoad, MeterEntities
from battery_optimizer.model.ranges import Range, check_ranges
from battery_optimizer.model.solar import SolarArray

NewsKind = Literal["plunge", "breaker", "stale", "summary"]
SolarSourceName = Literal[
    "solcast", "open_meteo_entities", "open_meteo", "forecast_solar", "forecast_solar_entities"
]


class Section(BaseModel):
    """Settings whose numbers keep to their Range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        check_ranges(self)
        return self


class RatesSettings(Section):
    """Where unit rates come from; without any, Home Assistant's Octopus Energy integration."""

    import_product: str | None = None
    """Octopus product code such as AGILE-24-10-01, or agile, go, cosy or flux for the newest one;
    none: the account's, or what the Octopus Energy integration in Home Assistant says."""
    export_product: str | None = None
    """Octopus export product code, or agile_outgoing, outgoing or flux_export for the newest one;
    none: as for import_product."""
    import_event: str | None = None
    """The Octopus Energy integration's entity that ends in _current_day_rates; none: found out."""
    export_event: str | None = None
    """The one of the export meter; none: found out."""
    region: Literal["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P"] | None = (
        None
    )
    """Letter of the grid region; none: found by the postcode, the account or the integration."""
    postcode: str | None = None
    """UK postcode, instead of the region."""
    fixed_import_p: Annotated[float | None, Range(-1000, 1000)] = None
    """Import rate when it is always the same, instead of a product [p/kWh]."""
    fixed_export_p: Annotated[float | None, Range(-1000, 1000)] = None
    """Export rate when it is always the same, instead of a product [p/kWh]; 0 where exports are not
    paid for."""
    standing_charge_p: Annotated[float | None, Range(0, 1000)] = None
    """Standing charge, for the bills that are shown [p/day]; none: Octopus is asked."""
    account: str | None = None
    """Octopus account number (A-...), to find the tariffs with the API key."""
    api_key: SecretStr | None = None
    """Octopus API key; keep it in secrets.yaml and write !secret here."""
    base_url: str = "https://api.octopus.energy"
    """Address of the Octopus API."""
    agile_predict: bool = False
    """Ask AgilePredict for Agile rates beyond the published ones; needs the region. By measurement
    it is worth next to nothing."""
    demo: Literal["never", "auto", "always"] = "auto"
    """Made-up rates: auto uses them only where no Home Assistant is connected and Octopus cannot be
    reached."""

    @field_validator("region", mode="before")
    @classmethod
    def _in_capitals(cls, region: object) -> object:
        return region.upper() if isinstance(region, str) else region

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for given, missing in (("account", "api_key"), ("api_key", "account")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                raise ValueError(f"{missing} must be given where {given} is")
        if self.agile_predict and self.region is None:
            raise ValueError("region must be given where agile_predict is on")
        for way in ("import", "export"):
            for other in (f"{way}_product", f"{way}_event"):
                if getattr(self, f"fixed_{way}_p") is not None and getattr(self, other) is not None:
                    raise ValueError(f"fixed_{way}_p and {other} must not both be given: keep one")
        return self


class SessionsSettings(Section):
    """Octopus's saving sessions and free electricity sessions, from its integration."""

    enabled: bool = True
    """Whether plans count on the saving sessions that you joined, and on free electricity sessions;
    the app itself joins none."""
    saving_event: str | None = None
    """The Octopus Energy integration's entity that ends in _octoplus_saving_session_events; none:
    found out."""
    free_event: str | None = None
    """The one that ends in _octoplus_free_electricity_session_events; none: found out, if you
    enabled it in Home Assistant."""

    @model_validator(mode="after")
    def _are_events(self) -> Self:
        for name in ("saving_event", "free_event"):
            entity_id = getattr(self, name)
            if entity_id is not None and not entity_id.startswith("event."):
                # Not shown: the account's number is in it.
                raise ValueError(f"{name} must be an entity whose name begins with event.")
        return self


class SolarSettings(Section):
    """Who is asked for the solar forecast, and what stands on the roof."""

    sources: tuple[SolarSourceName, ...] = get_args(SolarSourceName)
    """Who is asked, in this order, until one answers."""
    arrays: tuple[SolarArray, ...] = ()
    """Panels, one entry for each tilt and direction; needed by open_meteo and forecast_solar."""
    latitude: Annotated[float | None, Range(-90, 90)] = None
    """Where the panels are [degrees]; none: AppDaemon's latitude."""
    longitude: Annotated[float | None, Range(-180, 180)] = None
    """Where the panels are [degrees]; none: AppDaemon's longitude."""
    solcast: tuple[str, ...] = (
        "sensor.solcast_pv_forecast_forecast_today",
        "sensor.solcast_pv_forecast_forecast_tomorrow",
        "sensor.solcast_pv_forecast_forecast_day_3",
    )
    """Solcast's entities for today, tomorrow and further days, as far as they are there; where none
    is, it is found out."""
    solcast_last_polled: str | None = "sensor.solcast_pv_forecast_api_last_polled"
    """Solcast's entity for the time of the last answer."""
    open_meteo_entities: tuple[str, ...] = ()
    """Entities of Open-Meteo Solar Forecast, or of Forecast.Solar, likewise; none: found out, and
    several roofs added up."""


class LoadSettings(Section):
    """What more is measured of the house's load, so that it is forecast better."""

    large_loads: tuple[LargeLoad, ...] = ()
    """Parts of the load that run now and then, such as a car or hot water, each with a sensor of
    its power; they are forecast apart."""
    outside_temperature: str | None = None
    """The sensor of the temperature outside; the forecast of it comes from weather."""
    weather: Literal["auto", "open_meteo", "none"] = "auto"
    """Who is asked how cold it is going to be, for a house that heats with electricity: auto asks
    Open-Meteo where outside_temperature is given."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the large loads."""
        return tuple(load.name for load in self.large_loads)

    @model_validator(mode="after")
    def _names_apart(self) -> Self:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"large_loads must not have the name {twice[0]} twice")
        return self


class EntitySettings(Section):
    """Entities of the inverter; what is not given has foxess_modbus's name after the prefix."""

    integration: Literal["foxess_modbus", "foxess_control"] = "foxess_modbus"
    """Which integration of Home Assistant drives the inverter."""
    prefix: str | None = None
    """What foxess_modbus puts before its names, '' if nothing; none: found out."""
    inverter_name: str | None = None
    """What foxess_modbus's services call the inverter (friendly name), where Force Charge has to be
    done by its charge period 2; none: found out."""
    work_mode: str | None = None
    """The select that sets the mode."""
    force_charge_power: str | None = None
    """The number that sets the power of Force Charge."""
    force_discharge_power: str | None = None
    """The number that sets the power of Force Discharge."""
    soc: str | None = None
    """State of charge; none: sensor.PREFIX_battery_soc, or ..._battery_soc_1."""
    load: str | None = None
    """Power that the house draws; none: sensor.PREFIX_load_power."""
    solar: str | None = None
    """Power of the panels; none: sensor.pv_power_PREFIX or sensor.PREFIX_pv_power."""
    grid: str | None = None
    """Power at the meter; none: sensor.PREFIX_grid_ct."""
    grid_positive: Literal["import", "export"] = "export"
    """What a positive number of the grid entity means."""
    battery: str | None = None
    """Power of the battery; none: sensor.PREFIX_invbatpower."""
    battery_positive: Literal["discharge", "charge"] = "discharge"
    """What a positive number of the battery entity means."""
    battery_temperature: str | None = None
    """Temperature of the battery, where there is a sensor."""

    def meters(self, prefix: str) -> MeterEntities:
        """The sensors, those not given named as the integration does."""
        stem = f"sensor.{prefix.rstrip('_')}_" if prefix else "sensor."
        if self.integration == "foxess_control":
            return self._control_meters(stem)
        return MeterEntities(
            soc=self.soc or f"{stem}battery_soc",
            load=self.load or f"{stem}load_power",
            solar=self.solar or f"{stem}pv_power",
            grid=self.grid or f"{stem}grid_ct",
            grid_positive=self.grid_positive,
            battery=self.battery or f"{stem}invbatpower",
            battery_positive=self.battery_positive,
            battery_temperature=self.battery_temperature,
        )

    def _control_meters(self, stem: str) -> MeterEntities:
        return MeterEntities(
            soc=self.soc or f"{stem}battery_soc",
            load=self.load or f"{stem}house_load",
            solar=self.solar or f"{stem}solar_power",
            grid=self.grid,
            grid_positive=self.grid_positive,
            grid_import=None if self.grid else f"{stem}grid_consumption",
            grid_export=None if self.grid else f"{stem}grid_feed_in",
            battery=self.battery,
            battery_positive=self.battery_positive,
            battery_charge=None if self.battery else f"{stem}charge_rate",
            battery_discharge=None if self.battery else f"{stem}discharge_rate",
            battery_temperature=self.battery_temperature,
        )


class WebSettings(Section):
    """What is served over HTTP."""

    enabled: bool = True
    """Whether the page and the endpoints are served (AppDaemon's http section must be set, too)."""
    unguarded: bool = False
    """Whether all in the network may have prices fetched, and read diagnostics, where AppDaemon has
    no password; else only its own machine may."""
    battery_voltage: Annotated[float | None, Range(20, 1000)] = None
    """Nominal voltage of the battery [V], to give discharge_current in A."""


class MqttSettings(Section):
    """Entities by MQTT discovery instead of plain states."""

    enabled: bool = False
    """Whether entities are made by MQTT discovery, with unique ids and a device; Home Assistant's
    MQTT integration must be set up."""
    prefix: str = "homeassistant"
    """Discovery prefix, as set in Home Assistant's MQTT integration."""


class NotifySettings(Section):
    """Who is notified, and of what."""

    service: str | None = None
    """Home Assistant's service, such as notify.mobile_app_phone; none: nobody is notified."""
    kinds: tuple[NewsKind, ...] = ("breaker", "stale")
    """What is told, each at most once: plunge (paid for using electricity, ahead), breaker (the
    inverter does not obey), stale (no readings or rates), summary (yesterday's money)."""
    summary_hour: Annotated[int, Range(0, 23)] = 8
    """From when on the summary is told, on the house's clock [h]."""

    @model_validator(mode="after")
    def _is_a_service(self) -> Self:
        if self.service is not None and not re.fullmatch(r"\w+[./]\w+", self.service):
            raise ValueError(
                "service must be as notify.mobile_app_phone, with its domain before the dot, "
                f"not {self.service!r}"
            )
        return self
