"""What a house usually takes from the grid, as Octopus reckons it for its sessions.

The average of the same half hours of the last ten weekdays, or four days of weekends, before the
session, days with a session of the same kind left out. What Octopus may add for how that very day
went is known to nobody before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from battery_optimizer.model.slots import UK, local_day, local_time
from battery_optimizer.model.telemetry import FEWEST_READINGS, SlotEnergy
from battery_optimizer.model.wishes import Event

LOOK_BACK: Final = timedelta(days=42)
"""Ten weekdays are within this even where many had a session."""
_N_WEEKDAYS: Final = 10
_N_OF_WEEKENDS: Final = 4
_LEAST_PART: Final = 0.5
"""Of these days so many must have been metered at the time of the session."""
_SATURDAY: Final = 5


def with_usual(
    event: Event,
    others: Sequence[Event],
    metered: Mapping[datetime, SlotEnergy],
    now: datetime,
) -> Event:
    """The event with what is usual in it; ValueError says how much of that is not known.

    `others` are all sessions known, `metered` the energies by half hour as far as they are kept.
    """
    days = list(_like_days(event, others, now))
    least = _LEAST_PART * len(days)
    usual = []
    for half_hour in event.half_hours:
        clock = half_hour.astimezone(UK).time()
        slots = (metered.get(local_time(day, clock)) for day in days)
        known = [_drawn(slot, event) for slot in slots if slot is not None]
        drawn = [each for each in known if each is not None]
        if len(drawn) < max(least, 1):
            raise ValueError(
                f"of the last {len(days)} {_name(event)} {len(drawn)} were metered at "
                f"{clock:%H:%M}, and {least:.0f} are needed to know what is usual"
            )
        usual.append(sum(drawn) / len(drawn))
    return replace(event, usual_kwh=tuple(usual))


def _like_days(event: Event, others: Sequence[Event], now: datetime) -> Iterator[date]:
    """The days that count, the last one first."""
    had_one = {local_day(each.start) for each in others if _same_kind(each, event)}
    today = local_day(event.start)
    day = min(today, local_day(now))
    first = local_day(now - LOOK_BACK)
    n_left = _N_OF_WEEKENDS if _is_weekend(today) else _N_WEEKDAYS
    while n_left and day > first:
        day -= timedelta(days=1)
        if _is_weekend(day) == _is_weekend(today) and day not in had_one:
            n_left -= 1
            yield day


def _same_kind(one: Event, other: Event) -> bool:
    return one.free_import == other.free_import


def _is_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY


def _name(event: Event) -> str:
    is_weekend = _is_weekend(local_day(event.start))
    return "days of weekends" if is_weekend else "weekdays"


def _drawn(slot: SlotEnergy, event: Event) -> float | None:
    """What was imported, in a saving session less what was exported [kWh]; None: not metered."""
    if slot.n_samples < FEWEST_READINGS or slot.grid_import_kwh is None:
        return None
    if event.free_import:
        return slot.grid_import_kwh
    return None if slot.grid_export_kwh is None else slot.grid_import_kwh - slot.grid_export_kwh
