"""What must not be forgotten, in one SQLite file: rates, readings, forecasts, plans, decisions.

Fulfils `ports.History` and `ports.Journal`. Times are aware UTC, ranges [start, end). Every
method may be called from any thread, and raises StoreUnavailable when the file is of no use.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Final, TypeVar

from battery_optimizer.adapters.store.file import StoreFile
from battery_optimizer.adapters.store.journal import (
    insert_outcome,
    select_commands,
    select_decisions,
    select_last_plan,
    select_outcome,
)
from battery_optimizer.adapters.store.money import MoneyStore
from battery_optimizer.adapters.store.more import (
    insert_marks,
    insert_more,
    seed_more,
    select_sessions,
    with_more,
)
from battery_optimizer.adapters.store.rates import (
    insert_forecast,
    insert_rates,
    select_forecasts,
    select_latest_forecast,
    select_rates,
)
from battery_optimizer.adapters.store.readings import (
    insert_sample,
    seed_half_hours,
    select_battery_readings,
    select_observations,
    select_slot_energy,
    with_flows,
)
from battery_optimizer.adapters.store.schema import PRUNE, epoch
from battery_optimizer.model.codec import Undecodable, decode
from battery_optimizer.model.decision import CycleOutcome, Decision, SentCommand
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import (
    BatteryReadings,
    EnergyKind,
    Observations,
    SlotEnergy,
    SolarForecast,
    Telemetry,
)
from battery_optimizer.model.wishes import Event

T = TypeVar("T")

_LOGGER: Final = logging.getLogger(__name__)

_SET_STATE: Final = """
INSERT INTO state (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value"""

_STATE: Final = "SELECT value FROM state WHERE key = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days each kind of record is kept."""

    samples: int = 60
    """Readings as they came, every five minutes."""
    half_hours: int = 400
    """Their half-hourly averages, and the energies of each slot."""
    decisions: int = 60
    """One line for each cycle, the commands sent, and what is left of plans."""
    outlooks: int = 31
    """What was expected, for looking back at days past: half a MB a day."""
    every_plan: int = 1
    """Every plan; beyond, the first plan of each hour,"""
    hourly_plan: int = 7
    """and beyond this, the first plan, and the first forecast, of each six hours."""
    forecasts: int = 60
    rates: int = 800


_DEFAULT_RETENTION: Final = Retention()


class Store:
    """The database at `path`, which is made if it is not there; `close` it at the end.

    `busy_seconds` is how long to wait for another program that has it locked. `large_loads` are
    those asked for; None: all that are known.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention: Retention = _DEFAULT_RETENTION,
        busy_seconds: float = 2.0,
        large_loads: Collection[str] | None = None,
    ) -> None:
        self._large_loads = large_loads
        self._file = StoreFile(path, busy_seconds=busy_seconds)
        self._retention = retention
        self.money = MoneyStore(self._file)
        """Bills, what days lost, and standing charges."""

    def problems(self) -> tuple[str, ...]:
        """What the householder should know of the database, in words; empty when all is well."""
        return self._file.problems()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def prune(self, now: datetime) -> None:
        """Throw away what is older than it need be; cheap enough for once an hour."""
        oldest = {
            field.name: epoch(now - timedelta(days=getattr(self._retention, field.name)))
            for field in fields(self._retention)
        }

        def delete(connection: Connection) -> None:
            for statement in PRUNE:
                connection.execute(statement, oldest)

        self._file.write(delete)
        # As a script: `execute` would stop after giving back one page.
        self._file.read(lambda connection: connection.executescript("PRAGMA incremental_vacuum"))

    def save_rates(
        self,
        *,
        direction: Direction,
        source: str,
        rates: Sequence[UnitRate],
        fetched_at: datetime,
    ) -> None:
        """Keep published rates; of the same start the one fetched last holds."""
        self._file.write(
            lambda connection: insert_rates(connection, direction, source, rates, fetched_at)
        )

    def load_rates(
        self, *, direction: Direction, source: str, start: datetime, end: datetime
    ) -> list[UnitRate]:
        """Rates that hold anywhere in [start, end), oldest first."""
        return self._file.read(
            lambda connection: select_rates(connection, direction, source, start, end)
        )

    def save_solar_forecast(self, forecast: SolarForecast) -> None:
        """Keep a forecast as it was issued."""
        self._file.write(lambda connection: insert_forecast(connection, forecast))

    def latest_solar_forecast(self, now: datetime) -> SolarForecast | None:
        """The forecast issued last, but not after `now`."""
        body = self._file.read(lambda connection: select_latest_forecast(connection, now))
        return self._decoded(SolarForecast, body)

    def solar_forecasts(self, *, start: datetime, end: datetime) -> list[SolarForecast]:
        """Forecasts issued in [start, end), oldest first: to compare with what came."""
        bodies = self._file.read(lambda connection: select_forecasts(connection, start, end))
        read = [self._decoded(SolarForecast, body) for body in bodies]
        return [forecast for forecast in read if forecast is not None]

    def save_observation(self, telemetry: Telemetry) -> None:
        """Keep a reading, and average it into its half hour."""

        def insert(connection: Connection) -> None:
            insert_sample(connection, telemetry)
            insert_more(connection, telemetry)

        self._file.write(insert)

    def seed_observations(self, seen: Observations) -> None:
        """Take averages from elsewhere for half hours of which we have none of our own."""

        def seed(connection: Connection) -> None:
            seed_half_hours(connection, seen)
            seed_more(connection, seen)

        self._file.write(seed)

    def observations(self, start: datetime, end: datetime) -> Observations:
        """Load and solar of [start, end) [kW average per half hour]; NaN where not metered.

        The half hour in progress is averaged over its readings so far.
        """

        def select(connection: Connection) -> Observations:
            observed = select_observations(connection, start, end)
            observed = with_flows(connection, observed, end)
            return with_more(connection, observed, end, self._large_loads)

        return self._file.read(select)

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:
        """What the battery did under forced modes in [start, end), oldest first."""
        return self._file.read(lambda connection: select_battery_readings(connection, start, end))

    def slot_energy(self, *, kind: EnergyKind, start: datetime, end: datetime) -> list[SlotEnergy]:
        """Energies of the known half hours that start in [start, end), oldest first."""
        return self._file.read(lambda connection: select_slot_energy(connection, kind, start, end))

    def sessions(self, start: datetime, end: datetime) -> list[Event]:
        """The supplier's sessions that plans counted on in [start, end), by half hour."""
        return self._file.read(lambda connection: select_sessions(connection, start, end))

    def record(self, outcome: CycleOutcome) -> None:
        """Keep one cycle, all of it or nothing."""

        def insert(connection: Connection) -> None:
            insert_outcome(connection, outcome)
            insert_marks(connection, outcome)

        self._file.write(insert)

    def last_plan(self) -> Plan | None:
        """The plan made last; None if there is none, or none that this version can read."""
        return self._decoded(Plan, self._file.read(select_last_plan))

    def outcome(self, at: datetime) -> CycleOutcome | None:
        """The cycle of this moment, as long as it is kept, with its plan and outlook if they are.

        Of each half hour's outlooks only the first is kept.
        """
        row = self._file.read(lambda connection: select_outcome(connection, at))
        outcome = None if row is None else self._decoded(CycleOutcome, row[0])
        if row is None or outcome is None:
            return None
        plan, outlook = self._decoded(Plan, row[1]), self._decoded(Outlook, row[2])
        return replace(outcome, plan=plan, outlook=outlook)

    def decisions(self, start: datetime, end: datetime) -> list[Decision]:
        """One line for each cycle of [start, end), oldest first."""
        return self._file.read(lambda connection: select_decisions(connection, start, end))

    def commands(self, start: datetime, end: datetime) -> list[SentCommand]:
        """What was sent to the inverter in [start, end), oldest first."""
        rows = self._file.read(lambda connection: select_commands(connection, start, end))
        read = [(at, self._decoded(InverterCommand, body), result) for at, body, result in rows]
        return [
            SentCommand(at=at, command=command, result=result)
            for at, command, result in read
            if command is not None
        ]

    def put_state(self, key: str, value: str) -> None:
        """Remember a value across restarts."""
        self._file.write(lambda connection: connection.execute(_SET_STATE, (key, value)))

    def get_state(self, key: str) -> str | None:
        """The value remembered under this key, if any."""
        row: tuple[str] | None = self._file.read(
            lambda connection: connection.execute(_STATE, (key,)).fetchone()
        )
        return None if row is None else row[0]

    def _decoded(self, kind: type[T], body: bytes | None) -> T | None:
        if body is None:
            return None
        try:
            return decode(kind, body)
        except Undecodable as error:
            _LOGGER.warning("passed over a record of the database: %s", error)
            self._file.note(
                f"some records of kind {kind.__name__} in the database were written by another "
                "version of the app, or are damaged, and are passed over"
            )
            return None
