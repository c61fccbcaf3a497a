"""A local server that answers as the Octopus Energy API does, on real HTTP, with faults to order.

with OctopusServer() as server:
    server.publish("E-1R-AGILE-24-10-01-C", half_hours(start, [10.0, 12.5]))
    server.fail_next(Fault(status=429, headers={"Retry-After": "3"}))
    OctopusClient(server.url)
"""

import json
from base64 import b64decode
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from battery_optimizer.model.slots import SLOT

Json = Any

PRODUCTS = (
    # code, direction, on offer from, until
    ("AGILE-24-10-01", "IMPORT", "2024-10-01T00:00:00+01:00", None),
    ("AGILE-26-05-01", "IMPORT", "2026-05-01T00:00:00+01:00", None),
    ("AGILE-27-05-01", "IMPORT", "2027-05-01T00:00:00+01:00", None),
    ("AGILE-23-12-06", "IMPORT", "2023-12-06T00:00:00Z", "2024-10-01T00:00:00+01:00"),
    ("GO-VAR-22-10-14", "IMPORT", "2022-10-14T00:00:00+01:00", None),
    ("AGILE-OUTGOING-19-05-13", "EXPORT", "2018-01-01T00:00:00Z", None),
    ("OUTGOING-VAR-24-10-26", "EXPORT", "2024-10-26T00:00:00+01:00", None),
)


def zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def a_row(
    start: datetime, end: datetime | None, value: Json, payment_method: str | None = None
) -> dict[str, Json]:
    """A unit rate or standing charge as the API writes it."""
    value_exc_vat = value / 1.05 if isinstance(value, int | float) else value
    return {
        "value_exc_vat": value_exc_vat,
        "value_inc_vat": value,
        "valid_from": zulu(start),
        "valid_to": None if end is None else zulu(end),
        "payment_method": payment_method,
    }


def half_hours(start: datetime, values: Iterable[float]) -> list[dict[str, Json]]:
    """Consecutive half-hourly rows from `start` on [p/kWh]."""
    return [
        a_row(start + t * SLOT, start + (t + 1) * SLOT, value) for t, value in enumerate(values)
    ]


def an_account(
    number: str, imports: Iterable[Mapping[str, Json]], exports: Iterable[Mapping[str, Json]] = ()
) -> dict[str, Json]:
    """An account with one meter point for each direction, its agreements as given."""
    points = [
        {"mpan": "1000000000000", "is_export": False, "agreements": list(imports)},
        {"mpan": "1000000000001", "is_export": True, "agreements": list(exports)},
    ]
    return {
        "number": number,
        "properties": [{"id": 1, "postcode": "XX1 1XX", "electricity_meter_points": points}],
    }


def an_agreement(code: str, since: str, until: str | None = None) -> dict[str, Json]:
    return {"tariff_code": code, "valid_from": since, "valid_to": until}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An answer out of the order of things: a status, or a body of any kind, or silence."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    is_silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came: its path, its query, and the user name it carried."""

    path: str
    query: dict[str, str]
    user: str | None


