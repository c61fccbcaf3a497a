"""The endpoints and pages as AppDaemon's HTTP server calls them, held against OpenAPI."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Response

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.web.access import Access
from battery_optimizer.adapters.web.history import Past
from battery_optimizer.adapters.web.latest import Status
from battery_optimizer.adapters.web.openapi import api_page, openapi
from battery_optimizer.adapters.web.site import Site
from battery_optimizer.config import Config
from battery_optimizer.diagnostics import Diagnosis
from battery_optimizer.errors import RatesUnavailable, StoreUnavailable
from battery_optimizer.model.money import Savings
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.tariff import KnownRates
from builders import MIDNIGHT, a_battery
from money_values import a_bill
from openapi_schema import faults
from shown_values import a_demo_day, a_long_plan, a_planned_day, an_outcome, nothing_planned

HERE = "127.0.0.1"
PREFIX = "/api/appdaemon/battery_optimizer_"
READING = ("recommendation", "plan", "health", "history", "savings", "openapi")
SHOWN = (
    None, a_planned_day(), a_demo_day(), nothing_planned(), a_long_plan(96, timedelta(minutes=30)),
)  # fmt: skip


def no_rates(*_: object) -> KnownRates:
    raise RatesUnavailable("the source is away")


class BrokenRecords(Store):
    def decisions(self, *_: object) -> NoReturn:
        raise StoreUnavailable("the disk is full")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    made.record(an_outcome(a_planned_day().plan))
    yield made
    made.close()


def a_site(shown: Shown | None = None, store: Store | None = None, **changes: object) -> Site:
    site = Site(
        shown=lambda: shown,
        status=lambda: Status(started_at=MIDNIGHT, control="active"),
        now=lambda: MIDNIGHT + timedelta(minutes=40),
        refresh=lambda: None,
        battery=a_battery,
        voltage=50.0,
        past=lambda: None if store is None else Past(records=store, known_rates=no_rates),
    )
    return replace(site, **changes)


def asked(
    site: Site, name: str, query: str = "", method: str = "GET", body: object = None, **headers: str
) -> tuple[Any, int]:
    given = {"Host": "127.0.0.1:5050", "Content-Type": "application/json", **headers}
    request = make_mocked_request(
        method, f"{PREFIX}{name}{query}", headers=given, transport=Peer(given.pop("peer", HERE))
    )
    return site.endpoints()[name](body or {}, {"request": request})


class Peer(asyncio.Transport):
    """A connection from this address."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 40000)})


def opened(site: Site, query: str = "", name: str = "", **headers: str) -> Response:
    path = f"/app/battery_optimizer{name}{query}"
    request = make_mocked_request("GET", path, headers=headers)
    return asyncio.run(site.routes()[name](request, {}))  # type: ignore[arg-type]


def test_every_endpoint_is_described_and_no_other() -> None:
    described = {path.removeprefix(PREFIX) for path in openapi()["paths"]}
    assert described == set(a_site().endpoints())


@pytest.mark.parametrize("shown", SHOWN, ids=["starting", "planned", "demo", "safe", "long"])
@pytest.mark.parametrize(
    "name", ["recommendation", "plan", "health", "history", "savings", "openapi"]
)
def test_every_answer_is_as_described(name: str, shown: Shown | None, store: Store) -> None:
    answer, code = asked(a_site(shown, store), name)
    assert code == 200
    responses = openapi()["paths"][PREFIX + name]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert faults(json.loads(json.dumps(answer)), schema, openapi()) == []


def test_the_checker_of_answers_finds_faults() -> None:
    schema = {"$ref": "#/components/schemas/Error"}
    assert faults({"error": 1}, schema, openapi())
    assert faults({}, schema, openapi())
    assert faults({"error": "x", "more": 1}, schema, openapi())


@pytest.mark.parametrize(
    "name", ["recommendation", "plan", "health", "history", "savings", "openapi"]
)
def test_what_only_reads_refuses_a_post(name: str) -> None:
    answer, code = asked(a_site(), name, method="POST")
    assert code == 405
    assert "use GET" in answer["error"]


