"""Reads our own Markdown: fenced blocks, headings, links, quotes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"(?:<!-- (?P<name>[^>]*) -->\s*)?^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_QUOTE = re.compile(r"^ *> (?P<words>.+)$", re.MULTILINE)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block; its name stands in a comment above it, if it has one."""

    page: str
    kind: str
    name: str | None
    text: str


@dataclass(frozen=True)
class Page:
    """One file."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return _BLOCK.sub("", self.text)

    def blocks(self, kind: str | None = None, name: str | None = None) -> list[Block]:
        return [
            Block(self.path.name, match["kind"], match["name"], dedent(match["text"]))
            for match in _BLOCK.finditer(self.text)
            if kind in (None, match["kind"]) and name in (None, match["name"])
        ]

    def block(self, kind: str, name: str) -> str:
        (found,) = self.blocks(kind, name)
        return found.text

    @property
    def headings(self) -> set[str]:
        """As a link names them."""
        lines = (line for line in self.prose.splitlines() if line.startswith("#"))
        return {
            re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in lines
        }

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def quotes(self) -> list[str]:
        """Lines that begin with >."""
        return [match["words"] for match in _QUOTE.finditer(self.prose)]

    @property
    def code(self) -> list[str]:
        """What stands between single backquotes."""
        return _CODE.findall(self.prose)

    def broken_links(self) -> Iterator[str]:
        """Those that lead nowhere within the checkout."""
        for link in self.links:
            path, _, heading = link.partition("#")
            if "://" in link:
                continue
            target = (self.path.parent / path).resolve() if path else self.path
            if not target.exists() or (heading and heading not in Page(target).headings):
                yield link


README = Page(ROOT / "README.md")
ENDPOINTS = Page(ROOT / "docs" / "endpoints.md")
LOOKED_UP = [
    ENDPOINTS,
    *(Page(ROOT / "docs" / f"{name}.md") for name in ("settings", "entities", "backtesting")),
]
DOCS = [Page(path) for path in sorted((ROOT / "docs").glob("*.md"))]


def read_yaml(text: str) -> Any:  # noqa: ANN401 - any YAML
    class Loader(yaml.SafeLoader):
        """Knows AppDaemon's !secret, and Home Assistant's !include."""

    for tag in ("!secret", "!include_dir_named"):
        Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))
    return yaml.load(text, Loader=Loader)  # noqa: S506 - is safe


def table_below(text: str, marker: str) -> list[list[str]]:
    """The cells of the first table after the marker, without its head."""
    lines = text.partition(marker)[2].splitlines()
    rows = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]
