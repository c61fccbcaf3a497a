"""Saving sessions and free electricity sessions, as the Octopus Energy integration has them.

Its event entities list them in attributes: `joined_events` those saving sessions that the household
joined, past ones too, and `events` the free sessions. Nothing here joins any. The names of these
entities hold the account's number, so no message repeats them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final

from battery_optimizer.model.entity import EntityState, ListEntities, ReadState, finite, utc_moment
from battery_optimizer.model.slots import UK
from battery_optimizer.model.wishes import Event

POINTS_PER_PENNY: Final = 8.0
"""800 Octopoints are worth a pound."""
_MOST_POINTS: Final = 8000
"""A kWh that pays more than 10 pounds is a mistake; 4 have been the most."""
_YEARS: Final = range(2000, 2100)
_LONGEST: Final = timedelta(hours=12)
_FURTHEST: Final = timedelta(days=14)


class SessionKind(StrEnum):
    """Which sessions an entity tells of."""

    SAVING = "saving"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    name: str
    entity: re.Pattern[str]
    attribute: str


_ENTITY: Final = r"event\.octopus_energy_[a-z0-9_]+_octoplus_"
_SOURCES: Final[Mapping[SessionKind, _Source]] = {
    SessionKind.SAVING: _Source(
        name="saving session",
        entity=re.compile(f"{_ENTITY}saving_session_events"),
        attribute="joined_events",
    ),
    SessionKind.FREE: _Source(
        name="free electricity session",
        entity=re.compile(f"{_ENTITY}free_electricity_session_events"),
        attribute="events",
    ),
}


class OctopusSessions:
    """The household's sessions that count; it joins none.

    `chosen` names entities where several accounts are in the integration.
    """

    def __init__(
        self,
        *,
        read_state: ReadState,
        list_entities: ListEntities,
        chosen: Mapping[SessionKind, str],
    ) -> None:
        self._read_state = read_state
        self._list_entities = list_entities
        self._chosen = chosen
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """What was not understood the last time; none of it counts."""
        return self._problems

    def sessions(self, now: datetime) -> Sequence[Event]:
        """Saving sessions that were joined, and free ones: past ones and those to come."""
        problems: list[str] = []
        found: list[Event] = []
        for kind, entity_id in self.entities(problems.append).items():
            read = list(_read(kind, self._read_state(entity_id), now, problems.append))
            found += _apart(kind, read, now, problems.append)
        self._problems = tuple(dict.fromkeys(problems))
        return tuple(sorted(found, key=lambda each: (each.start, each.end)))

    def unknown(self) -> dict[SessionKind, str]:
        """Why there are no sessions of a kind to read, where an entity is to tell of them."""
        told = {
            kind: _why_unknown(kind, self._read_state(entity_id))
            for kind, entity_id in self.entities().items()
        }
        return {kind: why for kind, why in told.items() if why}

    def entities(self, report: Callable[[str], None] = lambda _: None) -> dict[SessionKind, str]:
        """The entities that are read: those set, else those that are there."""
        every = list(self._list_entities()) if len(self._chosen) < len(SessionKind) else []
        read = dict(self._chosen)
        for kind in SessionKind:
            matching = [each for each in every if _SOURCES[kind].entity.fullmatch(each)]
            if kind in read or not matching:
                continue
            if len(matching) == 1:
                read[kind] = matching[0]
                continue
            report(
                f"Octopus's {_SOURCES[kind].name}s are not counted: the Octopus Energy integration "
                f"has those of {len(matching)} accounts; set sessions.{kind}_event to the entity "
                "of the one that is meant"
            )
        return read


def _read(
    kind: SessionKind, state: EntityState | None, now: datetime, report: Callable[[str], None]
) -> Iterator[Event]:
    if why := _why_unknown(kind, state):
        report(f"Octopus's {_SOURCES[kind].name}s are not known: {why}")
        return
    for row in _rows(kind, state) or ():
        try:
            event = _event(kind, row, now)
        except ValueError as error:
            report(f"one of Octopus's {_SOURCES[kind].name}s is not counted: it {error}")
            continue
        if event is not None:
            yield event


def _rows(kind: SessionKind, state: EntityState | None) -> Sequence[object] | None:
    rows = None if state is None else state.attributes.get(_SOURCES[kind].attribute)
    return rows if isinstance(rows, list | tuple) else None


def _why_unknown(kind: SessionKind, state: EntityState | None) -> str:
    """Empty where the entity has its list."""
    if _rows(kind, state) is not None:
        return ""
    if state is None:
        return f"there is no entity as sessions.{kind}_event names it"
    if state.state == "unknown":
        # The integration asks Octopus only while an entity that shows the answer is enabled, and
        # the events alone, which are told of it, do not count as such.
        return (
            "the entity of the Octopus Energy integration is unknown: if it stays so enable the "
            "integration's calendar of these sessions, too"
        )
    if state.state == "unavailable":
        return "the entity of the Octopus Energy integration is unavailable"
    return f"the integration's entity has no list {_SOURCES[kind].attribute}"


def _event(kind: SessionKind, row: object, now: datetime) -> Event | None:
    """The session of a row; None for what is only a test, ValueError where it makes no sense."""
    if not isinstance(row, Mapping):
        raise ValueError(f"is {type(row).__name__}, no session")  # noqa: TRY004 - not a bug
    if row.get("is_test_event") is True or row.get("is_test") is True:
        return None
    start, end = _times(row)
    if end <= now:  # what it paid is of no interest any more, and often left out
        return Event(start=start, end=end, free_import=kind is SessionKind.FREE)
    if end > now + _FURTHEST:
        raise ValueError(f"is too far ahead, {_clock(start)}")
    if kind is SessionKind.FREE:
        return Event(start=start, end=end, free_import=True)
    return Event(start=start, end=end, reward_p_per_kwh=_points(row, start) / POINTS_PER_PENNY)


def _times(row: Mapping[str, object]) -> tuple[datetime, datetime]:
    try:
        start, end = utc_moment(row.get("start")), utc_moment(row.get("end"))
    except ValueError as error:
        raise ValueError("has no start and end that are times with a time zone") from error
    if start.year not in _YEARS:
        raise ValueError(f"is of the year {start.year}")
    if not timedelta(0) < end - start <= _LONGEST:
        raise ValueError(f"of {_clock(start)} does not end in the twelve hours after its start")
    return start, end


def _points(row: Mapping[str, object], start: datetime) -> float:
    told = row.get("octopoints_per_kwh")
    if told is None:
        raise ValueError(f"of {_clock(start)} does not tell its octopoints_per_kwh")
    points = None if isinstance(told, str) else finite(told)
    if points is None or not 0 < points <= _MOST_POINTS:
        raise ValueError(
            f"of {_clock(start)} pays octopoints_per_kwh {told!r}, which is no number from 1 to "
            f"{_MOST_POINTS}"
        )
    return points


def _apart(
    kind: SessionKind, events: Iterable[Event], now: datetime, report: Callable[[str], None]
) -> list[Event]:
    """Each session once, without those to come that overlap: one of them is wrong."""
    every = list(dict.fromkeys(events))
    wrong: set[Event] = set()
    for one, other in combinations([each for each in every if each.end > now], 2):
        if one.start < other.end and other.start < one.end:
            wrong |= {one, other}
            report(
                f"two of Octopus's {_SOURCES[kind].name}s overlap, at {_clock(one.start)} and "
                f"{_clock(other.start)}: neither is counted"
            )
    return [each for each in every if each not in wrong]


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UK):%a %d %b %H:%M}"
