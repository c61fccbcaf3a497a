"""The entities for each day's energy, which two integrations in Home Assistant call alike.

`sensor.energy_production_today`, `_tomorrow` and `_d2` are Forecast.Solar's, and were those of
Open-Meteo Solar Forecast, which since February 2026 puts a title of the user's before them. Each
further roof gets a number at the end. Others call so what was metered. So what an entity has tells
whose it is: Open-Meteo's have tables of whole days.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from battery_optimizer.model.entity import EntityState

TABLES: Final = ("wh_period", "watts")
"""Attributes {time: number}. Forecast.Solar's may have them, too, of today, from dawn to dusk."""

DAYS: Final = ("today", "tomorrow", "d2")
_NAME: Final = re.compile(r"sensor\.(?P<title>.+_)?energy_production_(?P<day>\w+?)(?:_\d+)?")
_STEP_MINUTES: Final = 15


def named(entity_ids: Iterable[str], day: str, *, titled: bool = False) -> list[str]:
    """The entities called as that for this day's energy, one for each roof; `titled`: or longer."""
    found = []
    for entity_id in entity_ids:
        match = _NAME.fullmatch(entity_id)
        if match and match["day"] == day and (titled or not match["title"]):
            found.append(entity_id)
    return sorted(found)


def has_day(state: EntityState | None) -> bool:
    """Whether it has a table as Open-Meteo's do; times that are none are left to who reads it."""
    tables = [] if state is None else [state.attributes.get(name) for name in TABLES]
    filled = [table for table in tables if isinstance(table, Mapping) and table]
    # Forecast.Solar's begin at sunrise and end at sunset, to the second.
    return bool(filled) and all(_is_step(time) for table in filled for time in table)


def _is_step(time: object) -> bool:
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        return True
    return moment.minute % _STEP_MINUTES == moment.second == 0