class OctopusServer:
    """What it publishes may be changed at any time; what was asked is in `asked`."""

    def __init__(self, *, largest_page: int = 1500) -> None:
        self.largest_page = largest_page
        self.unit_rates: dict[str, list[dict[str, Json]]] = {}
        self.standing_charges: dict[str, list[dict[str, Json]]] = {}
        self.products = [_product(*row) for row in PRODUCTS]
        self.regions = {"BN1 1AA": ["_J"]}
        self.accounts: dict[str, tuple[str, dict[str, Json]]] = {}
        self.asked: list[Asked] = []
        self._faults: deque[Fault] = deque()
        self._closing = Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def publish(self, tariff_code: str, rows: Iterable[dict[str, Json]]) -> None:
        """Rows of unit rates, in any order; the API gives them newest first."""
        self.unit_rates.setdefault(tariff_code, []).extend(rows)

    def fail_next(self, *faults: Fault) -> None:
        """Answer the next requests so, one fault each."""
        self._faults.extend(faults)

    def hang_up(self) -> None:
        """Break off what is kept waiting; from now on there is an answer again."""
        self._closing.set()
        self._closing = Event()

    def open_account(self, api_key: str, account: dict[str, Json]) -> None:
        self.accounts[account["number"]] = (api_key, account)

    def reply(self, asked: Asked) -> tuple[int, Json]:
        """Status and body as the API gives them."""
        match asked.path.strip("/").split("/"):
            case ["v1", "products"]:
                return 200, self._page(asked, self.products)
            case ["v1", "industry", "grid-supply-points"]:
                groups = self.regions.get(asked.query.get("postcode", ""), [])
                return 200, self._page(asked, [{"group_id": group} for group in groups])
            case ["v1", "accounts", number]:
                return self._account(number, asked.user)
            case ["v1", "products", product, "electricity-tariffs", code, table]:
                tables = {
                    "standard-unit-rates": self.unit_rates,
                    "standing-charges": self.standing_charges,
                }
                if product not in code or code not in tables.get(table, {}):
                    return 404, {"detail": "No EnergyProduct matches the given query."}
                rows = [row for row in tables[table][code] if _overlaps(row, asked.query)]
                newest_first = sorted(rows, key=lambda row: str(row.get("valid_from")))[::-1]
                return 200, self._page(asked, newest_first)
        return 404, {"detail": "Not found."}

    def _account(self, number: str, user: str | None) -> tuple[int, Json]:
        if user is None:
            return 401, {"detail": "Authentication credentials were not provided."}
        api_key, account = self.accounts.get(number, (None, None))
        return (200, account) if user == api_key else (403, {"detail": "No permission."})

    def _page(self, asked: Asked, rows: list[Json]) -> Json:
        size = min(int(asked.query.get("page_size", 100)), self.largest_page)
        number = int(asked.query.get("page", 1))
        has_more = number * size < len(rows)
        query = urlencode({**asked.query, "page": number + 1})
        return {
            "count": len(rows),
            "next": f"{self.url}{asked.path}?{query}" if has_more else None,
            "previous": None,
            "results": rows[(number - 1) * size : number * size],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                user = _user_of(self.headers.get("Authorization"))
                asked = Asked(path=parts.path, query=dict(parse_qsl(parts.query)), user=user)
                server.asked.append(asked)
                with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up
                    self._answer(asked)

            def _answer(self, asked: Asked) -> None:
                if server._faults:
                    fault = server._faults.popleft()
                    if fault.is_silent:
                        server._closing.wait()  # the event of now, not one that is set later
                        return
                    self._send(fault.status, fault.body, fault.headers)
                else:
                    status, body = server.reply(asked)
                    self._send(status, json.dumps(body).encode(), {})

            def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: what was asked is kept."""

        return Handler


def _product(code: str, direction: str, since: str, until: str | None) -> dict[str, Json]:
    return {
        "code": code,
        "direction": direction,
        "full_name": code,
        "is_variable": True,
        "available_from": since,
        "available_to": until,
        "brand": "OCTOPUS_ENERGY",
    }


def _overlaps(row: Mapping[str, Json], query: Mapping[str, str]) -> bool:
    """As the API filters; rows that were spoilt on purpose always come."""
    low = datetime.fromisoformat(query.get("period_from", "0002-01-01T00:00:00Z"))
    high = datetime.fromisoformat(query.get("period_to", "9998-01-01T00:00:00Z"))
    try:
        start, end = datetime.fromisoformat(row["valid_from"]), row["valid_to"]
        return start < high and (end is None or datetime.fromisoformat(end) > low)
    except (KeyError, TypeError, ValueError):
        return True


def _user_of(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    return b64decode(authorization.removeprefix("Basic ")).decode().partition(":")[0]
