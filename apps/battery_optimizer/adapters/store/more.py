"""What more sensors said: large loads [kW] and the temperature outside, as samples and averages.

A large load goes by `load NAME`, the temperature by `outside`. Half hours in which the panels may
have been held back are marked by `held back`.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from sqlite3 import Connection
from typing import Final

import numpy as np

from battery_optimizer.adapters.store.averages import mean, slots_touched, weighed
from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch
from battery_optimizer.model.decision import CycleOutcome
from battery_optimizer.model.held_back import is_held_back
from battery_optimizer.model.slots import Floats, SlotSeries, count_slots, floor_to_slot
from battery_optimizer.model.telemetry import Observations, Telemetry

_LOAD: Final = "load "
_OUTSIDE: Final = "outside"
_HELD_BACK: Final = "held back"

_SAVE: Final = "INSERT OR REPLACE INTO more_samples (at, name, value) VALUES (?, ?, ?)"

_AVERAGE: Final = f"""{weighed("more_samples", each="name")}
INSERT OR REPLACE INTO more_half_hours (name, start, value)
SELECT name, :slot, {mean("value")} FROM weighed GROUP BY name"""  # noqa: S608 - our own words

_SEED: Final = "INSERT OR IGNORE INTO more_half_hours (name, start, value) VALUES (?, ?, ?)"

_SELECT: Final = """
SELECT start, value FROM more_half_hours WHERE name = ? AND start >= ? AND start < ?"""

_MARK: Final = "INSERT OR IGNORE INTO more_half_hours (name, start, value) VALUES (?, ?, 1)"

LOOKED_BACK: Final = timedelta(days=180)
"""What the forecasts learn from; each further year would cost them 10 ms a sensor."""

_READ_OF: Final = timedelta(minutes=1)
"""A reading is of the time before it."""

_NAMES: Final = "SELECT DISTINCT name FROM more_half_hours"


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


def insert_held_back(connection: Connection, outcome: CycleOutcome) -> None:
    """Mark the half hour that a cycle's reading is mostly of, if the panels may not give all."""
    inputs, seen = outcome.inputs, outcome.telemetry
    if inputs is None or seen is None or not is_held_back(inputs.house, inputs.in_force, seen):
        return
    slot = floor_to_slot(seen.measured_at - _READ_OF)
    connection.execute(_MARK, (_HELD_BACK, epoch(slot)))


def with_more(
    connection: Connection, observed: Observations, end: datetime, large: Collection[str] | None
) -> Observations:
    """What was observed with what more sensors said in these half hours.

    Of large loads those that are named, even if nothing is known of them; with None all that are.
    """
    start = observed.load_kw.start
    if large is None:
        known = [row[0] for row in connection.execute(_NAMES)]
        large = [name.removeprefix(_LOAD) for name in known if name.startswith(_LOAD)]
    outside, held_back = (_series(connection, name, start, end) for name in (_OUTSIDE, _HELD_BACK))
    return replace(
        observed,
        large_kw={name: _series(connection, _LOAD + name, start, end) for name in large},
        outside_c=outside if np.isfinite(outside.values).any() else None,
        held_back=held_back if np.isfinite(held_back.values).any() else None,
    )


def _series(connection: Connection, name: str, start: datetime, end: datetime) -> SlotSeries:
    first = max(start, floor_to_slot(end) - LOOKED_BACK)
    rows = connection.execute(_SELECT, (name, epoch(first), epoch(end))).fetchall()
    values: Floats = np.full(count_slots(first, end), np.nan)
    if rows:
        starts, known = np.array(rows, dtype=np.float64).T
        values[((starts - epoch(first)) // SLOT_SECONDS).astype(int)] = known
    return SlotSeries(start=first, values=values)
