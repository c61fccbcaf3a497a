from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.adapters.solar.feed import SolarFeed, SolarSource
from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable, StoreUnavailable
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import SolarForecast

NOW = datetime(2026, 6, 15, 9, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_forecast(source: str, issued_at: datetime, hours: int = 48) -> SolarForecast:
    start = datetime(2026, 6, 15, tzinfo=UTC)
    return without_spread(source, issued_at, SlotSeries(start=start, values=np.ones(2 * hours)))


@dataclass
class Sky:
    """A source that works or not, as it is told."""

    name: str
    refresh_every: timedelta = timedelta(0)
    works: bool = True
    hours: int = 48
    error: type[ForecastUnavailable] = ForecastUnavailable
    asked_at: list[datetime] = field(default_factory=list)

    def fetch(self, now: datetime) -> SolarForecast:
        self.asked_at.append(now)
        if not self.works:
            raise self.error("did not answer")
        return a_forecast(self.name, now, self.hours)


@dataclass
class Shelf:
    """A store in memory."""

    kept: list[SolarForecast] = field(default_factory=list)
    works: bool = True

    def save_solar_forecast(self, forecast: SolarForecast) -> None:
        if not self.works:
            raise StoreUnavailable("the disk is full")
        self.kept.append(forecast)

    def latest_solar_forecast(self, now: datetime) -> SolarForecast | None:
        if not self.works:
            raise StoreUnavailable("the disk is full")
        issued = [forecast for forecast in self.kept if forecast.issued_at <= now]
        return issued[-1] if issued else None


def feed(*sources: SolarSource, store: Shelf | None = None) -> SolarFeed:
    return SolarFeed(sources=sources, store=store or Shelf())


def test_the_first_source_that_works_is_used() -> None:
    first, second = Sky("first"), Sky("second")
    solar = feed(first, second)
    assert solar.latest(NOW).source == "first"
    assert second.asked_at == []
    assert solar.problems() == ()


def test_the_next_source_helps_out_and_the_problem_is_kept() -> None:
    first = Sky("first")
    solar = feed(first, Sky("second"))
    solar.latest(NOW)
    first.works = False
    assert solar.latest(NOW + 5 * MINUTE).source == "second"
    assert solar.problems() == ("first: did not answer",)


def test_a_source_that_the_house_never_had_is_no_problem_while_another_works() -> None:
    only, absent = Sky("second"), Sky("first", works=False, error=ForecastAbsent)
    solar = feed(absent, only)
    assert solar.latest(NOW).source == "second"
    assert solar.problems() == ()
    only.works = False
    with pytest.raises(ForecastUnavailable, match="first: did not answer; second: did not"):
        feed(absent, Sky("second", works=False, error=ForecastAbsent)).latest(NOW)
    # The one that the house has is to blame, whether or not there is a stored forecast.
    with pytest.raises(ForecastUnavailable, match=r"^second: did not answer$"):
        solar.latest(NOW + 24 * 60 * MINUTE)
    assert solar.problems() == ("second: did not answer",)


def test_a_source_that_is_there_and_refused_is_named_from_the_start() -> None:
    solar = feed(Sky("first", works=False), Sky("second"))
    assert solar.latest(NOW).source == "second"
    assert solar.problems() == ("first: did not answer",)


def test_a_source_that_the_house_had_is_named_when_it_is_gone() -> None:
    first = Sky("first", error=ForecastAbsent)
    solar = feed(first, Sky("second"))
    solar.latest(NOW)
    first.works = False
    solar.latest(NOW + MINUTE)
    assert solar.problems() == ("first: did not answer",)


def test_where_one_is_not_to_be_used_the_next_is_asked_and_what_both_said_is_kept() -> None:
    shelf = Shelf()
    solar = feed(Sky("first"), Sky("second"), store=shelf)
    for minutes in range(0, 60, 5):
        solar.latest(NOW + minutes * MINUTE)
        assert solar.latest(NOW + minutes * MINUTE, without=("first",)).source == "second"
    assert [kept.source for kept in shelf.kept] == ["first", "second"] * 2
    with pytest.raises(ForecastUnavailable, match="no other source"):
        solar.latest(NOW, without=("first", "second"))
    assert solar.in_force is None


def test_a_forecast_without_tomorrow_is_used_and_that_is_named() -> None:
    # From the midnight before: it ends ten minutes before the 22 hours from now that are asked for.
    solar = feed(Sky("today's alone", hours=31))
    assert solar.latest(NOW).source == "today's alone"
    [problem] = solar.problems()
    assert problem == (
        "today's alone: it ends at 16 Jun 07:00 UTC (is the entity for tomorrow there?); from "
        "then on the sun of recent days is taken"
    )
    solar = feed(Sky("and tomorrow's", hours=32))
    solar.latest(NOW)
    assert solar.problems() == ()


def test_the_first_source_is_used_again_as_soon_as_it_works() -> None:
    first = Sky("first", works=False)
    solar = feed(first, Sky("second"))
    solar.latest(NOW)
    first.works = True
    assert solar.latest(NOW + 5 * MINUTE).source == "first"
    assert solar.problems() == ()


def test_an_api_is_asked_every_30_minutes_and_an_entity_each_time() -> None:
    web, entity = Sky("web", refresh_every=30 * MINUTE), Sky("entity")
    for source in (web, entity):
        solar = feed(source)
        for minutes in range(0, 65, 5):
            solar.latest(NOW + minutes * MINUTE)
    assert web.asked_at == [NOW, NOW + 30 * MINUTE, NOW + 60 * MINUTE]
    assert len(entity.asked_at) == 13


def test_an_answer_that_has_run_out_is_asked_for_again() -> None:
    web = Sky("web", refresh_every=timedelta(hours=24), hours=10)
    solar = feed(web)
    solar.latest(NOW)
    solar.latest(NOW + 49 * MINUTE)
    assert len(web.asked_at) == 1
    solar.latest(NOW + 50 * MINUTE)
    assert len(web.asked_at) == 2


def test_forecasts_are_stored_every_half_hour_and_when_the_source_changes() -> None:
    first, shelf = Sky("first"), Shelf()
    solar = feed(first, Sky("second"), store=shelf)
    for minutes in range(0, 60, 5):
        first.works = minutes < 40
        solar.latest(NOW + minutes * MINUTE)
    stored = [(kept.source, (kept.issued_at - NOW) // MINUTE) for kept in shelf.kept]
    assert stored == [("first", 0), ("first", 30), ("second", 40)]


@pytest.mark.parametrize(("age_hours", "serves"), [(0, True), (12, True), (12.1, False)])
def test_a_stored_forecast_serves_while_it_is_young(age_hours: float, serves: bool) -> None:  # noqa: FBT001
    shelf = Shelf([a_forecast("stored", NOW - timedelta(hours=age_hours))])
    solar = feed(Sky("first", works=False), store=shelf)
    if serves:
        assert solar.latest(NOW).source == "stored"
        assert solar.problems() == ("first: did not answer",)
    else:
        with pytest.raises(ForecastUnavailable, match=r"^first: did not answer$"):
            solar.latest(NOW)


def test_a_stored_forecast_that_does_not_cover_now_does_not_serve() -> None:
    shelf = Shelf([a_forecast("stored", NOW - timedelta(hours=2), hours=9)])
    with pytest.raises(ForecastUnavailable):
        feed(Sky("first", works=False), store=shelf).latest(NOW)


def test_says_why_there_is_no_forecast_at_all() -> None:
    with pytest.raises(ForecastUnavailable, match=r"^a: did not answer; b: did not answer$"):
        feed(Sky("a", works=False), Sky("b", works=False)).latest(NOW)
    with pytest.raises(ForecastUnavailable, match="no source of solar forecasts is set"):
        feed().latest(NOW)


def test_a_full_disk_does_not_keep_the_sun_from_the_plan() -> None:
    shelf = Shelf(works=False)
    solar = feed(Sky("first"), store=shelf)
    assert solar.latest(NOW).source == "first"
    assert solar.problems() == ("the solar forecast is not stored: the disk is full",)
    shelf.works = True
    solar.latest(NOW + MINUTE)
    assert len(shelf.kept) == 1
    assert solar.problems() == ()


def test_a_store_that_cannot_be_read_is_one_more_problem() -> None:
    solar = feed(Sky("first", works=False), store=Shelf(works=False))
    with pytest.raises(ForecastUnavailable, match="did not answer; no stored solar forecast: the"):
        solar.latest(NOW)


def test_after_the_clock_was_set_back_the_source_is_asked_anew_and_its_answer_kept() -> None:
    shelf, source = Shelf(), Sky("sky", refresh_every=timedelta(hours=1))
    sun = feed(source, store=shelf)
    sun.latest(NOW + timedelta(hours=3))
    sun.latest(NOW)
    sun.latest(NOW + MINUTE)
    assert source.asked_at == [NOW + timedelta(hours=3), NOW]
    assert [forecast.issued_at for forecast in shelf.kept] == source.asked_at
