"""A house's own history, read from a database that may be in use; nothing is written to it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from battery_optimizer.adapters.store.rates import select_forecasts
from battery_optimizer.adapters.store.readings import select_observations
from battery_optimizer.adapters.store.schema import MIGRATIONS, SLOT_SECONDS, moment_of
from battery_optimizer.errors import DataError, StoreUnavailable
from battery_optimizer.model.codec import Undecodable, decode
from battery_optimizer.model.past import OwnHistory
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.tariff import Direction
from battery_optimizer.model.telemetry import SolarForecast

_DEMO: Final = "demo"

_SPAN: Final = """
SELECT min(start), max(start) FROM half_hours WHERE load_kw IS NOT NULL"""

# A tariff's rates are fetched again for days around now, and those of a new tariff some days back
# as well: what was fetched first for a half hour was in force, so it stands last and holds. Made-up
# rates stand first.
_RATES: Final = """
SELECT rates.start, p_per_kwh, source FROM rates JOIN rate_series ON series = id
WHERE direction = ? AND rates.start >= ? AND rates.start < ?
ORDER BY source != ?, fetched_at DESC"""


def read_own_history(path: Path) -> OwnHistory:
    """All of a database; StoreUnavailable, or DataError where there is nothing in it."""
    if not path.is_file():
        raise StoreUnavailable(f"{path} is no database: there is no such file")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            _require_version(connection, path)
            return _history(connection, path)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path} cannot be read as a database: {error}") from error


def _require_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 1 <= version <= len(MIGRATIONS):
        raise StoreUnavailable(
            f"{path} has version {version}, this app reads 1 to {len(MIGRATIONS)}: it is another "
            "program's, or a newer app's"
        )


def _history(connection: sqlite3.Connection, path: Path) -> OwnHistory:
    first, last = connection.execute(_SPAN).fetchone()
    if first is None:
        raise DataError(f"{path}: no load was ever metered, so there is nothing to compare")
    start, end = moment_of(first), moment_of(last) + SLOT
    observed = select_observations(connection, start, end)
    n_slots = len(observed.load_kw.values)
    imports, is_demo = _rates(connection, Direction.IMPORT, first, n_slots)
    exports, _ = _rates(connection, Direction.EXPORT, first, n_slots)
    return OwnHistory(
        load_kw=observed.load_kw,
        solar_kw=observed.solar_kw,
        imports=SlotSeries(start=start, values=imports),
        exports=SlotSeries(start=start, values=exports),
        forecasts=_forecasts(select_forecasts(connection, start, end)),
        is_demo=is_demo,
    )


def _rates(
    connection: sqlite3.Connection, direction: Direction, first: int, n_slots: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], bool]:
    """Half-hourly rates, and whether any of them is made up."""
    values, sources = np.full(n_slots, np.nan), np.full(n_slots, "", object)
    span = (direction, first, first + n_slots * SLOT_SECONDS, _DEMO)
    for seconds, p_per_kwh, source in connection.execute(_RATES, span):
        place = (seconds - first) // SLOT_SECONDS
        values[place], sources[place] = p_per_kwh, source
    return values, bool((sources == _DEMO).any())


def _forecasts(bodies: list[bytes]) -> tuple[SolarForecast, ...]:
    """Those that this version can read."""
    found = []
    for body in bodies:
        try:
            found.append(decode(SolarForecast, body))
        except Undecodable:
            continue
    return tuple(found)
