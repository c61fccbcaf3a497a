"""Reads large loads and the temperature outside, which forecasts learn from and no plan needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.telemetry.units import OUTSIDE_C, celsius_of, power_kw
from battery_optimizer.model.entity import EntityState, ReadState
from battery_optimizer.model.meters import LargeLoad

_NOISE_KW: Final = 0.05
_RUNS_SILENT: Final = timedelta(hours=2)
"""What draws power changes; at nothing a sensor may well be silent for days."""
_STEADY: Final = timedelta(hours=6)
"""No longer does the temperature outside stay the same."""


@dataclass(frozen=True, kw_only=True)
class MoreReadings:
    """What could be read, and why the rest could not, one sentence each."""

    large_kw: dict[str, float]
    outside_c: float | None
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MoreSensors:
    """The sensors of large loads and of the temperature outside, as far as they are set."""

    read_state: ReadState
    large_loads: Sequence[LargeLoad] = ()
    outside: str | None = None

    def read(self, now: datetime) -> MoreReadings:
        """What they show now."""
        problems = []
        large_kw = {}
        for load in self.large_loads:
            try:
                large_kw[load.name] = self._large_kw(load.power, now)
            except ValueError as error:
                problems.append(f"{load.power} ({load.name}) {error}")
        outside_c = None
        if self.outside is not None:
            try:
                outside_c = self._outside_c(self.outside, now)
            except ValueError as error:
                problems.append(f"{self.outside} {error}")
        return MoreReadings(large_kw=large_kw, outside_c=outside_c, problems=tuple(problems))

    def _large_kw(self, entity_id: str, now: datetime) -> float:
        state = self.read_state(entity_id)
        kw = power_kw(state)
        if kw < -_NOISE_KW:
            raise ValueError(f"shows {kw:g} kW, which cannot be negative")
        if kw > _NOISE_KW:
            _require_heard_of(state, now, _RUNS_SILENT)
        return max(kw, 0.0)

    def _outside_c(self, entity_id: str, now: datetime) -> float:
        state = self.read_state(entity_id)
        celsius = celsius_of(state, OUTSIDE_C, "British weather")
        _require_heard_of(state, now, _STEADY)
        return celsius


def _require_heard_of(state: EntityState | None, now: datetime, longest: timedelta) -> None:
    heard = None if state is None else state.last_reported or state.last_changed
    if heard is not None and now - heard > longest:
        hours = longest / timedelta(hours=1)
        raise ValueError(f"has shown the same for over {hours:g} hours and is not believed")
