"""The settings of apps.yaml, typed; every mistake names its key path.

Physical sections are the domain's own values. Numbers have their Range beside their type, units
stand in [brackets] in the docstrings: `config_docs` makes the README's table of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from battery_optimizer.errors import ConfigError
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.ranges import Range, check_ranges
from battery_optimizer.model.settings import CommandSettings, Control, PlannerSettings
from battery_optimizer.model.solar import SolarArray

APPDAEMON_KEYS: Final = frozenset(
    {
        "name", "config_path", "module", "class", "dependencies", "disable", "priority", "pin_app",
        "pin_thread", "log", "log_level", "global_dependencies", "plugin", "constrain_start_time",
        "constrain_end_time", "constrain_days", "constrain_input_boolean", "constrain_input_select",
        "constrain_presence",
    }
)  # fmt: skip
"""What AppDaemon itself reads in an app's section."""

_SECRET: Final = frozenset({"api_key"})

SolarSourceName = Literal["solcast", "open_meteo_entities", "open_meteo", "forecast_solar"]


class Section(BaseModel):
    """Settings whose numbers keep to their Range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        check_ranges(self)
        return self


class RatesSettings(Section):
    """Where unit rates come from: an account, products in a region, or fixed rates."""

    import_product: str | None = None
    """Octopus product code such as AGILE-24-10-01, or agile, go, cosy or flux for the newest one;
    none: the account's."""
    export_product: str | None = None
    """Octopus export product code, or agile_outgoing, outgoing or flux_export for the newest one;
    none: the account's."""
    region: Literal["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P"] | None = (
        None
    )
    """Letter of the grid region; none: found by the postcode or the account."""
    postcode: str | None = None
    """UK postcode, instead of the region."""
    fixed_import_p: Annotated[float | None, Range(-1000, 1000)] = None
    """Import rate when it is always the same [p/kWh]."""
    fixed_export_p: Annotated[float | None, Range(-1000, 1000)] = None
    """Export rate when it is always the same [p/kWh]; 0 where exports are not paid for."""
    account: str | None = None
    """Octopus account number (A-...), to find the tariffs with the API key."""
    api_key: SecretStr | None = None
    """Octopus API key; keep it in secrets.yaml and write !secret here."""
    base_url: str = "https://api.octopus.energy"
    """Address of the Octopus API."""
    demo: Literal["never", "auto", "always"] = "auto"
    """Made-up rates: auto uses them only where no Home Assistant is connected and Octopus cannot be
    reached."""

    @model_validator(mode="after")
    def _has_both_directions(self) -> Self:
        if self.demo == "always":
            return self
        has_place = self.region is not None or self.postcode is not None
        has_account = self.account is not None and self.api_key is not None
        for direction in ("import", "export"):
            product = getattr(self, f"{direction}_product")
            fixed = getattr(self, f"fixed_{direction}_p")
            if fixed is None and not has_account and not (product is not None and has_place):
                raise ValueError(
                    f"fixed_{direction}_p, or {direction}_product with region or postcode, "
                    "or account with api_key must be given"
                )
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
    )
    """Solcast's entities for today, tomorrow and further days."""
    solcast_last_polled: str | None = "sensor.solcast_pv_forecast_api_last_polled"
    """Solcast's entity for the time of the last answer."""
    open_meteo_entities: tuple[str, ...] = (
        "sensor.energy_production_today",
        "sensor.energy_production_tomorrow",
    )
    """Entities of Open-Meteo Solar Forecast for today, tomorrow and further days."""


class EntitySettings(Section):
    """Entities of the inverter; what is not given has foxess_modbus's name after the prefix."""

    integration: Literal["foxess_modbus", "foxess_control"] = "foxess_modbus"
    """Which integration of Home Assistant drives the inverter."""
    prefix: str | None = None
    """What foxess_modbus puts before its names, '' if nothing; none: found out."""
    work_mode: str | None = None
    """The select that sets the mode."""
    force_charge_power: str | None = None
    """The number that sets the power of Force Charge."""
    force_discharge_power: str | None = None
    """The number that sets the power of Force Discharge."""
    soc: str | None = None
    """State of charge; none: sensor.PREFIX_battery_soc."""
    load: str | None = None
    """Power that the house draws; none: sensor.PREFIX_load_power."""
    solar: str | None = None
    """Power of the panels; none: sensor.PREFIX_pv_power."""
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
    battery_voltage: Annotated[float | None, Range(20, 1000)] = None
    """Nominal voltage of the battery [V], to give discharge_current in A."""


