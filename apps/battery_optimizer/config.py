"""The settings of apps.yaml, typed; every mistake names its key path.

Physical sections are the domain's own values. Numbers have their Range beside their type, units
stand in [brackets] in the docstrings: `config_docs` makes docs/settings.md of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, Self, get_args

from pydantic import BaseModel, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from battery_optimizer.config_sections import (
    EntitySettings,
    LoadSettings,
    MqttSettings,
    NotifySettings,
    RatesSettings,
    Section,
    SessionsSettings,
    SolarSettings,
    WebSettings,
)
from battery_optimizer.errors import ConfigError
from battery_optimizer.model.entity import finite
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.settings import CommandSettings, Control, PlannerSettings

APPDAEMON_KEYS: Final = frozenset(
    {
        "name", "config_path", "module", "class", "dependencies", "disable", "priority", "pin_app",
        "pin_thread", "log", "log_level", "global_dependencies", "plugin", "constrain_start_time",
        "constrain_end_time", "constrain_days", "constrain_input_boolean", "constrain_input_select",
        "constrain_presence",
    }
)  # fmt: skip
"""What AppDaemon itself reads in an app's section."""

USUAL_KW: Final = 3.68
"""What may be fed in without asking the network operator (16 A); most inverters can do as much."""
USUAL_RESERVE: Final = 0.1
"""Fox ESS batteries are not emptied further [share of the capacity]."""

STAND_INS: Final[Mapping[str, str]] = {
    # Where the inverter does not say either; in words for the table of settings.
    "battery.reserve_kwh": "the inverter's min SoC, or 10 % of the capacity",
    "battery.maximum_kwh": "the inverter's max SoC, or the capacity",
    "battery.max_charge_kw": f"what the inverter allows, or {USUAL_KW}",
    "battery.max_discharge_kw": f"what the inverter allows, or {USUAL_KW}",
    "inverter.ac_limit_kw": "the greatest force power of the inverter, or none",
}
"""What need not be given, since the inverter mostly tells it."""

_SECRET: Final = frozenset({"api_key"})


class Config(Section):
    """All settings of one house."""

    _found_out: frozenset[str] = PrivateAttr(frozenset())

    control: Control = Control.ACTIVE
    """read_only does all but send commands."""
    battery: Battery
    inverter: Inverter = Inverter()
    grid: GridConnection = GridConnection()
    rates: RatesSettings = RatesSettings()
    sessions: SessionsSettings = SessionsSettings()
    solar: SolarSettings = SolarSettings()
    load: LoadSettings = LoadSettings()
    entities: EntitySettings = EntitySettings()
    planner: PlannerSettings = PlannerSettings()
    commands: CommandSettings = CommandSettings()
    web: WebSettings = WebSettings()
    mqtt: MqttSettings = MqttSettings()
    notify: NotifySettings = NotifySettings()

    @model_validator(mode="after")
    def _has_a_battery(self) -> Self:
        # A battery of nothing is one of a simulation, beside which others are seen.
        if self.battery.capacity_kwh == 0:
            raise ValueError("battery.capacity_kwh must be above 0")
        return self

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """From an app's arguments; ConfigError has one line for each mistake."""
        own = {key: value for key, value in args.items() if key not in APPDAEMON_KEYS}
        missing = {path for path in STAND_INS if not _is_given(own, path)}
        try:
            config = cls.model_validate(_with_stand_ins(own, missing))
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            config._found_out = frozenset(missing)  # noqa: SLF001 - its own
            return config
        # Not `from error`: its text holds the values, secrets included.
        raise ConfigError("\n".join(line for each in details for line in _lines(each)))

    def with_found(self, found: Mapping[str, float]) -> Self:
        """With what the inverter says, by key path, of those settings that were not given."""
        changes: dict[str, dict[str, float]] = {}
        for path, value in found.items():
            if path in self._found_out:
                section, _, name = path.partition(".")
                changes.setdefault(section, {})[name] = value
        try:
            return self.model_copy(
                update={
                    section: replace(getattr(self, section), **values)
                    for section, values in changes.items()
                }
            )
        except ValueError as error:
            raise ConfigError(
                f"what the inverter says does not fit the settings of the battery: {error}"
            ) from error

    @property
    def found_out(self) -> frozenset[str]:
        """The key paths of what was not given, and is read from the inverter if it tells."""
        return self._found_out

    @property
    def house(self) -> House:
        """The physical side."""
        return House(battery=self.battery, inverter=self.inverter, grid=self.grid)


