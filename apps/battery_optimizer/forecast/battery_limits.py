"""What a battery really gives and takes, learned from what it did when all its power was asked for.

Three curves (C8-C10), each only where the settings leave it empty and there is evidence: readings
of several nights at about the same state of charge, or temperature. A median counts, so a few wrong
readings do no harm. A curve can only slow the battery, never below a small share of its power.

What something else held back tells nothing of the battery: readings with sun (it shares the
inverter), at the fuse, at the export limit or at the inverter's rating, next to full or empty, and
those whose stored energy does not move as the power says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Final

import numpy as np

from battery_optimizer.forecast.battery_curves import (
    HARDLY,
    Curve,
    concave,
    simple,
    with_corner,
)
from battery_optimizer.forecast.battery_words import WORDS
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import CURVES, Learned
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.model.telemetry import BatteryReadings

WINDOW: Final = timedelta(days=60)
"""A battery ages, and its seasons change: older readings are of another one."""
LEAST_READINGS: Final = 6
LEAST_NIGHTS: Final = 3
WARM_C: Final = 16.0
"""From here on no battery is slowed by cold."""

_ASKED: Final = 0.95
_FULL: Final = 0.93
"""As much is full power: sensors are on the battery's side, and settings are round numbers."""
_NOTHING: Final = 0.03
_FREEZING_C: Final = 5.0
_SUN: Final = 0.05
_AT_LIMIT: Final = 0.97
_FLOOR: Final = 0.05
_COLD_FLOOR: Final = 0.1
_EDGE: Final = 0.015
_SOC_STEP: Final = 0.05
_COLD_STEP_C: Final = 3.0
_MIDDLE: Final = (0.25, 0.7)
_PERCENT: Final = 0.011
"""States of charge are whole percents."""
_NIGHT_S: Final = 86400.0
_MOST_GAP_H: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """Readings of one direction: shares of capacity and of the greatest power; nights by number."""

    soc: Floats
    power: Floats
    celsius: Floats
    night: Floats

    def where(self, chosen: Bools) -> "_Evidence":
        return _Evidence(
            soc=self.soc[chosen],
            power=self.power[chosen],
            celsius=self.celsius[chosen],
            night=self.night[chosen],
        )

    @property
    def is_enough(self) -> bool:
        return len(self.power) >= LEAST_READINGS and len(np.unique(self.night)) >= LEAST_NIGHTS

    @property
    def share(self) -> float:
        return float(np.median(self.power))


def learned_limits(house: House, readings: BatteryReadings) -> Learned:
    """The house's battery with the curves that the readings show, and in words what was learned."""
    battery = house.battery
    if battery.capacity_kwh <= 0:
        return Learned(battery=battery)
    readings = _finite(readings)
    taken = _evidence(house, readings, battery.max_charge_kw, direction=-1)
    given = _evidence(house, readings, battery.max_discharge_kw, direction=1)
    found, warm_from = _with_cold_limit(battery, taken, given)
    n_cold = int((taken.celsius < WARM_C).sum())
    taken, given = _warm(taken, warm_from), _warm(given, warm_from)
    if not battery.charge_taper:
        top = battery.ceiling_kwh / battery.capacity_kwh
        found = replace(found, charge_taper=_taper(taken.soc, taken, end=top))
    if not battery.discharge_taper:
        bottom = battery.reserve_kwh / battery.capacity_kwh
        # Seen from the top: the emptier, the further on.
        falling = _taper(1 - given.soc, given, end=1 - bottom)
        rising = concave([(round(1 - x, 3), share) for x, share in reversed(falling)])
        found = replace(found, discharge_taper=rising)
    curves = frozenset(name for name in CURVES if getattr(found, name) != getattr(battery, name))
    counts = {
        "cold_limit": n_cold,
        "charge_taper": len(taken.power),
        "discharge_taper": len(given.power),
    }
    words = tuple(WORDS[name](found, n) for name, n in counts.items() if name in curves)
    return Learned(battery=found, curves=curves, words=words)


