"""The dashboards in Home Assistant's own frontend, in a real browser, by a householder."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from browser.chromium import IS_THERE, Browser, chromium
from home_assistant.core import PACKAGE, PASSWORD, ROOT, USER, HomeAssistant
from home_assistant.story import House, Octopus, house

pytestmark = pytest.mark.skipif(
    not IS_THERE, reason="no Chromium: apt install chromium chromium-driver"
)

DASHBOARDS = {"plan": "dashboard.yaml", "charts": "dashboard_apexcharts.yaml"}
APEXCHARTS_CARD = Path(
    os.environ.get("APEXCHARTS_CARD", ROOT / "node_modules/apexcharts-card/apexcharts-card.js")
)
KEPT = ROOT / "docs" / "images" / "dashboard.png"
LARGEST_PNG = 200_000
WIDE = 1600
COMPLAINTS = (
    "Configuration error",
    "Entity not available",
    "Entity not found",
    "Custom element doesn't exist",
    "No card type",
    "Error",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
BY_THE_README = README.partition("<!-- configuration.yaml -->")[2].split("```")[1]
FOR_THE_CHARTS = """\
    battery-charts: {mode: yaml, title: Charts, filename: dashboard_apexcharts.yaml}
  mode: yaml
  resources:
    - {url: /local/apexcharts-card.js, type: module}
"""
# The frontend is one shadow tree inside the other.
DEEP = """
const all = (root) => [...root.querySelectorAll("*")].flatMap(
    (each) => each.shadowRoot ? [each, ...all(each.shadowRoot)] : [each]);
"""
FIND = DEEP + "return all(document).filter((each) => each.matches(arguments[0]))"
TEXT = (
    DEEP
    + """
const shown = (each) => [...each.childNodes].filter((node) => node.nodeType === 3)
    .map((node) => node.textContent.trim()).filter(Boolean);
return all(document.body).filter((each) => !["STYLE", "SCRIPT"].includes(each.tagName))
    .flatMap(shown).join("\\n");
"""
)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    folder = tmp_path_factory.mktemp("core")
    made = HomeAssistant(folder / "config")
    made.add_package(PACKAGE)
    config = made.folder / "configuration.yaml"
    lovelace = BY_THE_README[BY_THE_README.index("lovelace:") :]
    config.write_text(config.read_text() + lovelace + FOR_THE_CHARTS)
    for name in DASHBOARDS.values():
        shutil.copy(ROOT / "docs" / "home_assistant" / name, made.folder / name)
    (made.folder / "www").mkdir()
    if APEXCHARTS_CARD.exists():
        shutil.copy(APEXCHARTS_CARD, made.folder / "www" / "apexcharts-card.js")
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def ordinary(
    tmp_path_factory: pytest.TempPathFactory, core: HomeAssistant, octopus: Octopus
) -> Iterator[House]:
    octopus.usual_days()
    with house(tmp_path_factory.mktemp("app"), core, octopus) as made:
        made.wait_for_plan()
        yield made


@pytest.fixture(scope="module")
def browser(ordinary: House) -> Iterator[Browser]:
    """Logged in."""
    with chromium() as made:
        made.open(ordinary.core.url)
        made.wait(lambda: len(made.run(FIND, "input")) >= 2, "the log-in form")
        name, password = made.run(FIND, "input")[:2]
        name.send_keys(USER)
        password.send_keys(PASSWORD)
        made.run(FIND, "mwc-button, ha-button")[0].click()
        made.wait(lambda: made.run(FIND, "home-assistant-main"), "the frontend", 60)
        yield made


def opened(browser: Browser, core: HomeAssistant, name: str) -> str:
    """The dashboard; all its words."""
    browser.open(f"{core.url}/battery-{name}/0", width=WIDE)
    browser.wait(lambda: browser.run(FIND, "hui-root"), "the dashboard", 60)
    card = "apexcharts-card" if name == "charts" else "hui-tile-card"
    browser.wait(lambda: browser.run(FIND, card), "the cards", 60)
    time.sleep(3)  # pictures and history come after the cards
    return str(browser.run(TEXT))


def test_the_dashboard_shows_the_plan_and_no_card_complains(
    browser: Browser, ordinary: House, tmp_path: Path
) -> None:
    words = opened(browser, ordinary.core, "plan")
    assert not [each for each in COMPLAINTS if each in words.split("\n")], words
    assert browser.run(FIND, "hui-error-card, hui-warning, hui-warning-element") == []
    reason = ordinary.core.attributes("sensor.battery_optimizer_reason")["text"]
    assert reason in words
    assert ordinary.core.attributes("sensor.battery_optimizer_mode")["words"] in words
    assert not re.search(r"force_|self_use|feed_in", words), "modes in words"
    schedule = ordinary.core.attributes("sensor.battery_optimizer_plan")["schedule"]
    assert all(run["reason"].split(". ")[0] in words for run in schedule)
    shot = tmp_path / "dashboard.png"
    browser.screenshot(shot, height=900)
    assert shot.stat().st_size < LARGEST_PNG
    if os.environ.get("KEEP_PICTURES"):
        shutil.copy(shot, KEPT)


def test_every_entity_of_the_dashboards_is_there(ordinary: House) -> None:
    for name in DASHBOARDS.values():
        content = yaml.safe_load((ROOT / "docs" / "home_assistant" / name).read_text())
        named = set(_entities(content))
        assert len(named) > 4
        assert [each for each in named if ordinary.core.state(each) is None] == []


@pytest.mark.skipif(
    not APEXCHARTS_CARD.exists(),
    reason="no ApexCharts card: set APEXCHARTS_CARD to the apexcharts-card.js of a release",
)
def test_the_charts_draw_the_plan(browser: Browser, ordinary: House, tmp_path: Path) -> None:
    words = opened(browser, ordinary.core, "charts")
    assert not [each for each in COMPLAINTS if each in words.split("\n")], words
    assert browser.run(FIND, "hui-error-card, hui-warning") == []
    browser.wait(
        lambda: len(browser.run(FIND, "path.apexcharts-line, path.apexcharts-area")) >= 5,
        "five curves",
    )
    assert all(
        len(path.get_attribute("d")) > 100
        for path in browser.run(FIND, "path.apexcharts-line, path.apexcharts-area")
    )
    browser.screenshot(tmp_path / "charts.png", height=900)


def _entities(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "entity" and isinstance(value, str):
                yield value
            yield from _entities(value)
    elif isinstance(content, list):
        for each in content:
            yield from _entities(each)
