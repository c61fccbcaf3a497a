"""Asks a public web service for JSON: time-out, back-off and its limit on calls in one place."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import requests

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.entity import finite, utc_moment
from battery_optimizer.model.slots import HOUR

_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = HOUR
_LONGEST_ASKED_WAIT: Final = timedelta(days=1)
_WORDS_SHOWN: Final = 200


class JsonApi:
    """One web service. After a failure it is left alone for 1, 2, 4, ... minutes, at most an hour.

    Nothing here waits: a call that must not be made yet fails at once, saying when it may. So a
    service that is down costs a cycle one time-out now and then, not one each time.
    """

    def __init__(
        self, *, base_url: str, timeout_s: float = 10.0, calls_per_hour: int | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._calls_per_hour = calls_per_hour
        self._calls: deque[datetime] = deque()
        self._failures = 0
        self._not_before: datetime | None = None
        self._last_failure = ""

    def get(self, path: str, params: Mapping[str, str], now: datetime) -> object:
        """The JSON at `path`; ForecastUnavailable says in plain words why there is none."""
        self._require_allowed(now)
        self._calls.append(now)
        try:
            response = requests.get(
                f"{self._base_url}{path}",
                params=params,
                headers={"Accept": "application/json", "User-Agent": "battery-optimizer"},
                timeout=self._timeout_s,
            )
            payload: object = response.json() if response.ok else None
        except requests.Timeout as error:
            words = f"did not answer within {self._timeout_s:g} seconds"
            raise self._failed(words, now) from error
        except requests.JSONDecodeError as error:
            raise self._failed("answered with something that is not JSON", now) from error
        except requests.RequestException as error:
            words = f"cannot be reached, or broke off ({type(error).__name__})"
            raise self._failed(words, now) from error
        if not response.ok:
            body = _error_body(response)
            until = _asked_to_wait_until(response, body, now)
            raise self._failed(_refusal(response, body), now, until)
        self._failures, self._not_before = 0, None
        return payload

    def _require_allowed(self, now: datetime) -> None:
        if self._not_before is not None and now < self._not_before <= now + _LONGEST_ASKED_WAIT:
            raise ForecastUnavailable(
                f"{self._last_failure}; it is asked again at {self._not_before:%H:%M} UTC"
            )
        # Calls still to come are of a clock that was set back since.
        while self._calls and not now - HOUR < self._calls[0] <= now:
            self._calls.popleft()
        if self._calls_per_hour is not None and len(self._calls) >= self._calls_per_hour:
            raise ForecastUnavailable(
                f"allows {self._calls_per_hour} calls an hour, and they are used up; it is asked "
                f"again at {self._calls[0] + HOUR:%H:%M} UTC"
            )

    def _failed(
        self, words: str, now: datetime, not_before: datetime | None = None
    ) -> ForecastUnavailable:
        wait = min(_FIRST_WAIT * 2 ** min(self._failures, 10), _LONGEST_WAIT)
        self._failures += 1
        self._not_before = max(now + wait, not_before or now)
        self._last_failure = words
        return ForecastUnavailable(words)


def _refusal(response: requests.Response, body: Mapping[str, object]) -> str:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return "refuses: too many calls (error 429)"
    # Open-Meteo says why in `reason`, Forecast.Solar in `message.text`.
    reason = str(_mapping(body.get("message")).get("text") or body.get("reason") or "")
    return f"answered with error {response.status_code}: {reason[:_WORDS_SHOWN]}".rstrip(": ")


def _asked_to_wait_until(
    response: requests.Response, body: Mapping[str, object], now: datetime
) -> datetime | None:
    seconds = finite(response.headers.get("Retry-After"))
    if seconds is not None and seconds >= 0:
        return now + timedelta(seconds=min(seconds, _LONGEST_ASKED_WAIT.total_seconds()))
    ratelimit = _mapping(_mapping(body.get("message")).get("ratelimit"))
    try:
        asked = utc_moment(ratelimit["retry-at"])
    except (KeyError, ValueError):
        return None  # not said in a way we know: our own back-off serves
    return min(asked, now + _LONGEST_ASKED_WAIT)


def _error_body(response: requests.Response) -> Mapping[str, object]:
    try:
        return _mapping(response.json())
    except requests.JSONDecodeError:
        return {}  # an error page for browsers


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
