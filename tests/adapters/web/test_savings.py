"""Bills and savings over HTTP, out of the real store: JSON, CSV, and what the page shows."""

import asyncio
import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Response

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.web.history import Past
from battery_optimizer.adapters.web.latest import Status
from battery_optimizer.adapters.web.openapi import openapi
from battery_optimizer.adapters.web.savings import COLUMNS, Json, row, savings, savings_box
from battery_optimizer.adapters.web.site import Site
from battery_optimizer.errors import BadRequest, RatesUnavailable, StoreUnavailable
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Savings
from battery_optimizer.model.slots import day_bounds
from builders import MIDNIGHT, a_battery
from money_values import DAY, a_bill
from openapi_schema import faults

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Bills of 29 and 30 January, and the first one's loss."""
    made = Store(tmp_path / "store.db")
    made.money.save_bill(a_bill(DAY - ONE_DAY, n_estimated=1))
    made.money.save_bill(a_bill())
    made.money.save_loss(a_split(DAY - ONE_DAY))
    yield made
    made.close()


def a_split(day: date) -> Split:
    start = day_bounds(day)[0]
    return Split(
        start=start, bill_p=9, load_p=1, solar_p=2, rates_p=3, inverter_p=4, mode_p=1, optimizer_p=0
    )


def told(store: Store, **query: str) -> Json:
    answer = savings(store.money, {key.rstrip("_"): text for key, text in query.items()}, NOW)
    schema = {"$ref": "#/components/schemas/Savings"}
    assert faults(answer, schema, openapi()) == []
    return answer


def test_by_default_it_is_this_month_day_by_day(store: Store) -> None:
    answer = told(store)
    assert (answer["by"], answer["from"], answer["to"]) == ("day", "2026-01-01", "2026-01-31")
    first, second = answer["rows"]
    assert (first["first_day"], first["last_day"]) == ("2026-01-29", "2026-01-29")
    assert (first["half_hours_estimated"], first["is_estimate"]) == (1, True)
    assert (first["lost_days"], first["lost_execution_p"]) == (1, 5)
    assert (second["lost_days"], second["lost_execution_p"]) == (0, None)
    assert second["bill_p"] == 120
    assert second["saved_against_reactive_p"] == -10
    assert second["stored_more_than_self_use_kwh"] == 3
    assert answer["total"]["bill_p"] == 240
    assert (answer["total"]["days"], answer["total"]["days_missing"]) == (2, 29)


