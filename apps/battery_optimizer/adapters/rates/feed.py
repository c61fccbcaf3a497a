"""Unit rates as the cycle sees them: fetched now and then, stored, read from the store.

What is stored are half hours, so that what was fetched last holds and an old tariff's open-ended
rate never fills a gap in a new one. Nothing fills a gap but a published rate.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from logging import getLogger
from typing import Final, Protocol

import numpy as np

from battery_optimizer.errors import ForecastUnavailable, RatesUnavailable, StoreUnavailable
from battery_optimizer.model.slots import SLOT, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import Direction, KnownRates, UnitRate, half_hourly

PAST: Final = timedelta(days=2)
"""Fetched again each time, since a supplier may correct or complete what it published."""
HISTORY: Final = timedelta(days=14)
"""Fetched at first, for the forecasts of rates to learn from."""
AHEAD: Final = timedelta(days=3)
"""No supplier publishes so far ahead, but open-ended rates are then known for any 48 hours."""
RETRY_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30))

logger = getLogger(__name__)


class RatesSource(Protocol):
    """Where published rates come from."""

    @property
    def name(self) -> str:
        """What rates are stored under: another for another tariff."""

    @property
    def is_demo(self) -> bool:
        """Whether the rates are made up."""

    def fetch(
        self,
        direction: Direction,
        start: datetime,
        end: datetime,
        now: datetime,
        report: Callable[[str], None],
    ) -> list[UnitRate]:
        """Rates in [start, end) as published by `now`; `report` is told of single bad ones."""


class RatesStore(Protocol):
    """Keeps half-hourly rates; of two for one start the one saved last holds."""

    def save_rates(
        self, *, direction: Direction, source: str, rates: Sequence[UnitRate], fetched_at: datetime
    ) -> None:
        """Keep these; StoreUnavailable when it cannot."""

    def load_rates(
        self, *, direction: Direction, source: str, start: datetime, end: datetime
    ) -> list[UnitRate]:
        """Those that hold somewhere in [start, end); StoreUnavailable when it cannot."""


class ExpectedRates(Protocol):
    """Somebody who forecasts import rates."""

    name: str

    def expected(self, now: datetime) -> SlotSeries:
        """Rates of the days to come [p/kWh]; ForecastUnavailable says why there are none."""


class RatesFeed:
    """Fulfils the port `Rates` from the store, which `refresh` fills.

    `fallback` (made-up rates, say) serves only while the source's rates cannot be had: while none
    is known for now or later. `fixed` gives rates [p/kWh] that are the same at all times, for the
    directions that have such; nothing is fetched for these.
    """

    def __init__(
        self,
        source: RatesSource,
        store: RatesStore,
        fallback: RatesSource | None = None,
        *,
        fixed: Mapping[Direction, float] | None = None,
        ahead: ExpectedRates | None = None,
    ) -> None:
        """`ahead`: who forecasts import rates beyond the published ones, if anybody is asked."""
        self._source = source
        self._store = store
        self._fallback = fallback
        self._fixed = dict(fixed or {})
        self._ahead = ahead
        self._fetched_once: set[tuple[Direction, str]] = set()
        self._newest: dict[tuple[Direction, str], list[UnitRate]] = {}
        self._failures = 0
        self.fetched_at: datetime | None = None
        """When the source last gave all that was asked of it."""
        self.next_retry: datetime | None = None
        """When to refresh again after a failure; None after a success."""
        self.last_error: str | None = None
        """Why the last refresh failed; None after a success."""
        self.failed: Mapping[Direction, str] = {}
        """The same for each direction."""
        self.problems: tuple[str, ...] = ()
        """What was wrong with single rates, or with storing them, at the last refresh."""

    def refresh(self, now: datetime) -> bool:
        """Fetch and store; whether the source gave all. Why not is in `last_error`, and logged."""
        self.problems = ()
        errors = self._fetch(self._source, now)
        self.failed = errors
        if not errors:
            self._failures, self.next_retry, self.last_error = 0, None, None
            self.fetched_at = now
            return True
        self.last_error = "; ".join(dict.fromkeys(errors.values()))
        self.next_retry = now + RETRY_AFTER[min(self._failures, len(RETRY_AFTER) - 1)]
        self._failures += 1
        logger.warning("rates not refreshed: %s", self.last_error)
        if self._fallback is not None:
            for error in self._fetch(self._fallback, now).values():
                self._report(error)
        return False

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        """Rates of [start, end) [p/kWh] as fetched so far; NaN where none is.

        RatesUnavailable if of a direction not one is known.
        """
        source = self._source
        if self._fallback is not None and not self._reaches(source, now):
            source = self._fallback
        imports = self._series(Direction.IMPORT, source, start, end)
        exports = self._series(Direction.EXPORT, source, start, end)
        for direction, series in ((Direction.IMPORT, imports), (Direction.EXPORT, exports)):
            if not np.isfinite(series.values).any():
                why = self.last_error or "they have not been fetched yet"
                raise RatesUnavailable(f"no {direction} rate is known: {why}")
        is_demo = source.is_demo and bool(self._fetched_directions)
        return KnownRates(
            imports=imports,
            exports=exports,
            is_demo=is_demo,
            expected_imports=None if is_demo else self._expected(now),
        )

    def covers(self, now: datetime) -> bool:
        """Whether the import rate of this moment is known already."""
        try:
            known = self.known_rates(floor_to_slot(now), floor_to_slot(now) + SLOT, now)
        except RatesUnavailable:
            return False
        return bool(np.isfinite(known.imports.at(now)))

    def _expected(self, now: datetime) -> SlotSeries | None:
        if self._ahead is None or Direction.IMPORT in self._fixed:
            return None
        try:
            return self._ahead.expected(now)
        except ForecastUnavailable as error:
            self._report(f"{self._ahead.name}: {error}; rates of recent days serve instead")
            return None

    def _reaches(self, source: RatesSource, now: datetime) -> bool:
        """Whether a rate of this source is known for now or later, or none is needed."""
        series = [
            self._series(direction, source, now, now + AHEAD)
            for direction in self._fetched_directions
        ]
        return not series or any(np.isfinite(one.values).any() for one in series)

    @property
    def _fetched_directions(self) -> list[Direction]:
        return [direction for direction in Direction if direction not in self._fixed]

    def _series(
        self, direction: Direction, source: RatesSource, start: datetime, end: datetime
    ) -> SlotSeries:
        if direction in self._fixed:
            always = UnitRate(
                start=floor_to_slot(start), end=None, p_per_kwh=self._fixed[direction]
            )
            return half_hourly([always], start, end)
        try:
            stored = self._store.load_rates(
                direction=direction, source=source.name, start=start, end=end
            )
        except StoreUnavailable as error:
            self._report(f"stored rates cannot be read: {error}")
            stored = []
        # What was just fetched also serves while it cannot be stored.
        newest = self._newest.get((direction, source.name), [])
        return half_hourly([*stored, *newest], start, end)

    def _fetch(self, source: RatesSource, now: datetime) -> dict[Direction, str]:
        """Fetch and store each direction for itself; the messages of what failed."""
        errors = {}
        for direction in self._fetched_directions:
            try:
                self._fetch_direction(source, direction, now)
            except RatesUnavailable as error:
                errors[direction] = str(error)
        return errors

    def _fetch_direction(self, source: RatesSource, direction: Direction, now: datetime) -> None:
        key = (direction, source.name)
        start = floor_to_slot(now) - (PAST if key in self._fetched_once else HISTORY)
        end = floor_to_slot(now) + AHEAD
        published = source.fetch(direction, start, end, now, self._report)
        rates = _per_slot(half_hourly(published, start, end))
        if not rates:
            raise RatesUnavailable(f"no {direction} rate has been published since {start:%d %B}")
        self._newest[key] = rates = self._but_for_known(rates, key, now)
        try:
            self._store.save_rates(
                direction=direction, source=source.name, rates=rates, fetched_at=now
            )
        except StoreUnavailable as error:
            self._report(f"rates cannot be stored: {error}")
            return  # and fetch the whole history again: memory is all there is
        self._fetched_once.add(key)

    def _but_for_known(
        self, rates: list[UnitRate], key: tuple[Direction, str], now: datetime
    ) -> list[UnitRate]:
        """Without days that are over and stored: the house may have had another tariff then."""
        over = floor_to_slot(now) - PAST
        if rates[0].start >= over:
            return rates
        try:
            stored = self._store.load_rates(
                direction=key[0], source=key[1], start=rates[0].start, end=over
            )
        except StoreUnavailable:
            return rates
        known = {rate.start for rate in stored}
        return [rate for rate in rates if rate.start >= over or rate.start not in known]

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            logger.warning("%s", problem)
            self.problems = (*self.problems, problem)


def _per_slot(series: SlotSeries) -> list[UnitRate]:
    starts = (series.start + t * SLOT for t in range(len(series.values)))
    return [
        UnitRate(start=start, end=start + SLOT, p_per_kwh=float(p_per_kwh))
        for start, p_per_kwh in zip(starts, series.values, strict=True)
        if np.isfinite(p_per_kwh)
    ]
