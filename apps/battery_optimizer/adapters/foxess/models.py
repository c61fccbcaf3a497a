"""How Fox ESS models differ, as data, and where their entities are in Home Assistant.

The words are those of the foxess_modbus integration. A model that wants other words, or another
select, is one more row of `CONTROLS`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from battery_optimizer.errors import InverterError, InverterUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.wording import MODE_WORDS, command_words

ReadState = Callable[[str], EntityState | None]
"""Reads an entity by its id; None where there is none."""
ListEntities = Callable[[], Iterable[str]]
"""Lists the ids of all entities that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """How a family of models is told its mode: the ending of the select's id, and its words."""

    ending: str
    options: Mapping[Mode, str]
    when_missing: str
    """What to do when a needed option is not offered."""


CONTROLS: Final = (
    Control(
        ending="work_mode",
        options=MappingProxyType(
            {
                Mode.SELF_USE: "Self Use",
                Mode.HOLD: "Back-up",
                Mode.FEED_IN: "Feed-in First",
                Mode.FORCE_CHARGE: "Force Charge",
                Mode.FORCE_DISCHARGE: "Force Discharge",
            }
        ),
        when_missing="check the inverter model and connection type set in foxess_modbus; "
        "EVO and Kuara H3 have no force modes",
    ),
    # An H1 over LAN has no work mode that can be written: `Disable` is whatever the inverter
    # itself is set to, which has to be Self Use. It can neither hold nor feed in first.
    Control(
        ending="force_charge_mode",
        options=MappingProxyType(
            {
                Mode.SELF_USE: "Disable",
                Mode.FORCE_CHARGE: "Force Charge",
                Mode.FORCE_DISCHARGE: "Force Discharge",
            }
        ),
        when_missing="an H1 over LAN has no such mode; connect it over RS485 (AUX) to get it",
    ),
)


def mode_words(mode: Mode) -> str:
    """Our word for a mode with the maker's, by which it stands in the Fox app: `Hold (Back-up)`."""
    ours, theirs = MODE_WORDS[mode], CONTROLS[0].options[mode]
    return ours if ours == theirs else f"{ours} ({theirs})"


def maker_words(command: InverterCommand) -> str:
    """As `mode_words`: `Charge at 3.68 kW (Force Charge)`, `Hold (Force Charge at 0 kW)`."""
    ours, theirs = command_words(command), CONTROLS[0].options[command.mode]
    if command.acts_as is not command.mode:
        theirs = f"{theirs} at 0 kW"
    return ours if ours == theirs else f"{ours} ({theirs})"


POWER_ENDINGS: Final[Mapping[Mode, str]] = MappingProxyType(
    {Mode.FORCE_CHARGE: "force_charge_power", Mode.FORCE_DISCHARGE: "force_discharge_power"}
)
POWER_UNIT: Final = "kW"
LIMIT_ENDINGS: Final[Mapping[Mode, str]] = MappingProxyType(
    {Mode.HOLD: "max_discharge_current", Mode.FEED_IN: "max_charge_current"}
)
"""The numbers that, at 0, make self-use do as another mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNames:
    """What the user says about entity ids; None is found out.

    `prefix` is what the integration puts before its names: `foxess` for `select.foxess_work_mode`,
    the empty string for `select.work_mode`. A full id goes before a prefix.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    prefix: str | None = None
    work_mode: str | None = None
    force_charge_power: str | None = None
    force_discharge_power: str | None = None

    def power(self, mode: Mode) -> str | None:
        """The full id that the user gave for the power of a forced mode."""
        return self.force_charge_power if mode is Mode.FORCE_CHARGE else self.force_discharge_power


@dataclass(frozen=True, slots=True, kw_only=True)
class FoxEntities:
    """The entities that an inverter is told by, not all of which need exist."""

    control: Control
    select: str
    stem: str
    """What stands before the names of its entities."""
    powers: Mapping[Mode, str]
    """The number for each forced mode."""
    limits: Mapping[Mode, str]
    """The number for each mode that can be had in another way."""

    @classmethod
    def find(cls, names: EntityNames, list_entities: ListEntities, read_state: ReadState) -> Self:
        """The entities meant; InverterError when there are none, or when two inverters match."""
        control, select = _select(names, list_entities, read_state)
        name = select.partition(".")[2]
        if name.endswith(control.ending):
            stem = name.removesuffix(control.ending)
        else:
            stem = _stem(names.prefix or "")
        return cls(
            control=control,
            select=select,
            stem=stem,
            powers={
                mode: names.power(mode) or f"number.{stem}{power_ending}"
                for mode, power_ending in POWER_ENDINGS.items()
            },
            limits={mode: f"number.{stem}{each}" for mode, each in LIMIT_ENDINGS.items()},
        )


def _select(
    names: EntityNames, list_entities: ListEntities, read_state: ReadState
) -> tuple[Control, str]:
    if names.work_mode is not None:
        return _control_of(names.work_mode), names.work_mode
    if names.prefix is not None:
        ids = [(control, _select_id(names.prefix, control)) for control in CONTROLS]
        present = [(control, select) for control, select in ids if read_state(select) is not None]
        return (present or ids)[0]
    for control in CONTROLS:
        found = sorted(
            entity_id
            for entity_id in list_entities()
            if _is_select(entity_id, control) and _speaks_fox(read_state(entity_id), control)
        )
        if len(found) > 1:
            raise InverterError(
                f"more than one inverter matches: {', '.join(found)}; set entities.prefix, or "
                "entities.work_mode to the entity id, to say which one is meant"
            )
        if found:
            return control, found[0]
    endings = " or ".join(f"select.*{control.ending}" for control in CONTROLS)
    raise InverterUnavailable(
        f"no inverter found: there is no {endings} that offers Fox ESS modes; install "
        "foxess_modbus, wait until it is connected, or set entities.prefix"
    )


def _control_of(select: str) -> Control:
    return next((control for control in CONTROLS if select.endswith(control.ending)), CONTROLS[0])


def _select_id(prefix: str, control: Control) -> str:
    return f"select.{_stem(prefix)}{control.ending}"


def _stem(prefix: str) -> str:
    return f"{prefix.rstrip('_')}_" if prefix else ""


def _is_select(entity_id: str, control: Control) -> bool:
    domain, _, name = entity_id.partition(".")
    return domain == "select" and (name == control.ending or name.endswith(f"_{control.ending}"))


def _speaks_fox(state: EntityState | None, control: Control) -> bool:
    # Other makers' integrations have a `work_mode` too.
    return control.options[Mode.SELF_USE] in offered_options(state)


def offered_options(state: EntityState | None) -> tuple[str, ...]:
    """What a select offers; empty where it does not exist or does not say."""
    options = None if state is None else state.attributes.get("options")
    return tuple(options) if isinstance(options, list | tuple) else ()
