"""What more is kept of half hours, by name: other sensors, and what was true of them.

A large load [kW] goes by `load NAME`, the temperature by `outside`: samples and averages. Half
hours in which the panels may have been held back are marked by `held back`, those in which the
household had said that it was away by `away`. A session of the supplier is `saving usual` or `free
usual` [kWh], each with its reward, `saving reward` [p/kWh].
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from sqlite3 import Connection
from typing import Final

import numpy as np

from battery_optimizer.adapters.store.averages import mean, slots_touched, weighed
from battery_optimizer.adapters.store.readings import LOOKED_BACK, on_grid
from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch, moment_of
from battery_optimizer.model.decision import CycleOutcome
from battery_optimizer.model.held_back import is_held_back
from battery_optimizer.model.slots import SLOT, SlotSeries, floor_to_slot
from battery_optimizer.model.telemetry import Observations, Telemetry
from battery_optimizer.model.wishes import Event

_LOAD: Final = "load "
_OUTSIDE: Final = "outside"
_HELD_BACK: Final = "held back"
_AWAY: Final = "away"
_SAVING: Final = "saving"
_FREE: Final = "free"

_SAVE: Final = "INSERT OR REPLACE INTO more_samples (at, name, value) VALUES (?, ?, ?)"

_AVERAGE: Final = f"""{weighed("more_samples", each="name")}
INSERT OR REPLACE INTO more_half_hours (name, start, value)
SELECT name, :slot, {mean("value")} FROM weighed GROUP BY name"""  # noqa: S608 - our own words

_SEED: Final = "INSERT OR IGNORE INTO more_half_hours (name, start, value) VALUES (?, ?, ?)"

_SELECT: Final = """
SELECT start, value FROM more_half_hours WHERE name = ? AND start >= ? AND start < ?"""

_MARK: Final = "INSERT OR IGNORE INTO more_half_hours (name, start, value) VALUES (?, ?, 1)"

_SESSION: Final = "INSERT OR REPLACE INTO more_half_hours (name, start, value) VALUES (?, ?, ?)"

_SESSIONS: Final = """
SELECT usual.start, usual.value, reward.value FROM more_half_hours AS usual
    JOIN more_half_hours AS reward ON reward.start = usual.start
WHERE usual.name = ? AND reward.name = ? AND usual.start >= ? AND usual.start < ?
ORDER BY usual.start"""

_NAMES: Final = "SELECT DISTINCT name FROM more_half_hours"

_READ_OF: Final = timedelta(minutes=1)
"""A reading is of the time before it."""


def insert_more(connection: Connection, telemetry: Telemetry) -> None:
    """Put a reading in, and bring the half hours that it is a part of up to date."""
    values = {_LOAD + name: kw for name, kw in telemetry.large_kw.items()}
    if telemetry.outside_c is not None:
        values[_OUTSIDE] = telemetry.outside_c
    known = [(name, value) for name, value in values.items() if isfinite(value)]
    if not known:
        return
    at = epoch(telemetry.measured_at)
    connection.executemany(_SAVE, [(at, name, value) for name, value in known])
    connection.executemany(_AVERAGE, slots_touched(connection, telemetry.measured_at))


def seed_more(connection: Connection, seen: Observations) -> None:
    """Put averages from elsewhere in, where nothing is known yet."""
    series = {_LOAD + name: each for name, each in seen.large_kw.items()}
    if seen.outside_c is not None:
        series[_OUTSIDE] = seen.outside_c
    for name, each in series.items():
        first = epoch(each.start)
        rows = [
            (name, first + t * SLOT_SECONDS, value)
            for t, value in enumerate(each.values.tolist())
            if isfinite(value)
        ]
        connection.executemany(_SEED, rows)


def insert_marks(connection: Connection, outcome: CycleOutcome) -> None:
    """Remember what was true of a cycle's half hour: sun held back, nobody in, a session."""
    if outcome.inputs is None:
        return
    inputs, seen, slot = outcome.inputs, outcome.telemetry, floor_to_slot(outcome.at)
    if seen is not None and is_held_back(inputs.house, inputs.in_force, seen):
        read_of = floor_to_slot(seen.measured_at - _READ_OF)
        connection.execute(_MARK, (_HELD_BACK, epoch(read_of)))
    until = inputs.wishes.away_until
    if until is not None and outcome.at < until:
        connection.execute(_MARK, (_AWAY, epoch(slot)))
    for event in inputs.wishes.events:
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


def with_more(
    connection: Connection, observed: Observations, end: datetime, large: Collection[str] | None
) -> Observations:
    """What was observed with all that more is known of these half hours.

    Of large loads those that are named, even if nothing is known of them; with None all that are.
    """
    start = max(observed.load_kw.start, floor_to_slot(end) - LOOKED_BACK)
    if large is None:
        known = [row[0] for row in connection.execute(_NAMES)]
        large = [name.removeprefix(_LOAD) for name in known if name.startswith(_LOAD)]

    def series(name: str) -> SlotSeries:
        rows = connection.execute(_SELECT, (name, epoch(start), epoch(end))).fetchall()
        return SlotSeries(start=start, values=on_grid(rows, start, end, 1)[0])

    def series_if_any(name: str) -> SlotSeries | None:
        found = series(name)
        return found if np.isfinite(found.values).any() else None

    return replace(
        observed,
        large_kw={name: series(_LOAD + name) for name in large},
        outside_c=series_if_any(_OUTSIDE),
        held_back=series_if_any(_HELD_BACK),
        away=series_if_any(_AWAY),
    )