class Config(Section):
    """All settings of one house."""

    control: Control = Control.ACTIVE
    """read_only does all but send commands."""
    battery: Battery
    inverter: Inverter = Inverter()
    grid: GridConnection = GridConnection()
    rates: RatesSettings
    solar: SolarSettings = SolarSettings()
    entities: EntitySettings = EntitySettings()
    planner: PlannerSettings = PlannerSettings()
    commands: CommandSettings = CommandSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """From an app's arguments; ConfigError has one line for each mistake."""
        own = {key: value for key, value in args.items() if key not in APPDAEMON_KEYS}
        try:
            return cls.model_validate(own)
        except ValidationError as error:
            details = error.errors(include_url=False)
        # Not `from error`: its text holds the values, secrets included.
        raise ConfigError("\n".join(line for each in details for line in _lines(each)))

    @property
    def house(self) -> House:
        """The physical side."""
        return House(battery=self.battery, inverter=self.inverter, grid=self.grid)


def names_in(section: type) -> tuple[str, ...]:
    """The keys that a section has."""
    if is_dataclass(section):
        return tuple(field.name for field in fields(section))
    return tuple(section.model_fields) if issubclass(section, BaseModel) else ()


def section_in(section: type, name: str) -> type | None:
    """The section, or the kind of entry of a list, that a key of a section holds; None if none."""
    if not issubclass(section, BaseModel) or name not in section.model_fields:
        return None
    kind = section.model_fields[name].annotation
    for inner in (kind, *get_args(kind)):
        if isinstance(inner, type) and names_in(inner):
            return inner
    return None


def _lines(error: ErrorDetails) -> Iterator[str]:
    path = _path(error["loc"])
    given = error["input"]
    shown = "(hidden)" if _SECRET & set(error["loc"]) else repr(given)
    match error["type"]:
        case "value_error":
            for line in str(error["ctx"]["error"]).splitlines():
                yield _under(path, line)
        case "missing":
            yield f"{path} must be given"
        case "extra_forbidden" | "unexpected_keyword_argument":
            yield f"{path} is not a setting{_did_you_mean(error['loc'])}"
        case "literal_error" | "enum":
            yield f"{path} must be {error['ctx']['expected']}, not {shown}"
        case "model_type" | "dataclass_type":
            yield f"{path} must have settings indented below it, not {shown}"
        case _:
            wanted = error["msg"].removeprefix("Input should be ").partition(", unable")[0]
            yield f"{path} must be {wanted}, not {shown}"


def _path(loc: tuple[str | int, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")


def _under(path: str, line: str) -> str:
    first, _, rest = line.partition(" ")
    is_name = first.strip(",").isidentifier() and rest.startswith(("must", "or", "and", "may"))
    separator = "." if is_name or first.endswith(",") else ": "
    return f"{path}{separator}{line}" if path else line


def _did_you_mean(loc: tuple[str | int, ...]) -> str:
    section: type = Config
    for part in loc[:-1]:
        section = (section_in(section, part) or section) if isinstance(part, str) else section
    wrong, names = str(loc[-1]), names_in(section)
    near = get_close_matches(wrong, names, n=1)
    if near:
        return f"; did you mean {_path((*loc[:-1], near[0]))}?"
    elsewhere = [
        f"{part}.{wrong}"
        for part in Config.model_fields
        if (inner := section_in(Config, part)) is not None and wrong in names_in(inner)
    ]
    if elsewhere:
        return f"; did you mean {elsewhere[0]}?"
    return f"; there are {', '.join(names)}"
