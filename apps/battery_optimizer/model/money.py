"""What electricity cost, day by day, and what the same house would have paid otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import reduce
from typing import Final

from battery_optimizer.model.loss import Split


class Otherwise(StrEnum):
    """Who could have run the same house with the same load, sun and rates."""

    NO_BATTERY = "no_battery"
    SELF_USE = "self_use"
    """The inverter by itself."""
    REACTIVE = "reactive"
    """Rules without foresight: charge when cheap, hold below the day's median rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was bought and sold [kWh, p], each >= 0 but for negative rates, apart.

    `end_soc_kwh` is what the battery had stored at the end; None where there is none, or it is
    not known. `sessions_p` is what the supplier's sessions are reckoned to pay, in no other sum;
    None where none was on.
    """

    import_kwh: float = 0.0
    export_kwh: float = 0.0
    import_p: float = 0.0
    export_p: float = 0.0
    end_soc_kwh: float | None = None
    sessions_p: float | None = None

    @property
    def energy_p(self) -> float:
        """What is bought less what is sold; standing charge apart."""
        return self.import_p - self.export_p

    def then(self, later: "Account") -> "Account":
        """Both, one after the other."""
        paid = [each for each in (self.sessions_p, later.sessions_p) if each is not None]
        return Account(
            import_kwh=self.import_kwh + later.import_kwh,
            export_kwh=self.export_kwh + later.export_kwh,
            import_p=self.import_p + later.import_p,
            export_p=self.export_p + later.export_p,
            end_soc_kwh=later.end_soc_kwh,
            sessions_p=sum(paid) if paid else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Money of some local days, `first` to `last` inclusive.

    The same half hours count in `actual` and in what is compared with it. Of `n_slots` half hours
    that are over, `n_estimated` lack a meter's reading or a published rate and are estimates,
    `n_missing` are in no sum at all. `n_days` have a bill, of those asked for `n_missing_days` have
    none. `standing_p` is 0 for the `n_no_standing` days whose standing charge is not known.
    `tariff` and `house` say by which settings it was reckoned.
    """

    first: date
    last: date
    tariff: str
    house: str
    is_demo: bool
    standing_p: float
    n_no_standing: int
    n_slots: int
    n_estimated: int
    n_missing: int
    actual: Account
    no_battery: Account
    self_use: Account
    reactive: Account
    n_days: int = 1
    n_missing_days: int = 0

    @property
    def bill_p(self) -> float:
        """What was paid, standing charge included."""
        return self.actual.energy_p + self.standing_p

    @property
    def n_sure(self) -> int:
        """Half hours that were metered and have a published rate."""
        return 0 if self.is_demo else self.n_slots - self.n_estimated - self.n_missing

    @property
    def is_estimate(self) -> bool:
        """Whether any of it is made up, estimated or missing."""
        is_whole = not (self.n_estimated or self.n_missing or self.n_missing_days)
        return self.is_demo or not is_whole or self.n_no_standing > 0

    @property
    def others(self) -> Mapping[Otherwise, Account]:
        """What the same house would have bought and sold."""
        return {
            Otherwise.NO_BATTERY: self.no_battery,
            Otherwise.SELF_USE: self.self_use,
            Otherwise.REACTIVE: self.reactive,
        }

    def bill_of(self, other: Otherwise) -> float:
        """What would have been paid, standing charge included [p]."""
        return self.others[other].energy_p + self.standing_p

    def saved_against(self, other: Otherwise) -> float:
        """How much less was paid [p]; negative where more was."""
        return self.others[other].energy_p - self.actual.energy_p

    def sessions_more_than(self, other: Otherwise) -> float | None:
        """How much more sessions are reckoned to pay [p]; None where none was on."""
        ours, theirs = self.actual.sessions_p, self.others[other].sessions_p
        return None if ours is None or theirs is None else ours - theirs

    def stored_more_than(self, other: Otherwise) -> float | None:
        """How much more the battery had stored at the end [kWh], which no bill shows."""
        ours, theirs = self.actual.end_soc_kwh, self.others[other].end_soc_kwh
        return None if ours is None or theirs is None else ours - theirs


def total(bills: Sequence[Bill], first: date, last: date) -> Bill | None:
    """Bills of single days, oldest first, summed over the days asked for; None without any."""
    if not bills:
        return None
    n_asked = (last - first) // timedelta(days=1) + 1
    return Bill(
        first=first,
        last=last,
        tariff=", ".join(dict.fromkeys(bill.tariff for bill in bills)),
        house=", ".join(dict.fromkeys(bill.house for bill in bills)),
        is_demo=any(bill.is_demo for bill in bills),
        standing_p=sum(bill.standing_p for bill in bills),
        n_no_standing=sum(bill.n_no_standing for bill in bills),
        n_slots=sum(bill.n_slots for bill in bills),
        n_estimated=sum(bill.n_estimated for bill in bills),
        n_missing=sum(bill.n_missing for bill in bills),
        actual=reduce(Account.then, (bill.actual for bill in bills)),
        no_battery=reduce(Account.then, (bill.no_battery for bill in bills)),
        self_use=reduce(Account.then, (bill.self_use for bill in bills)),
        reactive=reduce(Account.then, (bill.reactive for bill in bills)),
        n_days=len(bills),
        n_missing_days=n_asked - len(bills),
    )


def month_of(day: date) -> tuple[date, date]:
    """First and last day of its month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def by_month(bills: Sequence[Bill], first: date, last: date) -> Iterator[Bill]:
    """Bills of single days, oldest first, summed by month, as far as [first, last] reaches."""
    begin = first
    while begin <= last:
        end = min(month_of(begin)[1], last)
        summed = total([bill for bill in bills if begin <= bill.first <= end], begin, end)
        if summed is not None:
            yield summed
        begin = end + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What there is to show of money; None where there is no bill yet.

    `losses` are this month's days, split by what each lost against the best possible in hindsight,
    as far as they have been looked at.
    """

    today: Bill | None = None
    yesterday: Bill | None = None
    month: Bill | None = None
    last_month: Bill | None = None
    losses: tuple[Split, ...] = ()
    lately: tuple[Split, ...] = ()
    """The same of the last week's days, newest first."""
    problem: str = ""
    """Why there is nothing, or nothing new."""


NO_SAVINGS: Final = Savings()
