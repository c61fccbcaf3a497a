"""Keeps the bills of all days up to date, some days at a look, so that no cycle waits for them.

Today's bill is reckoned anew at each look. Past days are gone through again and again, oldest
first, the last days every few looks and all of them twice a day: a rate, a reading or a standing
charge that came late corrects its day, and what the others' batteries carry on from it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from battery_optimizer.errors import BatteryOptimizerError, RatesUnavailable
from battery_optimizer.forecast.rates import RECENT_DAYS
from battery_optimizer.model.house import House
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Bill, Savings, month_of, total
from battery_optimizer.model.slots import (
    DAY,
    SLOT,
    SlotSeries,
    day_bounds,
    floor_to_slot,
    is_within,
    local_day,
)
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy
from battery_optimizer.model.wishes import Event
from battery_optimizer.money.bills import day_bill, digest
from battery_optimizer.money.metered import DayRecords
from battery_optimizer.ports import Rates

DAYS_A_LOOK: Final = 3
"""Besides today; each takes some milliseconds."""
_RECENT: Final = 8
_ALL_AGAIN: Final = timedelta(hours=12)
_LATELY: Final = 7 * DAY
NO_BILLS_YET: Final = "there is no bill yet: the first half hour has to be metered to its end"


class Readings(Protocol):
    """What the store remembers of the house."""

    def slot_energy(
        self, *, kind: EnergyKind, start: datetime, end: datetime
    ) -> Sequence[SlotEnergy]:
        """Energies of each known half hour of [start, end) [kWh], oldest first."""

    def observations(self, start: datetime, end: datetime) -> Observations:
        """Load and solar of [start, end) [kW average per half hour]; NaN where not metered."""

    def sessions(self, start: datetime, end: datetime) -> Sequence[Event]:
        """The supplier's sessions that plans counted on in [start, end), by half hour."""


class Books(Protocol):
    """Where bills are kept; ranges of days are inclusive."""

    def save_bill(self, bill: Bill) -> None:
        """Keep a day's bill; one of the same day is replaced."""

    def bills(self, first: date, last: date) -> Sequence[Bill]:
        """The bills of these days, oldest first; days without one are left out."""

    def losses(self, first: date, last: date) -> Sequence[Split]:
        """The splits of these days, oldest first."""

    def first_metered(self) -> datetime | None:
        """The start of the first half hour of which there is a reading."""


class StandingCharges(Protocol):
    """What being connected costs."""

    def on(self, day: date) -> float | None:
        """The standing charge of that local day [p]; None if it is not known."""


@dataclass(kw_only=True)
class Ledger:
    """Reckons bills and keeps them; `tariff` names where the rates come from."""

    readings: Readings
    books: Books
    rates: Rates
    standing: StandingCharges
    house: House
    tariff: str
    has_solar: bool
    savings: Savings = field(default_factory=lambda: Savings(problem=NO_BILLS_YET), init=False)
    """What there is to show."""
    _due: deque[date] = field(default_factory=deque, init=False)
    _all_done_at: datetime | None = field(default=None, init=False)

    def recall(self, now: datetime) -> None:
        """What there is to show before the first look: the bills as they were kept."""
        if self._all_done_at is None:
            try:
                self.savings = self._savings(local_day(now))
            except BatteryOptimizerError as error:
                self.savings = Savings(problem=str(error))

    def look(self, now: datetime) -> None:
        """Bring some days up to date, and today.

        Whatever fails is told in `savings`, and tried again at the next look.
        """
        try:
            for day in (*self._next_days(now), local_day(now)):
                self._bring_up_to_date(day, now)
            self.savings = self._savings(local_day(now))
        except BatteryOptimizerError as error:
            self.savings = Savings(problem=str(error))

    def _next_days(self, now: datetime) -> list[date]:
        if not self._due:
            self._due.extend(self._days_to_go_through(now))
        return [self._due.popleft() for _ in range(min(DAYS_A_LOOK, len(self._due)))]

    def _days_to_go_through(self, now: datetime) -> list[date]:
        begun = self.books.first_metered()
        if begun is None:
            return []
        today = local_day(now)
        first = local_day(begun)
        if is_within(_ALL_AGAIN, self._all_done_at, now):
            first = max(first, today - _RECENT * DAY)
        else:
            self._all_done_at = now
        return [first + t * DAY for t in range((today - first) // DAY)]

    def _bring_up_to_date(self, day: date, now: datetime) -> None:
        before, kept = self._bill_of(day - DAY), self._bill_of(day)
        start, end = day_bounds(day)
        is_whole = kept is not None and kept.n_slots == (end - start) // SLOT
        if kept is not None and is_whole and not self._is_ours(kept):
            return
        metered = self.readings.slot_energy(kind=EnergyKind.METERED, start=start - SLOT, end=end)
        if not any(slot.start >= start for slot in metered):
            return
        records = DayRecords(
            metered=metered,
            expected=self.readings.slot_energy(kind=EnergyKind.EXPECTED, start=start, end=end),
            observed=self.readings.observations(start, end),
            known=self._known_rates(start, end, now),
            standing_p=self.standing.on(day),
            sessions=self.readings.sessions(start, end),
            has_solar=self.has_solar,
        )
        bill = day_bill(day, now, records, self.house, tariff=self.tariff, before=before)
        if bill is not None and bill != kept and _is_no_worse(bill, kept):
            self.books.save_bill(bill)

    def _bill_of(self, day: date) -> Bill | None:
        found = self.books.bills(day, day)
        return found[0] if found else None

    def _is_ours(self, kept: Bill) -> bool:
        """Whether it was reckoned by these settings; old days stay as they were by the old ones."""
        return kept.is_demo or (kept.tariff, kept.house) == (self.tariff, digest(self.house))

    def _known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        """The day's, and where some have to be estimated those of the days before as well."""
        over = min(end, floor_to_slot(now))
        for first in (start, start - RECENT_DAYS * DAY):
            try:
                known = self.rates.known_rates(first, end, now)
            except RatesUnavailable:
                continue
            day = [series.between(start, over).values for series in (known.imports, known.exports)]
            if first < start or np.isfinite(day).all():
                return known
        nothing = SlotSeries.empty(start)
        return KnownRates(imports=nothing, exports=nothing)

    def _savings(self, today: date) -> Savings:
        first, last = month_of(today)
        before = month_of(first - DAY)
        earlier = self.books.bills(*before)
        bills = self.books.bills(first, last)
        of_day = {bill.first: bill for bill in (*earlier, *bills)}
        if not of_day:
            return Savings(problem=NO_BILLS_YET)
        return Savings(
            today=of_day.get(today),
            yesterday=of_day.get(today - DAY),
            month=total(bills, first, today),
            last_month=total(earlier, *before),
            losses=tuple(self.books.losses(first, last)),
            lately=tuple(reversed(self.books.losses(today - _LATELY, today))),
        )


def _is_no_worse(bill: Bill, kept: Bill | None) -> bool:
    """Whether a new reckoning may take the old one's place: what was known may be forgotten since.

    (Readings are kept for 400 days, bills for good; rates may be out of reach for a while.)
    """
    if kept is None:
        return True
    return (bill.n_sure, -bill.n_no_standing) >= (kept.n_sure, -kept.n_no_standing)
