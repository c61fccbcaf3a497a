"""Parts of a page that opens without a network: light or dark, for a phone or a desk."""

from collections.abc import Sequence
from html import escape
from typing import Final

PAGE_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --rule: #d5d9dd; --soft: #f2f4f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ea; --paper: #15181b; --rule: #3a4046; --soft: #20252a; }
}
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 0 auto; padding: 1rem; max-width: 72rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; }
dl div { background: var(--soft); border-radius: .5rem; padding: .5rem .7rem; }
dt { font-size: .8rem; } dd { margin: 0; font-size: 1.25rem; font-weight: 600; }
.charts { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; white-space: nowrap; font-weight: 600; padding: .4rem 0; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
th:first-child { text-align: left; }
thead th { white-space: normal; vertical-align: bottom; min-width: 3.5rem; }
summary { cursor: pointer; padding: .5rem 0; }
"""


def page(title: str, style: str, body: str) -> str:
    """A whole HTML file; `style` is what its charts need besides the page's own."""
    return (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def section(title: str, words: str, charts: Sequence[str]) -> str:
    """A headed part of the page: words, then charts side by side where there is room."""
    paragraph = f"<p>{escape(words)}</p>" if words else ""
    return (
        f'<section><h2>{escape(title)}</h2>{paragraph}<div class="charts">{"".join(charts)}</div>'
        "</section>"
    )


def folded(summary: str, inside: str) -> str:
    """What is shown when asked for."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def table(caption: str, columns: Sequence[str], rows: Sequence[tuple[str, list[str]]]) -> str:
    """A table that scrolls sideways by itself on a narrow screen; rows are (name, cells)."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
