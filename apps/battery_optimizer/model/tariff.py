"""What electricity costs: unit rates, their classes, and the bill."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

import numpy as np

from battery_optimizer.model.linear import LinearVector
from battery_optimizer.model.slots import (
    Bools,
    Floats,
    SlotSeries,
    count_slots,
    floor_to_slot,
    local_day,
    local_time,
)

E = TypeVar("E", bound=LinearVector)


class Direction(StrEnum):
    """Which way the energy flows through the meter, as a supplier's tariffs are sorted."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRate:
    """A unit rate [p/kWh, inc. VAT] as a supplier publishes it; `end` None while open-ended."""

    start: datetime
    end: datetime | None
    p_per_kwh: float


@dataclass(frozen=True, kw_only=True)
class KnownRates:
    """Published unit rates, past and to come [p/kWh]; NaN where none is known.

    `is_demo` is True where they were made by our own generator, so that everything shown says so.
    `expected_imports` is what somebody forecasts of import rates not published yet.
    """

    imports: SlotSeries
    exports: SlotSeries
    is_demo: bool = False
    expected_imports: SlotSeries | None = None


class RateClass(StrEnum):
    """How an import rate compares with those around it."""

    NEGATIVE = "negative"
    CHEAP = "cheap"
    NORMAL = "normal"
    EXPENSIVE = "expensive"


CHEAP_QUANTILE = 0.25
EXPENSIVE_QUANTILE = 0.75


def classify(import_rate: float, around: Floats) -> RateClass:
    """Class of a rate among those around it (a day or so) [p/kWh].

    Negative: below 0. Cheap: in their lowest quarter. Expensive: in their highest quarter.
    All rates equal, or neither: normal.
    """
    if import_rate < 0:
        return RateClass.NEGATIVE
    known = around[np.isfinite(around)]
    if not known.size:
        return RateClass.NORMAL
    cheap, dear = np.quantile(known, [CHEAP_QUANTILE, EXPENSIVE_QUANTILE])
    if cheap < dear and import_rate <= cheap:
        return RateClass.CHEAP
    if cheap < dear and import_rate >= dear:
        return RateClass.EXPENSIVE
    return RateClass.NORMAL


def half_hourly(rates: Iterable[UnitRate], start: datetime, end: datetime) -> SlotSeries:
    """Unit rates on the half-hour grid of [start, end); NaN where none applies.

    Where two overlap, the one that started later holds (a correction, or a change of price).
    """
    first = floor_to_slot(start)
    n_slots = count_slots(first, end)
    values = np.full(n_slots, np.nan)
    for rate in sorted(rates, key=lambda rate: rate.start):
        low = count_slots(first, rate.start)
        high = n_slots if rate.end is None else count_slots(first, rate.end)
        values[low:high] = rate.p_per_kwh
    return SlotSeries(start=first, values=values)


def published_until(now: datetime) -> datetime:
    """Up to when Agile rates are out at `now`.

    From 16:00 UK time on, to 23:00 of the next day; before, to 23:00 of the same day (at 23:00
    itself the day's last rates have run out: the next day's are long out).
    """
    day = local_day(now)
    if now >= local_time(day, time(16)):
        day += timedelta(days=1)
    return local_time(day, time(23))


def bill(import_rate: Floats, export_rate: Floats, grid_import: E, grid_export: E) -> E:
    """Pence for energy at the meter: what is bought less what is sold. Standing charge apart."""
    return import_rate @ grid_import - export_rate @ grid_export


def doubtful(import_rate: Floats, export_rate: Floats) -> Bools:
    """Slots in which buying and selling, or charging and discharging, at once could pay."""
    return (import_rate <= export_rate) | (import_rate < 0) | (export_rate < 0)
