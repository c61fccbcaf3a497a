"""The two daily charge periods of an H1, and how foxess_modbus shows and sets them.

They are registers that outlive everything, by the inverter's own clock. Habits of the integration:

* Both ends at 0 is no period. Its sensors then go on showing the times that it had.
* The service wants an end after the start even of what it takes away, no overlap with the other
  period, and the inverter by its friendly name.
* What was written is shown at once, whatever the inverter has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from battery_optimizer.model.entity import EntityState

UPDATE: Final = "foxess_modbus/update_charge_period"
MIDNIGHT: Final = time(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePeriod:
    """From `start` to `end` the battery charges with all it can, or without the grid is held."""

    start: time = MIDNIGHT
    end: time = MIDNIGHT
    from_grid: bool = False

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return self.start > MIDNIGHT or self.end > MIDNIGHT

    def runs_at(self, clock: time) -> bool:
        """Whether it does by the inverter's clock."""
        return self.is_set and self.start <= clock < self.end


NO_PERIOD: Final = ChargePeriod()
NO_PERIODS: Final = (NO_PERIOD, NO_PERIOD)


class PeriodEntities:
    """Shows the periods and takes calls; `name` is the friendly name that was given."""

    def __init__(self, stem: str, name: str) -> None:
        self._stem, self._name = stem, name
        self._times: dict[int, tuple[time, time]] = {}

    def entities(self, periods: Sequence[ChargePeriod]) -> dict[str, EntityState]:
        """By their ids."""
        shown: dict[str, EntityState] = {}
        for number, period in enumerate(periods, start=1):
            if period.is_set:
                self._times[number] = period.start, period.end
            start, end = self._times.get(number, (MIDNIGHT, MIDNIGHT))
            stem = f"{self._stem}time_period_{number}_"
            shown |= {
                f"sensor.{stem}start": EntityState(state=start.isoformat()),
                f"sensor.{stem}end": EntityState(state=end.isoformat()),
                f"binary_sensor.{stem}enable_force_charge": _switch(is_on=period.is_set),
                f"binary_sensor.{stem}enable_charge_from_grid": _switch(is_on=period.from_grid),
            }
        return shown

    def periods_of(self, shown: Mapping[str, object]) -> tuple[ChargePeriod, ...]:
        """What these states, by entity id, say; NO_PERIODS where they say nothing."""
        return tuple(self._period_of(number, shown) for number in range(1, 1 + len(NO_PERIODS)))

    def _period_of(self, number: int, shown: Mapping[str, object]) -> ChargePeriod:
        stem = f"{self._stem}time_period_{number}_"
        if shown.get(f"binary_sensor.{stem}enable_force_charge") != "on":
            return NO_PERIOD
        start, end = (
            time.fromisoformat(str(shown[f"sensor.{stem}{each}"])) for each in ("start", "end")
        )
        from_grid = shown.get(f"binary_sensor.{stem}enable_charge_from_grid") == "on"
        return ChargePeriod(start=start, end=end, from_grid=from_grid)

    def updated(
        self, periods: Sequence[ChargePeriod], data: Mapping[str, Any]
    ) -> tuple[ChargePeriod, ...]:
        """The periods after a call of `update_charge_period`; ValueError if it refuses."""
        if data["inverter"] != self._name:
            raise ValueError(
                f"Unable to find an inverter with the device ID or friendly name "
                f"'{data['inverter']}'. Valid friendly names: '{self._name}'"
            )
        number = int(data["charge_period"])
        start, end = (time.fromisoformat(data[key]) for key in ("start", "end"))
        if end <= start:
            raise ValueError("'end' must be at least 1 minute after 'start'")
        if not data["enable_force_charge"]:
            new = NO_PERIOD
        else:
            from_grid = bool(data["enable_charge_from_grid"])
            new = ChargePeriod(start=start, end=end, from_grid=from_grid)
        kept = dict(enumerate(periods, start=1))
        for other, period in kept.items():
            if other != number and new.start < period.end and period.start < new.end:
                raise ValueError(
                    f"Specified period {start}-{end} overlaps existing charge period {other} "
                    f"{period.start}-{period.end}"
                )
        return tuple((kept | {number: new}).values())


def _switch(*, is_on: bool) -> EntityState:
    return EntityState(state="on" if is_on else "off", attributes={"device_class": "power"})
