"""Large loads with a sensor of their own: which can be taken out of the house's load, and the rest.

A load is forecast apart if its sensor works, if the house's load rises and falls with it, and if it
runs now and then. What runs most of the time, as a heat pump does in winter, is forecast with the
rest of the house: it has no beginning or end that its own history could tell. Wherever a sensor
says nothing the load stays whole, so that nothing is counted twice and nothing is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

import numpy as np

from battery_optimizer.forecast.load import HISTORY_DAYS
from battery_optimizer.model.slots import (
    DAY,
    SLOTS_PER_DAY,
    Bools,
    Floats,
    SlotSeries,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import Observations

LEAST_DAYS: Final = 14
"""So many days of its own must be known before a load is forecast apart."""

SILENT_SLOTS: Final = 6
"""After three hours without a reading nobody knows whether it runs."""

_JUDGED: Final = 28 * SLOTS_PER_DAY
_OVER_KW, _OVER_SHARE = 0.5, 0.15
"""A part may seem larger than the whole by so much: two sensors are not read at once."""

_NOISE_KW: Final = 0.1
_LEAST_KW: Final = 0.3
"""What never draws more is not large."""

_ON_SHARE: Final = 0.15
_MOSTLY: Final = 0.35
"""What runs for a larger share of the time does not run in sessions."""

_FEWEST_EDGES: Final = 6
_FOLLOWS: Final = (0.5, 1.5)
"""How much the house's load must change when the part does, over what the part does."""

_UNIT_FACTOR: Final = 30.0
_MANY_SLOTS: Final = 4
_MANY_OF_WEEKS: Final = 12
_LOST_SHARE: Final = 0.3
"""So much unbelievable is no passing fault: half hours of a day, of four weeks, of all it ran."""

_OFF_SHARE: Final = 0.6
_SELDOM: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeLoads:
    """What of the load is forecast apart [kW], the rest, and what is wrong with the sensors."""

    base_kw: SlotSeries
    apart: Mapping[str, SlotSeries] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @classmethod
    def of(cls, observed: Observations, now: datetime) -> Self:
        """As known at `now`; the half hour that runs is in `apart`, not in `base_kw`."""
        load = observed.load_kw
        if not observed.large_kw:
            return cls(base_kw=load)
        end = floor_to_slot(now)
        start = max(load.start, end - HISTORY_DAYS * DAY)
        load = load.between(min(start, end), end)
        apart, doubts = {}, []
        for name, metered in sorted(observed.large_kw.items()):
            series = metered.between(load.start, floor_to_slot(now) + timedelta(minutes=30))
            power = _believable(series.values, load.values)
            doubt = _doubt(name, series.values, power, load.values)
            if doubt is not None:
                doubts.append(doubt)
            elif _runs_in_sessions(power):
                apart[name] = SlotSeries(start=load.start, values=power)
        base = load.values.copy()
        for part in apart.values():
            base = _without(base, part.values[: len(base)])
        rest = SlotSeries(start=load.start, values=base) if apart else observed.load_kw
        return cls(base_kw=rest, apart=apart, doubts=tuple(doubts))


def on_power_kw(power_kw: Floats) -> float:
    """What it mostly draws when it runs [kW]; 0 if it never did."""
    running = power_kw[power_kw > _LEAST_KW]
    return float(np.median(running)) if len(running) else 0.0


def is_on(power_kw: Floats) -> Bools:
    """In which half hours it runs."""
    return np.asarray(power_kw > max(_NOISE_KW, _ON_SHARE * on_power_kw(power_kw)))


def _believable(power_kw: Floats, load_kw: Floats) -> Floats:
    """The power with NaN for what no part of this house draws, shape as `power_kw`."""
    power = np.where(power_kw >= -_NOISE_KW, np.maximum(power_kw, 0.0), np.nan)
    most = np.full(len(power), np.inf)
    most[: len(load_kw)] = np.where(np.isfinite(load_kw), load_kw, np.inf)
    return np.where(power <= most + np.maximum(_OVER_KW, _OVER_SHARE * power), power, np.nan)


