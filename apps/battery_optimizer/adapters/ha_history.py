"""What Home Assistant's recorder remembers of load and solar, as half-hourly averages.

It keeps 10 days by default: this seeds our own observations, which then grow by themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from battery_optimizer.model.entity import KW_PER_UNIT, KWH_PER_UNIT, finite, utc_moment
from battery_optimizer.model.slots import HOUR, SlotSeries, floor_to_slot
from battery_optimizer.model.spans import Span, half_hourly
from battery_optimizer.model.telemetry import Observations

MAX_POWER_KW: Final = 30.0
"""A house on a 100 A fuse with its panels stays below this; what is above is a spike."""

_LONGEST_HOLD: Final = timedelta(hours=2)
"""A power that did not change for longer was not metered: Home Assistant was off."""

_LONGEST_NIGHT: Final = timedelta(hours=18)
"""Nothing at all may well last a winter's night."""

_LONGEST_IDLE: Final = timedelta(days=10)
"""A large load may well be off all the while; `unavailable` would have been recorded."""

_LONGEST_MILD: Final = timedelta(hours=6)
"""So long may the temperature outside be the same."""

_HARDLY_KW: Final = 0.05
_LEAST_COVERED: Final = 0.5
_RESET_BELOW: Final = 0.9
"""A counter that falls to less than this fraction was set back; above it the sensor wavered."""

Rows = Sequence[Mapping[str, object]]


class HomeAssistantHistory:
    """Load and solar as the recorder has them, for a store that knows nothing yet.

    `get_history(entity_id, start, end)` returns what AppDaemon's `get_history` does: one list of
    rows for each entity, or None without Home Assistant. `unit_of(entity_id)` is the unit now.
    `large` names the sensors of large loads, `outside` that of the temperature.
    """

    def __init__(
        self,
        *,
        get_history: Callable[[str, datetime, datetime], Sequence[Rows] | None],
        unit_of: Callable[[str], str | None],
        load: str,
        solar: str | None = None,
        large: Mapping[str, str] | None = None,
        outside: str | None = None,
    ) -> None:
        self._get_history = get_history
        self._unit_of = unit_of
        self._load = load
        self._solar = solar
        self._large = large or {}
        self._outside = outside

    def observations(self, start: datetime, end: datetime) -> Observations:
        """Load and solar of [start, end) [kW average per half hour]; NaN where not metered.

        Whole half hours: the one that runs now is not looked at.
        """
        start, end = floor_to_slot(start), floor_to_slot(end)
        return Observations(
            load_kw=self._series(self._load, start, end),
            solar_kw=self._series(self._solar, start, end),
            large_kw={
                name: self._series(entity_id, start, end, _LONGEST_IDLE)
                for name, entity_id in self._large.items()
            },
            outside_c=None if self._outside is None else self._celsius(self._outside, start, end),
        )

    def _series(
        self,
        entity_id: str | None,
        start: datetime,
        end: datetime,
        idle: timedelta = _LONGEST_NIGHT,
    ) -> SlotSeries:
        rows: Rows = () if entity_id is None else self._rows(entity_id, start, end)
        unit = self._unit_of(entity_id) if rows and entity_id is not None else None
        return observed_kw(rows, unit=unit, start=start, end=end, idle=idle)

    def _celsius(self, entity_id: str, start: datetime, end: datetime) -> SlotSeries:
        rows = self._rows(entity_id, start, end)
        if not rows or self._unit_of(entity_id) != "°C":
            return SlotSeries.empty(start)
        spans = [
            Span(start=at.at, end=min(later.at, at.at + _LONGEST_MILD), kw=at.value)
            for at, later in pairwise([*_readings(rows, 1.0), _Reading(end, None)])
            if at.value is not None and later.at > at.at
        ]
        return _half_hours_of(spans, start, end)

    def _rows(self, entity_id: str, start: datetime, end: datetime) -> Rows:
        lists = self._get_history(entity_id, start, end) or ()
        return [row for entity_rows in lists for row in entity_rows]


