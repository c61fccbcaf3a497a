"""What was forecast of the sun for past half hours, by each source, put as it is told now.

A source that changes its unit, its panels or its zone from one answer to the next has told of the
same weather in another way: its next answer is the last one over again, but for a factor or a
shift. What it told before is then put in the same way, so that pairs of forecast and outcome are
all of one kind: what became wrong shows at once in what came before, and what was put right is
trusted at once.
"""

from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.model.slots import (
    SLOT,
    SLOTS_PER_DAY,
    Floats,
    SlotSeries,
    count_slots,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import SolarForecast

_LEAST_SLOTS: Final = SLOTS_PER_DAY
"""Two answers are compared over a day's half hours at least, which both are about."""

_LEAST_KW: Final = 1.0
"""Sun in all of them together below which nothing can be said."""

_OTHER: Final = 0.12
_ALIKE: Final = 0.1
_MANY_SLOTS: Final = 96
_ALIKE_IN_MANY: Final = 0.2
_MUCH_MORE_ALIKE: Final = 1 / 3
"""Told otherwise: they differ by so much of the energy as they stand, by so little when the one is
moved or multiplied, and by so much less. New weather changes some hours and not others: not even a
forecast and what came of it, on 940 days of two roofs, were as alike as that. Over two days more
is allowed, for of old answers one in six hours is kept."""

_MOST_SHIFT: Final = 12
"""Half hours: no zone is wrong by more that does not make it another day."""

_TWICE: Final = 0.1
_MANY_TIMES: Final = 2.8
"""A factor is a mistake near 2 or 1/2 (kWh per half hour for kW), by a tenth, or beyond this (W for
kW, other panels). One between may be the weather of a short day, and is left to be learned."""


class Told:
    """For each half hour of [start, end) what each source last forecast before it began."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._rows: dict[str, Floats] = {}
        self._last: dict[str, SolarForecast] = {}

    def add(self, forecast: SolarForecast) -> None:
        """Take in the newest answer of its source."""
        n_slots = count_slots(self.start, self.end)
        rows = self._rows.setdefault(forecast.source, np.full((3, n_slots), np.nan))
        before = self._last.get(forecast.source)
        if before is not None:
            factor, shift = told_otherwise(before, forecast)
            rows[:] = factor * _moved(rows, shift)
        self._last.pop(forecast.source, None)
        self._last[forecast.source] = forecast
        first = count_slots(self.start, forecast.issued_at)
        if first < n_slots:
            newer = quantiles_kw(forecast, self.start, self.end)[:, first:]
            rows[:, first:] = np.where(np.isfinite(newer), newer, rows[:, first:])

    def by(self, source: str | None = None) -> SolarForecast | None:
        """What a source told, NaN where it told nothing; None if it never did.

        Of no source in particular: what the one told that was heard last.
        """
        if source is None and self._last:
            source = next(reversed(self._last))
        if source is None or source not in self._rows:
            return None
        p10, p50, p90 = (SlotSeries(start=self.start, values=row) for row in self._rows[source])
        issued_at = self._last[source].issued_at
        return SolarForecast(source=source, issued_at=issued_at, p10_kw=p10, p50_kw=p50, p90_kw=p90)


def told_otherwise(before: SolarForecast, after: SolarForecast) -> tuple[float, int]:
    """By what the one must be multiplied, and moved on [half hours], to tell as the other does.

    1.0 and 0 where they differ by no more than the weather does.
    """
    as_it_is = 1.0, 0
    old, new = before.p50_kw, after.p50_kw
    start = max(old.start, new.start, floor_to_slot(after.issued_at))
    end = min(old.end, new.end)
    if (end - start) // SLOT < _LEAST_SLOTS:
        return as_it_is
    given = new.between(start, end).values
    told = old.between(start, end).values
    had = sorted(float(np.nansum(kw)) for kw in (given, told))
    if had[0] <= 0 or had[1] < _LEAST_KW:
        return as_it_is
    apart = _apart(given, told, 1.0)
    if apart < _OTHER:
        return as_it_is
    tried = []
    for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1):
        moved = old.between(start - shift * SLOT, end - shift * SLOT).values
        factor = _factor(given, moved)
        tried.append((_apart(given, moved, factor), abs(shift), factor, shift))
    least, _, factor, shift = min(tried)
    alike = _ALIKE if len(given) < _MANY_SLOTS else _ALIKE_IN_MANY
    is_same_weather = least < alike and least < _MUCH_MORE_ALIKE * apart
    return (factor, shift) if is_same_weather and (factor, shift) != as_it_is else as_it_is


def quantiles_kw(forecast: SolarForecast, start: datetime, end: datetime) -> Floats:
    """p10, p50 and p90 [kW] of [start, end), (3, n); NaN where any of them is."""
    rows = np.stack(
        [
            series.between(start, end).values
            for series in (forecast.p10_kw, forecast.p50_kw, forecast.p90_kw)
        ]
    )
    return np.where(np.isfinite(rows).all(axis=0), rows, np.nan)


def _factor(given: Floats, told: Floats) -> float:
    """How many times as large the one is, where that can be a mistake; else 1."""
    known = np.isfinite(given * told)
    had = float(told[known].sum())
    factor = float(given[known].sum()) / had if had > 0 else 1.0
    is_twice = min(abs(factor / 2 - 1), abs(factor * 2 - 1)) <= _TWICE
    return factor if is_twice or not 1 / _MANY_TIMES < factor < _MANY_TIMES else 1.0


def _apart(given: Floats, told: Floats, factor: float) -> float:
    """How far one is from so many times the other, as a share of the energy."""
    known = np.isfinite(given * told)
    times = factor * told[known]
    size = max(float(given[known].sum()), float(times.sum()), 1e-9)
    return float(np.abs(given[known] - times).sum()) / size


def _moved(rows: Floats, shift: int) -> Floats:
    """Rows (3, n) so many half hours later; NaN where nothing comes in."""
    moved = np.roll(rows, shift, axis=1)
    moved[:, : max(shift, 0)] = np.nan
    moved[:, moved.shape[1] + min(shift, 0) :] = np.nan
    return moved
