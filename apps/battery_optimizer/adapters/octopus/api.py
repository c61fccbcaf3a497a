"""The Octopus Energy API: its requests, and what to do when it does not answer.

Rates need no key; a household's agreements do, and the key goes nowhere but into the request.
Everything that can go wrong out there becomes a RatesUnavailable which says what to do.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from logging import getLogger
from typing import Final
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from battery_optimizer.adapters.octopus.payloads import (
    REGIONS,
    Agreement,
    Row,
    Tariff,
    agreements_of,
    end_of,
    holds,
    object_of,
    page_of,
    rates_of,
    reading,
    retry_after_s,
    text_of,
    time_of,
    zulu,
)
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import Direction, UnitRate

KINDS: Final[Mapping[str, tuple[Direction, str]]] = {
    # A kind of tariff is known by how its product codes begin.
    "agile": (Direction.IMPORT, r"AGILE-\d"),
    "go": (Direction.IMPORT, r"GO-VAR-\d"),
    "cosy": (Direction.IMPORT, r"COSY-\d"),
    "flux": (Direction.IMPORT, r"FLUX-IMPORT-\d"),
    "agile_outgoing": (Direction.EXPORT, r"AGILE-OUTGOING-\d"),
    "outgoing": (Direction.EXPORT, r"OUTGOING-VAR-\d"),
    "flux_export": (Direction.EXPORT, r"FLUX-EXPORT-\d"),
}

PAGE_SIZE: Final = 1500
MAX_PAGES: Final = 40
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 10.0
"""An app's other callbacks wait while it sleeps; whoever calls has a longer back-off."""
TOO_MANY_REQUESTS: Final = 429
SERVER_ERRORS: Final = 500

_REFUSALS: Final = {
    401: "Octopus refused to show {what}: copy the API key again from its page on API access",
    403: "Octopus refused to show {what}: the API key must belong to the account that is set",
    404: "Octopus does not know {what}: check the product, region, postcode or account set",
}

logger = getLogger(__name__)


