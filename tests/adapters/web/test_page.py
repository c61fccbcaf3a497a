"""The page as one document."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from battery_optimizer.adapters.web.page import page

PAGE = Path(__file__).parents[3] / "apps/battery_optimizer/adapters/web/static"
MOST_BYTES = 150_000


def inline(tag: str) -> str:
    html, _ = page()
    assert html.count(f"<{tag}>") == html.count(f"<{tag}") == 1
    return html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def test_only_its_own_script_and_style_may_run() -> None:
    _, headers = page()
    policy = headers["Content-Security-Policy"]
    for tag in ("script", "style"):
        digest = b64encode(sha256(inline(tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")


def test_nothing_is_loaded_from_elsewhere() -> None:
    html, _ = page()
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)
    assert "@import" not in html


def test_what_comes_from_elsewhere_is_never_markup() -> None:
    scripts = sorted(PAGE.glob("*.js"))
    assert len(scripts) > 5
    for path in scripts:
        source = path.read_text(encoding="utf-8")
        for way in (
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc",
            "new Function", "createContextualFragment", "DOMParser", "javascript:",
        ):  # fmt: skip
            assert way not in source, path.name


def test_it_is_small_and_carries_its_librarys_licence() -> None:
    html, _ = page()
    assert len(html.encode()) < MOST_BYTES
    assert "Copyright (c) 2022 Leon Sorokin" in inline("script")
    assert "Permission is hereby granted" in inline("script")
