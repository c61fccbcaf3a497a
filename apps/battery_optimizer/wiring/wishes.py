"""All that is wished for at a moment: orders of the household, and sessions of its supplier."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.octopus.sessions import OctopusSessions, SessionKind
from battery_optimizer.adapters.overrides import HouseholdOrders
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.config import Config
from battery_optimizer.config_sections import SessionsSettings
from battery_optimizer.errors import DataError
from battery_optimizer.forecast.usual import LOOK_BACK, with_usual
from battery_optimizer.host import Host
from battery_optimizer.model.found import Finding, Presence
from battery_optimizer.model.slots import UK, floor_to_slot
from battery_optimizer.model.telemetry import EnergyKind
from battery_optimizer.model.wishes import Event, Wishes

AHEAD: Final = timedelta(days=7)
"""Sessions further away change no plan."""


class HouseWishes:
    """One household's; what was usual is looked up anew each half hour."""

    def __init__(
        self, orders: HouseholdOrders, sessions: OctopusSessions | None, store: Store
    ) -> None:
        self._orders, self._sessions, self._store = orders, sessions, store
        self._key: tuple[datetime, tuple[Event, ...]] | None = None
        self._events: tuple[Event, ...] = ()
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the orders, and which sessions do not count."""
        told = () if self._sessions is None else self._sessions.problems()
        return (*self._orders.problems(), *told, *self._problems)

    def wishes(self, now: datetime) -> Wishes:
        """All that is wished for."""
        wishes = self._orders.wishes(now)
        every = () if self._sessions is None else tuple(self._sessions.sessions(now))
        key = (floor_to_slot(now), every)
        if key != self._key:
            self._key, self._problems = key, ()
            self._events = tuple(self._with_usual(every, now))
        return replace(wishes, events=self._events) if self._events else wishes

    def _with_usual(self, every: tuple[Event, ...], now: datetime) -> Iterator[Event]:
        """Those to come, with what is usual in them; without it one counts for nothing."""
        to_come = [each for each in every if each.end > now and each.start <= now + AHEAD]
        if not to_come:
            return
        metered, problem = {}, ""
        try:
            rows = self._store.slot_energy(
                kind=EnergyKind.METERED, start=floor_to_slot(now - LOOK_BACK), end=now
            )
            metered = {row.start: row for row in rows}
        except DataError as error:
            problem = str(error)
        for event in to_come:
            try:
                yield with_usual(event, every, metered, now)
            except ValueError as error:
                name = "free electricity" if event.free_import else "saving"
                when = f"{event.start.astimezone(UK):%a %d %b %H:%M}"
                words = f"the {name} session of {when} is not counted: {problem or error}"
                self._problems = (*self._problems, words)
                yield event


def house_wishes(config: Config, host: Host, store: Store) -> HouseWishes:
    """All wishes of the house that the settings describe."""
    orders = HouseholdOrders(
        read_state=host.read_state,
        call_service=host.call_service,
        memory=store,
        battery=config.battery,
    )
    return HouseWishes(orders, sessions_of(config.sessions, host), store)


def sessions_of(settings: SessionsSettings, host: Host) -> OctopusSessions | None:
    """Who is asked for sessions; None where they are to be ignored."""
    if not settings.enabled:
        return None
    named = {
        SessionKind.SAVING: settings.saving_event,
        SessionKind.FREE: settings.free_event,
    }
    return OctopusSessions(
        read_state=host.read_state,
        list_entities=host.list_entities,
        chosen={kind: entity_id for kind, entity_id in named.items() if entity_id is not None},
    )


def session_findings(settings: SessionsSettings, host: Host, now: datetime) -> Iterator[Finding]:
    """Which sessions are known of, without the names of the entities: they hold the account."""
    sessions = sessions_of(settings, host)
    if sessions is None:
        return
    every = [each for each in sessions.sessions(now) if each.end > now]
    unknown = sessions.unknown()
    for kind in sessions.entities():
        is_free = kind is SessionKind.FREE
        about = "Free electricity" if is_free else "Saving sessions"
        if kind in unknown:
            missing = Presence.MISSING
            yield Finding(about=about, words="not known", presence=missing, advice=unknown[kind])
            continue
        to_come = [_span(each) for each in every if each.free_import == is_free]
        yield Finding(
            about=about,
            words="in the Octopus Energy integration: "
            + (", ".join(to_come) or f"none {'announced' if is_free else 'joined'} to come"),
        )


def _span(event: Event) -> str:
    start, end = event.start.astimezone(UK), event.end.astimezone(UK)
    return f"{start:%a %d %b %H:%M}-{end:%H:%M}"
