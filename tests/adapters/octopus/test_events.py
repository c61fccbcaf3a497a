"""Rates out of Home Assistant's Octopus Energy integration, and the meters found by their names."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.events import OctopusEvents, meters
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import Direction
from battery_optimizer.simulate.home.octopus_entities import METER, octopus_entities
from octopus_server import OctopusServer, half_hours

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
TODAY = f"event.octopus_energy_electricity_{METER}_current_day_rates"
EXPORT = f"event.octopus_energy_electricity_{METER}_export_current_day_rates"
NOWHERE = "http://127.0.0.1:9"


def events(
    states: dict[str, EntityState],
    *,
    url: str = NOWHERE,
    chosen: dict[Direction, str] | None = None,
) -> OctopusEvents:
    return OctopusEvents(
        read_state=states.get,
        list_entities=lambda: states,
        client=OctopusClient(url, timeouts_s=(1.0, 1.0), attempts=1),
        chosen=chosen or {},
    )


@pytest.fixture
def server() -> Iterator[OctopusServer]:
    with OctopusServer() as running:
        yield running


def test_pounds_become_pence_over_yesterday_today_and_tomorrow() -> None:
    source = events(octopus_entities(NOW))
    rates = source.fetch(Direction.IMPORT, NOW - timedelta(days=2), NOW + timedelta(days=3), NOW)
    assert len(rates) == 3 * 48
    assert rates[0].start == datetime(2026, 11, 21, tzinfo=UTC)
    assert rates[-1].end == datetime(2026, 11, 24, tzinfo=UTC)
    (peak,) = [rate for rate in rates if rate.start == NOW]
    told = octopus_entities(NOW)[TODAY].attributes["rates"]
    assert isinstance(told, list)
    assert peak.p_per_kwh == pytest.approx(100 * told[34]["value_inc_vat"])
    assert 20 < peak.p_per_kwh < 50
    assert source.standing_charge(NOW) == pytest.approx(47.85)
    assert source.tariff(Direction.EXPORT).code == "E-1R-AGILE-OUTGOING-19-05-13-C"  # type: ignore[union-attr]


@pytest.mark.parametrize(("month", "day", "slots"), [(3, 28, 46), (10, 24, 50)])
def test_a_day_of_the_clock_change_has_its_own_number_of_slots(
    month: int, day: int, slots: int
) -> None:
    """Tomorrow is the day on which the clocks change."""
    now = datetime(2026, month, day, 17, tzinfo=UTC)
    rates = events(octopus_entities(now)).fetch(
        Direction.IMPORT, now - timedelta(days=2), now + timedelta(days=3), now
    )
    assert len(rates) == 2 * 48 + slots
    assert all(before.end == after.start for before, after in pairwise(rates))


def test_before_four_o_clock_there_is_less_and_that_is_normal() -> None:
    early = NOW.replace(hour=15)
    rates = events(octopus_entities(early)).fetch(Direction.EXPORT, early, early + SLOT, early)
    assert [rate.start for rate in rates] == [early]


@pytest.mark.parametrize(
    ("tomorrow", "slots"),
    [
        (EntityState(state="unknown", attributes={"event_type": None}), 48),
        (EntityState(state=NOW.isoformat(), attributes={"rates": [], "min_rate": None}), 48),
        (octopus_entities(NOW)[TODAY.replace("current", "next")], 96),
    ],
    ids=["never told", "after midnight", "published"],
)
def test_tomorrow_as_the_integration_shows_it(tomorrow: EntityState, slots: int) -> None:
    """Seen of its version 18.3.1 around a real Home Assistant: never told since it was set up."""
    states = octopus_entities(NOW) | {TODAY.replace("current", "next"): tomorrow}
    source = events(states)
    today = NOW.replace(hour=0)
    rates = source.fetch(Direction.IMPORT, today, today + timedelta(days=3), NOW)
    assert len(rates) == slots
    assert source.shown(Direction.IMPORT)
    # Between its reload and its next answer there is nothing that could be news.
    states[TODAY] = EntityState(state="unavailable", attributes={"restored": True})
    assert source.shown(Direction.IMPORT) == ""


def test_days_long_over_are_asked_of_octopus_by_the_tariff_told(server: OctopusServer) -> None:
    start = NOW - timedelta(days=14)
    server.publish("E-1R-AGILE-24-10-01-C", half_hours(start, [11.0] * 48 * 14))
    rates = events(octopus_entities(NOW), url=server.url).fetch(
        Direction.IMPORT, start, NOW + timedelta(days=3), NOW
    )
    assert rates[0].start == start
    assert {rate.p_per_kwh for rate in rates if rate.start < NOW - timedelta(days=2)} == {11.0}
    starts = [rate.start for rate in rates]
    assert starts == sorted(set(starts))


def test_without_the_internet_the_entities_are_enough() -> None:
    start = NOW - timedelta(days=14)
    assert events(octopus_entities(NOW)).fetch(Direction.IMPORT, start, NOW, NOW)


def test_two_meters_are_named_both_and_a_setting_decides() -> None:
    states = octopus_entities(NOW)
    other = TODAY.replace("22l0000000", "33x1111111")
    states[other] = states[TODAY]
    with pytest.raises(RatesUnavailable, match=r"22l0000000.*33x1111111.*rates\.import_event"):
        events(states).entity(Direction.IMPORT)
    assert events(states, chosen={Direction.IMPORT: other}).entity(Direction.IMPORT) == other
    # One that was replaced stays on as an entity without rates.
    states[other] = EntityState(state="unavailable")
    assert events(states).entity(Direction.IMPORT) == TODAY


def test_what_is_missing_is_said_with_how_to_get_it() -> None:
    with pytest.raises(RatesUnavailable, match="install the Octopus Energy integration"):
        events({}).entity(Direction.IMPORT)
    imports_only = {key: value for key, value in octopus_entities(NOW).items() if "exp" not in key}
    with pytest.raises(RatesUnavailable, match=r"rates\.fixed_export_p"):
        events(imports_only).fetch(Direction.EXPORT, NOW, NOW + SLOT, NOW)
    with pytest.raises(RatesUnavailable, match="no rates yet"):
        events({TODAY: EntityState(state="unknown")}).entity(Direction.IMPORT)
    with pytest.raises(RatesUnavailable, match="standing_charge does not exist"):
        events({TODAY: octopus_entities(NOW)[TODAY]}).standing_charge(NOW)


@pytest.mark.parametrize(("way", "entity_id"), [("import", TODAY), ("export", EXPORT)])
def test_a_disabled_entity_of_rates_is_named(way: str, entity_id: str) -> None:
    """The integration is there: to be told to install it would help nobody."""
    sensors = [
        each.replace("event.", "sensor.").replace("current_day_rates", "current_rate")
        for each in (TODAY, EXPORT)
    ]
    states = {each: EntityState(state="0.275") for each in sensors}
    with pytest.raises(RatesUnavailable, match=f"enable {entity_id} and those of the next") as told:
        events(states).entity(Direction(way))
    assert "install" not in str(told.value)


def test_rates_that_ended_are_no_rates() -> None:
    old = octopus_entities(NOW - timedelta(days=4))
    with pytest.raises(RatesUnavailable, match="integration is connected"):
        events(old).fetch(Direction.IMPORT, NOW - timedelta(days=6), NOW, NOW)


def test_rows_that_make_no_sense_are_left_out_and_told() -> None:
    states = octopus_entities(NOW)
    rates = list(states[TODAY].attributes["rates"])  # type: ignore[call-overload]
    rates[0] = "nonsense"
    rates[1] = rates[1] | {"value_inc_vat": None}
    states[TODAY] = EntityState(state="x", attributes={"rates": rates})
    told: list[str] = []
    found = events(states).fetch(
        Direction.IMPORT, NOW - timedelta(days=2), NOW + timedelta(days=2), NOW, told.append
    )
    assert len(found) == 3 * 48 - 2
    assert len(told) == 2
    assert events(states).tariff(Direction.IMPORT) is None


def test_other_entities_are_no_meters() -> None:
    ids = [TODAY, EXPORT, TODAY.replace("current", "next"), "event.octopus_energy_a_1_saving"]
    assert meters(ids) == {Direction.IMPORT: [TODAY], Direction.EXPORT: [EXPORT]}


def test_each_direction_comes_from_where_it_is_set(server: OctopusServer) -> None:
    server.publish("E-1R-AGILE-24-10-01-C", half_hours(NOW, [9.0] * 4))
    told = events(octopus_entities(NOW), url=server.url)
    api = OctopusRates(
        OctopusClient(server.url), products={Direction.IMPORT: "AGILE-24-10-01"}, told=told.tariff
    )
    house = HouseRates(api=api, events=told, by_api=frozenset({Direction.IMPORT}))
    # The region is that of the tariff which the integration tells.
    assert api.known_tariff(Direction.IMPORT) is None
    assert house.fetch(Direction.IMPORT, NOW, NOW + SLOT, NOW)[0].p_per_kwh == 9.0
    assert api.known_tariff(Direction.IMPORT).code == "E-1R-AGILE-24-10-01-C"  # type: ignore[union-attr]
    assert house.fetch(Direction.EXPORT, NOW, NOW + SLOT, NOW)[0].p_per_kwh != 9.0
    assert house.name == "octopus AGILE-24-10-01 octopus integration"
    by_events = HouseRates(api=api, events=told, by_api=frozenset())
    assert by_events.standing_charge(NOW) == pytest.approx(47.85)
    assert by_events.name == "octopus integration"
