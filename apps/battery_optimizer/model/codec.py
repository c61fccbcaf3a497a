"""Frozen values to compact JSON and back, guided by their type hints; no pickle.

A dataclass becomes an object of its fields, a tuple of instances of one dataclass an object of
columns (which compresses well), an array a list, a set a sorted list, a time its ISO text, a span
its microseconds, an enum its value, and a float that JSON has no number for its name. A field that
an older row lacks takes its default; a field that the class has no more is passed over, unless its
`from_older` makes what is wanted now of it.
"""

import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

Plain: TypeAlias = Any
"""What JSON knows: None, a truth, a number, words, a list or an object of these."""
Hint: TypeAlias = object
"""A type as an annotation has it: a class, or a form such as `tuple[float, ...]`."""
Value: TypeAlias = Any
"""Of a type that a hint tells, which is known when it runs only."""

VERSION: Final = 1
COMPRESS_ABOVE_BYTES: Final = 2048
_MICROSECOND: Final = timedelta(microseconds=1)


class Undecodable(ValueError):
    """The bytes do not hold such a value: damaged, or written by another version."""


def encode(value: object) -> bytes:
    """The value as JSON, compressed when long; TypeError for a type that the codec knows not."""
    envelope = {"v": VERSION, "is": to_plain(value)}
    text = json.dumps(envelope, separators=(",", ":"), allow_nan=False).encode()
    return zlib.compress(text, 9) if len(text) > COMPRESS_ABOVE_BYTES else text


def decode(kind: type[T], data: bytes) -> T:
    """The value of class `kind` that `encode` made these bytes of; raises Undecodable."""
    try:
        # JSON starts with a brace, a zlib stream never does.
        envelope = json.loads(data if data[:1] == b"{" else zlib.decompress(data))
        value = from_plain(kind, envelope["is"]) if envelope["v"] <= VERSION else None
    except (zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise Undecodable(f"cannot read a stored {kind.__name__}: {error}") from error
    if value is None:
        raise Undecodable(f"a stored {kind.__name__} was written by a newer version of this app")
    return value


def to_plain(value: object) -> Plain:
    """The value as what JSON knows; TypeError for a type that the codec knows not."""
    for kinds, made_plain in _TO_PLAIN:
        if isinstance(value, kinds):
            return made_plain(value)
    if is_dataclass(value):
        return {name: to_plain(getattr(value, name)) for name in _hints(value.__class__)}
    raise TypeError(f"nothing stored can be a {type(value).__name__}")


def _plain_float(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(float(value))


def _plain_items(items: tuple[Any, ...] | list[Any]) -> object:
    kinds = {type(item) for item in items}
    kind = next(iter(kinds), NoneType)
    if len(kinds) != 1 or not is_dataclass(kind):
        return [to_plain(item) for item in items]
    return {name: _plain_items([getattr(item, name) for item in items]) for name in _hints(kind)}


# In this order: a StrEnum is a str, a datetime is a date, a bool is an int, a np.float64 a float.
_TO_PLAIN: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Plain]], ...]] = (
    (Enum, lambda value: value.value),
    ((NoneType, bool, int, str), lambda value: value),
    (float, _plain_float),
    (np.generic, lambda value: to_plain(value.item())),
    (np.ndarray, lambda value: to_plain(value.tolist())),
    (date, lambda value: value.isoformat()),
    (timedelta, lambda value: value // _MICROSECOND),
    (Mapping, lambda value: {str(key): to_plain(item) for key, item in value.items()}),
    ((set, frozenset), lambda value: sorted(map(to_plain, value))),
    ((tuple, list), _plain_items),
)


@lru_cache
def _hints(kind: type) -> dict[str, Hint]:
    """Names and types of the fields that make an instance."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}


def from_plain(kind: type[T], plain: Plain) -> T:
    """The value of class `kind` that `to_plain` made this of; raises what the kind raises."""
    value: T = _value(kind, plain)
    return value


def _value(hint: Hint, plain: Plain) -> Value:
    hint = _without_none(hint)
    if plain is None:
        return None
    if is_dataclass(hint):
        plain = getattr(hint, "from_older", _as_it_is)(plain)
        known = {name: _value(kind, plain[name]) for name, kind in _fields_in(hint, plain)}
        return hint(**known)  # type: ignore[operator]
    hint = _without_alias(hint)
    origin = get_origin(hint) or hint
    for kind, to_value in _TO_VALUE:
        if isinstance(origin, type) and issubclass(origin, kind):
            return to_value(hint, plain)
    raise TypeError(f"the store cannot read a {hint}")


def _as_it_is(plain: Plain) -> Plain:
    return plain


def _fields_in(kind: Hint, plain: Mapping[str, Plain]) -> list[tuple[str, Hint]]:
    return [(name, hint) for name, hint in _hints(kind).items() if name in plain]


def _without_none(hint: Hint) -> Hint:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if len(kinds) != 1:
        raise TypeError(f"the store cannot tell apart the kinds of {hint}")
    return kinds[0]


def _without_alias(hint: Hint) -> Hint:
    """From numpy 2.5 on `NDArray[float64]` is an alias, which names its type only when asked."""
    aliased = getattr(get_origin(hint), "__value__", None)
    return hint if aliased is None else aliased[get_args(hint)]


def _items(hint: Hint, plain: Plain) -> list[Value]:
    """Values of one type, from a list or from an object of columns."""
    kind = _without_none(hint)
    if not (isinstance(plain, dict) and is_dataclass(kind)):
        return [_value(hint, item) for item in plain]
    columns = {name: _items(of, plain[name]) for name, of in _fields_in(kind, plain)}
    rows = zip(*columns.values(), strict=True)
    return [kind(**dict(zip(columns, row, strict=True))) for row in rows]  # type: ignore[operator]


def _tuple_of(hint: Hint, plain: Plain) -> tuple[Value, ...]:
    kinds = get_args(hint)
    if kinds[-1] is Ellipsis:
        return tuple(_items(kinds[0], plain))
    if isinstance(plain, dict):
        plain = _rows(plain)
    return tuple(_value(kind, item) for kind, item in zip(kinds, plain, strict=True))


def _rows(columns: Mapping[str, Plain]) -> list[dict[str, Plain]]:
    unfolded = {
        name: _rows(values) if isinstance(values, dict) else values
        for name, values in columns.items()
    }
    return [dict(zip(unfolded, row, strict=True)) for row in zip(*unfolded.values(), strict=True)]


def _array_of(hint: Hint, plain: Plain) -> npt.NDArray[Any]:
    (dtype,) = get_args(get_args(hint)[1])
    return np.array(plain, dtype=dtype)


_TO_VALUE: Final[tuple[tuple[type, Callable[[Any, Plain], Value]], ...]] = (
    (Enum, lambda kind, plain: kind(plain)),
    (str, lambda _, plain: str(plain)),
    (bool, lambda _, plain: bool(plain)),
    (int, lambda _, plain: int(plain)),
    (float, lambda _, plain: float(plain)),
    (datetime, lambda _, plain: datetime.fromisoformat(plain)),
    (date, lambda _, plain: date.fromisoformat(plain)),
    (timedelta, lambda _, plain: plain * _MICROSECOND),
    (np.ndarray, _array_of),
    (tuple, _tuple_of),
    (frozenset, lambda hint, plain: frozenset(_items(get_args(hint)[0], plain))),
    (list, lambda hint, plain: _items(get_args(hint)[0], plain)),
    (Mapping, lambda hint, plain: {k: _value(get_args(hint)[1], v) for k, v in plain.items()}),
)
