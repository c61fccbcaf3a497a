"""What the page and the endpoints are told of the house, and of AppDaemon's own door."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from battery_optimizer.adapters.web.history import Past
from battery_optimizer.adapters.web.latest import Status, health
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.shown import Shown
from battery_optimizer.wiring.running import RunningHouse

_MODES: Final = ("work_mode", "force_charge_mode")
_SETTABLE: Final = ("select", "number")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def is_guarded(server: object) -> bool:
    """Whether AppDaemon's HTTP server asks for a password before it asks us."""
    return getattr(server, "password", None) is not None


def open_door(server: object) -> str | None:
    """What to do about a server that is open to the network; None if it is not."""
    host = getattr(server, "host", _LOOPBACK[0])
    if is_guarded(server) or host in _LOOPBACK:
        return None
    return (
        f"AppDaemon serves on {host} without a password, so anybody in your network can call any "
        "service of Home Assistant by it: set http: password: in appdaemon.yaml"
    )


def past_of(house: RunningHouse | None) -> Past | None:
    """Where past days are read, if there is a house."""
    return None if house is None else Past(records=house.store, known_rates=house.rates.known_rates)


def diagnosed(
    house: RunningHouse | None, shown: Shown | None, status: Status, now: datetime
) -> dict[str, Any] | None:
    """The file for a report, if there is a house."""
    if house is None:
        return None
    made = house.diagnosis(now, health(shown, status, now))
    return replace(made, entities=_entities(house)).document()


def with_sources(status: Status, house: RunningHouse | None) -> Status:
    """The status, with that of the sources of rates and sun."""
    if house is None:
        return status
    sun = house.solar.in_force
    return replace(
        status,
        rates_fetched_at=house.rates.fetched_at,
        rates_error=house.rates.last_error,
        solar_source=sun.source if sun else None,
        solar_issued_at=sun.issued_at if sun else None,
    )


def _entities(house: RunningHouse) -> dict[str, EntityState]:
    """What is read and set in this house, and what else the inverter's integration has to set."""
    named = {value for value in asdict(house.meter_entities).values() if "." in str(value)}
    select = house.instance.inverter
    stem = next(
        (select.removesuffix(each).partition(".")[2] for each in _MODES if select.endswith(each)),
        "",
    )
    found = {
        entity_id
        for entity_id in house.host.list_entities()
        if entity_id.partition(".")[0] in _SETTABLE
        and entity_id.partition(".")[2].startswith(stem or _MODES)
    }
    states = {each: house.host.read_state(each) for each in sorted({select, *named, *found})}
    return {each: state for each, state in states.items() if state is not None}
