"""Entity attributes that reach Home Assistant whole.

Before AppDaemon 4.5 posts a state it takes every None and False out of dictionaries and lists, at
any depth, and with them each 0, since in Python 0 equals False: a night's solar forecast would lose
its values, and a list its alignment. (Service calls lose only None.)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

UNKNOWN: Final = "unknown"
"""Stands for nothing in a list, where leaving it out would shift what follows."""


class _Zero(float):
    """Zero, written as 0.0, that does not pass for False."""

    __slots__ = ()
    __hash__ = float.__hash__

    def __eq__(self, other: object) -> bool:  # type: ignore[explicit-override] # is in 3.12
        return isinstance(other, _Zero)


def unpruned(value: object) -> object:
    """The same to whoever reads JSON, but for truth values, which become "true" and "false"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return None if math.isnan(value) else value or _Zero()
    if isinstance(value, Mapping):
        return {key: unpruned(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [UNKNOWN if (kept := unpruned(each)) is None else kept for each in value]
    return value
