"""Whether the meters agree: what the house draws is what sun, battery and grid give together.

They agree only about: sensors are read at different moments, and an inverter turns a part of what
passes through it into heat. So three hours are held together, and a fault is named when at least
two such blocks of a day do not add up. The sensor meant is the one that, put right in one plain way
(another unit, the other sign, a factor, or any number in place of one that never changes), makes
all add up. Where that could be several, all of them are named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np

from battery_optimizer.forecast.calendar import Integers
from battery_optimizer.model.slots import SLOT_HOURS, SLOTS_PER_DAY, Bools, Floats

BLOCK: Final = 6
"""Half hours that are held together."""
_TOGETHER: Final = BLOCK // 2
_LEAST_KNOWN: Final = 4
_FEWEST_BLOCKS: Final = 2

_SLACK_KW: Final = 0.3
"""Loads in bursts, of which one sensor sees the one and another the other, and the inverter's own
consumption: so much may be missing,"""
_LOSS: Final = 0.15
"""and this share of what flows: lost in the inverter, or in a meter's tolerance."""

_JUMP_KW: Final = 4.0
_JUMP_SHARE: Final = 0.25
"""A half hour by itself is believed up to here: a shower may well be seen by one sensor only."""

_LEFT: Final = 0.35
"""A cure must explain all but this share of what does not add up."""
_FAR: Final = 1.5
_UNIT: Final = (500.0, 2000.0)
_STILL_KW: Final = 0.005
_STILL_SHARE: Final = 0.01
_VARIES_KW: Final = 0.1
_NIGHT: Final = (6, 42)
"""From 21:00 to 03:00 UTC there is no sun in Britain."""


class Kind(IntEnum):
    """How a sensor is wrong, the plainest explanation first."""

    UNIT = 0
    SIGN = 1
    FROZEN = 2
    FACTOR = 3
    DEAD = 4
    """As plain as a factor: a battery at rest shows nothing, too."""
    JUMPS = 5

    @property
    def rank(self) -> int:
        """Explanations of the least rank are the ones told."""
        return min(self, Kind.FACTOR)


LOAD, SOLAR, BATTERY, GRID = range(4)
_SIGNS: Final = np.array([1.0, -1.0, -1.0, -1.0])


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sensor that would explain it: which, how, and its value or factor."""

    sensor: int
    kind: Kind
    number: float


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a stretch of half hours: where, and who may be the cause."""

    where: Bools
    """The half hours that do not add up."""
    suspects: tuple[Suspect, ...]
    missing_kw: float
    """How much does not add up, on average over these."""

    @property
    def sensors(self) -> frozenset[int]:
        """Which sensors may be the cause; none: nobody knows."""
        return frozenset(suspect.sensor for suspect in self.suspects)

    @property
    def lasts(self) -> bool:
        """Whether it is no matter of single half hours."""
        return not any(suspect.kind is Kind.JUMPS for suspect in self.suspects)


