"""What more is known of the house's load: its large parts, when they run, and how cold it is."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.ha_history import HomeAssistantHistory
from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.octopus.dispatches import ATTRIBUTE, PlannedDispatches
from battery_optimizer.adapters.open_meteo_weather import OpenMeteoWeather
from battery_optimizer.adapters.solar.open_meteo import API_URL as OPEN_METEO_URL
from battery_optimizer.adapters.telemetry.more import MoreSensors
from battery_optimizer.config import Config
from battery_optimizer.config_sections import LoadSettings
from battery_optimizer.forecast.load import LoadBasis, LoadForecast
from battery_optimizer.forecast.sky import Place
from battery_optimizer.host import Host
from battery_optimizer.model.found import Finding, Presence
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.telemetry import Observations

SEED_DAYS: Final = timedelta(days=10)
"""As long as Home Assistant's recorder remembers by default."""

_UNKNOWN_PANELS_KW: Final = 10.0
_MARGIN: Final = 1.25
"""A fuse passes more for a while, and panels give more than their peak on a cold day."""

_CHARGERS: Final = (
    "zappi", "wallbox", "ohme", "hypervolt", "easee", "podpoint", "evse", "car_charger",
    "ev_charger", "immersion", "eddi", "hot_water",
)  # fmt: skip
"""What names of sensors say that the power is a large load's."""


def more_sensors(load: LoadSettings, host: Host) -> MoreSensors:
    """The sensors of large loads and of the temperature outside."""
    return MoreSensors(
        read_state=host.read_state,
        large_loads=load.large_loads,
        outside=load.outside_temperature,
    )


def most_load_kw(config: Config) -> float:
    """More than the house can draw: what the fuse lets in, the battery gives and the sun [kW]."""
    peak_kw = sum(array.peak_kw for array in config.solar.arrays) or _UNKNOWN_PANELS_KW
    own_kw = min(config.inverter.ac_limit_kw, config.battery.max_discharge_kw + peak_kw)
    return _MARGIN * (config.grid.import_limit_kw + own_kw)


def schedules(load: LoadSettings, host: Host) -> PlannedDispatches:
    """Who tells when large loads run, of those that somebody tells of."""
    entities = {each.name: each.schedule for each in load.large_loads if each.schedule is not None}
    return PlannedDispatches(read_state=host.read_state, entities=entities)


def weather(load: LoadSettings, place: Place) -> OpenMeteoWeather | None:
    """Who is asked how cold it is going to be, if that is wanted."""
    if load.weather == "none" or (load.weather == "auto" and load.outside_temperature is None):
        return None
    return OpenMeteoWeather(
        get_json=JsonApi(base_url=OPEN_METEO_URL, timeout_s=5.0).get,
        latitude=place[0],
        longitude=place[1],
    )


def remembered(
    load: LoadSettings, host: Host, meters: MeterEntities, now: datetime
) -> Observations | None:
    """What Home Assistant's recorder remembers; None where there is none, or no load sensor."""
    if host.get_history is None or meters.load is None:
        return None

    def unit_of(entity_id: str) -> str | None:
        state = host.read_state(entity_id)
        return None if state is None else state.unit

    history = HomeAssistantHistory(
        get_history=host.get_history,
        unit_of=unit_of,
        load=meters.load,
        solar=meters.solar,
        large={each.name: each.power for each in load.large_loads},
        outside=load.outside_temperature,
    )
    return history.observations(now - SEED_DAYS, now)


def load_findings(load: LoadSettings, host: Host) -> Iterator[Finding]:
    """Large loads as set, or what looks like one."""
    for each in load.large_loads:
        state = host.read_state(each.power)
        is_there = state is not None and state.state not in ("unavailable", "unknown")
        shown = "does not exist" if state is None else f"{state.state} {state.unit or ''}".strip()
        yield Finding(
            about=f"Large load {each.name}",
            words=f"{each.power} ({shown})",
            presence=Presence.FOUND if is_there else Presence.MISSING,
            advice=""
            if is_there
            else f"{each.name} is forecast with the rest of the house until {each.power} is there",
        )
    named = {each.power for each in load.large_loads}
    for entity_id in sorted(host.list_entities()):
        if entity_id not in named and _looks_large(entity_id, host):
            planner = _dispatching(host) if "car" in _name_for(entity_id) else ""
            yield Finding(
                about="Large load",
                words=f"{entity_id} looks like one",
                presence=Presence.OPTIONAL,
                advice="if the load sensor counts it, add it under load.large_loads as "
                f"{{name: {_name_for(entity_id)}, power: {entity_id}{planner}}}",
            )
            return


def basis_findings(forecast: LoadForecast | None) -> Iterator[Finding]:
    """What the load forecast rests on, once there is one."""
    if forecast is None:
        return
    match forecast.basis:
        case LoadBasis.DEFAULT:
            words = (
                "assumed: a common British house, for less than half a day was metered so far; "
                "it learns by itself, and plans are rough on the first days"
            )
        case LoadBasis.SHORT_HISTORY:
            words = (
                f"learned from {forecast.days_known:.1f} days so far; it gets better by itself "
                "until two weeks are known"
            )
        case _:
            words = f"learned from {forecast.days_known:.0f} days"
    yield Finding(about="Load forecast", words=words)


def _looks_large(entity_id: str, host: Host) -> bool:
    if not entity_id.startswith("sensor.") or not entity_id.endswith("power"):
        return False
    if not any(word in entity_id for word in _CHARGERS):
        return False
    state = host.read_state(entity_id)
    return state is not None and state.unit in ("W", "kW")


def _name_for(entity_id: str) -> str:
    water = ("immersion", "eddi", "hot_water")
    return "hot_water" if any(word in entity_id for word in water) else "car"


def _dispatching(host: Host) -> str:
    for entity_id in sorted(host.list_entities()):
        state = host.read_state(entity_id) if "intelligent_dispatching" in entity_id else None
        if state is not None and ATTRIBUTE in state.attributes:
            return f", schedule: {entity_id}"
    return ""
