from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.adapters.rates.demo import DemoRates, demo_rate
from battery_optimizer.adapters.rates.feed import RatesFeed, RatesSource, RatesStore
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import RatesUnavailable, StoreUnavailable
from battery_optimizer.model.slots import SLOT, day_bounds, local_time
from battery_optimizer.model.tariff import Direction, KnownRates, UnitRate
from octopus_server import Fault, OctopusServer, a_row, half_hours

NOW = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
SLOT_NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
DAY = timedelta(days=1)
IMPORT, EXPORT = Direction.IMPORT, Direction.EXPORT
IMPORT_CODE = "E-1R-AGILE-24-10-01-C"
EXPORT_CODE = "E-1R-AGILE-OUTGOING-19-05-13-C"
PRODUCTS = {IMPORT: "AGILE-24-10-01", EXPORT: "AGILE-OUTGOING-19-05-13"}
DOWN = [Fault(status=404)] * 2
"""One refusal for each direction."""


@dataclass
class World:
    """The API, a real database, and feeds that use both."""

    server: OctopusServer
    client: OctopusClient
    store: Store

    def feed(
        self,
        *,
        fallback: RatesSource | None = None,
        fixed: Mapping[Direction, float] | None = None,
        store: RatesStore | None = None,
        products: Mapping[Direction, str] = PRODUCTS,
    ) -> RatesFeed:
        source = OctopusRates(self.client, products=products, region="C")
        return RatesFeed(source, store or self.store, fallback, fixed=fixed)

    def publish(self, start: datetime, import_p: list[float], export_p: list[float]) -> None:
        self.server.publish(IMPORT_CODE, half_hours(start, import_p))
        self.server.publish(EXPORT_CODE, half_hours(start, export_p))

    def publish_today(self) -> None:
        """What is known at `NOW`: from 20 days ago to 23:00 today, 10 p and 5 p."""
        start = SLOT_NOW - 20 * DAY
        n_slots = (SLOT_NOW + 8 * timedelta(hours=1) - start) // SLOT
        self.publish(start, [10.0] * n_slots, [5.0] * n_slots)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with OctopusServer() as server:
        client = OctopusClient(server.url, timeouts_s=(5.0, 5.0), sleep=lambda _: None)
        store = Store(tmp_path / "battery_optimizer.db")
        yield World(server, client, store)
        store.close()


class NoDemo:
    """A fallback that fails as well."""

    name = "none"
    is_demo = True

    def fetch(self, *_: object) -> list[UnitRate]:
        raise RatesUnavailable("no demo today")


class FullDisk:
    """A store that can neither be written nor read."""

    def save_rates(self, **_: object) -> None:
        raise StoreUnavailable("the disk is full")

    def load_rates(self, **_: object) -> list[UnitRate]:
        raise StoreUnavailable("the disk is full")


def known(feed: RatesFeed, now: datetime = NOW, hours: float = 24) -> KnownRates:
    return feed.known_rates(now, now + timedelta(hours=hours), now)


def test_what_was_fetched_is_known_as_far_as_it_is_published(world: World) -> None:
    world.publish_today()
    feed = world.feed()
    assert feed.refresh(NOW)
    rates = known(feed)
    assert rates.imports.start == SLOT_NOW
    assert rates.imports.values[:16].tolist() == [10.0] * 16
    assert rates.exports.values[:16].tolist() == [5.0] * 16
    assert np.isnan(rates.imports.values[16:]).all()
    assert not rates.is_demo
    assert (feed.last_error, feed.next_retry, feed.fetched_at) == (None, None, NOW)


def test_after_a_restart_days_that_are_known_keep_their_rates(world: World) -> None:
    """The source may have another tariff by now; what is missing is filled by what it has."""
    world.publish_today()
    first = world.feed()
    first.refresh(NOW - 6 * DAY)
    world.server.unit_rates.clear()
    start = SLOT_NOW - 20 * DAY
    n_slots = (SLOT_NOW + 8 * timedelta(hours=1) - start) // SLOT
    world.publish(start, [30.0] * n_slots, [5.0] * n_slots)
    again = world.feed()
    assert again.refresh(NOW)
    days = again.known_rates(SLOT_NOW - 10 * DAY, SLOT_NOW, NOW).imports.values.reshape(-1, 48)
    # As far as the first one fetched, three days ahead; then the new ones.
    assert days[:, 0].tolist() == [10.0] * 7 + [30.0] * 3


def test_before_the_first_refresh_it_says_so(world: World) -> None:
    with pytest.raises(RatesUnavailable, match="not been fetched yet"):
        known(world.feed())


