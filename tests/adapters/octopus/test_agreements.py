"""A household that changes its tariff: each half hour has the rate of the tariff in force then."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.adapters.rates.feed import RatesFeed
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import Direction, half_hourly
from octopus_server import OctopusServer, a_row, an_account, an_agreement, half_hours

IMPORT, EXPORT = Direction.IMPORT, Direction.EXPORT
DAY = timedelta(days=1)
CHANGE = datetime(2026, 6, 30, 23, tzinfo=UTC)
"""Midnight in British summer time."""
OLD, NEW, OUT = "E-1R-OLD-22-10-14-C", "E-1R-AGILE-24-10-01-C", "E-1R-AGILE-OUTGOING-19-05-13-C"
KEY = "sk_live_SECRETSECRET"
OLD_P, NEW_P = 25.0, 12.0


@pytest.fixture
def server() -> Iterator[OctopusServer]:
    with OctopusServer() as running:
        running.publish(OLD, [a_row(datetime(2022, 1, 1, tzinfo=UTC), None, OLD_P)])
        first = CHANGE - 20 * DAY
        running.publish(NEW, half_hours(first, [NEW_P] * (48 * 24)))
        running.publish(OUT, half_hours(first, [5.0] * (48 * 24)))
        running.standing_charges = {
            code: [a_row(first, None, charge)] for code, charge in ((OLD, 40.0), (NEW, 60.0))
        }
        yield running


def a_house(server: OctopusServer, *more: dict[str, object]) -> OctopusRates:
    """Whose account changed its import tariff at that midnight."""
    until = "2026-07-01T00:00:00+01:00"
    imports = [an_agreement(OLD, "2025-02-01T00:00:00Z", until), an_agreement(NEW, until), *more]
    exports = [an_agreement(OUT, "2025-03-01T00:00:00Z")]
    server.open_account(KEY, an_account("A-1234ABCD", imports, exports))
    client = OctopusClient(server.url, timeouts_s=(5.0, 5.0), sleep=lambda _: None)
    return OctopusRates(client, products={}, account="A-1234ABCD", api_key=KEY)


@pytest.mark.parametrize("hours", [-30, -5, -0.5, 0, 0.5, 30])
def test_each_tariff_counts_for_its_own_time(server: OctopusServer, hours: float) -> None:
    now, start, end = CHANGE + timedelta(hours=hours), CHANGE - 2 * DAY, CHANGE + 2 * DAY
    rates = a_house(server).fetch(IMPORT, start, end, now)
    values = half_hourly(rates, start, end).values
    assert values.tolist() == [OLD_P] * 96 + [NEW_P] * 96


def test_the_standing_charge_changes_with_the_tariff(server: OctopusServer) -> None:
    rates = a_house(server)
    asked = {minutes: CHANGE + timedelta(minutes=minutes) for minutes in (-60, -1, 0, 1)}
    charges = {minutes: rates.standing_charge(now) for minutes, now in asked.items()}
    assert charges == {-60: 40.0, -1: 40.0, 0: 60.0, 1: 60.0}


def test_days_before_the_change_keep_their_rates_in_the_store(
    server: OctopusServer, tmp_path: Path
) -> None:
    store = Store(tmp_path / "rates.db")
    feed = RatesFeed(a_house(server), store)
    for hours in (-24, -1, 0, 1, 24, 47):
        now = CHANGE + timedelta(hours=hours)
        feed.refresh(now)
    known = feed.known_rates(CHANGE - DAY, CHANGE + DAY, now).imports.values
    store.close()
    assert known.tolist() == [OLD_P] * 48 + [NEW_P] * 48


def test_a_tariff_long_over_that_cannot_be_read_is_in_nobodys_way(server: OctopusServer) -> None:
    rates = a_house(
        server, an_agreement("E-2R-ECO7-19-01-01-C", "2019-01-01T00:00:00Z", "2025-02-01T00:00:00Z")
    )
    now, problems = CHANGE + DAY, []
    found = rates.fetch(IMPORT, now - DAY, now + DAY, now, problems.append)
    assert {rate.p_per_kwh for rate in found} == {NEW_P}
    assert problems == []


def test_a_tariff_just_over_that_cannot_be_had_leaves_a_gap(server: OctopusServer) -> None:
    del server.unit_rates[OLD]
    now, problems = CHANGE + 2 * SLOT, []
    found = a_house(server).fetch(IMPORT, CHANGE - DAY, CHANGE + DAY, now, problems.append)
    values = half_hourly(found, CHANGE - DAY, CHANGE + DAY).values
    assert np.isnan(values[:48]).all()
    assert values[48:].tolist() == [NEW_P] * 48
    assert OLD in problems[0]


def test_the_tariff_in_force_must_be_had(server: OctopusServer) -> None:
    del server.unit_rates[NEW]
    with pytest.raises(RatesUnavailable, match=NEW):
        a_house(server).fetch(IMPORT, CHANGE - DAY, CHANGE + DAY, CHANGE + SLOT)


def test_the_account_is_asked_once_a_day(server: OctopusServer) -> None:
    rates = a_house(server)
    for hours in (0, 1, 23, 24.5):
        now = CHANGE + timedelta(hours=hours)
        for direction in Direction:
            rates.fetch(direction, now - SLOT, now + SLOT, now)
    accounts = [asked for asked in server.asked if "/accounts/" in asked.path]
    assert len(accounts) == 2
