"""What the command lines take and say, in plain words."""

from argparse import ArgumentTypeError
from math import isfinite
from typing import Final

START: Final = "first day played, as 2026-02-01; those before it are history to learn from"
DAYS: Final = "how many days are played, as 7 or 0.5; all there are, unless given"


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


def why(error: Exception) -> str:
    """Why a file cannot be read, without the system's numbers."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a folder"
        case OSError(strerror=str(words)):
            return words
        case _:
            return str(error)