def _evidence(
    house: House, readings: BatteryReadings, most_kw: float, *, direction: int
) -> _Evidence:
    """The readings at which all that the battery has was asked for, and nothing else stood by."""
    capacity_kwh = house.battery.capacity_kwh
    most_kw = max(most_kw, 1e-3)
    given_kw, asked_kw = readings.battery_kw * direction, readings.asked_kw * direction
    refuses_cold = readings.temperature_c < _FREEZING_C
    counts = (
        (readings.hours > 0)
        & (readings.hours <= _MOST_GAP_H)
        & (asked_kw >= _ASKED * most_kw)
        & ((given_kw > _NOTHING * most_kw) | (refuses_cold & (given_kw >= 0)))
        & (given_kw <= 1.5 * asked_kw)
        & _is_free(house, readings, given_kw, most_kw)
    )
    # From noon to noon, so that a night is one occasion.
    night = np.floor(readings.at / _NIGHT_S - 0.5)
    counts[counts] = _moves(
        (readings.soc_before_kwh - readings.soc_kwh)[counts] * direction,
        (given_kw * readings.hours)[counts],
        night[counts],
        _PERCENT * capacity_kwh,
    )
    return _Evidence(
        soc=readings.soc_kwh / capacity_kwh,
        power=np.minimum(given_kw / most_kw, 1.0),
        celsius=readings.temperature_c,
        night=night,
    ).where(counts)


def _is_free(house: House, readings: BatteryReadings, given_kw: Floats, most_kw: float) -> Bools:
    """Where neither an end of the battery, nor sun, meter or rating held it back."""
    battery, grid = house.battery, house.grid
    edge_kwh = _EDGE * battery.capacity_kwh
    # Unknown sun and unknown meter are taken as nothing in the way.
    solar_kw, grid_kw = np.nan_to_num(readings.solar_kw), np.nan_to_num(readings.grid_kw)
    result: Bools = (
        (readings.soc_kwh >= battery.reserve_kwh + edge_kwh)
        & (readings.soc_kwh <= battery.ceiling_kwh - edge_kwh)
        & (solar_kw <= _SUN * most_kw)
        & (grid_kw < _AT_LIMIT * grid.import_limit_kw)
        & (-grid_kw < _AT_LIMIT * grid.export_limit_kw)
        & (given_kw < _AT_LIMIT * house.inverter.ac_limit_kw)
    )
    return result


def _finite(readings: BatteryReadings) -> BatteryReadings:
    return BatteryReadings(
        **{
            field.name: np.where(np.isfinite(values), values, np.nan)
            for field in fields(readings)
            for values in [getattr(readings, field.name)]
        }
    )


def _moves(moved_kwh: Floats, expected_kwh: Floats, night: Floats, slack_kwh: float) -> Bools:
    """Where the stored energy moved as the power says: neither sensor is stuck, and no jump.

    A whole percent may be as much as a reading moves, so a night's readings are summed as well.
    """
    plausible = (moved_kwh >= 0.3 * expected_kwh - slack_kwh) & (
        moved_kwh <= 1.6 * expected_kwh + slack_kwh
    )
    for each in np.unique(night):
        its = plausible & (night == each)
        moved, expected = moved_kwh[its].sum(), expected_kwh[its].sum()
        if not 0.6 * expected - slack_kwh <= moved <= 1.5 * expected + slack_kwh:
            plausible[its] = False
    result: Bools = plausible
    return result


def _bins(evidence: _Evidence, at: Floats, step: float) -> Iterator[tuple[float, float, float]]:
    """Of each bin that holds enough, in rising order: its lower edge, its middle, its share."""
    number = np.floor(at / step + 1e-9)
    for each in np.unique(number[np.isfinite(number)]):
        inside = evidence.where(number == each)
        if inside.is_enough:
            yield float(each * step), float(np.median(at[number == each])), inside.share


