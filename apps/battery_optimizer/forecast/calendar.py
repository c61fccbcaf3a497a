"""Which wall-clock half hour of which local day a slot is, and which days people have off."""

from datetime import date, datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from holidays import country_holidays

from battery_optimizer.model.slots import DAY, SLOT, SLOTS_PER_DAY, UK, Floats

Integers = npt.NDArray[np.int64]

_SATURDAY: Final = 5


@lru_cache(maxsize=4096)
def is_off_day(day: date) -> bool:
    """Whether it is a weekend or a bank holiday in England."""
    return day.weekday() >= _SATURDAY or day in _bank_holidays(day.year)


@lru_cache(maxsize=16)
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("GB", subdiv="ENG", years=year))


def off_days(first_day: int, count: int) -> Integers:
    """1 for each day off, else 0, from the day of this ordinal on, shape (count,)."""
    days = (date.fromordinal(first_day + n) for n in range(count))
    return np.fromiter((is_off_day(day) for day in days), dtype=np.int64, count=count)


def wall_positions(start: datetime, count: int) -> Integers:
    """Half hours since year 1 on the wall clock, for `count` slots from `start` (UTC) on.

    Position // 48 is the ordinal of the local day, position % 48 the half hour of its clock. When
    clocks go forward two positions are skipped; when they go back two come twice.
    """
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = (start - midnight) // SLOT
    n_days = (first + count) // SLOTS_PER_DAY + 1
    return _positions_of_days(midnight, n_days)[first : first + count]


def by_wall_clock(values: Floats, positions: Integers, first: int, last: int) -> Floats:
    """Average of the known values at each position in [first, last), NaN where there is none."""
    wanted = np.isfinite(values) & (positions >= first) & (positions < last)
    index = positions[wanted] - first
    total = np.bincount(index, weights=values[wanted], minlength=last - first)
    count = np.bincount(index, minlength=last - first)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@lru_cache(maxsize=32)
def _positions_of_days(midnight: datetime, n_days: int) -> Integers:
    """Those of the slots of UTC days, shape (48 * n_days,)."""
    positions = np.concatenate([_positions_of_day(midnight + n * DAY) for n in range(n_days)])
    positions.flags.writeable = False
    return positions


@lru_cache(maxsize=1024)
def _positions_of_day(midnight: datetime) -> Integers:
    """Those of a UTC day's slots, shape (48,)."""
    return np.array([_position(midnight + n * SLOT) for n in range(SLOTS_PER_DAY)])


def _position(moment: datetime) -> int:
    local = moment.astimezone(UK)
    return local.toordinal() * SLOTS_PER_DAY + local.hour * 2 + local.minute // 30
