"""The UTC grid that everything is lined up on. Clock changes live here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SLOT = timedelta(minutes=30)
SLOT_HOURS = 0.5
SLOTS_PER_DAY = 48
"""Of a UTC day, or of the clock's face: local days in which the clocks change have 46 or 50."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
"""Of 24 hours; a local day may have 23 or 25: see `day_bounds`."""
UK = ZoneInfo("Europe/London")
"""The clock of the people, the days and the tariffs here: no setting."""


def floor_to_slot(moment: datetime, step: timedelta = SLOT) -> datetime:
    """The start of the slot (or of the shorter step) that holds this moment; aware, UTC."""
    require_utc(moment)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def count_slots(start: datetime, end: datetime) -> int:
    """How many half hours from `start` on cover [start, end); 0 where it is empty."""
    return max(0, -((start - end) // SLOT))


def require_utc(moment: datetime) -> None:
    """Raise ValueError unless the moment is aware and in UTC."""
    if moment.utcoffset() != timedelta(0):
        raise ValueError(f"{moment!r} is not an aware UTC time")


def is_within(span: timedelta, at: datetime | None, now: datetime) -> bool:
    """Whether `at` was less than `span` ago.

    A time still to come is of a clock that was set back since, and None was never: they are not.
    """
    return at is not None and timedelta(0) <= now - at < span


def local_day(moment: datetime, zone: ZoneInfo = UK) -> date:
    """The calendar day, on the wall clock of `zone`, that holds this moment."""
    return moment.astimezone(zone).date()


def local_time(day: date, clock: time, zone: ZoneInfo = UK) -> datetime:
    """The UTC moment at which a wall clock in `zone` shows `clock` on `day`."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo = UK) -> tuple[datetime, datetime]:
    """First and one-past-last UTC moment of a local day: 23, 24 or 25 hours apart."""
    return local_time(day, time(0), zone), local_time(day + timedelta(days=1), time(0), zone)


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """The run of steps being planned, oldest first.

    `start` is now; the first step ends at the next multiple of `step`, so it may be shorter.
    """

    start: datetime
    n_slots: int
    step: timedelta = SLOT

    def __post_init__(self) -> None:
        require_utc(self.start)
        if self.n_slots < 1:
            raise ValueError(f"a horizon needs at least one slot, not {self.n_slots}")
        if self.step <= timedelta(0) or SLOT % self.step:
            raise ValueError(f"the step must divide 30 minutes, not be {self.step}")

    @classmethod
    def of_hours(cls, start: datetime, hours: float, step: timedelta = SLOT) -> Self:
        """A horizon of a fixed number of steps, the first of them cut short by `start`."""
        return cls(start=start, n_slots=round(timedelta(hours=hours) / step), step=step)

    @cached_property
    def starts(self) -> tuple[datetime, ...]:
        """Start of each step, length n_slots; the first is `start` itself."""
        first = floor_to_slot(self.start, self.step)
        return (self.start, *(first + t * self.step for t in range(1, self.n_slots)))

    @property
    def end(self) -> datetime:
        """The moment at which the last step ends."""
        return floor_to_slot(self.start, self.step) + self.n_slots * self.step

    @cached_property
    def hours(self) -> Floats:
        """Length of each step [h], shape (n_slots,)."""
        hours = np.full(self.n_slots, self.step / HOUR)
        hours[0] = (floor_to_slot(self.start, self.step) + self.step - self.start) / HOUR
        return hours

    def index_of(self, moment: datetime) -> int:
        """Index of the step that holds `moment`; IndexError outside of the horizon."""
        if not self.start <= moment < self.end:
            raise IndexError(f"{moment} is not in {self.start} .. {self.end}")
        return (moment - floor_to_slot(self.start, self.step)) // self.step


@dataclass(frozen=True, kw_only=True)
class SlotSeries:
    """A value for each half hour from `start` on: rates [p/kWh] or average power [kW].

    NaN where nothing is known: absent is not zero.
    """

    start: datetime
    values: Floats

    def __post_init__(self) -> None:
        require_utc(self.start)
        if self.start.minute % 30 or self.start.second or self.start.microsecond:
            raise ValueError(f"a series starts on a half hour, not at {self.start}")

    @classmethod
    def empty(cls, start: datetime) -> Self:
        """A series that knows nothing."""
        return cls(start=floor_to_slot(start), values=np.empty(0))

    @classmethod
    def from_slots(cls, values: Mapping[datetime, float]) -> Self:
        """From {slot start (UTC): value}; half hours between that are not named are NaN."""
        if not values:
            raise ValueError("no values")
        start = min(values)
        series = np.full((max(values) - start) // SLOT + 1, np.nan)
        for moment, value in values.items():
            series[(moment - start) // SLOT] = value
        return cls(start=start, values=series)

    @property
    def end(self) -> datetime:
        """One past the last half hour."""
        return self.start + len(self.values) * SLOT

    def between(self, start: datetime, end: datetime) -> Self:
        """The half hours of [start, end), NaN where this series has none; `start` on a slot."""
        n_slots = count_slots(start, end)
        values = np.full(n_slots, np.nan)
        offset = (start - self.start) // SLOT
        low, high = max(0, offset), min(len(self.values), offset + n_slots)
        if low < high:
            values[low - offset : high - offset] = self.values[low:high]
        return type(self)(start=start, values=values)

    def on(self, horizon: Horizon) -> Floats:
        """The value that holds in each step of the horizon, shape (n_slots,)."""
        first = floor_to_slot(horizon.start)
        offset = (floor_to_slot(horizon.start, horizon.step) - first) // horizon.step
        per_slot = SLOT // horizon.step
        values = self.between(first, horizon.end).values
        return np.repeat(values, per_slot)[offset : offset + horizon.n_slots]

    def at(self, moment: datetime) -> float:
        """The value that holds at this moment; NaN where none is known."""
        index = (moment - self.start) // SLOT
        return float(self.values[index]) if 0 <= index < len(self.values) else float("nan")


def half_hour_of_day(moment: datetime) -> int:
    """Which half hour of the local day this is, 0 to 47; twice the same when clocks go back."""
    local = moment.astimezone(UK)
    return local.hour * 2 + local.minute // 30
