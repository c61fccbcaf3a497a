"""The table of settings, made from the code: `python -m battery_optimizer.config_docs`.

Prints it, or with a file's name puts it between that file's markers.
"""

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic_core import PydanticUndefined

from battery_optimizer.config import STAND_INS, Config, names_in, section_in
from battery_optimizer.model.ranges import ranges_of

BEGIN: Final = "<!-- settings: made by python -m battery_optimizer.config_docs docs/settings.md -->"
END: Final = "<!-- end of settings -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A line of the table."""

    path: str
    unit: str
    allowed: str
    default: str
    words: str


def settings(section: type = Config, above: str = "") -> Iterator[Setting]:
    """Every setting there is, in the order of the code."""
    docs = _docstrings(section)
    hints = get_type_hints(section, include_extras=True)
    ranges = ranges_of(section)
    for name in names_in(section):
        inner = section_in(section, name)
        is_list = get_origin(hints[name]) is tuple
        if name in docs:
            unit = re.search(r"\[([^\]\[]*[a-zA-Z%][^\]\[]*)\]", docs[name])
            yield Setting(
                path=above + name,
                unit=unit[1] if unit else "",
                allowed=ranges[name].words if name in ranges else _allowed(hints[name]),
                default=STAND_INS.get(above + name) or _default(section, name),
                words=docs[name].replace(f" [{unit[1]}]", "") if unit else docs[name],
            )
        if inner is not None:
            yield from settings(inner, f"{above}{name}{'[]' if is_list else ''}.")


def settings_table() -> str:
    """The table in Markdown."""
    lines = ["| Setting | Unit | Allowed | Default | What it is |", "|---|---|---|---|---|"]
    for each in settings():
        cells = (f"`{each.path}`", each.unit, each.allowed, each.default, each.words)
        lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(lines)


def updated(text: str) -> str:
    """The text with the present table between its markers; ValueError where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there must be a line {BEGIN} and, after it, a line {END}")
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


def _docstrings(section: type) -> dict[str, str]:
    """The string below each attribute, on one line."""
    (definition,) = ast.parse(textwrap.dedent(getsource(section))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    docs = {}
    for attribute, following in pairwise(body):
        match attribute, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                docs[name] = " ".join(words.split())
            case _:
                pass
    return docs


def _allowed(hint: Any) -> str:  # noqa: ANN401 - a type, of any form
    kinds = [hint, *get_args(hint)]
    for kind in kinds:
        if get_origin(kind) is Literal:
            return ", ".join(f"`{choice}`" for choice in get_args(kind))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return ", ".join(f"`{choice.value}`" for choice in kind)
    if bool in kinds:
        return "`true`, `false`"
    if get_origin(hint) is tuple:
        return "a list"
    return "text"


def _default(section: type, name: str) -> str:
    if is_dataclass(section):
        (default,) = (field.default for field in fields(section) if field.name == name)
    else:
        default = section.model_fields[name].default  # type: ignore[attr-defined]
    if default is MISSING or default is PydanticUndefined:
        return "must be given"
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return ", ".join(f"`{value}`" for value in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def main(arguments: list[str]) -> None:
    """Print the table, or update the files named."""
    for name in arguments:
        path = Path(name)
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
    if not arguments:
        sys.stdout.write(settings_table() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