def test_rates_that_ended_before_the_window_do_not_reach_into_it(world: World) -> None:
    world.publish(SLOT_NOW - DAY, [1.0] * 40, [1.0] * 40)
    world.publish(SLOT_NOW, [10.0], [5.0])
    feed = world.feed()
    feed.refresh(NOW)
    assert np.isfinite(known(feed).imports.values).tolist() == [True] + [False] * 48


def test_two_weeks_are_fetched_at_first_and_two_days_then(world: World) -> None:
    world.publish_today()
    feed = world.feed()
    feed.refresh(NOW)
    feed.refresh(NOW + timedelta(minutes=30))
    starts = [asked.query["period_from"] for asked in world.server.asked]
    assert starts == ["2026-11-06T15:00:00Z"] * 2 + ["2026-11-18T15:30:00Z"] * 2
    past = feed.known_rates(NOW - 14 * DAY, NOW, NOW)
    assert np.isfinite(past.imports.values).all()


def test_after_a_restart_with_the_api_down_stored_rates_serve(world: World) -> None:
    world.publish_today()
    world.feed().refresh(NOW)
    restarted = world.feed()
    world.server.fail_next(*DOWN)
    assert not restarted.refresh(NOW)
    assert known(restarted).imports.at(NOW) == 10.0
    assert restarted.last_error is not None
    assert IMPORT_CODE in restarted.last_error


def test_a_correction_holds_and_missing_slots_stay_unknown(world: World) -> None:
    rows = half_hours(SLOT_NOW, [10.0, 11.0, 12.0, 13.0])
    del rows[1]
    world.server.publish(IMPORT_CODE, rows)
    world.server.publish(EXPORT_CODE, half_hours(SLOT_NOW, [5.0] * 4))
    feed = world.feed()
    feed.refresh(NOW)
    assert np.array_equal(
        known(feed, hours=1.8).imports.values, [10, np.nan, 12, 13], equal_nan=True
    )
    world.server.unit_rates[IMPORT_CODE] = half_hours(SLOT_NOW, [10.0, 20.0, 22.0])
    feed.refresh(NOW)
    # What was published once and is not now is still the last that is known.
    assert known(feed, hours=1.8).imports.values.tolist() == [10, 20, 22, 13]
    assert known(world.feed(), hours=1.8).imports.values.tolist() == [10, 20, 22, 13]


def test_single_bad_rows_are_told(world: World) -> None:
    world.publish_today()
    bad = a_row(SLOT_NOW, SLOT_NOW + SLOT, "free")
    world.server.publish(IMPORT_CODE, [bad])
    feed = world.feed()
    assert feed.refresh(NOW)
    assert len(feed.problems) == 1
    assert "left out" in feed.problems[0]
    world.server.unit_rates[IMPORT_CODE].remove(bad)
    feed.refresh(NOW)
    assert feed.problems == ()


def test_retries_come_later_and_later_until_one_succeeds(world: World) -> None:
    feed = world.feed()
    waits = []
    for _ in range(7):
        feed.refresh(NOW)
        assert feed.next_retry is not None
        waits.append((feed.next_retry - NOW) / timedelta(minutes=1))
    assert waits == [1, 2, 5, 10, 30, 30, 30]
    world.publish_today()
    assert feed.refresh(NOW)
    assert feed.next_retry is None
    world.server.fail_next(*DOWN)
    feed.refresh(NOW)
    assert feed.next_retry == NOW + timedelta(minutes=1)


def test_one_direction_is_kept_though_the_other_fails(world: World) -> None:
    world.server.publish(IMPORT_CODE, half_hours(SLOT_NOW, [10.0]))
    feed = world.feed()
    assert not feed.refresh(NOW)
    with pytest.raises(RatesUnavailable, match=f"no export rate is known: .*{EXPORT_CODE}"):
        known(feed)
    world.server.publish(EXPORT_CODE, half_hours(SLOT_NOW, [5.0]))
    world.server.fail_next(Fault(status=404))
    assert not feed.refresh(NOW)
    assert known(feed).imports.at(NOW) == 10.0
    assert known(feed).exports.at(NOW) == 5.0


def test_a_tariff_without_published_rates_is_an_error(world: World) -> None:
    world.publish(SLOT_NOW, [], [])
    feed = world.feed()
    assert not feed.refresh(NOW)
    assert feed.last_error is not None
    assert "no import rate has been published since 06 November" in feed.last_error


def test_an_open_ended_rate_is_known_for_any_48_hours_to_come(world: World) -> None:
    for code in (IMPORT_CODE, EXPORT_CODE):
        world.server.publish(code, [a_row(SLOT_NOW - 90 * DAY, None, 24.0)])
    feed = world.feed()
    feed.refresh(NOW)
    later = NOW + timedelta(minutes=59)
    assert np.isfinite(known(feed, now=later, hours=48).imports.values).all()


