"""One file that says all: settings without their secrets, and the last cycles with their inputs.

Enough to make each of their decisions again (`simulate replay`), so that a report of a bug becomes
a test. Nothing in it opens anything: secrets are taken out by name and by value, and addresses lose
all but their host.
"""

import platform
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Protocol

from battery_optimizer.config import Config
from battery_optimizer.config_private import cleaned, secrets_of, without_private
from battery_optimizer.model.codec import to_plain
from battery_optimizer.model.decision import CycleOutcome, Decision
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations

Json = dict[str, Any]

FORMAT: Final = "battery_optimizer diagnostics"
FORMAT_VERSION: Final = 2
MOST_CYCLES: Final = 24
"""Two hours in memory; after a restart as many half hours from the database."""
DAYS_KNOWN: Final = timedelta(days=14)
"""As much of what was metered, and of rates, as the forecasts mostly look at."""
_ATTRIBUTES: Final = ("unit_of_measurement", "options", "min", "max", "step")
DAYS_AHEAD: Final = timedelta(days=2)
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
PACKAGES: Final = (
    "appdaemon", "cvxpy-base", "cvxpy", "highspy", "numpy", "scipy", "holidays", "pydantic",
    "aiohttp", "requests",
)  # fmt: skip


class Records(Protocol):
    """Remembers cycles across restarts."""

    def decisions(self, start: datetime, end: datetime) -> Sequence[Decision]:
        """One line for each cycle of [start, end), oldest first."""

    def outcome(self, at: datetime) -> CycleOutcome | None:
        """The cycle of this moment, with its plan and outlook if they are kept."""


class Recent:
    """The last cycles with all that they knew, of any thread's asking."""

    def __init__(self) -> None:
        self._cycles: deque[CycleOutcome] = deque(maxlen=MOST_CYCLES)

    def add(self, outcome: CycleOutcome) -> None:
        """One more."""
        self._cycles.append(outcome)

    @property
    def cycles(self) -> list[CycleOutcome]:
        """As many as are in memory, oldest first."""
        return list(self._cycles)

    def with_older(self, records: Records, now: datetime) -> list[CycleOutcome]:
        """The last cycles, oldest first; those from before a restart as far as they are kept.

        Older ones of which only a line is left, or which no replay could use, are left out.
        """
        recent = self.cycles
        missing = MOST_CYCLES - len(recent)
        first = recent[0].at if recent else now
        older: deque[CycleOutcome] = deque()
        for decision in reversed(records.decisions(first - timedelta(days=1), first)):
            if len(older) == missing:
                break
            outcome = records.outcome(decision.at)
            if outcome is not None and outcome.inputs and outcome.outlook:
                older.appendleft(outcome)
        return [*older, *recent]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What goes into the file."""

    made_at: datetime
    config: Config
    health: Json
    cycles: Sequence[CycleOutcome]
    rates: KnownRates | None = None
    observed: Observations | None = None
    entities: Mapping[str, EntityState] = field(default_factory=dict)
    """What Home Assistant shows of the inverter and the meters."""

    def document(self) -> Json:
        """As JSON knows it, without anything secret."""
        plain = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "made_at": to_plain(self.made_at),
            "versions": versions(),
            "settings": without_private(self.config),
            "found_out": sorted(self.config.found_out),
            "health": self.health,
            "cycles": [to_plain(outcome) for outcome in self.cycles],
            "rates": to_plain(self.rates),
            "observed": to_plain(self.observed),
            "entities": {name: _shown(state) for name, state in self.entities.items()},
        }
        document: Json = cleaned(plain, secrets_of(self.config))
        return document


def _shown(state: EntityState) -> Json:
    kept = {name: state.attributes.get(name) for name in _ATTRIBUTES}
    attributes = {name: to_plain(value) for name, value in kept.items() if value is not None}
    return {"state": state.state, "last_reported": to_plain(state.last_reported), **attributes}


def versions() -> dict[str, str]:
    """What a decision's last digit may depend on."""
    found = {"app": _source_digest(), "python": platform.python_version()}
    found["machine"] = f"{platform.system()} {platform.machine()}"
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def _source_digest() -> str:
    """Which code runs: a copied folder has no other version."""
    here = Path(__file__).parent
    digest = sha256()
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode())
        digest.update(path.read_bytes())
    # Letters alone: a row of digits would be taken out as some meter's number.
    return digest.hexdigest()[:16].translate(_LETTERS)
