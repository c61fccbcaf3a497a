"""What Home Assistant says of one entity, and how its words become numbers and times."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Self

KW_PER_UNIT: Mapping[str, float] = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
KWH_PER_UNIT: Mapping[str, float] = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}

_NO_VALUE: Mapping[str, str] = {
    "unavailable": "is unavailable: the device or its integration does not answer",
    "unknown": "has no value yet (unknown)",
    "none": "has no value yet (None)",
    "": "has an empty value",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityState:
    """The state of an entity as Home Assistant gives it, times aware."""

    state: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    last_changed: datetime | None = None
    """When the state last became another."""
    last_reported: datetime | None = None
    """When the integration last wrote the state, the same one or another, as far as known."""

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """From what AppDaemon's `get_state(entity, attribute="all")` returns."""
        attributes = payload.get("attributes")
        state = payload.get("state")
        times = [
            _moment_or_none(payload.get(key))
            for key in ("last_reported", "last_updated", "last_changed")
        ]
        return cls(
            state="unknown" if state is None else str(state),
            attributes=attributes if isinstance(attributes, Mapping) else {},
            last_changed=times[-1],
            last_reported=max((time for time in times if time is not None), default=None),
        )

    @property
    def unit(self) -> str | None:
        """The unit of the state, None where it has none."""
        unit = self.attributes.get("unit_of_measurement")
        return None if unit is None else str(unit).strip()

    @property
    def number(self) -> float:
        """The state as a finite number; ValueError says in plain words why it is none."""
        words = _NO_VALUE.get(self.state.strip().lower())
        if words is not None:
            raise ValueError(words)
        number = finite(self.state)
        if number is None:
            raise ValueError(f"is {self.state!r}, which is not a number")
        return number


ReadState = Callable[[str], EntityState | None]
"""The state of an entity by its id; None where there is no such entity."""

ListEntities = Callable[[], Iterable[str]]
"""The ids of all entities that there are."""


def finite(value: object) -> float | None:
    """The value as a finite number; None if it is none (NaN and infinity are none)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def utc_moment(value: object, zone: tzinfo | None = None) -> datetime:
    """An ISO text or a datetime as an aware UTC moment.

    Without an offset it is taken as the wall clock of `zone`; with no `zone` that is a ValueError.
    """
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{value!r} does not say its time zone")
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the year 1 or 9999
        raise ValueError(f"{value!r} is beyond all dates") from error


def _moment_or_none(value: object) -> datetime | None:
    try:
        return None if value is None else utc_moment(value, UTC)
    except ValueError:
        return None
