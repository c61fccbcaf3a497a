"""How readings that come at uneven times make a half hour.

A reading is taken before its cycle decides, and after an order the app looks again within a minute.
So a reading stands for the time since the one before it, and for each half hour's part of that.
"""

from datetime import datetime
from sqlite3 import Connection
from typing import Final

from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch, moment_of
from battery_optimizer.model.slots import floor_to_slot

LONGEST_S: Final = 600
"""After a gap a reading stands for no more."""

_BEFORE: Final = "SELECT max(at) FROM samples WHERE at >= ? AND at < ?"


def slots_touched(connection: Connection, at: datetime) -> list[dict[str, int]]:
    """The bounds, as `weighed` takes them, of the half hours that change by a reading of `at`.

    They are its own and that of the reading before it, if this is not too long ago.
    """
    seconds = epoch(at)
    (before,) = connection.execute(_BEFORE, (seconds - LONGEST_S, seconds)).fetchone()
    slots = {epoch(floor_to_slot(moment_of(each))) for each in (before, seconds) if each}
    return [{"slot": slot, "slot_end": slot + SLOT_SECONDS} for slot in sorted(slots)]


def weighed(table: str, each: str = "") -> str:
    """SQL for `weighed`: the table's rows of [:slot, :slot_end), by for how many `seconds` of it.

    One within it counts for a second at least, so that at its very start there is something.
    `each` names the column that tells sensors apart, where there is one.
    """
    partition = f"PARTITION BY {each} " if each else ""
    return f"""
WITH readings AS (
    SELECT *, lag(at, 1, 0) OVER ({partition}ORDER BY at) AS before FROM {table}
    WHERE at >= :slot - {LONGEST_S} AND at < :slot_end + {LONGEST_S}),
parts AS (
    SELECT *, max(at >= :slot AND at < :slot_end,
        min(at, :slot_end) - max(before, at - {LONGEST_S}, :slot)) AS seconds
    FROM readings),
weighed AS (SELECT * FROM parts WHERE seconds > 0)"""  # noqa: S608 - our own words


def mean(value: str) -> str:
    """SQL for the average of a value over `weighed`; NULL where it is never known."""
    return f"sum(seconds * {value}) / sum(seconds * ({value} IS NOT NULL))"
