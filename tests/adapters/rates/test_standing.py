from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from battery_optimizer.adapters.rates.demo import STANDING_CHARGE_P, DemoRates
from battery_optimizer.adapters.rates.standing import StandingFeed
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import RatesUnavailable

NOW = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
TODAY = date(2026, 7, 2)
HOUR = timedelta(hours=1)
ONE_DAY = timedelta(days=1)


@dataclass
class Supplier:
    """Says its charge, unless it is away."""

    charge_p: float = 51.5
    is_away: bool = False
    name: str = "octopus agile"
    asked: list[datetime] = field(default_factory=list)

    def standing_charge(self, now: datetime) -> float:
        self.asked.append(now)
        if self.is_away:
            raise RatesUnavailable("Octopus did not answer")
        return self.charge_p


def test_the_charge_of_the_local_day_is_asked_for_and_kept(store: Store) -> None:
    StandingFeed(Supplier(), store.money).refresh(NOW)
    later = StandingFeed(Supplier(is_away=True), store.money)
    assert later.on(TODAY) == 51.5
    (kept,) = store.money.standing_charges("octopus agile", NOW, NOW + HOUR)
    assert kept.start == datetime(2026, 7, 1, 23, tzinfo=UTC)


def test_it_is_asked_a_few_times_a_day_and_sooner_after_a_failure(store: Store) -> None:
    supplier = Supplier()
    feed = StandingFeed(supplier, store.money)
    for hours in range(13):
        feed.refresh(NOW + hours * HOUR)
    assert supplier.asked == [NOW, NOW + 6 * HOUR, NOW + 12 * HOUR]
    supplier.is_away = True
    for hours in range(18, 21):
        feed.refresh(NOW + hours * HOUR)
    assert len(supplier.asked) == 6


def test_at_midnight_it_is_asked_anew(store: Store) -> None:
    supplier = Supplier()
    feed = StandingFeed(supplier, store.money)
    feed.refresh(NOW - HOUR)
    supplier.charge_p = 60.0  # a new tariff, from the local midnight in between
    feed.refresh(NOW)
    assert feed.on(TODAY) == 60.0
    assert feed.on(TODAY - ONE_DAY) == 51.5


def test_after_the_clock_was_set_back_it_is_asked_as_ever(store: Store) -> None:
    supplier = Supplier()
    feed = StandingFeed(supplier, store.money)
    feed.refresh(NOW + 365 * ONE_DAY)  # a computer without a clock of its own, just started
    for hours in range(7):
        feed.refresh(NOW + hours * HOUR)
    assert supplier.asked[1:] == [NOW, NOW + 6 * HOUR]
    assert feed.on(TODAY) == 51.5


def test_a_day_never_asked_for_has_the_nearest_known_charge(store: Store) -> None:
    supplier = Supplier()
    feed = StandingFeed(supplier, store.money)
    feed.refresh(NOW)
    supplier.charge_p = 60.0
    feed.refresh(NOW + 10 * ONE_DAY)
    assert feed.on(TODAY - 5 * ONE_DAY) == 51.5
    assert feed.on(TODAY + 4 * ONE_DAY) == 51.5
    assert feed.on(TODAY + 9 * ONE_DAY) == 60.0
    assert feed.on(TODAY - 50 * ONE_DAY) is None


def test_nothing_known_is_not_nothing_to_pay(store: Store) -> None:
    feed = StandingFeed(Supplier(is_away=True), store.money)
    feed.refresh(NOW)
    assert feed.on(TODAY) is None


def test_the_householders_word_counts_and_nobody_is_asked(store: Store) -> None:
    supplier = Supplier()
    feed = StandingFeed(supplier, store.money, fixed_p=0.0)
    feed.refresh(NOW)
    assert (feed.on(TODAY), supplier.asked) == (0.0, [])


def test_a_made_up_charge_serves_until_there_is_a_real_one(store: Store) -> None:
    supplier = Supplier(is_away=True)
    feed = StandingFeed(supplier, store.money, DemoRates())
    feed.refresh(NOW)
    assert feed.on(TODAY) == STANDING_CHARGE_P
    supplier.is_away = False
    feed.refresh(NOW + HOUR)
    assert feed.on(TODAY) == 51.5
