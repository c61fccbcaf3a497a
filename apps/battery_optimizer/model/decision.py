"""The record of one cycle: what was known, what was decided, what came of it."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.model.wishes import NO_WISHES, Wishes


class CycleResult(StrEnum):
    """Which rung of the ladder of failing safely a cycle stood on."""

    PLANNED = "planned"
    KEPT_LAST_PLAN = "kept_last_plan"
    FELL_BACK = "fell_back"
    """Stated rules on the current rate, since no plan could be had."""
    SAFE_MODE = "safe_mode"
    """Self-use, since not even the rules had what they need."""


class CommandResult(StrEnum):
    """What became of the command."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """The inverter already did it; nothing was sent."""
    READ_ONLY = "read_only"
    """`control: read_only`: nothing is ever sent."""
    WAITING = "waiting"
    """The last change is too fresh, or the day's writes are used up: not sent yet."""
    LEFT = "left"
    """Paused, or somebody else set a mode that this app does not use: left alone."""
    FAILED = "failed"
    PAUSED = "paused"
    """The circuit breaker is open after repeated failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleInputs:
    """What a decision was made from, besides the telemetry and the outlook.

    The house is as the settings say, with what was learned of its battery; what the inverter did,
    and could do and be told (`House.abilities`), as it was then.
    """

    house: House
    settings: PlannerSettings
    in_force: InverterCommand | None = None
    wishes: Wishes = NO_WISHES
    learned: frozenset[str] = frozenset()
    """Which of the battery's curves are none of the settings'."""

    @staticmethod
    def from_older(plain: dict[str, Any]) -> dict[str, Any]:
        """As records are read: the abilities once stood here, each by itself."""
        singly = {each.name for each in fields(Abilities)} & plain.keys()
        if not singly:
            return plain
        house = plain["house"] | {"abilities": {name: plain[name] for name in singly}}
        return plain | {"house": house}


@dataclass(frozen=True, kw_only=True)
class CycleOutcome:
    """What one cycle came to: stored, published, shown.

    `plan` is the one being followed, if any; `reason` says in words why this command;
    `problems` are the messages of what went wrong, empty when all is well.
    """

    at: datetime
    result: CycleResult
    command: InverterCommand
    command_result: CommandResult
    reason: str
    telemetry: Telemetry | None = None
    outlook: Outlook | None = None
    plan: Plan | None = None
    problems: tuple[str, ...] = ()
    writes_today: int = 0
    """How often the inverter was written to on this local day."""
    inputs: CycleInputs | None = None
    look_again: bool = False
    """Whether the powers will tell, in less than a minute, if the command is carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The short record of one cycle: what is kept and shown when its plan is long gone."""

    at: datetime
    result: CycleResult
    mode: Mode
    power_kw: float | None
    command_result: CommandResult
    reason: str
    problems: tuple[str, ...]
    soc_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """A command that really went to the inverter, and what became of it."""

    at: datetime
    command: InverterCommand
    result: CommandResult
