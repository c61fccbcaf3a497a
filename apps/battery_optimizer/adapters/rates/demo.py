"""Made-up rates in the manner of Agile, for trying the app where Octopus cannot be reached.

A wholesale price W [p/kWh] is made for each half hour: a daily shape (dear in the evening, cheap at
night and around noon), a level that drifts from day to day, and now and then a few windy hours
below zero. From it, as Octopus reckoned in 2020-24, with VAT:

    import = 1.05 * (2.2 W + 12 from 16:00 to 19:00 UK time)
    export = 0.95 W + 1.30 + 7.23 from 16:00 to 19:00 UK time, and never below 0

A rate depends on the time of its slot and on nothing else: the same slot always has the same rate.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from math import cos, pi
from typing import Final

from battery_optimizer.model.slots import HOUR, SLOT, UK, floor_to_slot, local_time
from battery_optimizer.model.tariff import Direction, UnitRate, published_until

PEAK_HOURS: Final = (16, 19)

# Times a day's level, for the hours 0, 3, 6 .. 24 of the UK clock.
DAILY_SHAPE: Final = (0.80, 0.70, 0.95, 1.15, 0.90, 0.85, 1.45, 1.20, 0.80)
LEVELS_P: Final = (5.0, 11.0)
FLUTTER_P: Final = 1.0
SPELL_SHARE: Final = 0.12
"""The share of days with a negative spell."""
SPELL_LENGTH: Final = timedelta(hours=7)
SPELL_DEPTHS_P: Final = (10.0, 15.0)

STANDING_CHARGE_P: Final = 50.0

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class DemoRates:
    """Demo rates, published when Octopus would publish them."""

    name: Final = "demo"
    tariff_name: Final = "demo"
    is_demo: Final = True

    def fetch(
        self,
        direction: Direction,
        start: datetime,
        end: datetime,
        now: datetime,
        report: Callable[[str], None] | None = None,  # noqa: ARG002 - these have no bad rows
    ) -> list[UnitRate]:
        """Rates of the slots in [start, end) that are published by `now`, oldest first."""
        end = min(end, published_until(now))
        rates = []
        slot = floor_to_slot(start)
        while slot < end:
            rate = UnitRate(start=slot, end=slot + SLOT, p_per_kwh=demo_rate(direction, slot))
            rates.append(rate)
            slot += SLOT
        return rates

    def standing_charge(self, now: datetime) -> float:  # noqa: ARG002 - always the same
        """What being connected costs [p/day]."""
        return STANDING_CHARGE_P


def demo_rate(direction: Direction, slot: datetime) -> float:
    """The rate [p/kWh, inc. VAT] of the slot that starts at this UTC time."""
    wholesale_p = _wholesale_p(slot)
    is_peak = PEAK_HOURS[0] <= slot.astimezone(UK).hour < PEAK_HOURS[1]
    if direction is Direction.IMPORT:
        return round(1.05 * (2.2 * wholesale_p + 12 * is_peak), 4)
    return round(max(0.0, 0.95 * wholesale_p + 1.30 + 7.23 * is_peak), 2)


def _wholesale_p(slot: datetime) -> float:
    local = slot.astimezone(UK)
    hours = local.hour + local.minute / 60
    shape = _between(DAILY_SHAPE, hours / 3)
    low, high = LEVELS_P
    level_p = low + (high - low) * _drift("level", slot, timedelta(days=1))
    flutter_p = FLUTTER_P * (2 * _drift("flutter", slot, 3 * HOUR) - 1)
    return level_p * shape + flutter_p - _spell_p(slot, local.date())


def _spell_p(slot: datetime, day: date) -> float:
    """What a windy night or noon takes off the price [p/kWh], deepest in its middle."""
    if _chance(f"spell {day}") >= SPELL_SHARE:
        return 0.0
    middle = local_time(day, time(4) if _chance(f"night {day}") < 0.5 else time(13))  # noqa: PLR2004
    from_middle = abs(slot + SLOT / 2 - middle) / SPELL_LENGTH
    low, high = SPELL_DEPTHS_P
    depth_p = low + (high - low) * _chance(f"depth {day}")
    return depth_p * cos(pi * from_middle) ** 2 if from_middle < 1 / 2 else 0.0


def _drift(name: str, slot: datetime, period: timedelta) -> float:
    """A number from 0 to 1 that moves in a straight line between chance values, one a period."""
    periods = (slot - _EPOCH) / period
    first = int(periods // 1)
    ends = (_chance(f"{name} {first}"), _chance(f"{name} {first + 1}"))
    return _between(ends, periods - first)


def _between(values: tuple[float, ...], position: float) -> float:
    index = int(position)
    share = position - index
    return values[index] if share == 0 else values[index] * (1 - share) + values[index + 1] * share


def _chance(name: str) -> float:
    """A number from 0 to 1, the same for ever: no library's generator, which may change."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48