def observed_kw(
    rows: Rows,
    *,
    unit: str | None,
    start: datetime,
    end: datetime,
    idle: timedelta = _LONGEST_NIGHT,
) -> SlotSeries:
    """Average power [kW] of each half hour of [start, end), NaN where it was not metered.

    `rows` have `state` and `last_changed`; in W, kW or MW they are powers, each holding until the
    next; in Wh, kWh or MWh the states of a counter that only grows, but for resets. Any other unit
    gives no values. A half hour counts if at least half of it was metered. Nothing at all is
    believed for as long as `idle` without another reading.
    """
    spans: list[Span] = []
    if unit is not None and unit in KW_PER_UNIT:
        spans = _held_powers(_readings(rows, KW_PER_UNIT[unit]), end, idle)
    elif unit is not None and unit in KWH_PER_UNIT:
        spans = _counted_energy(_readings(rows, KWH_PER_UNIT[unit]))
    return _half_hours_of(spans, start, end)


def _half_hours_of(spans: list[Span], start: datetime, end: datetime) -> SlotSeries:
    within = [
        Span(start=max(span.start, start), end=min(span.end, end), kw=span.kw)
        for span in spans
        if span.end > start and span.start < end
    ]
    try:
        known = half_hourly(within, least_covered=_LEAST_COVERED)
    except ValueError:
        known = SlotSeries.empty(start)  # a new sensor: less than half of any half hour
    return known.between(start, end)


@dataclass(frozen=True)
class _Reading:
    at: datetime
    value: float | None
    """kW or kWh; None where the sensor had none."""


def _readings(rows: Rows, factor: float) -> list[_Reading]:
    readings = []
    for row in rows:
        try:
            at = utc_moment(row.get("last_changed"), UTC)
        except ValueError:
            continue  # a row without a time says nothing
        number = finite(row.get("state"))
        readings.append(_Reading(at, None if number is None else number * factor))
    return sorted(readings, key=lambda reading: reading.at)


def _held_powers(readings: list[_Reading], end: datetime, idle: timedelta) -> list[Span]:
    likely = [each for each in readings if each.value is None or abs(each.value) <= MAX_POWER_KW]
    last = _Reading(max(end, likely[-1].at), None) if likely else None
    spans = []
    for reading, following in pairwise([*likely, last] if last else []):
        if reading.value is None or reading.value < -_HARDLY_KW:
            continue
        hold = idle if reading.value <= 0 else _LONGEST_HOLD
        until = min(following.at, reading.at + hold)
        if until > reading.at:
            spans.append(Span(start=reading.at, end=until, kw=max(reading.value, 0.0)))
    return spans


def _counted_energy(readings: list[_Reading]) -> list[Span]:
    counted = [(reading.at, reading.value) for reading in readings if reading.value is not None]
    spans = []
    for (at, kwh), (following, following_kwh) in pairwise(_without_dips(counted)):
        hours = (following - at) / HOUR
        if hours <= 0:
            continue
        # After a reset the counter has what flowed since.
        flowed_kwh = following_kwh - kwh if following_kwh >= kwh else following_kwh
        kw = flowed_kwh / hours
        is_gap = following - at > _LONGEST_HOLD and kw > _HARDLY_KW
        # Into a spike of the counter and out of it is more than any house draws: dropped.
        if 0 <= kw <= MAX_POWER_KW and not is_gap:
            spans.append(Span(start=at, end=following, kw=kw))
    return spans


def _without_dips(counted: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    """Without readings that are below the one before but are no reset: small, or soon made good."""
    kept: list[tuple[datetime, float]] = []
    following = [kwh for _, kwh in counted[1:]]
    for (at, kwh), next_kwh in zip(counted, [*following, -1.0], strict=False):
        falls = bool(kept) and kwh < kept[-1][1]
        if falls and (kwh >= _RESET_BELOW * kept[-1][1] or next_kwh >= kept[-1][1]):
            continue
        kept.append((at, kwh))
    return kept
