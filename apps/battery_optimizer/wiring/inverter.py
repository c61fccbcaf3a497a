"""Which inverter is driven, and by which integration of Home Assistant.

Another one is an adapter, a name in `config_sections.EntitySettings.integration`, and a line in the
table here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from battery_optimizer.adapters.foxess.calls import NOT_THERE
from battery_optimizer.adapters.foxess.control import FoxEssControl
from battery_optimizer.adapters.foxess.found import inverter_says
from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.adapters.foxess.models import EntityNames, FoxEntities
from battery_optimizer.adapters.foxess.periods import FoxEssWithPeriods
from battery_optimizer.config import Config
from battery_optimizer.config_sections import EntitySettings
from battery_optimizer.errors import InverterError
from battery_optimizer.host import Host
from battery_optimizer.model.entity import KW_PER_UNIT, EntityState
from battery_optimizer.model.memory import Memory
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.ports import Inverter

_POWERS: Final = frozenset({"battery.max_charge_kw", "battery.max_discharge_kw"})


class AnyInverter(Inverter, Protocol):
    """What a house drives."""

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving it, with what to do; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The inverter's id, which is that of the entity of its mode, and the house's meters."""

    id: str
    meters: MeterEntities
    says: Mapping[str, float] = field(default_factory=dict)
    """What it tells of itself, by the key path of the setting."""


def find_inverter(config: Config, host: Host) -> Wired:
    """The inverter meant; InverterError while there is none, or where two match."""
    return _INTEGRATIONS[config.entities.integration].find(config, host)


def connect_inverter(config: Config, host: Host, wired: Wired, memory: Memory) -> AnyInverter:
    """The adapter that drives it."""
    return _INTEGRATIONS[config.entities.integration].connect(config, host, wired, memory)


def _find_control(config: Config, host: Host) -> Wired:
    entities = config.entities
    prefix = "foxess" if entities.prefix is None else entities.prefix
    work_mode = entities.work_mode or f"sensor.{prefix}_work_mode"
    if host.read_state(work_mode) is None:
        raise InverterError(
            f"no inverter found: there is no {work_mode}; install foxess_control, wait until "
            "it is connected, or set entities.work_mode to its sensor of the work mode"
        )
    return Wired(id=work_mode, meters=entities.meters(prefix))


def _connect_control(config: Config, host: Host, wired: Wired, _memory: Memory) -> AnyInverter:
    return FoxEssControl(
        call_service=host.call_service,
        read_state=host.read_state,
        battery=config.battery,
        now=host.now,
        work_mode=wired.id,
    )


def _find_modbus(config: Config, host: Host) -> Wired:
    entities = config.entities
    fox = FoxEntities.find(_names(config), host.list_entities, host.read_state)
    if _POWERS & config.found_out:
        _require_read(fox.select, host.read_state(fox.select))
    prefix = _prefix(fox) if entities.prefix is None else entities.prefix
    stem = f"{prefix.rstrip('_')}_" if prefix else ""
    says = inverter_says(stem, host.read_state, capacity_kwh=config.battery.capacity_kwh)
    meters = _as_there(entities.meters(prefix), entities, stem, host)
    return Wired(id=fox.select, meters=meters, says=says)


def _require_read(select: str, state: EntityState | None) -> None:
    """The limits are read but once: not before foxess_modbus itself has read the inverter."""
    limits = "its limits are read from it unless they are set under battery"
    if state is None:
        raise InverterError(
            f"{select} does not exist (yet): wait until foxess_modbus is connected, or set "
            f"entities.prefix right; {limits}"
        )
    if state.state in NOT_THERE:
        raise InverterError(
            f"{select} is {state.state}: wait until foxess_modbus has read the inverter; {limits}"
        )


def _as_there(meters: MeterEntities, given: EntitySettings, stem: str, host: Host) -> MeterEntities:
    """Versions and models of the integration name some sensors otherwise: those that exist."""

    def is_there(*endings: str) -> bool:
        return all(host.read_state(f"sensor.{stem}{each}") is not None for each in endings)

    if given.soc is None and not is_there("battery_soc") and is_there("battery_soc_1"):
        meters = replace(meters, soc=f"sensor.{stem}battery_soc_1")
    if given.solar is None and not is_there("pv_power"):
        # The integration's sum of all strings has its id of its name, `PV Power (FoxESS)`.
        for other in (f"sensor.{stem}pv_power_now", f"sensor.pv_power_{stem.rstrip('_')}"):
            if host.read_state(other) is not None:
                meters = replace(meters, solar=other)
                break
    if given.grid is None and not is_there("grid_ct") and is_there("grid_consumption", "feed_in"):
        meters = replace(
            meters,
            grid=None,
            grid_import=f"sensor.{stem}grid_consumption",
            grid_export=f"sensor.{stem}feed_in",
        )
    pair = ("battery_charge", "battery_discharge")
    if given.battery is None and not is_there("invbatpower") and is_there(*pair):
        meters = replace(
            meters,
            battery=None,
            battery_charge=f"sensor.{stem}battery_charge",
            battery_discharge=f"sensor.{stem}battery_discharge",
        )
    return meters


def _connect_modbus(config: Config, host: Host, wired: Wired, memory: Memory) -> AnyInverter:
    fox = FoxEssModbus(
        call_service=host.call_service,
        read_state=host.read_state,
        list_entities=host.list_entities,
        battery=config.battery,
        solar_kw=lambda: _power_kw(host.read_state(wired.meters.solar or "")),
        sleep=host.sleep,
        names=_names(config),
        memory=memory,
    )
    return FoxEssWithPeriods(
        inner=fox, memory=memory, now=host.now, name=config.entities.inverter_name
    )


@dataclass(frozen=True, slots=True)
class _Integration:
    find: Callable[[Config, Host], Wired]
    connect: Callable[[Config, Host, Wired, Memory], AnyInverter]


_INTEGRATIONS: Final = {
    "foxess_modbus": _Integration(_find_modbus, _connect_modbus),
    "foxess_control": _Integration(_find_control, _connect_control),
}


def _names(config: Config) -> EntityNames:
    entities = config.entities
    return EntityNames(
        prefix=entities.prefix,
        work_mode=entities.work_mode,
        force_charge_power=entities.force_charge_power,
        force_discharge_power=entities.force_discharge_power,
    )


def _prefix(fox: FoxEntities) -> str:
    return fox.select.partition(".")[2].removesuffix(fox.control.ending).rstrip("_")


def _power_kw(state: EntityState | None) -> float | None:
    factor = KW_PER_UNIT.get((state.unit or "") if state is not None else "")
    if state is None or factor is None:
        return None
    try:
        return state.number * factor
    except ValueError:
        return None
