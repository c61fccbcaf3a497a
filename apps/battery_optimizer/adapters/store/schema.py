"""The tables of the store, how an older file becomes a newer one, what is thrown away.

Times are UTC epoch seconds, powers kW, energies kWh. A migration, once released, never changes.
"""

import sqlite3
from datetime import UTC, datetime
from typing import Final

from battery_optimizer.errors import StoreUnavailable
from battery_optimizer.model.slots import SLOT, require_utc

SLOT_SECONDS: Final = int(SLOT.total_seconds())

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE rate_series (
            id INTEGER PRIMARY KEY, direction TEXT NOT NULL, source TEXT NOT NULL,
            UNIQUE (direction, source))""",
        """CREATE TABLE rates (
            series INTEGER NOT NULL REFERENCES rate_series, start INTEGER NOT NULL, end INTEGER,
            p_per_kwh REAL NOT NULL, fetched_at INTEGER NOT NULL,
            PRIMARY KEY (series, start)) WITHOUT ROWID""",
        """CREATE TABLE samples (
            at INTEGER PRIMARY KEY, load_kw REAL, solar_kw REAL, battery_kw REAL, grid_kw REAL,
            soc_kwh REAL)""",
        "CREATE TABLE half_hours (start INTEGER PRIMARY KEY, load_kw REAL, solar_kw REAL)",
        """CREATE TABLE solar_forecasts (
            issued_at INTEGER NOT NULL, source TEXT NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (issued_at, source))""",
        """CREATE TABLE decisions (
            at INTEGER PRIMARY KEY, result TEXT NOT NULL, mode TEXT NOT NULL, power_kw REAL,
            command_result TEXT NOT NULL, reason TEXT NOT NULL, problems TEXT, soc_kwh REAL)""",
        """CREATE TABLE commands (
            at INTEGER PRIMARY KEY, command BLOB NOT NULL, result TEXT NOT NULL)""",
        "CREATE TABLE plans (made_at INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        """CREATE TABLE outcomes (
            at INTEGER PRIMARY KEY, plan_made_at INTEGER, body BLOB NOT NULL)""",
        """CREATE TABLE outlooks (
            slot INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL)""",
        "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        """CREATE TABLE slot_energy (
            kind TEXT NOT NULL, start INTEGER NOT NULL, import_kwh REAL, export_kwh REAL,
            load_kwh REAL, solar_kwh REAL, charge_kwh REAL, discharge_kwh REAL, soc_kwh REAL,
            n_samples INTEGER NOT NULL, PRIMARY KEY (kind, start)) WITHOUT ROWID""",
    ),
    (
        "CREATE TABLE day_bills (day TEXT PRIMARY KEY, body BLOB NOT NULL)",
        "CREATE TABLE day_losses (day TEXT PRIMARY KEY, body BLOB NOT NULL)",
    ),
    ("ALTER TABLE samples ADD COLUMN battery_temperature_c REAL",),
    (
        """CREATE TABLE more_samples (
            at INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL,
            PRIMARY KEY (at, name)) WITHOUT ROWID""",
        """CREATE TABLE more_half_hours (
            name TEXT NOT NULL, start INTEGER NOT NULL, value REAL NOT NULL,
            PRIMARY KEY (name, start)) WITHOUT ROWID""",
    ),
)

# Of old plans and outcomes the first of each hour is kept, of still older ones, and of forecasts,
# the first of each six hours: every plan of 60 days would fill 140 MB. Outcomes whose outlook is
# kept stay, too: a day is looked back on by both.
PRUNE: Final = (
    "DELETE FROM samples WHERE at < :samples",
    "DELETE FROM more_samples WHERE at < :samples",
    "DELETE FROM half_hours WHERE start < :half_hours",
    "DELETE FROM more_half_hours WHERE start < :half_hours",
    "DELETE FROM slot_energy WHERE start < :half_hours",
    "DELETE FROM rates WHERE end < :rates",
    "DELETE FROM decisions WHERE at < :decisions",
    "DELETE FROM commands WHERE at < :decisions",
    "DELETE FROM outlooks WHERE slot < :outlooks",
    "DELETE FROM outcomes WHERE at < :decisions",
    """DELETE FROM outcomes WHERE at < :every_plan AND at NOT IN (SELECT at FROM outlooks)
        AND at NOT IN (SELECT min(at) FROM outcomes GROUP BY at / 3600)""",
    """DELETE FROM outcomes WHERE at < :hourly_plan AND at NOT IN (SELECT at FROM outlooks)
        AND at NOT IN (SELECT min(at) FROM outcomes GROUP BY at / 21600)""",
    "DELETE FROM plans WHERE made_at < :decisions",
    """DELETE FROM plans WHERE made_at < :every_plan
        AND made_at NOT IN (SELECT min(made_at) FROM plans GROUP BY made_at / 3600)""",
    """DELETE FROM plans WHERE made_at < :hourly_plan
        AND made_at NOT IN (SELECT min(made_at) FROM plans GROUP BY made_at / 21600)""",
    "DELETE FROM solar_forecasts WHERE issued_at < :forecasts",
    """DELETE FROM solar_forecasts WHERE issued_at < :hourly_plan AND (issued_at, source) NOT IN
        (SELECT min(issued_at), source FROM solar_forecasts GROUP BY source, issued_at / 21600)""",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, each step in a transaction of its own."""
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been here while this one waited for the lock.
            if _version(connection) == version:
                for statement in MIGRATIONS[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
    if version > len(MIGRATIONS):
        raise StoreUnavailable(
            f"the database has version {version}, this app knows {len(MIGRATIONS)}: "
            "update the app, or move the file away so that a new one is begun"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def epoch(moment: datetime) -> int:
    """Whole seconds of an aware UTC time."""
    require_utc(moment)
    return int(moment.timestamp())


def moment_of(seconds: int) -> datetime:
    """The aware UTC time of these seconds."""
    return datetime.fromtimestamp(seconds, UTC)
