"""Makes a running house of the settings: adapters, the cycle, and what is asked of them each time.

Knows nothing of AppDaemon, whose callables come in as a `Host`. Sources of rates and sun are made
in `sources`, the inverter's adapter in `inverter`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from battery_optimizer.adapters.instance import HEARTBEAT, Instance, Rival
from battery_optimizer.adapters.octopus.dispatches import PlannedDispatches
from battery_optimizer.adapters.rates.demo import DemoRates
from battery_optimizer.adapters.rates.feed import RatesFeed
from battery_optimizer.adapters.rates.standing import StandingFeed
from battery_optimizer.adapters.solar.feed import SolarFeed
from battery_optimizer.adapters.store.pruning import Pruning
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.config import Config
from battery_optimizer.cycle import Cycle
from battery_optimizer.diagnostics import DAYS_AHEAD, DAYS_KNOWN, Diagnosis, Recent
from battery_optimizer.errors import ConfigError, DataError
from battery_optimizer.host import Host
from battery_optimizer.model.band import soc_band
from battery_optimizer.model.decision import CycleOutcome, SentCommand
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import Control
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from battery_optimizer.simulate.hindsight.review import Review
from battery_optimizer.simulate.money.ledger import Ledger
from battery_optimizer.wiring.found import Survey
from battery_optimizer.wiring.inverter import AnyInverter, connect_inverter, find_inverter
from battery_optimizer.wiring.load import more_sensors, most_load_kw, remembered, schedules, weather
from battery_optimizer.wiring.sources import (
    forecaster,
    panels_place,
    rates_feed,
    rates_source,
    solar_sources,
    tariff_name,
)
from battery_optimizer.wiring.wishes import HouseWishes, house_wishes

T = TypeVar("T")

DATABASE: Final = "battery_optimizer.db"
SIMULATED_DATABASE: Final = "battery_optimizer_simulated.db"
"""Apart, so that a real house learns nothing from a simulated one."""
RATES_EVERY: Final = timedelta(minutes=30)


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


@dataclass(kw_only=True)
class RunningHouse:
    """One house, wired up."""

    config: Config
    host: Host
    instance: Instance
    store: Store
    rates: RatesFeed
    solar: SolarFeed
    meters: EntityMeters
    schedules: PlannedDispatches
    meter_entities: MeterEntities
    inverter: AnyInverter
    cycle: Cycle
    wishes: HouseWishes
    review: Review
    ledger: Ledger
    standing: StandingFeed
    survey: Survey
    pruning: Pruning
    recent: Recent = field(default_factory=Recent)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is ever sent."""
        return self.config.control is Control.READ_ONLY

    def run(self, now: datetime) -> Shown:
        """One cycle, and rates if they are due: first, if it cannot do without them.

        A source that does not answer takes a minute, in which a forced mode would go on.
        """
        is_due, is_first = self._rates_due(now), not self.rates.covers(now)
        if is_due and is_first:
            self.rates.refresh(now)
        self.ledger.recall(now)
        outcome = self.cycle.run(now, self.wishes.wishes(now))
        self.recent.add(outcome)
        if is_due and not is_first:
            self.rates.refresh(now)
        return Shown(
            outcome=outcome,
            capacity_kwh=self.config.battery.capacity_kwh,
            problems=tuple(dict.fromkeys((*outcome.problems, *self._problems()))),
            instance=self.instance.id,
            inverter=self.instance.facts["inverter"],
            yesterday=self.review.latest,
            band=soc_band(outcome.inputs.house, outcome.plan, outcome.outlook)
            if outcome.plan and outcome.inputs
            else {},
            savings=self.ledger.savings,
        )

    def diagnosis(self, now: datetime, health: dict[str, Any]) -> Diagnosis:
        """All that a report needs, as far as it can be had: what fails is why it is asked for."""
        start = floor_to_slot(now) - DAYS_KNOWN
        cycles = _if_known(lambda: self.recent.with_older(self.store, now))
        return Diagnosis(
            made_at=now,
            config=self.config,
            health=health,
            cycles=self.recent.cycles if cycles is None else cycles,
            rates=_if_known(lambda: self.rates.known_rates(start, now + DAYS_AHEAD, now)),
            observed=_if_known(lambda: self.store.observations(start, now)),
        )

    def look_back(self, now: datetime) -> None:
        """A little more of what past days' decisions lost, and why; bills up to date."""
        self.review.look(now)
        self.standing.refresh(now)
        self.ledger.look(now)

    def rival(self, now: datetime) -> Rival | None:
        """For whom this app must stand aside, if it must."""
        return self.instance.rival(self.host.read_state(HEARTBEAT), now)

    def keep_house(self, now: datetime) -> None:
        """Once a day: throw away what is too old to keep."""
        self.pruning.keep_up(now)

    def seed(self, now: datetime) -> None:
        """Learn load and solar from Home Assistant's own memory."""
        if seen := remembered(self.config.load, self.host, self.meter_entities, now):
            self.store.seed_observations(seen)

    def close(self) -> None:
        """Let go of the inverter and the database."""
        self.store.close()
        self.instance.release()

    def _rates_due(self, now: datetime) -> bool:
        feed = self.rates
        # Times still to come are of a clock that was set back since.
        if feed.next_retry is not None:
            return not now < feed.next_retry <= now + RATES_EVERY
        return feed.fetched_at is None or not now - RATES_EVERY < feed.fetched_at <= now

    def _problems(self) -> tuple[str, ...]:
        known = (self.rates.last_error, self.instance.problem)
        return (
            *(problem for problem in known if problem is not None),
            *self.rates.problems,
            *self.solar.problems(),
            *self.meters.problems(),
            *self.schedules.problems(),
            *self.wishes.problems(),
            *self.store.problems(),
        )