def _taper(way: Floats, evidence: _Evidence, *, end: float) -> Curve:
    """The curve that falls along the `way` to `end`; none where all is full, or too little known.

    The points are the medians of the bins, the hull over them is concave, and a corner is where
    the falling part meets full power, not where a bin happens to end.
    """
    points = [(x, _rounded_up(share)) for _, x, share in _bins(evidence, way, _SOC_STEP)]
    if len(points) < 2 or all(share >= 1 for _, share in points):  # noqa: PLR2004 (a line's)
        return ()
    shares = np.maximum.accumulate([share for _, share in reversed(points)])[::-1]
    points = [(x, float(share)) for (x, _), share in zip(points, shares, strict=True)]
    hull = with_corner(concave(points))
    (x_0, y_0), (x_1, y_1) = hull[-2:]
    if end > x_1:
        last = y_1 + (y_1 - y_0) / (x_1 - x_0) * (end - x_1)
        hull = concave([*hull, (end, max(_FLOOR, last))])
    curve = concave([(round(x, 3), round(max(_FLOOR, y), 3)) for x, y in simple(hull)])
    # Full power needs no line: it is the battery's own limit.
    falling = curve[sum(share >= 1 for _, share in curve[1:]) :]
    return falling if len(falling) > 1 else ()


def _rounded_up(share: float) -> float:
    return 1.0 if share >= _FULL else max(share, _FLOOR)


def _with_cold_limit(battery: Battery, taken: _Evidence, given: _Evidence) -> tuple[Battery, float]:
    """The battery with its cold limit, and from where on it does not matter [C]."""
    if battery.cold_limit:
        full = [x for x, share in battery.cold_limit if share >= 1 - HARDLY]
        return battery, min(full, default=WARM_C)
    curve, warm_from = _cold_limit(taken)
    if not curve:
        return battery, warm_from
    slows = _slows_discharge(given, warm_from)
    return replace(battery, cold_limit=curve, cold_slows_discharge=slows), warm_from


def _cold_limit(taken: _Evidence) -> tuple[Curve, float]:
    """How cold slows charging, and from where on it does not [C]."""
    middle = taken.where((taken.soc > _MIDDLE[0]) & (taken.soc < _MIDDLE[1]))
    warm = middle.where(middle.celsius >= WARM_C)
    full = warm.share if warm.is_enough else 1.0
    cold = middle.where(middle.celsius < WARM_C)
    # Counted down from where it is warm, so that a bin ends there.
    bins = [
        (WARM_C + edge, WARM_C + below, share / full)
        for edge, below, share in _bins(cold, cold.celsius - WARM_C, _COLD_STEP_C)
    ]
    if not bins:
        return (), WARM_C
    shares = [1.0 if share >= _FULL else max(share, _COLD_FLOOR) for _, _, share in bins]
    rising = np.maximum.accumulate(shares).tolist()
    full_from = [edge for (edge, _, _), share in zip(bins, rising, strict=True) if share >= 1]
    warm_from = min([*full_from, WARM_C])
    if warm_from == bins[0][0]:
        return (), warm_from
    points = [(round(c, 1), round(share, 2)) for (_, c, _), share in zip(bins, rising, strict=True)]
    return (*points, (WARM_C, 1.0)), warm_from


def _slows_discharge(given: _Evidence, warm_from: float) -> bool:
    middle = given.where((given.soc > _MIDDLE[0]) & (given.soc < _MIDDLE[1]))
    cold, warm = middle.where(middle.celsius < warm_from), middle.where(middle.celsius >= WARM_C)
    full = warm.share if warm.is_enough else 1.0
    return cold.is_enough and cold.share < _FULL * full


def _warm(evidence: _Evidence, warm_from: float) -> _Evidence:
    # Without a sensor nobody knows of the cold: the median is then of what is usual.
    return evidence.where(~(evidence.celsius < warm_from))
