"""The pages and the endpoints as AppDaemon's HTTP server calls them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from aiohttp.web import Request, Response, json_response

from battery_optimizer.adapters.web.access import ONLY_HERE, Access
from battery_optimizer.adapters.web.forecasts import forecasts
from battery_optimizer.adapters.web.history import Past, day_asked, history
from battery_optimizer.adapters.web.latest import (
    Json,
    Status,
    health,
    page_data,
    plan,
    recommendation,
)
from battery_optimizer.adapters.web.openapi import api_page, openapi
from battery_optimizer.adapters.web.page import SAFE_HEADERS, page
from battery_optimizer.adapters.web.savings import savings, savings_box, savings_csv
from battery_optimizer.errors import BadRequest, DataError
from battery_optimizer.model.house import Battery
from battery_optimizer.model.money import Savings
from battery_optimizer.model.shown import Shown

Endpoint = Callable[[Any, dict[str, Any]], tuple[Json, int]]
Route = Callable[[Request, object], Awaitable[Response]]
Query = Mapping[str, str]
Answer = TypeVar("Answer")

USE_GET = "this endpoint only reads: use GET"
USE_POST = "this endpoint changes something: use POST, with {} as its body"
NOTHING_KEPT_YET = "the app has not found its inverter yet, and keeps no records until then"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Answers from the latest cycle, at once, on whatever thread asks.

    `refresh` has prices fetched soon, on the app's own thread. `past` is where past days are read,
    None while there is no house, and so `diagnostics`, the file for a report.
    """

    shown: Callable[[], Shown | None]
    status: Callable[[], Status]
    now: Callable[[], datetime]
    refresh: Callable[[], object]
    battery: Callable[[], Battery]
    voltage: float | None
    past: Callable[[], Past | None]
    access: Access = ONLY_HERE
    diagnostics: Callable[[], Json | None] = lambda: None

    def endpoints(self) -> Mapping[str, Endpoint]:
        """What is served under /api/appdaemon/, by the ending of its name."""
        return {
            "recommendation": _reading(
                lambda _: (recommendation(self.shown(), voltage=self.voltage), 200)
            ),
            "health": _reading(lambda _: (health(self.shown(), self.status(), self.now()), 200)),
            "plan": _reading(lambda _: (plan(self.shown()), 200)),
            "history": _reading(self._history),
            "savings": _reading(self._savings),
            "openapi": _reading(lambda _: (openapi(), 200)),
            "refresh_prices": self._refresh_prices,
            "diagnostics": self._diagnostics,
        }

    def routes(self) -> Mapping[str, Route]:
        """What is served under /app/, by the ending of its name."""
        return {"": self.page, "_api": self.api_page, "_savings": self.savings_file}

    async def page(self, request: Request, _: object) -> Response:
        """The page; with ?data, ?day=YYYY-MM-DD, ?forecasts or ?savings what it shows of each."""
        if "data" in request.query:
            return _json(self._page_data(), 200)
        if "day" in request.query:
            # On another thread: the database may be busy, and AppDaemon itself must not wait.
            return _json(*await asyncio.to_thread(self._history, request.query))
        if "forecasts" in request.query:
            return _json(*await asyncio.to_thread(self._forecasts))
        if "savings" in request.query:
            asked = {key: text for key, text in request.query.items() if key != "savings"}
            return _json(*await asyncio.to_thread(self._savings, asked))
        return _document(request, *page())

    async def api_page(self, request: Request, _: object) -> Response:
        """The OpenAPI document, made readable."""
        return _document(request, *api_page())

    async def savings_file(self, request: Request, _: object) -> Response:
        """Bills and savings as a table for a spreadsheet; asked like the endpoint."""
        return await asyncio.to_thread(self._savings_file, request.query)

    def _page_data(self) -> Json:
        shown = self.shown()
        data = page_data(
            shown, self.status(), self.now(), battery=self.battery(), voltage=self.voltage
        )
        return {**data, "savings": savings_box(shown.savings if shown else Savings())}

    def _history(self, query: Query) -> tuple[Json, int]:
        def answer(past: Past, now: datetime) -> Json:
            return history(past, day_asked(query, now), now, capacity_kwh=capacity_kwh)

        capacity_kwh = self.battery().capacity_kwh
        return self._of_the_past(answer)

    def _forecasts(self) -> tuple[Json, int]:
        shown = self.shown()
        yesterday = shown.yesterday if shown else ""
        return self._of_the_past(lambda past, now: forecasts(past, now, yesterday))

    def _savings(self, query: Query) -> tuple[Json, int]:
        return self._of_the_past(lambda past, now: savings(past.records.money, query, now))

    def _savings_file(self, query: Query) -> Response:
        found, code = self._of_the_past(
            lambda past, now: savings_csv(past.records.money, query, now)
        )
        if isinstance(found, dict):
            return _json(found, code)
        text, name = found
        kept = {
            **SAFE_HEADERS,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        return Response(text=text, content_type="text/csv", headers=kept)

    def _of_the_past(
        self, answer: Callable[[Past, datetime], Answer]
    ) -> tuple[Answer, int] | tuple[Json, int]:
        """An answer out of the records, or why there is none."""
        now, past = self.now(), self.past()
        if past is None:
            return {"error": NOTHING_KEPT_YET}, 503
        try:
            return answer(past, now), 200
        except BadRequest as error:
            return {"error": str(error)}, 400
        except DataError as error:
            return {"error": f"the records cannot be read just now: {error}"}, 503

    def _diagnostics(self, _: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        request = kwargs["request"]
        if request.method != "GET":
            return {"error": USE_GET}, 405
        if (refused := self.access.refusal(request)) is not None:
            return _error(*refused)
        try:
            document = self.diagnostics()
        except DataError as error:
            return _error(f"the records cannot be read just now: {error}", 503)
        return _error(NOTHING_KEPT_YET, 503) if document is None else (document, 200)

    def _refresh_prices(self, body: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        request = kwargs["request"]
        if request.method != "POST":
            return {"error": USE_POST}, 405
        if (refused := self.access.refusal_of_change(request, body)) is not None:
            return _error(*refused)
        self.refresh()
        return {"status": "prices are being fetched; the plan follows"}, 202


def _reading(answer: Callable[[Query], tuple[Json, int]]) -> Endpoint:
    def respond(_: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        request = kwargs["request"]
        if request.method != "GET":
            return {"error": USE_GET}, 405
        return answer(request.query)

    return respond


def _error(words: str, code: int) -> tuple[Json, int]:
    return {"error": words}, code


def _json(content: Json, code: int) -> Response:
    response = json_response(content, status=code, headers={"Cache-Control": "no-store"})
    response.enable_compression()
    return response


def _document(request: Request, html: str, headers: Mapping[str, str]) -> Response:
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status=304, headers=headers)
    response = Response(text=html, content_type="text/html", headers=headers)
    response.enable_compression()
    return response
