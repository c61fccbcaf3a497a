"""Options that several commands of the command line have, and what their values may be."""

from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from math import isfinite
from pathlib import Path
from typing import Final, TypeAlias

from battery_optimizer.errors import DataError

Commands: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What a command is added to; argparse has no public name for it."""

_START: Final = "first day played, as 2026-02-01; those before it are history to learn from"
_DAYS: Final = "how many days are played, as 7 or 0.5; all there are, unless given"


def add_days_and_home(command: ArgumentParser) -> None:
    """Recorded days, and the house that they are of."""
    command.add_argument("--data", type=Path, required=True, help="CSV of half hours")
    command.add_argument("--home", type=Path, required=True, help="JSON of the house")


def add_span(command: ArgumentParser, start: str = _START) -> None:
    """Which of the days; `start` says what the first is."""
    command.add_argument("--start", help=start)
    command.add_argument("--days", type=number, help=_DAYS)


def number(text: str) -> float:
    """A number of an option; argparse tells the error with the option's name."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ArgumentTypeError(f"{text!r} is no number")
    return value


def whole_number(text: str) -> int:
    """Likewise, without a fraction."""
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no whole number") from error


def require_writable(*files: Path | None) -> None:
    """Raise DataError for a file that could not be written, before the work for it is done."""
    for path in files:
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise DataError(f"{path} cannot be written: it must be a file in a folder that exists")
