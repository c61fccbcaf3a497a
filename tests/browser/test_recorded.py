"""The page with real recorded days and real rates behind it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from browser.chromium import DESKTOP, IS_THERE, PHONE, Browser, chromium
from browser.recorded_home import DATA, NOW, lived_through, served

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not IS_THERE, reason="no Chromium: apt install chromium chromium-driver"),
    pytest.mark.skipif(not DATA.exists(), reason="the benchmark's data are not beside this"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("recorded")
    with (
        lived_through(folder, n_days=1.8, step=timedelta(minutes=30)) as site,
        served(site) as address,
    ):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_real_days_are_drawn_and_nothing_complained_of(
    browser: Browser,
    url: str,
    width: int,
    dark: bool,  # noqa: FBT001 - a parameter
) -> None:
    browser.open(url, width=width, dark=dark)
    for chart, panels in (("plan", 3), ("past", 4), ("bills", 1)):
        browser.wait(
            lambda chart=chart, panels=panels: browser.count(f"#{chart}-chart canvas") == panels,
            f"the chart {chart}",
        )
    assert browser.run("return document.documentElement.scrollWidth") == width
    assert browser.complaints() == []


def test_it_says_what_was_real(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.wait_for_text("#past-words", f"{NOW.day} {NOW:%B}")
    assert "All well" in browser.text("#status")
    assert not browser.find("#demo").is_displayed()
    plan = browser.run("return latest.plan")
    known = [slot["rate_published"] for slot in plan["slots"]]
    assert any(known), "rates as Octopus published them"
    assert not all(known)
    assert "forecast" in json.dumps(browser.run("return find('plan-table').outerHTML"))
    periods = browser.run("return latest.savings.periods.map((period) => period.name)")
    assert periods == ["Today so far", "Yesterday", "This month"]
    assert "made up" not in browser.text("#savings-notes")


def test_the_pictures_are_of_this_size(browser: Browser, url: str, tmp_path: Path) -> None:
    browser.open(url)
    browser.wait(lambda: browser.count("#bills-chart canvas") == 1, "the charts")
    shot = tmp_path / "page.png"
    browser.screenshot(shot, height=1500)
    assert 50_000 < shot.stat().st_size < 300_000