def _if_known(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except DataError:
        return None


def connect(config: Config, host: Host) -> RunningHouse:
    """Wire a house; ConfigError if it must not run, InverterError while no inverter is found."""
    has_home_assistant = host.get_history is not None
    if config.rates.demo == "always" and has_home_assistant and config.control is Control.ACTIVE:
        raise ConfigError(
            "rates.demo must not be 'always' for a real house: set control to 'read_only' to try "
            "the app with made-up rates"
        )
    place = panels_place(config.solar, host)
    wired = find_inverter(config, host)
    config = config.with_found(wired.says)
    # Made before the claim, so that a wrong setting leaves nothing behind.
    source = rates_source(config.rates, host.read_state, host.list_entities)
    drives = config.control is Control.ACTIVE
    instance = Instance(host.folder, inverter=wired.id, app=host.app, drives=drives)
    path = host.folder / (DATABASE if has_home_assistant else SIMULATED_DATABASE)
    store = Store(path, large_loads=config.load.names)
    meters = EntityMeters(
        read_state=host.read_state,
        entities=wired.meters,
        battery=config.battery,
        more=more_sensors(config.load, host),
        most_load_kw=most_load_kw(config),
    )
    planned = schedules(config.load, host)
    inverter = connect_inverter(config, host, wired, store)
    demo = DemoRates() if config.rates.demo == "auto" and not has_home_assistant else None
    rates = rates_feed(config.rates, source, store, demo)
    charge_p = config.rates.standing_charge_p
    standing = StandingFeed(source, store.money, demo, fixed_p=charge_p)
    solar = SolarFeed(sources=solar_sources(config, host, place), store=store)
    foreseen = forecaster(config, place)
    cycle = Cycle(
        house=config.house,
        ports=Ports(
            meters=meters,
            rates=rates,
            solar=solar,
            history=store,
            inverter=inverter,
            journal=_RealPlans(store) if config.rates.demo != "always" else store,
            weather=weather(config.load, place),
            schedules=planned,
            place=place,
        ),
        forecaster=foreseen,
        planner=Planner(config.planner),
        control=config.control,
        commands=config.commands,
    )
    survey = Survey(
        config=config,
        host=host,
        wired=wired,
        inverter=inverter,
        source=source,
        rates=rates,
        solar=solar,
        learned=lambda: cycle.learned,
        load=lambda: foreseen.load_forecast,
    )
    return RunningHouse(
        config=config,
        host=host,
        instance=instance,
        store=store,
        pruning=Pruning(store),
        rates=rates,
        solar=solar,
        meters=meters,
        schedules=planned,
        meter_entities=wired.meters,
        inverter=inverter,
        survey=survey,
        wishes=house_wishes(config, host, store),
        review=Review(
            past=store,
            losses=store.money,
            rates=rates,
            house=lambda: replace(config.house, abilities=inverter.abilities),
            settings=config.planner,
        ),
        standing=standing,
        ledger=Ledger(
            readings=store,
            books=store.money,
            rates=rates,
            standing=standing,
            house=config.house,
            tariff=tariff_name(source.tariff_name, config.rates),
            has_solar=wired.meters.solar is not None,
        ),
        cycle=cycle,
    )
