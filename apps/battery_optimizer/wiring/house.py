"""Makes a running house of the settings: the adapters, the cycle, and what looks back.

Knows nothing of AppDaemon, whose callables come in as a `Host`. Sources of rates and sun are made
in `sources`, the inverter's adapter in `inverter`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from battery_optimizer.adapters.instance import Instance
from battery_optimizer.adapters.octopus.dispatches import PlannedDispatches
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.rates.demo import DemoRates
from battery_optimizer.adapters.rates.feed import RatesFeed
from battery_optimizer.adapters.rates.standing import StandingFeed
from battery_optimizer.adapters.solar.feed import SolarFeed
from battery_optimizer.adapters.store.pruning import Pruning
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.config import Config
from battery_optimizer.cycle import Cycle
from battery_optimizer.errors import ConfigError
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.forecast.sky import Place
from battery_optimizer.foresight import Foresight
from battery_optimizer.hindsight.review import Review
from battery_optimizer.host import Host
from battery_optimizer.model.decision import CycleOutcome, SentCommand
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import Control
from battery_optimizer.money.ledger import Ledger
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from battery_optimizer.wiring.found import Survey
from battery_optimizer.wiring.inverter import AnyInverter, Wired, connect_inverter, find_inverter
from battery_optimizer.wiring.load import more_sensors, most_load_kw, schedules, weather
from battery_optimizer.wiring.running import RunningHouse
from battery_optimizer.wiring.sources import (
    forecaster,
    panels_place,
    rates_feed,
    rates_source,
    solar_sources,
    tariff_name,
)
from battery_optimizer.wiring.wishes import house_wishes

DATABASE: Final = "battery_optimizer.db"
SIMULATED_DATABASE: Final = "battery_optimizer_simulated.db"
"""Apart, so that a real house learns nothing from a simulated one."""


@dataclass(frozen=True)
class _RealPlans:
    """A journal in which plans by made-up rates are not found, so that none of them is followed."""

    store: Store

    def record(self, outcome: CycleOutcome) -> None:
        self.store.record(outcome)

    def last_plan(self) -> Plan | None:
        plan = self.store.last_plan()
        return None if plan is None or plan.is_demo else plan

    def commands(self, start: datetime, end: datetime) -> Sequence[SentCommand]:
        return self.store.commands(start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a house is wired to, and by which settings."""

    config: Config
    """With what the inverter tells of itself."""
    host: Host
    wired: Wired
    instance: Instance
    store: Store
    source: DemoRates | HouseRates
    rates: RatesFeed
    standing: StandingFeed
    solar: SolarFeed
    meters: EntityMeters
    schedules: PlannedDispatches
    inverter: AnyInverter
    place: Place


def connect(config: Config, host: Host) -> RunningHouse:
    """Wire a house; ConfigError if it must not run, InverterError while no inverter is found."""
    parts = _parts(config, host)
    config = parts.config
    foreseen = forecaster(config, parts.place)
    cycle = _cycle(parts, foreseen)
    return RunningHouse(
        config=config,
        host=host,
        instance=parts.instance,
        store=parts.store,
        pruning=Pruning(parts.store),
        rates=parts.rates,
        solar=parts.solar,
        meters=parts.meters,
        schedules=parts.schedules,
        meter_entities=parts.wired.meters,
        inverter=parts.inverter,
        survey=_survey(parts, cycle, foreseen),
        wishes=house_wishes(config, host, parts.store),
        review=_review(parts),
        standing=parts.standing,
        ledger=_ledger(parts),
        cycle=cycle,
    )


def _parts(config: Config, host: Host) -> _Parts:
    has_home_assistant = host.get_history is not None
    if has_home_assistant:
        _require_real_rates(config)
    place = panels_place(config.solar, host)
    wired = find_inverter(config, host)
    config = config.with_found(wired.says)
    # Made before the claim, so that a wrong setting leaves nothing behind.
    source = rates_source(config.rates, host.read_state, host.list_entities)
    drives = config.control is Control.ACTIVE
    instance = Instance(host.folder, inverter=wired.id, app=host.app, drives=drives)
    path = host.folder / (DATABASE if has_home_assistant else SIMULATED_DATABASE)
    store = Store(path, large_loads=config.load.names)
    demo = DemoRates() if config.rates.demo == "auto" and not has_home_assistant else None
    charge_p = config.rates.standing_charge_p
    return _Parts(
        config=config,
        host=host,
        wired=wired,
        instance=instance,
        store=store,
        source=source,
        rates=rates_feed(config.rates, source, store, demo),
        standing=StandingFeed(source, store.money, demo, fixed_p=charge_p),
        solar=SolarFeed(sources=solar_sources(config, host, place), store=store),
        meters=_meters(config, host, wired),
        schedules=schedules(config.load, host),
        inverter=connect_inverter(config, host, wired, store),
        place=place,
    )


def _cycle(parts: _Parts, foreseen: HistoryForecaster) -> Cycle:
    config, store = parts.config, parts.store
    ports = Ports(
        meters=parts.meters,
        rates=parts.rates,
        solar=parts.solar,
        history=store,
        inverter=parts.inverter,
        journal=_RealPlans(store) if config.rates.demo != "always" else store,
        weather=weather(config.load, parts.place),
        schedules=parts.schedules,
        place=parts.place,
    )
    return Cycle(
        house=config.house,
        ports=ports,
        foresight=Foresight(ports, foreseen, config.planner),
        planner=Planner(config.planner),
        control=config.control,
        commands=config.commands,
    )


def _survey(parts: _Parts, cycle: Cycle, foreseen: HistoryForecaster) -> Survey:
    return Survey(
        config=parts.config,
        host=parts.host,
        wired=parts.wired,
        inverter=parts.inverter,
        source=parts.source,
        rates=parts.rates,
        solar=parts.solar,
        learned=lambda: cycle.learned,
        load=lambda: foreseen.load_forecast,
    )


def _review(parts: _Parts) -> Review:
    return Review(
        past=parts.store,
        losses=parts.store.money,
        rates=parts.rates,
        house=lambda: replace(parts.config.house, abilities=parts.inverter.abilities),
        settings=parts.config.planner,
    )


def _ledger(parts: _Parts) -> Ledger:
    return Ledger(
        readings=parts.store,
        books=parts.store.money,
        rates=parts.rates,
        standing=parts.standing,
        house=parts.config.house,
        tariff=tariff_name(parts.source.tariff_name, parts.config.rates),
        has_solar=parts.wired.meters.solar is not None,
    )


def _require_real_rates(config: Config) -> None:
    if config.rates.demo == "always" and config.control is Control.ACTIVE:
        raise ConfigError(
            "rates.demo must not be 'always' for a real house: set control to 'read_only' to try "
            "the app with made-up rates"
        )


def _meters(config: Config, host: Host, wired: Wired) -> EntityMeters:
    return EntityMeters(
        read_state=host.read_state,
        entities=wired.meters,
        battery=config.battery,
        more=more_sensors(config.load, host),
        most_load_kw=most_load_kw(config),
    )
