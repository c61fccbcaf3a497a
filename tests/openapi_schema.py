"""Whether a value is what an OpenAPI document says of it; as much of JSON Schema as ours uses."""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_KINDS = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "null": type(None),
    "object": dict, "array": list,
}  # fmt: skip
_FORMATS = {
    "": re.compile(r".*", re.DOTALL),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
}


def faults(value: object, schema: Json, document: Json, at: str = "") -> list[str]:
    """What is wrong with the value, empty if nothing is."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        tried = [faults(value, option, document, at) for option in schema["anyOf"]]
        return min(tried, key=len)
    return [*_of_value(value, schema, at), *_of_parts(value, schema, document, at)]


def _of_value(value: object, schema: Json, at: str) -> Iterator[str]:
    kinds = schema.get("type", list(_KINDS))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_kind = any(isinstance(value, _KINDS[kind]) for kind in kinds)
    if not is_kind or (isinstance(value, bool) and "boolean" not in kinds):
        yield f"{at}: {value!r} is not of {kinds}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    form = schema.get("format", "")
    if isinstance(value, str) and not _FORMATS[form].fullmatch(value):
        yield f"{at}: {value!r} is no {form}"


def _of_parts(value: object, schema: Json, document: Json, at: str) -> Iterator[str]:
    if isinstance(value, dict) and "properties" in schema:
        described = schema["properties"]
        yield from (f"{at}.{key} is missing" for key in schema["required"] if key not in value)
        yield from (f"{at}.{key} is not described" for key in value if key not in described)
        for key in value.keys() & described.keys():
            yield from faults(value[key], described[key], document, f"{at}.{key}")
    if isinstance(value, list) and "items" in schema:
        for t, item in enumerate(value):
            yield from faults(item, schema["items"], document, f"{at}[{t}]")