def test_another_tariff_does_not_see_the_rates_of_the_former(world: World) -> None:
    world.server.publish(IMPORT_CODE, [a_row(SLOT_NOW - 90 * DAY, None, 24.0)])
    world.server.publish(EXPORT_CODE, half_hours(SLOT_NOW, [5.0]))
    world.feed().refresh(NOW)
    other = world.feed(products={**PRODUCTS, IMPORT: "AGILE-26-05-01"})
    with pytest.raises(RatesUnavailable):
        known(other)


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_a_clock_change_day_is_known_slot_for_slot(world: World, day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    values = [float(t) for t in range(n_slots)]
    world.publish(start, values, values)
    feed = world.feed()
    feed.refresh(start)
    assert feed.known_rates(start, end, start).imports.values.tolist() == values


# Fixed rates


def test_fixed_rates_hold_always_and_need_no_source(world: World) -> None:
    feed = world.feed(fixed={IMPORT: 24.5, EXPORT: 0.0})
    assert feed.refresh(NOW)
    rates = known(feed, hours=48)
    assert set(rates.imports.values) == {24.5}
    assert set(rates.exports.values) == {0.0}
    assert rates.imports.start == SLOT_NOW
    assert world.server.asked == []
    assert not rates.is_demo


def test_a_fixed_export_rate_goes_with_half_hourly_imports(world: World) -> None:
    world.publish_today()
    feed = world.feed(fixed={EXPORT: 15.0})
    assert feed.refresh(NOW)
    assert known(feed).imports.at(NOW) == 10.0
    assert set(known(feed).exports.values) == {15.0}
    assert len(world.server.asked) == 1


# Demo rates


def test_without_the_real_rates_demo_rates_serve_and_say_so(world: World) -> None:
    feed = world.feed(fallback=DemoRates())
    assert not feed.refresh(NOW)
    rates = known(feed)
    assert rates.is_demo
    assert rates.imports.at(NOW) == demo_rate(IMPORT, SLOT_NOW)
    assert rates.exports.at(NOW) == demo_rate(EXPORT, SLOT_NOW)
    assert np.isnan(rates.imports.at(local_time(NOW.date(), time(23))))
    assert feed.last_error is not None
    past = feed.known_rates(NOW - 14 * DAY, NOW, NOW)
    assert past.is_demo
    assert np.isfinite(past.imports.values).all()


def test_once_real_rates_are_known_no_demo_rate_is_left(world: World) -> None:
    feed = world.feed(fallback=DemoRates())
    feed.refresh(NOW)
    world.server.publish(IMPORT_CODE, half_hours(SLOT_NOW, [10.0]))
    world.server.publish(EXPORT_CODE, half_hours(SLOT_NOW, [5.0]))
    assert feed.refresh(NOW)
    rates = feed.known_rates(NOW - DAY, NOW + DAY, NOW)
    assert not rates.is_demo
    assert np.isfinite(rates.imports.values).sum() == 1
    assert np.isfinite(rates.exports.values).sum() == 1


def test_stored_real_rates_come_before_demo_rates_as_long_as_they_reach_now(world: World) -> None:
    world.publish_today()
    feed = world.feed(fallback=DemoRates())
    feed.refresh(NOW)
    tomorrow = NOW + DAY
    for now, is_demo in ((NOW + timedelta(hours=7), False), (tomorrow, True)):
        world.server.fail_next(*DOWN)
        feed.refresh(now)
        assert known(feed, now=now).is_demo is is_demo
    # Of the past the same is told as of what is to come: never some of each.
    past = feed.known_rates(NOW - DAY, NOW, tomorrow)
    assert past.is_demo
    assert past.imports.at(SLOT_NOW - DAY) == demo_rate(IMPORT, SLOT_NOW - DAY)


def test_demo_rates_may_be_chosen_and_then_say_so_too(world: World) -> None:
    feed = RatesFeed(DemoRates(), world.store, fixed={EXPORT: 15.0})
    assert feed.refresh(NOW)
    assert known(feed).is_demo
    assert not known(RatesFeed(DemoRates(), world.store, fixed={IMPORT: 1, EXPORT: 2})).is_demo


def test_a_broken_fallback_is_told(world: World) -> None:
    feed = world.feed(fallback=NoDemo())
    assert not feed.refresh(NOW)
    assert feed.problems == ("no demo today",)


# A store that fails


def test_what_was_fetched_serves_though_it_cannot_be_stored(world: World) -> None:
    world.publish_today()
    feed = world.feed(store=FullDisk())
    for _ in range(2):
        assert feed.refresh(NOW)
        assert "rates cannot be stored: the disk is full" in feed.problems
        past = feed.known_rates(NOW - 14 * DAY, NOW + SLOT, NOW)
        assert np.isfinite(past.imports.values).all()
    assert "stored rates cannot be read: the disk is full" in feed.problems
