"""What of the settings is nobody's business, and how it is kept out of what leaves the house.

By name, by value wherever else it may stand, and in addresses all but the host.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

REMOVED: Final = "(removed)"

_PRIVATE: Final = re.compile(
    r"key|token|passw|secret|user|account|postcode|latitude|longitude|mpan|serial|saving_event"
    r"|free_event",
    re.IGNORECASE,
)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
_LONG_NUMBER: Final = re.compile(r"(?<![\d.])\d{10,}")
"""Of a meter, say."""
_SHORTEST: Final = 4
"""A secret shorter than this would take half the text with it."""


def without_private(config: BaseModel) -> Any:  # noqa: ANN401 - any JSON
    """The settings, those taken out whose names say that they are nobody's business."""
    return _named(config.model_dump(mode="json"))


def secrets_of(config: BaseModel) -> tuple[str, ...]:
    """The private values themselves, the longest first."""
    found = set(_values("", config.model_dump(mode="python")))
    return tuple(sorted(found, key=len, reverse=True))


def cleaned(plain: Any, secrets: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON
    """The same without these values, without long numbers, and with no more than hosts of URLs."""
    if isinstance(plain, str):
        # Addresses first: a secret in them may be in another spelling.
        plain = _LONG_NUMBER.sub("(number)", _URL.sub(_host_only, plain))
        for secret in secrets:
            plain = plain.replace(secret, REMOVED)
        return plain
    if isinstance(plain, list):
        return [cleaned(each, secrets) for each in plain]
    if isinstance(plain, Mapping):
        return {cleaned(name, secrets): cleaned(each, secrets) for name, each in plain.items()}
    return plain


def _named(plain: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(plain, list):
        return [_named(each) for each in plain]
    if not isinstance(plain, Mapping):
        return plain
    return {
        name: REMOVED if value is not None and _PRIVATE.search(name) else _named(value)
        for name, value in plain.items()
    }


def _values(name: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _values(str(key), each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _values(name, each)
    else:
        is_secret = isinstance(value, SecretStr)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if (
            isinstance(text, str)
            and len(text) >= _SHORTEST
            and (is_secret or _PRIVATE.search(name))
        ):
            yield text


def _host_only(found: re.Match[str]) -> str:
    try:
        parts = urlsplit(found[0])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return REMOVED
    rest = "/..." if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname}{port}{rest}"
