"""The settings of apps.yaml, typed; every mistake names its key path.

Physical sections are the domain's own values. Numbers have their Range beside their type, units
stand in [brackets] in the docstrings: `config_docs` makes the README's table of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Final, Self, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from battery_optimizer.config_sections import (
    EntitySettings,
    RatesSettings,
    Section,
    SolarSettings,
    WebSettings,
)
from battery_optimizer.errors import ConfigError
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

_SECRET: Final = frozenset({"api_key"})


class Config(Section):
    """All settings of one house."""

    control: Control = Control.ACTIVE
    """read_only does all but send commands."""
    battery: Battery
    inverter: Inverter = Inverter()
    grid: GridConnection = GridConnection()
    rates: RatesSettings
    solar: SolarSettings = SolarSettings()
    entities: EntitySettings = EntitySettings()
    planner: PlannerSettings = PlannerSettings()
    commands: CommandSettings = CommandSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """From an app's arguments; ConfigError has one line for each mistake."""
        own = {key: value for key, value in args.items() if key not in APPDAEMON_KEYS}
        try:
            return cls.model_validate(own)
        except ValidationError as error:
            details = error.errors(include_url=False)
        # Not `from error`: its text holds the values, secrets included.
        raise ConfigError("\n".join(line for each in details for line in _lines(each)))

    @property
    def house(self) -> House:
        """The physical side."""
        return House(battery=self.battery, inverter=self.inverter, grid=self.grid)


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
    given = error["input"]
    shown = "(hidden)" if _SECRET & set(error["loc"]) else repr(given)
    match error["type"]:
        case "value_error":
            for line in str(error["ctx"]["error"]).splitlines():
                yield _under(path, line)
        case "missing":
            yield f"{path} must be given"
        case "extra_forbidden" | "unexpected_keyword_argument":
            yield f"{path} is not a setting{_did_you_mean(error['loc'])}"
        case "literal_error" | "enum":
            yield f"{path} must be {error['ctx']['expected']}, not {shown}"
        case "model_type" | "dataclass_type":
            yield f"{path} must have settings indented below it, not {shown}"
        case _:
            wanted = error["msg"].removeprefix("Input should be ").partition(", unable")[0]
            yield f"{path} must be {wanted}, not {shown}"


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