def _doubt(name: str, metered: Floats, power: Floats, load: Floats) -> str | None:
    """Why a load is not forecast apart although there is a sensor; None where it can be."""
    stays = f"{name} is forecast with the rest of the house"
    known = np.isfinite(power)
    if known.sum() < LEAST_DAYS * SLOTS_PER_DAY:
        nothing = "" if known.any() else "its sensor has given nothing yet"
        why = _unlikely(metered, power) or nothing
        return f"{stays}: {why}" if why else None
    ratio = _follows(load[-_JUDGED:], power[: len(load)][-_JUDGED:])
    if ratio is not None and ratio > _UNIT_FACTOR:
        return f"{stays}: the house's load changes {ratio:.0f} times as much: kW given as W?"
    if ratio is not None and not _FOLLOWS[0] <= ratio <= _FOLLOWS[1]:
        return (
            f"{stays}: when it changes by 1 kW the house's load changes by {ratio:.1f} kW, so that "
            "it seems not to be a part of it: check both sensors"
        )
    unlikely = _unlikely(metered, power)
    if unlikely:
        return f"{stays}: {unlikely}"
    if not known[-SILENT_SLOTS - 1 :].any():
        return f"{stays}: its sensor has given nothing for {SILENT_SLOTS / 2:g} hours"
    return None


def _unlikely(metered: Floats, power: Floats) -> str:
    lost = np.isfinite(metered) & ~np.isfinite(power)
    lately, for_weeks = int(lost[-SLOTS_PER_DAY:].sum()), int(lost[-_JUDGED:].sum())
    running = np.abs(np.nan_to_num(metered[-_JUDGED:])) > _LEAST_KW
    if lately >= _MANY_SLOTS:
        when = f"{lately} half hours of the last day"
    elif for_weeks >= _MANY_OF_WEEKS and for_weeks > _LOST_SHARE * running.sum():
        when = f"{for_weeks} half hours of the last four weeks"
    else:
        return ""
    return (
        f"its sensor said in {when} what cannot be (negative, or more than the whole house drew): "
        "check its unit, and whether the house's load counts it"
    )


def _follows(load: Floats, power: Floats) -> float | None:
    """How much the load changes with the part, where that goes on or off; None if it hardly did."""
    change, of_load = np.diff(power), np.diff(load)
    known = np.isfinite(change * of_load)
    change, of_load = change[known], of_load[known]
    edges = np.abs(change) > max(_ON_SHARE * float(np.abs(change).max(initial=0.0)), 1e-6)
    if edges.sum() < _FEWEST_EDGES:
        return None
    return float(change[edges] @ of_load[edges] / (change[edges] @ change[edges]))


def _runs_in_sessions(power: Floats) -> bool:
    known = power[np.isfinite(power)]
    if len(known) < LEAST_DAYS * SLOTS_PER_DAY:
        return False
    return float(is_on(known)[-_JUDGED:].mean()) <= _MOSTLY


def _without(load: Floats, power: Floats) -> Floats:
    """The load less a part of it; where that is not known, only if the part can hardly run."""
    known = np.isfinite(power)
    on = is_on(np.where(known, power, 0.0))
    slot = np.arange(len(power)) % SLOTS_PER_DAY
    often = np.bincount(slot, on, SLOTS_PER_DAY) / np.maximum(
        np.bincount(slot, known, SLOTS_PER_DAY), 1.0
    )
    often = np.maximum.reduce([np.roll(often, by) for by in (-2, -1, 0, 1, 2)])
    hardly = (load < _OFF_SHARE * on_power_kw(power[known])) | (often[slot] < _SELDOM)
    rest = np.maximum(load - np.where(known, power, 0.0), np.minimum(load, 0.02))
    return np.where(known | hardly, rest, np.nan)
