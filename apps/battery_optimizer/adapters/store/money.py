"""Money in the store: each day's bill, what it lost against the best possible, standing charges."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from sqlite3 import Connection
from typing import Final, TypeVar

from battery_optimizer.adapters.store.file import StoreFile
from battery_optimizer.adapters.store.rates import insert_rates, select_rates
from battery_optimizer.adapters.store.schema import moment_of
from battery_optimizer.model.codec import Undecodable, decode, encode
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Bill
from battery_optimizer.model.slots import local_day
from battery_optimizer.model.tariff import UnitRate
from battery_optimizer.model.telemetry import EnergyKind

T = TypeVar("T")

# What tariffs were once called held the postcode and the account number, and bills are shown.
_PRIVATE: Final = re.compile(
    r" (?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|A-[A-Z\d]+)(?=[ ,]|$)", re.IGNORECASE
)

_STANDING: Final = "standing"
"""Standing charges [p/day] lie beside the unit rates, as a direction of their own."""

_SAVE_BILL: Final = "INSERT OR REPLACE INTO day_bills (day, body) VALUES (?, ?)"
_BILLS: Final = "SELECT body FROM day_bills WHERE day BETWEEN ? AND ? ORDER BY day"
_SAVE_LOSS: Final = "INSERT OR REPLACE INTO day_losses (day, body) VALUES (?, ?)"
_LOSSES: Final = "SELECT body FROM day_losses WHERE day BETWEEN ? AND ? ORDER BY day"
_FIRST_METERED: Final = "SELECT min(start) FROM slot_energy WHERE kind = ?"


class MoneyStore:
    """Fulfils what the ledger asks of a store; days are local, ranges of days inclusive."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def save_bill(self, bill: Bill) -> None:
        """Keep a day's bill; one of the same day is replaced. Bills are kept for good."""
        row = (bill.first.isoformat(), encode(bill))
        self._file.write(lambda connection: connection.execute(_SAVE_BILL, row))

    def bills(self, first: date, last: date) -> list[Bill]:
        """The bills of these days, oldest first; days without one are left out."""
        return self._read(_BILLS, _bill, first, last)

    def save_loss(self, split: Split) -> None:
        """Keep how a day's money fell short of the best possible."""
        row = (local_day(split.start).isoformat(), encode(split))
        self._file.write(lambda connection: connection.execute(_SAVE_LOSS, row))

    def losses(self, first: date, last: date) -> list[Split]:
        """The splits of these days, oldest first, of those that were looked back on."""
        return self._read(_LOSSES, _split, first, last)

    def first_metered(self) -> datetime | None:
        """The start of the first half hour of which there is a reading."""
        (seconds,) = self._file.read(
            lambda connection: connection.execute(_FIRST_METERED, (EnergyKind.METERED,)).fetchone()
        )
        return None if seconds is None else moment_of(seconds)

    def save_standing_charges(
        self, source: str, charges: Sequence[UnitRate], fetched_at: datetime
    ) -> None:
        """Keep standing charges [p/day]; of the same start the one fetched last holds."""
        self._file.write(
            lambda connection: insert_rates(connection, _STANDING, source, charges, fetched_at)
        )

    def standing_charges(self, source: str, start: datetime, end: datetime) -> list[UnitRate]:
        """Standing charges [p/day] that hold anywhere in [start, end), oldest first."""
        return self._file.read(
            lambda connection: select_rates(connection, _STANDING, source, start, end)
        )

    def _read(
        self, statement: str, decoded: Callable[[bytes], T], first: date, last: date
    ) -> list[T]:
        days = (first.isoformat(), last.isoformat())

        def rows(connection: Connection) -> list[bytes]:
            return [body for (body,) in connection.execute(statement, days)]

        found = []
        for body in self._file.read(rows):
            try:
                found.append(decoded(body))
            except Undecodable as error:
                self._file.note(f"a day's money in the database is passed over: {error}")
        return found


# A year of bills is asked for again and again, and of them only today's changes.
@lru_cache(maxsize=512)
def _bill(body: bytes) -> Bill:
    kept = decode(Bill, body)
    return replace(kept, tariff=_PRIVATE.sub("", kept.tariff))


@lru_cache(maxsize=512)
def _split(body: bytes) -> Split:
    return decode(Split, body)
