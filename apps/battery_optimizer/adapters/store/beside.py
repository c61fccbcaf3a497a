"""What else is known of the half hours that were metered: other meters, absences, sessions.

An absence is kept with the half hours of more sensors (`more`), as `away`; a session of the
supplier as `saving usual` or `free usual` [kWh], each with its reward, `saving reward` [p/kWh].
"""

from dataclasses import replace
from datetime import datetime
from sqlite3 import Connection
from typing import Final

import numpy as np

from battery_optimizer.adapters.store.more import LOOKED_BACK
from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch, moment_of
from battery_optimizer.model.decision import CycleOutcome
from battery_optimizer.model.slots import SLOT, SLOT_HOURS, SlotSeries, count_slots, floor_to_slot
from battery_optimizer.model.telemetry import (
    FEWEST_READINGS,
    EnergyKind,
    MeteredFlows,
    Observations,
)
from battery_optimizer.model.wishes import Event

_NAMES: Final = ("grid_kw", "battery_kw", "soc_kwh")

_FLOWS: Final = f"""
SELECT start, (import_kwh - export_kwh) / {SLOT_HOURS}, (discharge_kwh - charge_kwh) / {SLOT_HOURS},
    soc_kwh
FROM slot_energy WHERE kind = '{EnergyKind.METERED}' AND start >= ? AND start < ?
    AND n_samples >= {FEWEST_READINGS}"""  # noqa: S608 - our own words

_AWAY: Final = "INSERT OR IGNORE INTO more_half_hours (name, start, value) VALUES ('away', ?, 1)"

_SAVING: Final = "saving"
_FREE: Final = "free"

_SESSION: Final = "INSERT OR REPLACE INTO more_half_hours (name, start, value) VALUES (?, ?, ?)"

_SESSIONS: Final = """
SELECT usual.start, usual.value, reward.value FROM more_half_hours AS usual
    JOIN more_half_hours AS reward ON reward.start = usual.start
WHERE usual.name = ? AND reward.name = ? AND usual.start >= ? AND usual.start < ?
ORDER BY usual.start"""

_WHEN_AWAY: Final = """
SELECT start, value FROM more_half_hours WHERE name = 'away' AND start >= ? AND start < ?"""


def insert_absence(connection: Connection, outcome: CycleOutcome) -> None:
    """Remember of a cycle's half hour that the household was away, if it had said so."""
    until = None if outcome.inputs is None else outcome.inputs.wishes.away_until
    if until is not None and outcome.at < until:
        connection.execute(_AWAY, (epoch(floor_to_slot(outcome.at)),))


def insert_sessions(connection: Connection, outcome: CycleOutcome) -> None:
    """Remember which sessions of the supplier counted in a cycle's half hour."""
    slot = floor_to_slot(outcome.at)
    for event in () if outcome.inputs is None else outcome.inputs.wishes.events:
        if not (event.usual_kwh and event.holds_at(outcome.at)):
            continue
        kind, usual_kwh = _FREE if event.free_import else _SAVING, event.usual_at(outcome.at)
        told = {f"{kind} usual": usual_kwh, f"{kind} reward": event.reward_p_per_kwh}
        rows = [(name, epoch(slot), value) for name, value in told.items()]
        connection.executemany(_SESSION, rows)


def select_sessions(connection: Connection, start: datetime, end: datetime) -> list[Event]:
    """The sessions that counted in [start, end), one for each of their half hours."""
    found = []
    for kind in (_SAVING, _FREE):
        names = (f"{kind} usual", f"{kind} reward", epoch(start), epoch(end))
        for seconds, usual_kwh, reward_p in connection.execute(_SESSIONS, names):
            at = moment_of(seconds)
            event = Event(
                start=at,
                end=at + SLOT,
                reward_p_per_kwh=reward_p,
                free_import=kind == _FREE,
                usual_kwh=(usual_kwh,),
            )
            found.append(event)
    return found


def with_beside(connection: Connection, observed: Observations, end: datetime) -> Observations:
    """What was observed with what the other meters said, and with when nobody was in."""
    start = max(observed.load_kw.start, floor_to_slot(end) - LOOKED_BACK)
    flows = _series(connection, _FLOWS, start, end, 3)
    away = _series(connection, _WHEN_AWAY, start, end, 1)
    return replace(
        observed,
        flows=None if flows is None else MeteredFlows(**dict(zip(_NAMES, flows, strict=True))),
        away=None if away is None else away[0],
    )


def _series(
    connection: Connection, query: str, start: datetime, end: datetime, count: int
) -> list[SlotSeries] | None:
    """So many columns of a query for [start, end), after the half hour; None if all are empty."""
    rows = connection.execute(query, (epoch(start), epoch(end))).fetchall()
    values = np.full((count, count_slots(start, end)), np.nan)
    if rows:
        # SQL's NULL arrives as None, which becomes NaN.
        starts, *columns = np.array(rows, dtype=np.float64).T
        values[:, ((starts - epoch(start)) // SLOT_SECONDS).astype(int)] = columns
    if not np.isfinite(values).any():
        return None
    return [SlotSeries(start=start, values=row) for row in values]