class OctopusClient:
    """Asks the API, again with growing waits where it is busy or does not answer."""

    def __init__(
        self,
        base_url: str,
        *,
        timeouts_s: tuple[float, float] = (5.0, 15.0),
        attempts: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeouts_s` for the connection and for silence after it; `attempts` of each request."""
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._timeouts_s = timeouts_s
        self._attempts = attempts
        self._sleep = sleep

    def unit_rates(
        self,
        tariff: Tariff,
        start: datetime,
        end: datetime,
        report: Callable[[str], None] = logger.warning,
    ) -> list[UnitRate]:
        """Rates that hold somewhere in [start, end), oldest first, one for each start.

        A row that makes no sense is left out and told to `report`; if none does, it is an error.
        """
        return self._rates(tariff, "standard-unit-rates", (start, end), report)

    def standing_charge(self, tariff: Tariff, at: datetime) -> float:
        """The standing charge that holds at this time [p/day, inc. VAT]."""
        rates = self._rates(tariff, "standing-charges", (at, at + SLOT), logger.warning)
        holding = [rate for rate in rates if holds(rate.start, rate.end, at)]
        if not holding:
            raise RatesUnavailable(f"Octopus gives no standing charge for {tariff.code} at {at}")
        return holding[-1].p_per_kwh

    def discover_product(self, kind: str, now: datetime) -> str:
        """The newest product of a kind (see KINDS) that is on offer, as AGILE-24-10-01."""
        direction, pattern = KINDS[kind]
        query = {"brand": "OCTOPUS_ENERGY", "is_variable": "true", "page_size": "100"}
        on_offer = []
        for row in self._rows(f"{self._base_url}/v1/products/", "its list of products", query):
            with reading("its list of products"):
                code = text_of(row["code"])
                is_right_way = row.get("direction", direction.upper()) == direction.upper()
                if is_right_way and re.match(pattern, code):
                    since, until = time_of(row["available_from"]), end_of(row.get("available_to"))
                    on_offer += [(since, code)] if holds(since, until, now) else []
        if not on_offer:
            raise RatesUnavailable(f"Octopus offers no {kind} tariff now: set the product's code")
        return max(on_offer)[1]

    def region_of_postcode(self, postcode: str) -> str:
        """The region letter of a UK postcode."""
        url = f"{self._base_url}/v1/industry/grid-supply-points/"
        groups = set()
        for row in self._rows(url, "the postcode", {"postcode": postcode}):
            with reading("the region of the postcode"):
                groups.add(text_of(row["group_id"]).removeprefix("_"))
        if len(groups) != 1 or not groups <= set(REGIONS):
            raise RatesUnavailable(
                "Octopus knows no single region for the postcode: set the region's letter"
            )
        return groups.pop()

    def agreements(self, account: str, api_key: str) -> tuple[Agreement, ...]:
        """The tariffs that an account had, has and is going to have."""
        url = f"{self._base_url}/v1/accounts/{quote(account, safe='')}/"
        body = self._get(url, "the account", {}, api_key)
        with reading("the account"):
            return agreements_of(body)

    def _rates(
        self,
        tariff: Tariff,
        table: str,
        span: tuple[datetime, datetime],
        report: Callable[[str], None],
    ) -> list[UnitRate]:
        url = (
            f"{self._base_url}/v1/products/{tariff.product}/electricity-tariffs/{tariff.code}"
            f"/{table}/"
        )
        period_from, period_to = (zulu(moment) for moment in span)
        query = {"period_from": period_from, "period_to": period_to, "page_size": str(PAGE_SIZE)}
        rows = list(self._rows(url, f"tariff {tariff.code}", query))
        return rates_of(rows, tariff.code, report)

    def _rows(self, url: str, what: str, query: Mapping[str, str]) -> Iterator[Row]:
        """The rows of all pages, in the order given."""
        for _ in range(MAX_PAGES):
            body = self._get(url, what, query)
            with reading(what):
                rows, following = page_of(body)
            yield from rows
            if following is None:
                return
            url, query = following, {}  # the link carries the whole query
        raise RatesUnavailable(f"Octopus gave more than {MAX_PAGES} pages on {what}: tell us")

    def _get(
        self, url: str, what: str, query: Mapping[str, str], api_key: str | None = None
    ) -> Row:
        wait_s = FIRST_WAIT_S
        for attempt in count(1):
            try:
                return self._ask(url, what, query, api_key)
            except _BusyError as busy:
                wait_s = max(wait_s, busy.retry_after_s)
                if attempt >= self._attempts or wait_s > LONGEST_WAIT_S:
                    raise RatesUnavailable(f"{busy} (tried {attempt} times)") from busy
            self._sleep(wait_s)
            wait_s *= 2
        raise AssertionError("count() does not end")

    def _ask(self, url: str, what: str, query: Mapping[str, str], api_key: str | None) -> Row:
        auth = None if api_key is None else HTTPBasicAuth(api_key.encode(), b"")
        # Neither the address (it holds the account number) nor the key belongs in a message.
        try:
            response = self._session.get(url, params=query, auth=auth, timeout=self._timeouts_s)
        except requests.RequestException as error:
            if isinstance(error, ValueError):  # how requests marks a wrong address
                raise RatesUnavailable("the base URL for Octopus is no web address") from error
            reason = "did not answer in time" if isinstance(error, requests.Timeout) else "is away"
            raise _BusyError(f"Octopus {reason}, asked for {what}: is there internet?") from error
        status = response.status_code
        if status == TOO_MANY_REQUESTS or status >= SERVER_ERRORS:
            raise _BusyError(
                f"Octopus is busy or broken (HTTP {status}), asked for {what}",
                retry_after_s(response.headers),
            )
        if status != requests.codes.ok:
            refusal = _REFUSALS.get(status, f"Octopus answers HTTP {status}, asked for {{what}}")
            raise RatesUnavailable(refusal.format(what=what))
        with reading(what):
            return object_of(response.json())


class _BusyError(Exception):
    """Octopus may well answer if asked again, after so many seconds at the earliest."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
