"""docs/faults.md: what was seen, written by the run that saw it, and only when asked to."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
ASKED = "WRITE_FAULTS"
"""The environment variable that asks for it; `make faults` sets it."""


def write(section: str, lines: Sequence[str], *, is_whole: bool) -> None:
    """Put these lines in place of the section's, if all of it was run and it was asked for."""
    if not is_whole or not os.environ.get(ASKED):
        return
    text = PAGE.read_text(encoding="utf-8")
    start, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->\n"
    before, rest = text.split(start)
    _, after = rest.split(end)
    body = "".join(f"{line}\n" for line in lines)
    PAGE.write_text(f"{before}{start}{body}{end}{after}", encoding="utf-8")


def names(section: str) -> list[str]:
    """The first cells of the section's table, its head apart."""
    text = PAGE.read_text(encoding="utf-8")
    body = text.split(f"<!-- {section} -->\n")[1].split(f"<!-- end of {section} -->\n")[0]
    cells = re.findall(r"^\| ([^|]+?) \|", body, re.MULTILINE)
    return cells[1:]


def as_cell(told: str) -> str:
    """What was told, on one line, without where this run kept its files."""
    return re.sub(r"/\S*/(?=battery_optimizer)", "…/", told).replace("|", "/").replace("\n", " ")
