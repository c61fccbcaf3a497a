"""The page and the endpoints as AppDaemon's HTTP server calls them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp.web import Request, Response, json_response

from battery_optimizer.adapters.web import (
    Json,
    Status,
    health,
    page,
    page_data,
    plan,
    recommendation,
)
from battery_optimizer.model.house import Battery
from battery_optimizer.model.shown import Shown

Endpoint = Callable[[Any, dict[str, Any]], tuple[Json, int]]

USE_GET = "this endpoint only reads: use GET"
USE_POST = "this endpoint changes something: use POST, with {} as its body"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Answers from the latest cycle, at once, on whatever thread asks.

    `refresh` has prices fetched soon, on the app's own thread.
    """

    shown: Callable[[], Shown | None]
    status: Callable[[], Status]
    now: Callable[[], datetime]
    refresh: Callable[[], object]
    battery: Battery
    voltage: float | None

    def endpoints(self) -> Mapping[str, Endpoint]:
        """What is served under /api/appdaemon/, by the ending of its name."""
        return {
            "recommendation": _reading(lambda: recommendation(self.shown(), voltage=self.voltage)),
            "health": _reading(lambda: health(self.shown(), self.status(), self.now())),
            "plan": _reading(lambda: plan(self.shown())),
            "refresh_prices": self._refresh_prices,
        }

    async def page(self, request: Request, _: object) -> Response:
        """The page, or with ?data what it draws."""
        if "data" in request.query:
            data = page_data(
                self.shown(),
                self.status(),
                self.now(),
                battery=self.battery,
                voltage=self.voltage,
            )
            return json_response(data, headers={"Cache-Control": "no-store"})
        html, headers = page()
        return Response(text=html, content_type="text/html", headers=headers)

    def _refresh_prices(self, _: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        if kwargs["request"].method != "POST":
            return {"error": USE_POST}, 405
        self.refresh()
        return {"status": "prices are being fetched; the plan follows"}, 202


def _reading(answer: Callable[[], Json]) -> Endpoint:
    def respond(_: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        if kwargs["request"].method != "GET":
            return {"error": USE_GET}, 405
        return answer(), 200

    return respond
