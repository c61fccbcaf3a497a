"""The OpenAPI document, and a page that makes it readable without any script."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import Any, Final

from battery_optimizer.adapters.web.page import headers, page_file, style_policy

Json = dict[str, Any]

_TYPES: Final = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
_FORMATS: Final = {"date-time": "time", "date": "day"}


@cache
def openapi() -> Json:
    """What is served, in OpenAPI 3.1."""
    document: Json = json.loads(page_file("openapi.json"))
    return document


@cache
def api_page() -> tuple[str, Mapping[str, str]]:
    """The document as a page, and the headers to send with it."""
    document = openapi()
    style = page_file("api.css")
    html = page_file("api.html")
    for mark, text in (
        ("/* style */", style),
        ("<!-- intro -->", escape(document["info"]["description"])),
        ("<!-- contents -->", _joined(map(_entry, _operations(document)))),
        ("<!-- operations -->", _joined(map(_operation, _operations(document)))),
        ("<!-- schemas -->", _joined(_schema(*item) for item in _schemas(document))),
    ):
        html = html.replace(mark, text)
    return html, headers(html, style_policy(style))


def _operations(document: Json) -> list[tuple[str, str, Json]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _schemas(document: Json) -> Iterable[tuple[str, Json]]:
    schemas: dict[str, Json] = document["components"]["schemas"]
    return schemas.items()


def _entry(operation: tuple[str, str, Json]) -> str:
    _, _, told = operation
    name = escape(told["operationId"])
    return f'<li><a href="#{name}">{name}</a> {escape(told["summary"])}</li>'


def _operation(operation: tuple[str, str, Json]) -> str:
    path, method, told = operation
    name, address = escape(told["operationId"]), escape(path)
    # Only what changes nothing can be opened with a click.
    shown = f'<a href="{address}">{address}</a>' if method == "get" else address
    body = told.get("requestBody")
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(told["summary"])}</h2>'
        f'<p class="call"><b class="{method}">{method.upper()}</b> <code>{shown}</code></p>'
        f"{_rows(('Parameter', 'Type', 'Meaning'), map(_parameter, told.get('parameters', ())))}"
        f"{'<p>Body: <code>{}</code></p>' if body else ''}"
        f"{_rows(('Answer', 'Type', 'When'), map(_answer, told['responses'].items()))}</section>"
    )


def _parameter(parameter: Json) -> tuple[str, str, str]:
    example = escape(f"?{parameter['name']}={parameter['example']}")
    return (
        f"<code>{escape(parameter['name'])}</code>",
        _type(parameter["schema"]),
        f"{escape(parameter['description'])} <code>{example}</code>",
    )


def _answer(answer: tuple[str, Json]) -> tuple[str, str, str]:
    code, told = answer
    schema = told["content"]["application/json"]["schema"]
    return f"<code>{escape(code)}</code>", _type(schema), escape(told["description"])


def _schema(name: str, schema: Json) -> str:
    required = schema["required"]
    rows = (
        (
            f"<code>{escape(key)}</code>",
            _type(value) + ("" if key in required else ", may be absent"),
            escape(value.get("description", "")),
        )
        for key, value in schema["properties"].items()
    )
    return (
        f'<section aria-labelledby="{escape(name)}"><h3 id="{escape(name)}">{escape(name)}</h3>'
        f"<p>{escape(schema['description'])}</p>{_rows(('Key', 'Type', 'Meaning'), rows)}</section>"
    )


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    form = _FORMATS.get(schema.get("format", ""))
    return " or ".join(form if form and kind == "string" else _TYPES[kind] for kind in kinds)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = _joined(f"<tr>{_joined(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    titles = _joined(f'<th scope="col">{title}</th>' for title in head)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _joined(parts: Iterable[str]) -> str:
    return "".join(parts)
