"""Who is asked for rates and for the sun, by the settings."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from battery_optimizer.adapters.demo_rates import DemoRates
from battery_optimizer.adapters.forecast_solar import API_URL as FORECAST_SOLAR_URL
from battery_optimizer.adapters.forecast_solar import CALLS_PER_HOUR, ForecastSolar
from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.octopus import OctopusClient
from battery_optimizer.adapters.octopus_events import OctopusEvents
from battery_optimizer.adapters.octopus_house import HouseRates
from battery_optimizer.adapters.octopus_rates import OctopusRates
from battery_optimizer.adapters.open_meteo import API_URL as OPEN_METEO_URL
from battery_optimizer.adapters.open_meteo import OpenMeteoApi, OpenMeteoEntities
from battery_optimizer.adapters.solar_feed import SolarSource
from battery_optimizer.adapters.solcast import SolcastEntities
from battery_optimizer.config import Config
from battery_optimizer.config_sections import RatesSettings, SolarSourceName
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.forecast.sky import Site
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.tariff import Direction

OCTOPUS_TIMEOUTS_S: Final = (3.0, 15.0)
OCTOPUS_ATTEMPTS: Final = 2
"""Few: the cycle waits meanwhile, and the feed asks again a minute later."""

ReadState = Callable[[str], EntityState | None]
ListEntities = Callable[[], Iterable[str]]
Place = tuple[float, float]
"""Latitude and longitude of AppDaemon [degrees]."""


def rates_source(
    rates: RatesSettings, read_state: ReadState, list_entities: ListEntities
) -> DemoRates | HouseRates:
    """Who is asked for unit rates: what is set, else the Octopus Energy integration."""
    if rates.demo == "always":
        return DemoRates()
    client = OctopusClient(rates.base_url, timeouts_s=OCTOPUS_TIMEOUTS_S, attempts=OCTOPUS_ATTEMPTS)
    products = {Direction.IMPORT: rates.import_product, Direction.EXPORT: rates.export_product}
    chosen = {Direction.IMPORT: rates.import_event, Direction.EXPORT: rates.export_event}
    events = OctopusEvents(
        read_state=read_state,
        list_entities=list_entities,
        client=client,
        chosen={way: entity_id for way, entity_id in chosen.items() if entity_id is not None},
    )
    api = OctopusRates(
        client,
        products={way: product for way, product in products.items() if product is not None},
        region=rates.region,
        postcode=rates.postcode,
        account=rates.account,
        api_key=None if rates.api_key is None else rates.api_key.get_secret_value(),
        told=events.tariff,
    )
    return HouseRates(api=api, events=events, by_api=frozenset(asked_by_api(rates)))


def asked_by_api(rates: RatesSettings) -> Iterator[Direction]:
    """The directions in which Octopus itself is asked, as the settings want it."""
    for way in Direction:
        if getattr(rates, f"{way}_event") is not None:
            continue
        if rates.account is not None or getattr(rates, f"{way}_product") is not None:
            yield way


def fixed_rates(rates: RatesSettings) -> dict[Direction, float]:
    """Rates that are always the same [p/kWh]."""
    fixed = {Direction.IMPORT: rates.fixed_import_p, Direction.EXPORT: rates.fixed_export_p}
    return {way: rate for way, rate in fixed.items() if rate is not None}


def tariff_name(source: str, rates: RatesSettings) -> str:
    """What bills are reckoned by: another name for another tariff."""
    fixed = [f"{way} {rate:g} p" for way, rate in fixed_rates(rates).items()]
    return ", ".join(fixed if len(fixed) == len(Direction) else [source, *fixed])


def forecaster(config: Config, place: Place) -> HistoryForecaster:
    """Knows the panels, so that even with no forecast there is a sky to go by."""
    solar = config.solar
    if not solar.arrays:
        return HistoryForecaster(attitude=config.planner.attitude)
    site = Site(
        latitude=place[0] if solar.latitude is None else solar.latitude,
        longitude=place[1] if solar.longitude is None else solar.longitude,
        arrays=solar.arrays,
    )
    return HistoryForecaster(
        attitude=config.planner.attitude,
        peak_kw=sum(array.peak_kw for array in solar.arrays),
        site=site,
    )


def solar_sources(config: Config, read_state: ReadState, place: Place) -> list[SolarSource]:
    """Those set, in the order set; an API needs to know the panels."""
    solar = config.solar
    latitude = place[0] if solar.latitude is None else solar.latitude
    longitude = place[1] if solar.longitude is None else solar.longitude
    peak_kw = sum(array.peak_kw for array in solar.arrays) or None
    made: dict[SolarSourceName, SolarSource] = {
        "solcast": SolcastEntities(
            read_state=read_state,
            entities=solar.solcast,
            last_polled=solar.solcast_last_polled,
            peak_kw=peak_kw,
        ),
        "open_meteo_entities": OpenMeteoEntities(
            read_state=read_state, entities=solar.open_meteo_entities, peak_kw=peak_kw
        ),
        "open_meteo": OpenMeteoApi(
            get_json=JsonApi(base_url=OPEN_METEO_URL).get,
            latitude=latitude,
            longitude=longitude,
            arrays=solar.arrays,
        ),
        "forecast_solar": ForecastSolar(
            get_json=JsonApi(base_url=FORECAST_SOLAR_URL, calls_per_hour=CALLS_PER_HOUR).get,
            latitude=latitude,
            longitude=longitude,
            arrays=solar.arrays,
        ),
    }
    needs_panels = ("open_meteo", "forecast_solar")
    return [made[name] for name in solar.sources if solar.arrays or name not in needs_panels]
