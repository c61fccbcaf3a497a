import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.payloads import REGIONS, Tariff, tariffs_at
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.errors import ConfigError, RatesUnavailable
from battery_optimizer.model.slots import SLOT, day_bounds
from battery_optimizer.model.tariff import Direction, UnitRate, half_hourly
from octopus_server import (
    Fault,
    OctopusServer,
    a_row,
    an_account,
    an_agreement,
    half_hours,
)

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
START = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
AGILE = Tariff(product="AGILE-24-10-01", region="C")
API_KEY = "sk_live_SECRETSECRET"
IMPORT, EXPORT = Direction.IMPORT, Direction.EXPORT


class Sleeps(list[float]):
    """Remembers the waits instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def server() -> Iterator[OctopusServer]:
    with OctopusServer() as running:
        yield running


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def client(server: OctopusServer, sleeps: Sleeps) -> OctopusClient:
    return OctopusClient(server.url, timeouts_s=(5.0, 5.0), sleep=sleeps)


@pytest.fixture
def impatient(server: OctopusServer, sleeps: Sleeps) -> OctopusClient:
    return OctopusClient(server.url, timeouts_s=(0.1, 0.1), sleep=sleeps)


def spoilt(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {**a_row(START + SLOT, START + 2 * SLOT, 12.0), **changes}


def rates_of_day(client: OctopusClient, problems: list[str] | None = None) -> list[UnitRate]:
    report = [].append if problems is None else problems.append
    return client.unit_rates(AGILE, START, START + DAY, report)


# The tariff code


@pytest.mark.parametrize("region", REGIONS)
def test_a_tariff_code_is_read_as_it_is_written(region: str) -> None:
    tariff = Tariff(product="AGILE-24-10-01", region=region)
    assert tariff.code == f"E-1R-AGILE-24-10-01-{region}"
    assert Tariff.from_code(tariff.code) == tariff


@pytest.mark.parametrize("region", ["I", "O", "Q", "c", "_C", "", "AB"])
def test_a_region_that_does_not_exist_is_refused_with_those_that_do(region: str) -> None:
    with pytest.raises(ConfigError, match="A B C D E F G H J K L M N P"):
        Tariff(product="AGILE-24-10-01", region=region)


@pytest.mark.parametrize("product", ["", "agile", "AGILE/../x", "A B"])
def test_what_is_no_product_code_is_refused(product: str) -> None:
    with pytest.raises(ConfigError, match="AGILE-24-10-01"):
        Tariff(product=product, region="C")


def test_a_day_and_night_tariff_is_refused_with_what_to_do() -> None:
    with pytest.raises(RatesUnavailable, match="fixed"):
        Tariff.from_code("E-2R-VAR-22-11-01-C")


# Unit rates as published


def test_rates_come_oldest_first_in_pence_with_vat(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0, -3.5, 0, 12.25]))
    rates = rates_of_day(client)
    assert [rate.p_per_kwh for rate in rates] == [10.0, -3.5, 0.0, 12.25]
    assert [rate.start for rate in rates] == [START + t * SLOT for t in range(4)]
    assert rates[0].end == START + SLOT


def test_times_are_sent_with_a_z_and_the_largest_page_is_asked_for(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    rates_of_day(client)
    assert server.asked[0].query == {
        "period_from": "2026-11-20T00:00:00Z",
        "period_to": "2026-11-21T00:00:00Z",
        "page_size": "1500",
    }
    assert server.asked[0].user is None


def test_all_pages_are_read() -> None:
    values = [float(t) for t in range(100)]
    with OctopusServer(largest_page=7) as server:
        server.publish(AGILE.code, half_hours(START, values))
        client = OctopusClient(server.url)
        rates = client.unit_rates(AGILE, START, START + 5 * DAY)
    assert [rate.p_per_kwh for rate in rates] == values
    assert len(server.asked) == 15


def test_pages_without_end_are_given_up(server: OctopusServer, client: OctopusClient) -> None:
    page = f'{{"results": [], "next": "{server.url}/v1/products/?page=2"}}'.encode()
    server.fail_next(*[Fault(body=page)] * 50)
    with pytest.raises(RatesUnavailable, match="pages"):
        rates_of_day(client)


def test_a_fixed_rate_without_an_end_holds_for_ever(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(
        AGILE.code,
        [
            a_row(START - 90 * DAY, START + DAY / 2, 24.0),
            a_row(START + DAY / 2, None, 26.0),
        ],
    )
    series = half_hourly(rates_of_day(client), START, START + DAY)
    assert series.values.tolist() == [24.0] * 24 + [26.0] * 24


def test_of_rates_by_payment_method_the_one_for_direct_debit_is_taken(
    server: OctopusServer, client: OctopusClient
) -> None:
    since = START - 90 * DAY
    server.publish(
        AGILE.code,
        [
            a_row(since, None, 27.0, "NON_DIRECT_DEBIT"),
            a_row(since, None, 25.0, "DIRECT_DEBIT"),
        ],
    )
    problems: list[str] = []
    assert [rate.p_per_kwh for rate in rates_of_day(client, problems)] == [25.0]
    assert problems == []


def test_a_rate_for_other_payment_methods_serves_where_it_is_the_only_one(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(AGILE.code, [a_row(START, None, 27.0, "NON_DIRECT_DEBIT")])
    assert [rate.p_per_kwh for rate in rates_of_day(client)] == [27.0]


def test_missing_slots_stay_unknown(server: OctopusServer, client: OctopusClient) -> None:
    rows = half_hours(START, [10.0, 11.0, 12.0, 13.0])
    server.publish(AGILE.code, [rows[0], rows[3]])
    values = half_hourly(rates_of_day(client), START, START + 4 * SLOT).values
    assert np.array_equal(values, [10.0, np.nan, np.nan, 13.0], equal_nan=True)


def test_a_slot_given_twice_counts_once_and_a_contradiction_is_told(
    server: OctopusServer, client: OctopusClient
) -> None:
    rows = half_hours(START, [10.0, 11.0])
    server.publish(AGILE.code, [*rows, *rows, a_row(START, START + SLOT, 19.0)])
    problems: list[str] = []
    rates = rates_of_day(client, problems)
    # The API lists newest first: the row listed first (the last one published here) holds.
    assert [rate.p_per_kwh for rate in rates] == [19.0, 11.0]
    assert any("two rates from 2026-11-20 00:00 UTC" in problem for problem in problems)


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_a_clock_change_day_has_each_of_its_slots_once(
    server: OctopusServer, client: OctopusClient, day: date, n_slots: int
) -> None:
    start, end = day_bounds(day)
    values = [float(t) for t in range(n_slots)]
    rows = half_hours(start, values)
    for row in rows:  # the API has been seen to write local offsets
        row["valid_from"] = row["valid_from"].replace("Z", "+00:00")
    server.publish(AGILE.code, [*half_hours(start - DAY, [99.0] * 48), *rows])
    series = half_hourly(client.unit_rates(AGILE, start, end), start, end)
    assert series.values.tolist() == values


def test_times_with_an_offset_are_turned_into_utc(
    server: OctopusServer, client: OctopusClient
) -> None:
    row = spoilt(valid_from="2026-11-20T02:00:00+01:00", valid_to="2026-11-20T02:30:00+01:00")
    server.publish(AGILE.code, [row])
    (rate,) = rates_of_day(client)
    assert rate.start == START + 2 * SLOT
    assert rate.start.utcoffset() == timedelta(0)


def test_nothing_published_is_no_error(server: OctopusServer, client: OctopusClient) -> None:
    server.publish(AGILE.code, [])
    assert rates_of_day(client) == []


# Rows and bodies that make no sense

SENSELESS = [
    {"value_inc_vat": None},
    {"value_inc_vat": "12.5"},
    {"value_inc_vat": True},
    {"value_inc_vat": float("nan")},
    {"value_inc_vat": float("inf")},
    {"value_inc_vat": 10**400},
    {"value_inc_vat": 123456.0},
    {"valid_from": None},
    {"valid_from": "yesterday"},
    {"valid_from": "2026-11-20T00:30:00"},
    {"valid_from": "0001-01-01T00:00:00+14:00"},
    {"valid_to": "2026-11-20T00:30:00Z"},
    {"valid_to": 7},
]


@pytest.mark.parametrize("changes", SENSELESS, ids=str)
def test_a_bad_row_is_told_and_its_slot_stays_unknown(
    server: OctopusServer, client: OctopusClient, changes: dict[str, Any]
) -> None:
    good = half_hours(START, [10.0, 11.0, 12.0])
    server.publish(AGILE.code, [good[0], spoilt(**changes), good[2]])
    problems: list[str] = []
    values = half_hourly(rates_of_day(client, problems), START, START + 3 * SLOT).values
    assert np.array_equal(values, [10.0, np.nan, 12.0], equal_nan=True)
    assert len(problems) == 1
    assert "left out" in problems[0]
    assert AGILE.code in problems[0]


@pytest.mark.parametrize("key", ["value_inc_vat", "valid_from", "valid_to"])
def test_a_row_without_a_key_is_told(
    server: OctopusServer, client: OctopusClient, key: str
) -> None:
    bad = spoilt()
    del bad[key]
    server.publish(AGILE.code, [*half_hours(START, [10.0]), bad])
    problems: list[str] = []
    assert [rate.p_per_kwh for rate in rates_of_day(client, problems)] == [10.0]
    assert key in problems[0]


def test_a_bad_row_is_logged_where_nobody_else_is_told(
    server: OctopusServer, client: OctopusClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.publish(AGILE.code, [*half_hours(START, [10.0]), spoilt(value_inc_vat=None)])
    with caplog.at_level(logging.WARNING):
        client.unit_rates(AGILE, START, START + DAY)
    assert "left out a row" in caplog.text


def test_rows_of_which_none_makes_sense_are_an_error(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(AGILE.code, [spoilt(value_inc_vat=None)])
    with pytest.raises(RatesUnavailable, match="no rate that makes sense"):
        rates_of_day(client)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Down for maintenance</html>",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"{}",
        b'{"results": null}',
        b'{"results": {"a": 1}}',
        b'{"results": [1, 2]}',
        b'{"results": [], "next": 3}',
        b'{"results": [',
    ],
)
def test_a_malformed_body_is_an_error_that_says_what_to_do(
    server: OctopusServer, client: OctopusClient, body: bytes
) -> None:
    server.fail_next(Fault(body=body))
    with pytest.raises(RatesUnavailable, match="base URL"):
        rates_of_day(client)


# Busy, broken, silent, away


def test_a_429_is_asked_again_after_the_time_it_names(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    server.fail_next(Fault(status=429, headers={"Retry-After": "7"}))
    assert len(rates_of_day(client)) == 1
    assert sleeps == [7.0]


def test_a_retry_after_with_a_date_counts_from_the_answers_own_date(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    until = datetime.now(UTC) + timedelta(seconds=6)
    named = f"{until:%a, %d %b %Y %H:%M:%S} GMT"
    server.fail_next(Fault(status=503, headers={"Retry-After": named}))
    assert len(rates_of_day(client)) == 1
    assert sleeps == [pytest.approx(6, abs=2)]


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", ""])
def test_a_retry_after_that_makes_no_sense_is_passed_over(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps, nonsense: str
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    server.fail_next(Fault(status=429, headers={"Retry-After": nonsense}))
    assert len(rates_of_day(client)) == 1
    assert sleeps == [1.0]


def test_a_long_retry_after_is_left_to_the_next_refresh(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps
) -> None:
    server.fail_next(Fault(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RatesUnavailable, match="HTTP 429"):
        rates_of_day(client)
    assert sleeps == []
    assert len(server.asked) == 1


def test_a_500_is_asked_again(server: OctopusServer, client: OctopusClient, sleeps: Sleeps) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    server.fail_next(Fault(status=500, body=b"oops"), Fault(status=502))
    assert len(rates_of_day(client)) == 1
    assert sleeps == [1.0, 2.0]


def test_it_is_given_up_after_three_attempts(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps
) -> None:
    server.fail_next(*[Fault(status=500)] * 9)
    with pytest.raises(RatesUnavailable, match=r"HTTP 500.*tried 3 times"):
        rates_of_day(client)
    assert len(server.asked) == 3
    assert sleeps == [1.0, 2.0]


def test_silence_is_asked_again(
    server: OctopusServer, impatient: OctopusClient, sleeps: Sleeps
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    server.fail_next(Fault(is_silent=True))
    assert len(rates_of_day(impatient)) == 1
    assert sleeps == [1.0]


def test_lasting_silence_is_an_error(server: OctopusServer, impatient: OctopusClient) -> None:
    server.fail_next(*[Fault(is_silent=True)] * 3)
    with pytest.raises(RatesUnavailable, match="did not answer in time"):
        rates_of_day(impatient)


def test_a_body_that_breaks_off_is_asked_for_again(
    server: OctopusServer, client: OctopusClient, sleeps: Sleeps
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    server.fail_next(Fault(body=b'{"results": [', headers={"Content-Length": "500"}))
    assert len(rates_of_day(client)) == 1
    assert sleeps == [1.0]


def test_nobody_there_is_an_error_that_asks_for_the_internet(sleeps: Sleeps) -> None:
    with OctopusServer() as gone:
        url = gone.url
    client = OctopusClient(url, sleep=sleeps)
    with pytest.raises(RatesUnavailable, match="internet"):
        rates_of_day(client)


@pytest.mark.parametrize("base_url", ["octopus", "http://", "ftp://127.0.0.1/"])
def test_a_base_url_that_is_none_is_told_at_once(base_url: str, sleeps: Sleeps) -> None:
    client = OctopusClient(base_url, sleep=sleeps)
    with pytest.raises(RatesUnavailable, match="base URL"):
        rates_of_day(client)
    assert sleeps == []


def test_a_tariff_that_octopus_does_not_know_is_named(client: OctopusClient) -> None:
    with pytest.raises(RatesUnavailable, match=f"{AGILE.code}: check the product"):
        rates_of_day(client)


def test_another_status_is_told_and_not_asked_again(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.fail_next(Fault(status=400))
    with pytest.raises(RatesUnavailable, match="HTTP 400"):
        rates_of_day(client)
    assert len(server.asked) == 1


# Standing charges


def test_the_standing_charge_is_the_one_of_the_day(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.standing_charges[AGILE.code] = [
        a_row(START - 90 * DAY, START, 45.0),
        a_row(START, None, 51.5, "DIRECT_DEBIT"),
        a_row(START, None, 55.0, "NON_DIRECT_DEBIT"),
    ]
    assert client.standing_charge(AGILE, NOW) == 51.5


def test_no_standing_charge_for_the_day_is_an_error(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.standing_charges[AGILE.code] = []
    with pytest.raises(RatesUnavailable, match="standing charge"):
        client.standing_charge(AGILE, NOW)


# Products and regions


@pytest.mark.parametrize(
    ("kind", "product"),
    [
        ("agile", "AGILE-26-05-01"),
        ("agile_outgoing", "AGILE-OUTGOING-19-05-13"),
        ("outgoing", "OUTGOING-VAR-24-10-26"),
        ("go", "GO-VAR-22-10-14"),
    ],
)
def test_the_newest_product_on_offer_is_found(
    client: OctopusClient, kind: str, product: str
) -> None:
    assert client.discover_product(kind, NOW) == product


def test_products_are_found_on_later_pages() -> None:
    with OctopusServer(largest_page=2) as server:
        client = OctopusClient(server.url)
        assert client.discover_product("outgoing", NOW) == "OUTGOING-VAR-24-10-26"
    assert server.asked[0].query["brand"] == "OCTOPUS_ENERGY"
    assert server.asked[0].query["is_variable"] == "true"


def test_a_kind_that_is_not_on_offer_asks_for_the_code(
    server: OctopusServer, client: OctopusClient
) -> None:
    with pytest.raises(RatesUnavailable, match="set the product's code"):
        client.discover_product("cosy", NOW)
    server.products = [{"name": "no code"}]
    with pytest.raises(RatesUnavailable, match="base URL"):
        client.discover_product("cosy", NOW)


def test_a_postcode_gives_its_region(server: OctopusServer, client: OctopusClient) -> None:
    assert client.region_of_postcode("BN1 1AA") == "J"
    server.regions["CH5 1AA"] = ["_D", "_G"]
    for postcode in ("CH5 1AA", "nowhere"):
        with pytest.raises(RatesUnavailable, match="set the region's letter"):
            client.region_of_postcode(postcode)


# The account


def an_open_account(server: OctopusServer) -> None:
    imports = [
        an_agreement(
            "E-1R-VAR-22-11-01-C", "2022-11-01T00:00:00+00:00", "2025-02-01T00:00:00+00:00"
        ),
        an_agreement("E-1R-AGILE-24-10-01-C", "2025-02-01T00:00:00+00:00"),
    ]
    exports = [an_agreement("E-1R-AGILE-OUTGOING-19-05-13-C", "2025-03-01T00:00:00+00:00")]
    server.open_account(API_KEY, an_account("A-1234ABCD", imports, exports))


def test_an_account_gives_the_tariffs_of_the_time(
    server: OctopusServer, client: OctopusClient
) -> None:
    an_open_account(server)
    tariffs = tariffs_at(client.agreements("A-1234ABCD", API_KEY), NOW)
    assert tariffs[IMPORT].code == "E-1R-AGILE-24-10-01-C"
    assert tariffs[EXPORT].code == "E-1R-AGILE-OUTGOING-19-05-13-C"
    assert server.asked[0].user == API_KEY
    earlier = tariffs_at(client.agreements("A-1234ABCD", API_KEY), datetime(2024, 1, 1, tzinfo=UTC))
    assert {direction: tariff.product for direction, tariff in earlier.items()} == {
        IMPORT: "VAR-22-11-01"
    }


def test_two_import_tariffs_at_once_ask_for_a_choice(
    server: OctopusServer, client: OctopusClient
) -> None:
    since = "2025-02-01T00:00:00Z"
    two = [an_agreement("E-1R-GO-VAR-22-10-14-C", since), an_agreement(AGILE.code, since)]
    server.open_account(API_KEY, an_account("A-1", two))
    with pytest.raises(RatesUnavailable, match="set the product and the region"):
        tariffs_at(client.agreements("A-1", API_KEY), NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"properties": 3}',
        b'{"properties": [{}]}',
        b'{"properties": [{"electricity_meter_points": [{"agreements": [{"tariff_code": 1}]}]}]}',
    ],
)
def test_a_malformed_account_is_an_error(
    server: OctopusServer, client: OctopusClient, body: bytes
) -> None:
    server.fail_next(Fault(body=body))
    with pytest.raises(RatesUnavailable, match="the account"):
        tariffs_at(client.agreements("A-1", API_KEY), NOW)


FAULTS = [
    Fault(status=401),
    Fault(status=403),
    Fault(status=404),
    Fault(status=418),
    Fault(status=429),
    Fault(status=500),
    Fault(body=b"x"),
    Fault(is_silent=True),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_the_api_key_and_the_account_are_in_no_message_or_log(
    server: OctopusServer,
    impatient: OctopusClient,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
) -> None:
    server.fail_next(*[fault] * 3)
    with caplog.at_level(logging.INFO), pytest.raises(RatesUnavailable) as raised:
        tariffs_at(impatient.agreements("A-1234ABCD", API_KEY), NOW)
    error: BaseException | None = raised.value
    assert "A-1234ABCD" not in str(error)
    while error is not None:
        assert API_KEY not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__
    assert API_KEY not in caplog.text
    assert API_KEY not in repr(vars(impatient))


def test_a_key_that_no_header_can_hold_as_text_is_refused_like_any_wrong_one(
    server: OctopusServer, client: OctopusClient
) -> None:
    an_open_account(server)
    with pytest.raises(RatesUnavailable, match="API key"):
        tariffs_at(client.agreements("A-1234ABCD", "sk_live_\u2019"), NOW)


# The house's rates


def test_set_products_and_a_region_need_no_lookup(
    server: OctopusServer, client: OctopusClient
) -> None:
    server.publish(AGILE.code, half_hours(START, [10.0]))
    rates = OctopusRates(client, products={IMPORT: "AGILE-24-10-01"}, region="C")
    assert len(rates.fetch(IMPORT, START, START + DAY, NOW)) == 1
    assert len(server.asked) == 1
    assert not rates.is_demo


def test_a_region_that_is_missing_is_told_while_octopus_is_away_too() -> None:
    away = OctopusClient("http://127.0.0.1:9", attempts=1)
    for product in ("agile", "AGILE-24-10-01"):
        with pytest.raises(RatesUnavailable, match=r"set rates\.region or rates\.postcode"):
            OctopusRates(away, products={IMPORT: product}).tariff(IMPORT, NOW)


def test_a_kind_and_a_postcode_are_looked_up_once_a_day(
    server: OctopusServer, client: OctopusClient
) -> None:
    rates = OctopusRates(client, products={EXPORT: "agile_outgoing"}, postcode="BN1 1AA")
    for hours in (0, 1, 23):
        tariff = rates.tariff(EXPORT, NOW + timedelta(hours=hours))
        assert tariff.code == "E-1R-AGILE-OUTGOING-19-05-13-J"
    assert len(server.asked) == 2
    rates.tariff(EXPORT, NOW + DAY)
    assert len(server.asked) == 3  # the postcode does not move


def test_an_account_gives_whatever_is_not_set(server: OctopusServer, client: OctopusClient) -> None:
    an_open_account(server)
    rates = OctopusRates(
        client, products={EXPORT: "outgoing"}, account="A-1234ABCD", api_key=API_KEY
    )
    assert rates.tariff(IMPORT, NOW) == AGILE
    assert rates.tariff(EXPORT, NOW).code == "E-1R-OUTGOING-VAR-24-10-26-C"
    assert API_KEY not in rates.name
    server.standing_charges[AGILE.code] = [a_row(START, None, 51.5)]
    assert rates.standing_charge(NOW) == 51.5


def test_no_export_tariff_is_never_taken_for_nothing_paid(
    server: OctopusServer, client: OctopusClient
) -> None:
    since = "2025-02-01T00:00:00Z"
    server.open_account(API_KEY, an_account("A-1", [an_agreement(AGILE.code, since)]))
    rates = OctopusRates(client, products={}, account="A-1", api_key=API_KEY)
    with pytest.raises(RatesUnavailable, match="0 if exports are not paid for"):
        rates.fetch(EXPORT, START, START + DAY, NOW)
    with pytest.raises(RatesUnavailable, match="no import tariff: set its product"):
        OctopusRates(client, products={}).tariff(IMPORT, NOW)


def test_other_settings_have_another_name(client: OctopusClient) -> None:
    products = {IMPORT: "AGILE-24-10-01"}
    in_c, in_h = (OctopusRates(client, products=products, region=region) for region in "CH")
    assert in_c.name != in_h.name


def test_settings_that_cannot_be_are_refused_at_once(client: OctopusClient) -> None:
    with pytest.raises(ConfigError, match="region"):
        OctopusRates(client, products={IMPORT: "agile"}, region="I")
    words = r"rates\.import_product must be a code such as .*, or agile, go, cosy or flux, not"
    with pytest.raises(ConfigError, match=words):
        OctopusRates(client, products={IMPORT: "Agile!"}, region="C")
    with pytest.raises(ConfigError, match="agile_outgoing, outgoing"):
        OctopusRates(client, products={EXPORT: "agile"}, region="C")
