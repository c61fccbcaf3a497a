"""What being connected costs each day: asked for now and then, stored, read from the store."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from logging import getLogger
from typing import Final, Protocol

from battery_optimizer.errors import BatteryOptimizerError
from battery_optimizer.model.slots import day_bounds, is_within, local_day
from battery_optimizer.model.tariff import UnitRate

ASK_AGAIN: Final = timedelta(hours=6)
RETRY_AFTER: Final = timedelta(hours=1)
NEAR: Final = timedelta(days=31)
"""A day whose charge was never asked for has the nearest known one of as many days around it."""

logger = getLogger(__name__)


class StandingSource(Protocol):
    """Who knows the charge."""

    @property
    def name(self) -> str:
        """What it is stored under: another for another tariff."""

    def standing_charge(self, now: datetime) -> float:
        """The charge now [p/day, inc. VAT]; RatesUnavailable where it cannot be had."""


class StandingStore(Protocol):
    """Keeps charges [p/day]."""

    def save_standing_charges(
        self, source: str, charges: Sequence[UnitRate], fetched_at: datetime
    ) -> None:
        """Keep these; StoreUnavailable when it cannot."""

    def standing_charges(self, source: str, start: datetime, end: datetime) -> Sequence[UnitRate]:
        """Those that hold anywhere in [start, end), oldest first."""


class StandingFeed:
    """The standing charge of each day; `fixed_p` [p/day] is the householder's word for it.

    `fallback` (a made-up one) serves only where the source has none.
    """

    def __init__(
        self,
        source: StandingSource,
        store: StandingStore,
        fallback: StandingSource | None = None,
        *,
        fixed_p: float | None = None,
    ) -> None:
        self._sources = [source] if fallback is None else [source, fallback]
        self._store = store
        self._fixed_p = fixed_p
        self._asked_at: datetime | None = None
        self._wait = RETRY_AFTER

    def refresh(self, now: datetime) -> None:
        """Ask, if it is time to; a failure is logged, and the day told as without a charge."""
        if self._fixed_p is not None or self._was_asked(now):
            return
        self._asked_at, self._wait = now, RETRY_AFTER
        for source in self._sources:
            try:
                charge_p = source.standing_charge(now)
                start, end = day_bounds(local_day(now))
                today = UnitRate(start=start, end=end, p_per_kwh=charge_p)
                self._store.save_standing_charges(source.name, [today], now)
            except BatteryOptimizerError as error:
                logger.info("no standing charge: %s", error)
                continue
            if source is self._sources[0]:
                self._wait = ASK_AGAIN
            return

    def _was_asked(self, now: datetime) -> bool:
        """Lately, and on this local day: at midnight charges change."""
        asked_at = self._asked_at
        return (
            asked_at is not None
            and is_within(self._wait, asked_at, now)
            and local_day(asked_at) == local_day(now)
        )

    def on(self, day: date) -> float | None:
        """The charge of that local day [p]; None if none is known near it."""
        if self._fixed_p is not None:
            return self._fixed_p
        start, end = day_bounds(day)
        for source in self._sources:
            near = self._store.standing_charges(source.name, start - NEAR, end + NEAR)
            if near:
                return min(near, key=lambda rate: abs(rate.start - start)).p_per_kwh
        return None
