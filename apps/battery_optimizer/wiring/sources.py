"""Who is asked for rates and for the sun, by the settings."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.events import OctopusEvents
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.adapters.rates.agile_predict import API_URL as AGILE_PREDICT_URL
from battery_optimizer.adapters.rates.agile_predict import CALLS_PER_HOUR as AGILE_PREDICT_CALLS
from battery_optimizer.adapters.rates.agile_predict import AgilePredict
from battery_optimizer.adapters.rates.demo import DemoRates
from battery_optimizer.adapters.rates.feed import RatesFeed, RatesSource, RatesStore
from battery_optimizer.adapters.solar.days import DAYS, has_day, named
from battery_optimizer.adapters.solar.feed import SolarSource
from battery_optimizer.adapters.solar.forecast_solar import API_URL as FORECAST_SOLAR_URL
from battery_optimizer.adapters.solar.forecast_solar import CALLS_PER_HOUR, ForecastSolar
from battery_optimizer.adapters.solar.forecast_solar_entities import ForecastSolarEntities
from battery_optimizer.adapters.solar.open_meteo import API_URL as OPEN_METEO_URL
from battery_optimizer.adapters.solar.open_meteo import OpenMeteoApi, OpenMeteoEntities
from battery_optimizer.adapters.solar.solcast import SolcastEntities
from battery_optimizer.config import Config
from battery_optimizer.config_sections import RatesSettings, SolarSettings, SolarSourceName
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.forecast.sky import Place, Site, clear_sky_kw
from battery_optimizer.host import Host
from battery_optimizer.model.entity import ListEntities, ReadState
from battery_optimizer.model.slots import SLOT, Floats, day_bounds
from battery_optimizer.model.solar import SolarArray
from battery_optimizer.model.tariff import Direction

OCTOPUS_TIMEOUTS_S: Final = (3.0, 15.0)
OCTOPUS_ATTEMPTS: Final = 2
"""Few: the cycle waits meanwhile, and the feed asks again a minute later."""

_USUAL_PANELS: Final = (SolarArray(peak_kw=1.0, tilt_deg=35.0, azimuth_deg=0.0),)


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


def rates_feed(
    rates: RatesSettings, source: RatesSource, store: RatesStore, demo: DemoRates | None
) -> RatesFeed:
    """Unit rates as they are set: fetched, fixed, and forecast."""
    return RatesFeed(source, store, demo, fixed=fixed_rates(rates), ahead=rates_ahead(rates))


def rates_ahead(rates: RatesSettings) -> AgilePredict | None:
    """Who forecasts rates beyond the published ones, if that is wanted."""
    if not rates.agile_predict or rates.region is None:
        return None
    api = JsonApi(base_url=AGILE_PREDICT_URL, calls_per_hour=AGILE_PREDICT_CALLS, timeout_s=5.0)
    return AgilePredict(get_json=api.get, region=rates.region)


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
    """What bills are reckoned by, for anybody to see: another name for another tariff."""
    fixed = [f"{way} {rate:g} p" for way, rate in fixed_rates(rates).items()]
    return ", ".join(fixed if len(fixed) == len(Direction) else [source, *fixed])


def panels_place(solar: SolarSettings, host: Host) -> Place:
    """Where the panels are: as set, else where AppDaemon is."""
    return (
        host.latitude if solar.latitude is None else solar.latitude,
        host.longitude if solar.longitude is None else solar.longitude,
    )


def forecaster(config: Config, place: Place) -> HistoryForecaster:
    """Knows the panels, so that even with no forecast there is a sky to go by."""
    solar = config.solar
    if not solar.arrays:
        return HistoryForecaster(attitude=config.planner.attitude)
    site = Site(latitude=place[0], longitude=place[1], arrays=solar.arrays)
    return HistoryForecaster(
        attitude=config.planner.attitude,
        peak_kw=sum(array.peak_kw for array in solar.arrays),
        site=site,
    )


def roofs(solar: SolarSettings, host: Host) -> list[str]:
    """Today's entities that Open-Meteo Solar Forecast's, or else Forecast.Solar's, are found by."""
    if solar.open_meteo_entities:
        return [solar.open_meteo_entities[0]]
    known = list(host.list_entities())
    tabled = [each for each in named(known, DAYS[0], titled=True) if has_day(host.read_state(each))]
    return tabled or named(known, DAYS[0])


def _clear_day(day: date, site: Site) -> Floats:
    """A cloudless day's power, at the middle of each half hour [kW]."""
    start, end = day_bounds(day)
    return clear_sky_kw([start + (t + 0.5) * SLOT for t in range((end - start) // SLOT)], site)


def solar_sources(config: Config, host: Host, place: Place) -> list[SolarSource]:
    """Those set, in the order set; an API needs to know the panels."""
    solar = config.solar
    latitude, longitude = place
    peak_kw = sum(array.peak_kw for array in solar.arrays) or None
    made: dict[SolarSourceName, SolarSource] = {
        "solcast": SolcastEntities(
            read_state=host.read_state,
            list_entities=host.list_entities,
            entities=solar.solcast,
            last_polled=solar.solcast_last_polled,
            peak_kw=peak_kw,
        ),
        "open_meteo_entities": OpenMeteoEntities(
            read_state=host.read_state,
            list_entities=host.list_entities,
            entities=solar.open_meteo_entities,
            peak_kw=peak_kw,
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
    # The direction of panels that nobody described hardly matters to the course of a day.
    site = Site(latitude=latitude, longitude=longitude, arrays=solar.arrays or _USUAL_PANELS)
    made["forecast_solar_entities"] = ForecastSolarEntities(
        read_state=host.read_state,
        list_entities=host.list_entities,
        entities=solar.open_meteo_entities[:2],
        shape=lambda day: _clear_day(day, site),
        peak_kw=peak_kw,
    )
    return [made[name] for name in solar.sources if solar.arrays or name not in needs_panels]
