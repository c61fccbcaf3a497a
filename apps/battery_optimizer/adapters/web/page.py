"""The page as one document: markup, style and script put together, with the headers to send.

Nothing is loaded from elsewhere, and nothing is built: the files under `static/` are what runs. The
chart is drawn by uPlot, a small library under the MIT licence, which comes along as a file.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

_PAGE: Final = Path(__file__).with_name("static")
_UPLOT: Final = "vendor/uplot"
_STYLES: Final = (f"{_UPLOT}/uPlot.min.css", "page.css")
_SCRIPTS: Final = (
    "words.js",
    "chart.js",
    "now.js",
    "health.js",
    "past.js",
    "forecasts.js",
    "savings.js",
    "page.js",
)

# Frames are not forbidden: many show the page inside a Home Assistant dashboard.
NO_OTHER_SOURCE: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Asked for again each time, and answered with 304 while it is the same.
    "Cache-Control": "no-cache",
}


@cache
def page() -> tuple[str, Mapping[str, str]]:
    """The page, and headers that let it run its own script, ask its own address, nothing else."""
    style = "\n".join(_read(name) for name in _STYLES)
    licence = _read(f"{_UPLOT}/LICENSE").replace("*/", "")
    library = f"/*!\n{licence}*/\n{_read(f'{_UPLOT}/uPlot.iife.min.js')}"
    script = "\n".join([library, *(_read(name) for name in _SCRIPTS)])
    html = _read("index.html")
    html = html.replace("/* style */", style).replace("/* script */", script)
    policy = (
        f"{NO_OTHER_SOURCE}; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "connect-src 'self'; img-src data:"
    )
    return html, headers(html, policy)


def headers(html: str, policy: str) -> Mapping[str, str]:
    """What is sent along with a document."""
    etag = f'"{sha256(html.encode()).hexdigest()[:32]}"'
    return {**SAFE_HEADERS, "Content-Security-Policy": policy, "ETag": etag}


def style_policy(style: str) -> str:
    """A document without script, with this style."""
    return f"{NO_OTHER_SOURCE}; style-src '{_hash(style)}'; img-src data:"


def page_file(name: str) -> str:
    """The text of a file under `static/`."""
    return _read(name)


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