@dataclass(frozen=True)
class Balance:
    """The four meters side by side [kW average per half hour], from midnight UTC on.

    Shape (4, n): load, solar, battery (discharging > 0), grid (importing > 0); NaN where not
    metered. `soc_kwh` (n,) is stored at each end. n is a multiple of 48.
    """

    flows_kw: Floats
    soc_kwh: Floats

    @cached_property
    def missing_kw(self) -> Floats:
        """Load less what is given, shape (n,)."""
        return np.asarray(_SIGNS @ self.flows_kw)

    @cached_property
    def load_kw(self) -> Floats:
        """What the house must draw by the other meters, shape (n,)."""
        return np.maximum(-_SIGNS[1:] @ self.flows_kw[1:], 0.0)

    @property
    def jumps(self) -> Bools:
        """Half hours in which one of the meters must have jumped, shape (n,)."""
        return np.abs(self.missing_kw) > _JUMP_KW + _JUMP_SHARE * self._flowing_kw

    def faults(self) -> Iterator[tuple[int, Fault]]:
        """The first half hour of each UTC day on which the meters do not agree, and why."""
        off = self._off.reshape(-1, SLOTS_PER_DAY // BLOCK)
        for day in np.flatnonzero(off.sum(axis=1) >= _FEWEST_BLOCKS).tolist():
            first = SLOTS_PER_DAY * day
            fault = self.fault(first, first + SLOTS_PER_DAY)
            if fault is not None:
                yield first, fault

    def fault(self, first: int, upto: int) -> Fault | None:
        """Why the meters do not agree in these half hours, whole blocks; None if they do."""
        off = self._off[first // BLOCK : upto // BLOCK]
        if off.sum() < _FEWEST_BLOCKS:
            return None
        part = slice(first, upto)
        where = np.repeat(off, BLOCK) & np.isfinite(self.missing_kw[part])
        jumps = where & self.jumps[part]
        calm = np.where(jumps, np.nan, self.missing_kw[part])
        still_off = _off_blocks(calm, self._flowing_kw[part]).sum() >= _FEWEST_BLOCKS
        suspects: tuple[Suspect, ...] = ()
        if not still_off and 2 * jumps.sum() < where.sum():
            where = jumps
            suspects = _jumped(self.flows_kw[:, part][:, where])
        if not suspects:
            stored = np.diff(self.soc_kwh, prepend=np.nan)[part][where] / SLOT_HOURS
            at = np.arange(first, upto)[where]
            suspects = _suspects(self.flows_kw[:, part][:, where], stored, at)
            suspects = _without_resting(suspects, self.flows_kw[:, part])
        return Fault(where, suspects, float(np.abs(self.missing_kw[part][where]).mean()))

    @cached_property
    def _flowing_kw(self) -> Floats:
        return np.asarray(np.abs(self.flows_kw).sum(axis=0) / 2)

    @cached_property
    def _off(self) -> Bools:
        return _off_blocks(self.missing_kw, self._flowing_kw)


def _off_blocks(missing_kw: Floats, flowing_kw: Floats) -> Bools:
    """Which blocks do not add up, shape (n / BLOCK,)."""
    known = np.isfinite(missing_kw)
    count = known.reshape(-1, BLOCK).sum(axis=1)

    def mean(values: Floats) -> Floats:
        total = np.where(known, values, 0.0).reshape(-1, BLOCK).sum(axis=1)
        return np.asarray(total / np.maximum(count, 1))

    off = np.abs(mean(missing_kw)) > _allowed(mean(flowing_kw))
    return np.asarray((count >= _LEAST_KNOWN) & off)


def _allowed(flowing_kw: Floats) -> Floats:
    return _SLACK_KW + _LOSS * flowing_kw


def _suspects(flows: Floats, stored_kw: Floats, at: Integers) -> tuple[Suspect, ...]:
    """The sensors that explain what is missing in these half hours, by the plainest way."""
    missing = _SIGNS @ flows
    half_hour = at % SLOTS_PER_DAY
    is_dark = ((half_hour < _NIGHT[0]) | (half_hour >= _NIGHT[1])).any()
    found = []
    for sensor, (shown, sign) in enumerate(zip(flows, _SIGNS, strict=True)):
        should = shown - sign * missing
        if sensor == SOLAR and is_dark:
            continue
        if sensor == BATTERY and _is_as_stored(shown, should, stored_kw):
            continue
        suspect = _explained(sensor, shown, should, at)
        if suspect is not None:
            found.append(suspect)
    plainest = min((suspect.kind.rank for suspect in found), default=0)
    return tuple(suspect for suspect in found if suspect.kind.rank == plainest)


def _without_resting(suspects: tuple[Suspect, ...], flows: Floats) -> tuple[Suspect, ...]:
    """Without sensors that show nothing now but something else that day, if others remain."""
    most = np.nanmax(np.abs(flows), axis=1, initial=0.0)
    dead = tuple(
        suspect
        for suspect in suspects
        if suspect.kind is not Kind.DEAD or most[suspect.sensor] < _STILL_KW
    )
    return dead or suspects


def _explained(sensor: int, shown: Floats, should: Floats, at: Integers) -> Suspect | None:
    """How a sensor must be wrong if it alone is; None if no plain way explains it."""
    never_negative = sensor in (LOAD, SOLAR)
    if never_negative and (should < -_SLACK_KW).mean() > _LEFT / 2:
        return None
    power = float(shown @ shown)
    factor = float(should @ shown) / power if power > 0 else 0.0
    left = _left(should - factor * shown, should - shown, at)
    usual = float(np.median(shown))
    is_still = np.ptp(shown) <= max(_STILL_KW, _STILL_SHARE * abs(usual))
    if left <= _LEFT and _UNIT[0] < factor < _UNIT[1]:
        return Suspect(sensor, Kind.UNIT, factor)
    if is_still and np.std(should) > _VARIES_KW:
        return Suspect(sensor, Kind.DEAD if abs(usual) < _STILL_KW else Kind.FROZEN, usual)
    if left > _LEFT or (factor <= 0 and never_negative):
        return None
    if 1 / _FAR < -factor < _FAR:
        return Suspect(sensor, Kind.SIGN, factor)
    is_far = factor > _FAR or 0 < factor < 1 / _FAR
    return Suspect(sensor, Kind.FACTOR, factor) if is_far else None


def _left(after: Floats, before: Floats, at: Integers) -> float:
    """How much of what is missing a cure leaves, half hour by half hour or a few together.

    Together, for bursts that one sensor sees a little later; singly, for what changes its way.
    """
    _, together = np.unique(at // _TOGETHER, return_inverse=True)
    grouped = [np.abs(np.bincount(together, missing)).sum() for missing in (after, before)]
    return float(min(np.abs(after).sum() / np.abs(before).sum(), grouped[0] / grouped[1]))


def _is_as_stored(shown: Floats, should: Floats, stored_kw: Floats) -> bool:
    """Whether what is stored changes as the battery's meter says, not as it should say."""
    known = np.isfinite(stored_kw)
    off_by = np.abs(shown + stored_kw)[known].sum()
    return bool(known.any() and off_by < np.abs(should + stored_kw)[known].sum() / 2)


def _jumped(flows: Floats) -> tuple[Suspect, ...]:
    """The sensors that show far more in single half hours than the others would have them show."""
    missing = _SIGNS @ flows
    found = []
    for sensor, (shown, sign) in enumerate(zip(flows, _SIGNS, strict=True)):
        should = shown - sign * missing
        if np.abs(shown).sum() > 2 * np.abs(should).sum():
            found.append(Suspect(sensor, Kind.JUMPS, float(np.abs(shown).max())))
    return tuple(found)
