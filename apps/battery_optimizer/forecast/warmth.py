"""How the load follows the temperature outside, where it does: a heat pump, or electric heating.

Learned once a day from how both departed from what was usual in the weeks before, for each two
hours of the day. It is used only if it would have told the last four weeks better than without it,
so that a house heated by gas loses nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.forecast.calendar import by_wall_clock, wall_positions
from battery_optimizer.forecast.cleaning import believable_load, believable_temperature
from battery_optimizer.model.slots import (
    DAY,
    SLOT,
    SLOTS_PER_DAY,
    Bools,
    Floats,
    SlotSeries,
    count_slots,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import Observations

HEATING_BELOW_C: Final = 15.5
"""The base of British degree days."""

_LEARNED_DAYS: Final = 150
_LEAST_DAYS: Final = 42
_TRIED_DAYS: Final = 28
_GAIN: Final = 0.05
"""Share of the squared error that must go in the days it is tried on."""

_USUAL_DAYS: Final = 28.0
_FORGET_DAYS: Final = 60.0
_FIRST_DAYS: Final = 5
"""Days before which nothing is usual."""

_BLOCK: Final = 4
_BLOCKS: Final = SLOTS_PER_DAY // _BLOCK
_PENALTY: Final = 100.0
"""Squared degrees times days that no effect at all, and one effect all day, weigh as much as."""

_CARRIES_ON: Final = 0.5
"""So much of a day's departure is there the next day anyway."""

_NOW_DAYS: Final = 7
_COMPARED_DAYS: Final = 14
_LEAST_COMPARED: Final = 48
_MOST_APART_C: Final = 8.0


@dataclass(frozen=True, slots=True)
class Outside:
    """The temperature outside [deg C], past and to come, and what is wrong with the sensor."""

    celsius: SlotSeries
    doubt: str | None = None

    @property
    def degrees(self) -> SlotSeries:
        """How much colder than needs no heating [K]."""
        return SlotSeries(
            start=self.celsius.start,
            values=np.maximum(HEATING_BELOW_C - self.celsius.values, 0.0),
        )