def test_months_say_how_many_of_their_days_are_missing(store: Store) -> None:
    answer = told(store, by="month")
    assert answer["from"] == "2025-02-01"
    (january,) = answer["rows"]
    assert (january["first_day"], january["last_day"]) == ("2026-01-01", "2026-01-31")
    assert (january["days"], january["days_missing"]) == (2, 29)
    part = told(store, by="month", from_="2026-01-30", to="2026-01-30")
    assert part["rows"][0]["days_missing"] == 0


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "empty.db")
    answer = told(store)
    store.close()
    assert answer["rows"] == []
    assert answer["total"] is None
    assert answer["reason"] == "there is no bill from 2026-01-01 to 2026-01-31"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"by": "year"}, "'by' must be day or month"),
        ({"by": "<script>"}, "'by' must be day or month"),
        ({"from": "yesterday"}, r"\?from=2026-01-31"),
        ({"to": "2026-02-01"}, "has not begun"),
        ({"to": "1999-12-31"}, "before anything was recorded"),
        ({"from": "2026-01-30", "to": "2026-01-29"}, "must not be after"),
        ({"from": "2020-01-01"}, "1100 days at most"),
        ({"day": "2026-01-30"}, "there are by, from, to"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    store: Store, query: dict[str, str], words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        savings(store.money, query, NOW)


def a_site(store: Store | None) -> Site:
    return Site(
        shown=lambda: None,
        status=lambda: Status(started_at=MIDNIGHT, control="active"),
        now=lambda: NOW,
        refresh=lambda: None,
        battery=a_battery,
        voltage=None,
        past=lambda: None if store is None else Past(records=store, known_rates=no_rates),
    )


def no_rates(*_: object) -> NoReturn:
    raise RatesUnavailable("nobody asks")


def fetched(store: Store | None, query: str = "") -> Response:
    path = f"/app/battery_optimizer_savings{query}"
    site = a_site(store)
    request = make_mocked_request("GET", path)
    return asyncio.run(site.routes()["_savings"](request, {}))  # type: ignore[arg-type]


def test_the_csv_has_the_same_rows_under_their_names(store: Store) -> None:
    answer = fetched(store, "?by=day")
    assert answer.content_type == "text/csv"
    assert (
        'filename="savings_by_day_2026-01-01_2026-01-31.csv"'
        in (answer.headers["Content-Disposition"])
    )
    rows = list(csv.DictReader(StringIO(answer.text or "")))
    assert [each["bill_p"] for each in rows] == ["120.0", "120.0"]
    assert rows[0]["is_estimate"] == "true"
    assert rows[1]["lost_execution_p"] == ""
    assert tuple(rows[0]) == COLUMNS


def test_the_csv_of_nothing_has_its_head(tmp_path: Path) -> None:
    store = Store(tmp_path / "empty.db")
    text = fetched(store).text or ""
    store.close()
    assert text.strip().split(",") == list(COLUMNS)


def test_a_senseless_question_for_the_csv_is_refused(store: Store) -> None:
    answer = fetched(store, "?by=week")
    assert answer.status == 400
    assert answer.content_type == "application/json"
    assert fetched(None).status == 503


def test_while_the_records_cannot_be_read_it_says_so(tmp_path: Path) -> None:
    class Broken:
        def bills(self, *_: object) -> NoReturn:
            raise StoreUnavailable("the disk is full")

    store = Store(tmp_path / "store.db")
    store.money = Broken()  # type: ignore[assignment]
    site = a_site(store)
    request = make_mocked_request("GET", "/api/appdaemon/battery_optimizer_savings")
    answer, code = site.endpoints()["savings"]({}, {"request": request})
    store.close()
    assert code == 503
    assert "the disk is full" in answer["error"]


def test_the_columns_are_those_of_a_row() -> None:
    assert tuple(row(a_bill(), {})) == COLUMNS


def test_the_standing_charge_is_null_where_it_is_not_known() -> None:
    assert row(a_bill(standing_p=0.0, n_no_standing=1), {})["standing_p"] is None
    some = a_bill(standing_p=50.0, n_no_standing=1, n_days=2)
    assert row(some, {})["standing_p"] == 50


def test_the_page_shows_what_there_is_or_why_there_is_nothing() -> None:
    nothing = savings_box(Savings(problem="there is no bill yet"))
    assert nothing == {"problem": "there is no bill yet", "periods": [], "lost": None}
    split = replace(a_split(DAY), n_bridged=1, n_sessions=2)
    box = savings_box(
        Savings(today=a_bill(), month=a_bill(), losses=(split,), lately=(split, a_split(DAY)))
    )
    assert [period["name"] for period in box["periods"]] == ["Today so far", "This month"]
    assert box["lost"]["days"] == 1
    assert box["lost"]["distance_p"] == 11
    assert box["lost"]["parts_p"]["execution"] == 5
    assert [each["half_hours_not_metered"] for each in box["lost"]["lately"]] == [1, 0]
    assert box["lost"]["lately"][0]["day"] == DAY.isoformat()
    assert box["lost"]["lately"][0]["parts_p"] == box["lost"]["parts_p"]
    assert [each["half_hours_of_sessions"] for each in box["lost"]["lately"]] == [2, 0]
    first_of_month = savings_box(Savings(today=a_bill(), lately=(split,)))
    assert (first_of_month["lost"]["days"], len(first_of_month["lost"]["lately"])) == (0, 1)


def of_the_page(store: Store | None, query: str) -> tuple[int, Json]:
    request = make_mocked_request("GET", f"/app/battery_optimizer?savings=1&{query}")
    response = asyncio.run(a_site(store).page(request, None))
    assert isinstance(response.body, bytes)
    return response.status, json.loads(response.body)


def test_the_page_asks_its_own_address_for_days_and_months(store: Store) -> None:
    status, answer = of_the_page(store, "by=day&from=2026-01-01")
    assert status == 200
    assert answer == told(store, from_="2026-01-01")
    assert of_the_page(store, "by=month")[1] == told(store, by="month")
    assert of_the_page(store, "by=year")[0] == 400
    assert of_the_page(None, "by=month")[0] == 503
