"""Readings and forecasts of any length of time, brought onto the grid of half hours."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from battery_optimizer.model.slots import HOUR, SLOT, SLOT_HOURS, SlotSeries, floor_to_slot

_TOLERANCE_HOURS = 1e-6

_LONGEST = timedelta(days=366)
"""A single wrong date must not fill the memory with half hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time [start, end), UTC, with its average power [kW]."""

    start: datetime
    end: datetime
    kw: float

    @property
    def hours(self) -> float:
        """Length [h]."""
        return (self.end - self.start) / HOUR


def half_hourly(spans: Iterable[Span], *, least_covered: float = 1.0) -> SlotSeries:
    """Average power [kW] of every half hour from the first to the last that is known.

    Energy is kept where the spans cover a half hour wholly. Where they cover at least the fraction
    `least_covered` of it, the average of what is covered stands for all of it; else it is NaN.
    ValueError where spans overlap, where there is no half hour at all, or more than a year of them.
    """
    spans = list(spans)
    if spans and max(span.end for span in spans) - min(span.start for span in spans) > _LONGEST:
        raise ValueError("its times are more than a year apart")
    kwh: dict[datetime, float] = {}
    hours: dict[datetime, float] = {}
    for span in spans:
        slot = floor_to_slot(span.start)
        while slot < span.end:
            shared = (min(span.end, slot + SLOT) - max(span.start, slot)) / HOUR
            kwh[slot] = kwh.get(slot, 0.0) + span.kw * shared
            hours[slot] = hours.get(slot, 0.0) + shared
            slot += SLOT
    overlapping = [
        slot for slot, covered in hours.items() if covered > SLOT_HOURS + _TOLERANCE_HOURS
    ]
    if overlapping:
        raise ValueError(f"the half hour of {min(overlapping):%d %b %H:%M} UTC is given twice")
    wanted = least_covered * SLOT_HOURS - _TOLERANCE_HOURS
    series = SlotSeries.from_slots(
        {slot: kwh[slot] / covered for slot, covered in hours.items() if covered >= wanted}
    )
    # Where 30 minutes are covered to the microsecond the quotient may still carry a rounding.
    return SlotSeries(start=series.start, values=np.round(series.values, 9))
