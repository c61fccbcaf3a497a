"""What a setting may be, said once: the check, the error and docs/settings.md read it here."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest value of a number, both allowed; written as `Annotated[float, Range(..)]`.

    None is allowed wherever the type allows it.
    """

    least: float
    greatest: float

    @property
    def words(self) -> str:
        """As a reader of a table or of an error wants it."""
        return f"{self.least:g} to {self.greatest:g}"


def check_ranges(values: object) -> None:
    """Raise ValueError, one line for each field of this dataclass that is outside its Range."""
    owner: Any = type(values)  # mypy does not see that a class can be hashed
    mistakes = [
        f"{name} must be from {allowed.words}, not {value!r}"
        for name, allowed in ranges_of(owner).items()
        if (value := getattr(values, name)) is not None
        and not allowed.least <= value <= allowed.greatest
    ]
    if mistakes:
        raise ValueError("\n".join(mistakes))


@cache
def ranges_of(owner: Hashable) -> dict[str, Range]:
    """The Range of each field that has one, by the field's name."""
    return {
        name: extra
        for name, hint in get_type_hints(owner, include_extras=True).items()
        for extra in getattr(hint, "__metadata__", ())
        if isinstance(extra, Range)
    }
