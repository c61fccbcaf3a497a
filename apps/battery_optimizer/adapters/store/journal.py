"""Cycles in the store: a short line for each, and for a while all that it knew and planned."""

import json
from dataclasses import replace
from datetime import datetime
from sqlite3 import Connection
from typing import Final

from battery_optimizer.adapters.store.readings import insert_slot_energy
from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch, moment_of
from battery_optimizer.model.codec import encode
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult, Decision
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT, floor_to_slot
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy

_SENT: Final = (CommandResult.APPLIED, CommandResult.FAILED)

_SAVE_DECISION: Final = """
INSERT OR REPLACE INTO decisions
    (at, result, mode, power_kw, command_result, reason, problems, soc_kwh)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""

_DECISIONS: Final = """
SELECT at, result, mode, power_kw, command_result, reason, problems, soc_kwh FROM decisions
WHERE at >= ? AND at < ? ORDER BY at"""

_SAVE_COMMAND: Final = "INSERT OR REPLACE INTO commands (at, command, result) VALUES (?, ?, ?)"

_COMMANDS: Final = """
SELECT at, command, result FROM commands WHERE at >= ? AND at < ? ORDER BY at"""

_SAVE_OUTCOME: Final = "INSERT OR REPLACE INTO outcomes (at, plan_made_at, body) VALUES (?, ?, ?)"

_OUTCOME: Final = """
SELECT outcomes.body, plans.body, outlooks.body FROM outcomes
    LEFT JOIN plans ON made_at = plan_made_at
    LEFT JOIN outlooks ON slot = outcomes.at / 1800 * 1800 AND outlooks.at = outcomes.at
WHERE outcomes.at = ?"""

_HAS_PLAN: Final = "SELECT 1 FROM plans WHERE made_at = ?"
_SAVE_PLAN: Final = "INSERT OR REPLACE INTO plans (made_at, body) VALUES (?, ?)"
_LAST_PLAN: Final = "SELECT body FROM plans ORDER BY made_at DESC LIMIT 1"

_HAS_OUTLOOK: Final = "SELECT 1 FROM outlooks WHERE slot = ? AND at != ?"
_SAVE_OUTLOOK: Final = "INSERT OR REPLACE INTO outlooks (slot, at, body) VALUES (?, ?, ?)"


def insert_outcome(connection: Connection, outcome: CycleOutcome) -> None:
    """Put a cycle in: its line, its command if one was sent, and what it knew and planned."""
    at = epoch(outcome.at)
    _insert_decision(connection, at, outcome)
    if outcome.command_result in _SENT:
        command = encode(outcome.command)
        connection.execute(_SAVE_COMMAND, (at, command, outcome.command_result))
    plan = outcome.plan
    made_at = None if plan is None else epoch(plan.made_at)
    body = encode(replace(outcome, plan=None, outlook=None))
    connection.execute(_SAVE_OUTCOME, (at, made_at, body))
    if plan is not None:
        _insert_plan(connection, plan, is_new=outcome.result is CycleResult.PLANNED)
    if outcome.outlook is not None:
        _insert_outlook(connection, at, outcome.outlook)


def select_outcome(
    connection: Connection, at: datetime
) -> tuple[bytes, bytes | None, bytes | None] | None:
    """The encoded cycle, plan and outlook of this moment, as far as they are still kept."""
    row: tuple[bytes, bytes | None, bytes | None] | None = connection.execute(
        _OUTCOME, (epoch(at),)
    ).fetchone()
    return row


def select_last_plan(connection: Connection) -> bytes | None:
    """The encoded plan that was made last."""
    row: tuple[bytes] | None = connection.execute(_LAST_PLAN).fetchone()
    return None if row is None else row[0]


def select_decisions(connection: Connection, start: datetime, end: datetime) -> list[Decision]:
    """The lines of [start, end), oldest first."""
    return [
        Decision(
            at=moment_of(at),
            result=CycleResult(result),
            mode=Mode(mode),
            power_kw=power_kw,
            command_result=CommandResult(command_result),
            reason=reason,
            problems=tuple(json.loads(problems)) if problems else (),
            soc_kwh=soc_kwh,
        )
        for at, result, mode, power_kw, command_result, reason, problems, soc_kwh in (
            connection.execute(_DECISIONS, (epoch(start), epoch(end)))
        )
    ]


def select_commands(
    connection: Connection, start: datetime, end: datetime
) -> list[tuple[datetime, bytes, CommandResult]]:
    """Time, encoded command and result of what was sent in [start, end), oldest first."""
    rows = connection.execute(_COMMANDS, (epoch(start), epoch(end)))
    return [(moment_of(at), command, CommandResult(result)) for at, command, result in rows]


def _insert_decision(connection: Connection, at: int, outcome: CycleOutcome) -> None:
    row = (
        at,
        outcome.result,
        outcome.command.mode,
        outcome.command.power_kw,
        outcome.command_result,
        outcome.reason,
        json.dumps(outcome.problems, ensure_ascii=False) if outcome.problems else None,
        None if outcome.telemetry is None else outcome.telemetry.soc_kwh,
    )
    connection.execute(_SAVE_DECISION, row)


def _insert_plan(connection: Connection, plan: Plan, *, is_new: bool) -> None:
    made_at = epoch(plan.made_at)
    if is_new or connection.execute(_HAS_PLAN, (made_at,)).fetchone() is None:
        connection.execute(_SAVE_PLAN, (made_at, encode(plan)))
    if is_new:
        expected = _next_half_hour(plan)
        if expected is not None:
            insert_slot_energy(connection, EnergyKind.EXPECTED, expected)


def _next_half_hour(plan: Plan) -> SlotEnergy | None:
    """What the plan expects of the half hour that follows; the next plan in time replaces it."""
    start = floor_to_slot(plan.made_at) + SLOT
    slots = [slot for slot in plan.slots if floor_to_slot(slot.start) == start]
    if not slots:
        return None
    return SlotEnergy(
        start=start,
        grid_import_kwh=sum(slot.grid_import_kwh for slot in slots),
        grid_export_kwh=sum(slot.grid_export_kwh for slot in slots),
        load_kwh=sum(slot.load_kwh for slot in slots),
        solar_kwh=sum(slot.solar_kwh for slot in slots),
        charge_kwh=sum(slot.charge_kwh for slot in slots),
        discharge_kwh=sum(slot.discharge_kwh for slot in slots),
        soc_kwh=slots[-1].soc_end_kwh,
    )


def _insert_outlook(connection: Connection, at: int, outlook: Outlook) -> None:
    # One each half hour is enough: the plans tell rates, load and solar of those between.
    slot = at // SLOT_SECONDS * SLOT_SECONDS
    if connection.execute(_HAS_OUTLOOK, (slot, at)).fetchone() is None:
        connection.execute(_SAVE_OUTLOOK, (slot, at, encode(outlook)))
