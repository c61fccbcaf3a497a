"""Whether a charge sensor that jumped is believed.

A single reading of 0 would change the mode, and the next one back would change it again. What is
further from the last reading than the battery can have moved is therefore doubted; a battery that
has recalibrated itself goes on showing so, and is believed soon.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.model.house import Battery

_HOUR: Final = timedelta(hours=1)
_MARGIN: Final = 0.15
"""Share of the capacity that a sound battery may step by, as it finds out how full it is;"""
_FASTER: Final = 1.5
"""and how many times as fast as it is thought to be it may be."""
_PERSISTS: Final = timedelta(minutes=8)
"""With the third reading of cycles of five minutes."""


@dataclass(frozen=True, slots=True)
class _Reading:
    kwh: float
    at: datetime
    since: datetime


class BelievedCharge:
    """What is taken for stored, reading by reading [kWh]."""

    def __init__(self, battery: Battery) -> None:
        self._battery = battery
        self._believed: _Reading | None = None
        self._doubted: _Reading | None = None

    def of(self, kwh: float, now: datetime) -> tuple[float, str | None]:
        """What to take for stored now, and what is odd about the reading, if it is doubted."""
        shown = _Reading(kwh, now, now)
        believed = self._believed
        if believed is None or self._can_follow(believed, shown):
            return self._believe(shown)
        doubted = self._doubted
        if doubted is not None and self._can_follow(doubted, shown):
            shown = replace(shown, since=doubted.since)
            if now - shown.since >= _PERSISTS:
                return self._believe(shown)
        self._doubted = shown
        minutes = (now - believed.at) / timedelta(minutes=1)
        return believed.kwh, (
            f"shows {self._percent(kwh)} but showed {self._percent(believed.kwh)} {minutes:.0f} "
            f"minutes ago, more than the battery can move: {self._percent(believed.kwh)} is used "
            f"until that has lasted for {_PERSISTS.seconds // 60} minutes"
        )

    def _believe(self, shown: _Reading) -> tuple[float, None]:
        self._believed, self._doubted = shown, None
        return shown.kwh, None

    def _can_follow(self, before: _Reading, shown: _Reading) -> bool:
        """Whether a battery can have come from the one to the other; a clock may be set back."""
        if shown.at < before.at:
            return True
        battery = self._battery
        most_kw = max(battery.max_charge_kw, battery.max_discharge_kw)
        moved_kwh = _FASTER * most_kw * ((shown.at - before.at) / _HOUR)
        return abs(shown.kwh - before.kwh) <= _MARGIN * battery.capacity_kwh + moved_kwh

    def _percent(self, kwh: float) -> str:
        return f"{100 * kwh / self._battery.capacity_kwh:.0f} %"