def temperature_outside(observed: Observations, now: datetime) -> Outside | None:
    """Metered where it was, else as the weather service has it, moved to what is metered here."""
    weather, metered = observed.weather_c, observed.outside_c
    if weather is None:
        return None
    told = believable_temperature(weather.values)
    if metered is None:
        return Outside(SlotSeries(start=weather.start, values=told))
    start = min(weather.start, metered.start)
    told = SlotSeries(start=weather.start, values=told).between(start, weather.end).values
    here = metered.between(start, weather.end).values.copy()
    here[max(0, (now - start) // SLOT) :] = np.nan
    here = believable_temperature(here)
    apart = (here - told)[max(0, (now - start - _COMPARED_DAYS * DAY) // SLOT) :]
    apart = apart[np.isfinite(apart)]
    if len(apart) < _LEAST_COMPARED:
        return Outside(SlotSeries(start=start, values=told))
    if abs(float(np.median(apart))) > _MOST_APART_C:
        return Outside(
            SlotSeries(start=start, values=told),
            f"the temperature metered outside is {np.median(apart):+.0f} degrees off the "
            "weather's and is not used: is the sensor indoors, in the sun, or in another unit?",
        )
    values = np.where(np.isfinite(here), here, told + float(apart.mean()))
    return Outside(SlotSeries(start=start, values=values))


@dataclass(frozen=True, slots=True)
class Warmth:
    """What the cold adds to the load, as learned by the start of a local day."""

    kw_per_degree: Floats
    """By half hour of the clock, shape (48,)."""
    usual_degrees: float
    """Degrees of the last days, which the load is brought to."""

    def added_kw(self, degrees: SlotSeries, start: datetime, end: datetime) -> Floats:
        """What is drawn in [start, end) over what would be at the degrees of the last days."""
        given = degrees.between(start, end).values
        slot = wall_positions(start, len(given)) % SLOTS_PER_DAY
        over = np.where(np.isfinite(given), given - self.usual_degrees, 0.0)
        return self.kw_per_degree[slot] * over


def learn_warmth(load: SlotSeries, degrees: SlotSeries, now: datetime) -> Warmth | None:
    """The effect as of the last whole local day before `now`; None where using it does not pay."""
    end = min(load.end, floor_to_slot(now))
    start = max(load.start, degrees.start, floor_to_slot(now) - (_LEARNED_DAYS + 1) * DAY)
    if end - start < _LEAST_DAYS * DAY:
        return None
    positions = wall_positions(start, count_slots(start, end))
    today = int(wall_positions(end, 1)[0]) // SLOTS_PER_DAY
    first = int(positions[0]) // SLOTS_PER_DAY + 1
    bounds = (first * SLOTS_PER_DAY, today * SLOTS_PER_DAY)
    load_kw, degree = (
        by_wall_clock(values, positions, *bounds).reshape(-1, SLOTS_PER_DAY)
        for values in (
            believable_load(load.between(start, end).values),
            degrees.between(start, end).values,
        )
    )
    departs, known = _departures(load_kw, degree)
    if known.any(axis=1).sum() < _LEAST_DAYS - _FIRST_DAYS or not _pays(*departs, known):
        return None
    recent = degree[-_NOW_DAYS:]
    return Warmth(
        kw_per_degree=np.repeat(_effect(*departs, known), _BLOCK),
        usual_degrees=float(recent[np.isfinite(recent)].mean()) if np.isfinite(recent).any() else 0,
    )


def _departures(load_kw: Floats, degrees: Floats) -> tuple[tuple[Floats, Floats], Bools]:
    """How far each block of each day was from the usual, of load and degrees; where both are known.

    Shape (n_days, n_blocks) each; 0 where not known.
    """
    blocks = [
        (values - _usual(values)).reshape(-1, _BLOCKS, _BLOCK).mean(axis=2)
        for values in (load_kw, degrees)
    ]
    known = np.isfinite(blocks[0] * blocks[1])
    known[:_FIRST_DAYS] = False
    load, degree = (np.where(known, values, 0.0) for values in blocks)
    return (load, degree), known


def _usual(values: Floats) -> Floats:
    """For each day the average of the days before, newer ones weighing more; NaN before the first.

    Shape as `values`, (n_days, 48).
    """
    age = np.arange(len(values))[:, None] - np.arange(len(values))
    weights = np.where(age > 0, np.exp(-age / _USUAL_DAYS), 0.0)
    known = np.isfinite(values)
    weight = weights @ known
    total = weights @ np.where(known, values, 0.0)
    return np.where(weight > 0, total / np.maximum(weight, 1e-9), np.nan)


def _effect(load: Floats, degrees: Floats, known: Bools) -> Floats:
    """Load per degree of each block [kW/K], never negative, drawn to one value for all the day."""
    weights = np.exp(-np.arange(len(load))[::-1] / _FORGET_DAYS)[:, None] * known
    swing = (weights * degrees**2).sum(axis=0)
    moved = (weights * degrees * load).sum(axis=0)
    all_day = moved.sum() / (swing.sum() + _BLOCKS * _PENALTY)
    return np.asarray(np.maximum((moved + _PENALTY * all_day) / (swing + _PENALTY), 0.0))


def _pays(load: Floats, degrees: Floats, known: Bools) -> bool:
    """Whether what was learned before the last weeks would have told them better."""
    upto = len(load) - _TRIED_DAYS
    effect = _effect(load[:upto], degrees[:upto], known[:upto])

    def missed(departs: Floats) -> float:
        expected = _CARRIES_ON * departs.mean(axis=1, keepdims=True)
        error = departs[upto:] - expected[upto - 1 : -1]
        return float((error[known[upto:]] ** 2).sum())

    return missed(load - effect * degrees) < (1 - _GAIN) * missed(load)
