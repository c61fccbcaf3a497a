"""How often the inverter was written to today: registers wear, and nobody says how fast."""

from dataclasses import dataclass
from datetime import date, datetime

from battery_optimizer.control.dispatch import same
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.slots import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Writes of one local day."""

    day: date | None = None
    count: int = 0

    def on(self, now: datetime) -> int:
        """Those of the day of `now`."""
        return self.count if self.day == local_day(now) else 0

    def plus(self, now: datetime, count: int) -> "Writes":
        """After so many more."""
        return Writes(day=local_day(now), count=self.on(now) + count)


def writes_for(before: InverterCommand | None, command: InverterCommand) -> int:
    """What a command writes: a mode, and a power where it has one, as far as they differ."""
    if before is not None and same(before, command):
        return 0
    if before is not None and before.mode is command.mode:
        return 1
    return 2 if command.mode.is_forced else 1