def _is_given(own: Mapping[str, Any], path: str) -> bool:
    section, _, name = path.partition(".")
    values = own.get(section)
    return isinstance(values, Mapping) and name in values


def _with_stand_ins(own: Mapping[str, Any], missing: Iterable[str]) -> dict[str, Any]:
    """The settings with what must be known, as long as nobody tells it better."""
    battery = own.get("battery")
    if not isinstance(battery, Mapping):
        return dict(own)
    capacity_kwh = finite(battery.get("capacity_kwh"))
    usual = {"battery.max_charge_kw": USUAL_KW, "battery.max_discharge_kw": USUAL_KW}
    if capacity_kwh is not None and capacity_kwh > 0:
        usual["battery.reserve_kwh"] = USUAL_RESERVE * capacity_kwh
    added = {path.partition(".")[2]: usual[path] for path in missing if path in usual}
    return {**own, "battery": {**battery, **added}}


def names_in(section: type) -> tuple[str, ...]:
    """The keys that a section has."""
    if is_dataclass(section):
        return tuple(field.name for field in fields(section))
    return tuple(section.model_fields) if issubclass(section, BaseModel) else ()


def section_in(section: type, name: str) -> type | None:
    """The section, or the kind of entry of a list, that a key of a section holds; None if none."""
    if not issubclass(section, BaseModel) or name not in section.model_fields:
        return None
    kind = section.model_fields[name].annotation
    for inner in (kind, *get_args(kind)):
        if isinstance(inner, type) and names_in(inner):
            return inner
    return None


def _lines(error: ErrorDetails) -> Iterator[str]:
    path = _path(error["loc"])
    if error["type"] == "value_error":
        for line in str(error["ctx"]["error"]).splitlines():
            yield _under(path, line)
    else:
        yield f"{path} {_mistake(error)}"


def _mistake(error: ErrorDetails) -> str:
    given = error["input"]
    shown = "(hidden)" if _SECRET & set(error["loc"]) else repr(given)
    match error["type"]:
        case "missing":
            return "must be given"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"is not a setting{_did_you_mean(error['loc'])}"
        case "model_type" | "dataclass_type":
            return f"must have settings indented below it, not {shown}"
        case _ if given is None:
            return "is empty: give it a value, or take the line out"
        case "too_long":
            return f"must have {error['ctx']['max_length']} entries, not {len(given)}"
        case _:
            return f"must be {_wanted(error)}, not {shown}"


def _wanted(error: ErrorDetails) -> str:
    match error["type"]:
        case "literal_error" | "enum":
            return str(error["ctx"]["expected"])
        case "tuple_type":
            return "a list in [brackets]"
        case _:
            return error["msg"].removeprefix("Input should be ").partition(", unable")[0]


def _path(loc: tuple[str | int, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")


def _under(path: str, line: str) -> str:
    first, _, rest = line.partition(" ")
    is_name = first.strip(",").isidentifier() and rest.startswith(("must", "or", "and", "may"))
    separator = "." if is_name or first.endswith(",") else ": "
    return f"{path}{separator}{line}" if path else line


def _did_you_mean(loc: tuple[str | int, ...]) -> str:
    section: type = Config
    for part in loc[:-1]:
        section = (section_in(section, part) or section) if isinstance(part, str) else section
    wrong, names = str(loc[-1]), names_in(section)
    near = get_close_matches(wrong, names, n=1)
    if near:
        return f"; did you mean {_path((*loc[:-1], near[0]))}?"
    elsewhere = [
        f"{part}.{wrong}"
        for part in Config.model_fields
        if (inner := section_in(Config, part)) is not None and wrong in names_in(inner)
    ]
    if elsewhere:
        return f"; did you mean {elsewhere[0]}?"
    return f"; there are {', '.join(names)}"