def test_prices_are_refreshed_by_post_alone() -> None:
    called: list[int] = []
    site = a_site(refresh=lambda: called.append(1))
    assert asked(site, "refresh_prices")[1] == 405
    assert not called
    assert asked(site, "refresh_prices", method="POST")[1] == 202
    assert called


def test_what_changes_something_is_for_this_machine_or_with_a_password() -> None:
    called: list[int] = []
    site = a_site(refresh=lambda: called.append(1), diagnostics=dict)
    for name, method in (("refresh_prices", "POST"), ("diagnostics", "GET")):
        answer, code = asked(site, name, method=method, peer="192.168.1.7")
        assert code == 403
        assert "http: password:" in answer["error"]
        for access in (Access(is_guarded=lambda: True), Access(serves_all=True)):
            open_site = replace(site, access=access)
            assert asked(open_site, name, method=method, peer="192.168.1.7")[1] in (200, 202)
    assert len(called) == 2


def test_what_a_change_is_sent_is_looked_at() -> None:
    site = a_site()
    assert asked(site, "refresh_prices", method="POST", body={"day": 1})[1] == 400
    assert asked(site, "refresh_prices", method="POST", body=[{}])[1] == 400
    plain = {"Content-Type": "text/plain"}
    assert asked(site, "refresh_prices", method="POST", **plain)[1] == 415
    elsewhere = {"Origin": "https://evil.example"}
    assert asked(site, "refresh_prices", method="POST", **elsewhere)[1] == 403


def test_diagnostics_are_given_as_they_are_described() -> None:
    config = Config.from_args({"battery": {"capacity_kwh": 10}})
    made = Diagnosis(made_at=MIDNIGHT, config=config, health={}, cycles=[an_outcome()])
    answer, code = asked(a_site(diagnostics=made.document), "diagnostics")
    assert code == 200
    schema = {"$ref": "#/components/schemas/Diagnostics"}
    assert not faults(answer, schema, openapi(), "diagnostics")
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_diagnostics_that_cannot_be_had_say_why() -> None:
    assert asked(a_site(), "diagnostics")[1] == 503

    def broken() -> NoReturn:
        raise StoreUnavailable("the disk is full")

    answer, code = asked(a_site(diagnostics=broken), "diagnostics")
    assert code == 503
    assert "the disk is full" in answer["error"]
    assert asked(a_site(), "diagnostics", method="POST")[1] == 405


@pytest.mark.parametrize("query", ["?day=bad", "?day=", "?day=2030-01-01", "?day=%3Cscript%3E"])
def test_a_bad_day_is_refused_at_both_addresses(query: str, store: Store) -> None:
    site = a_site(store=store)
    answer, code = asked(site, "history", query)
    assert code == 400
    assert "error" in answer
    assert opened(site, query).status == 400


def test_history_before_there_is_a_house_says_so() -> None:
    answer, code = asked(a_site(), "history")
    assert code == 503
    assert "not found its inverter" in answer["error"]


def test_history_while_the_database_is_of_no_use_says_so(tmp_path: Path) -> None:
    broken = BrokenRecords(tmp_path / "store.db")
    answer, code = asked(a_site(store=broken), "history")
    broken.close()
    assert code == 503
    assert "the disk is full" in answer["error"]


def test_the_page_asks_its_own_address_for_all_that_it_draws(store: Store) -> None:
    site = a_site(a_planned_day(savings=Savings(today=a_bill())), store)
    data = json.loads(opened(site, "?data=1").text or "")
    assert data["plan"]["slots"]
    assert data["savings"]["periods"][0]["bill_p"] == 120
    day = json.loads(opened(site, "?day=2026-01-15").text or "")
    assert day["slots"]
    assert opened(site, "?data").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["", "_api"])
def test_a_page_that_is_known_is_not_sent_again(name: str) -> None:
    first = opened(a_site(), name=name)
    assert first.content_type == "text/html"
    again = opened(a_site(), name=name, **{"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert not again.text


def test_the_endpoints_page_shows_every_endpoint_and_value_without_script() -> None:
    html, headers = api_page()
    assert "<script" not in html
    assert "script-src" not in headers["Content-Security-Policy"]
    for path in openapi()["paths"]:
        assert path in html
    for name in openapi()["components"]["schemas"]:
        assert f'id="{name}"' in html
    assert "<!-- " not in html
