"""How good the forecasts were: error by hour of the day and by lead time, and whole days ahead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

import numpy as np

from battery_optimizer.hindsight.lived import half_hours
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import (
    SLOT,
    SLOT_HOURS,
    SLOTS_PER_DAY,
    Floats,
    SlotSeries,
    floor_to_slot,
    half_hour_of_day,
    local_day,
)

HOURS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Load and solar as a plan expected them [kW average per half hour from `at` on]."""

    at: datetime
    load_kw: Floats
    solar_kw: Floats

    @classmethod
    def by(cls, outlook: Outlook) -> Self:
        """What an outlook expects, kept small: half the digits are enough for statistics."""
        hours = outlook.horizon.hours
        return cls(
            at=floor_to_slot(outlook.horizon.start),
            load_kw=half_hours(outlook, outlook.load_kwh / hours).values.astype(np.float32),
            solar_kw=half_hours(outlook, outlook.solar_kwh / hours).values.astype(np.float32),
        )


Read = Callable[[Expected], Floats]
"""Which of the two is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Mean absolute error and mean error (expected less metered) [kW], each of shape (n,).

    NaN where nothing was metered.
    """

    absolute_kw: Floats
    bias_kw: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAhead:
    """A local day's energy [kWh] as expected at its start, and as metered."""

    day: date
    expected_kwh: float
    metered_kwh: float


def errors_by_lead(expected: Sequence[Expected], read: Read, metered: SlotSeries) -> Errors:
    """Errors by lead time: of the n-th hour from when the forecast was made, shape (n_hours,)."""
    off = _off(expected, read, metered)
    n_hours = off.shape[1] // 2
    return _errors(off[:, : 2 * n_hours].reshape(len(off), n_hours, 2).swapaxes(0, 1))


def errors_by_hour(expected: Sequence[Expected], read: Read, metered: SlotSeries) -> Errors:
    """Errors by hour of the local day of what was expected for the coming 24 hours, shape (24,)."""
    off = _off(expected, read, metered)[:, : 2 * HOURS]
    leads = range(off.shape[1])
    hour = np.array(
        [[half_hour_of_day(each.at + t * SLOT) // 2 for t in leads] for each in expected]
    )
    return _errors([off[hour == each] for each in range(HOURS)])


def profile_by_hour(expected: Sequence[Expected], read: Read, metered: SlotSeries) -> Floats:
    """Mean expected, mean metered, its p10 and p90 [kW] by hour of the local day, shape (4, 24).

    Expected at the start of each local day, but for those on which the clock changes.
    """
    at_start = [
        each
        for each in expected
        if half_hour_of_day(each.at) == half_hour_of_day(each.at + 2 * HOURS * SLOT) == 0
    ]
    if not at_start:
        return np.full((4, HOURS), np.nan)
    wanted = np.stack([_full_day(read(each)) for each in at_start])
    came = np.stack(
        [metered.between(each.at, each.at + SLOTS_PER_DAY * SLOT).values for each in at_start]
    )
    wanted = np.where(np.isfinite(came), wanted, np.nan).reshape(-1, HOURS, 2).mean(axis=2)
    hourly = came.reshape(-1, HOURS, 2).mean(axis=2)
    known = np.isfinite(hourly).all(axis=1)
    if not known.any():
        return np.full((4, HOURS), np.nan)
    low, high = np.quantile(hourly[known], [0.1, 0.9], axis=0)
    return np.stack([wanted[known].mean(axis=0), hourly[known].mean(axis=0), low, high])


def day_ahead(
    expected: Sequence[Expected], read: Read, metered: SlotSeries
) -> tuple[DayAhead, ...]:
    """Each local day's first 24 hours, as expected at its start, against what was metered."""
    days = []
    for each in expected:
        if half_hour_of_day(each.at) != 0:
            continue
        wanted = _full_day(read(each))
        came = metered.between(each.at, each.at + SLOTS_PER_DAY * SLOT).values
        if np.isfinite(came).all() and np.isfinite(wanted).all():
            days.append(
                DayAhead(
                    day=local_day(each.at),
                    expected_kwh=float(wanted.sum() * SLOT_HOURS),
                    metered_kwh=float(came.sum() * SLOT_HOURS),
                )
            )
    return tuple(days)


def _full_day(values: Floats) -> Floats:
    whole = np.full(2 * HOURS, np.nan)
    whole[: len(values)] = values[: 2 * HOURS]
    return whole


def _off(expected: Sequence[Expected], read: Read, metered: SlotSeries) -> Floats:
    """Expected less metered [kW], shape (n_forecasts, n_leads); NaN where not known."""
    if not expected:
        return np.empty((0, 0))
    n_leads = min(len(read(each)) for each in expected)
    off = np.empty((len(expected), n_leads))
    for row, each in zip(off, expected, strict=True):
        row[:] = read(each)[:n_leads] - metered.between(each.at, each.at + n_leads * SLOT).values
    return off


def _errors(groups: Sequence[Floats] | Floats) -> Errors:
    known = [group[np.isfinite(group)] for group in groups]
    return Errors(
        absolute_kw=np.array([np.abs(each).mean() if each.size else np.nan for each in known]),
        bias_kw=np.array([each.mean() if each.size else np.nan for each in known]),
    )
