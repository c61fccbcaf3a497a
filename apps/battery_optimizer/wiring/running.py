"""One house, wired up: what is asked of it each time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from battery_optimizer.adapters.instance import HEARTBEAT, Instance, Rival
from battery_optimizer.adapters.octopus.dispatches import PlannedDispatches
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.rates.feed import RatesFeed
from battery_optimizer.adapters.rates.standing import StandingFeed
from battery_optimizer.adapters.solar.feed import SolarFeed
from battery_optimizer.adapters.store.pruning import Pruning
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.config import Config
from battery_optimizer.cycle import Cycle
from battery_optimizer.diagnostics import DAYS_AHEAD, DAYS_KNOWN, Diagnosis, Recent
from battery_optimizer.errors import DataError
from battery_optimizer.hindsight.review import Review
from battery_optimizer.host import Host
from battery_optimizer.model.band import soc_band
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.settings import Control
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.money.ledger import Ledger
from battery_optimizer.wiring.found import Survey
from battery_optimizer.wiring.inverter import AnyInverter
from battery_optimizer.wiring.load import remembered
from battery_optimizer.wiring.wishes import HouseWishes

T = TypeVar("T")

RATES_EVERY: Final = timedelta(minutes=30)


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
        has_news = self._has_news()
        is_due = has_news or self._rates_due(now)
        is_first = has_news or not self.rates.covers(now)
        if is_due and is_first:
            self.rates.refresh(now)
        self.instance.beats(now)
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

    def _has_news(self) -> bool:
        source = self.survey.source
        return isinstance(source, HouseRates) and source.has_news()

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
