"""The page with real recorded days and real rates behind it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from browser.chromium import DESKTOP, IS_THERE, PHONE, Browser, breakable, chromium
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


def test_a_number_and_its_unit_stay_on_one_line(browser: Browser, url: str) -> None:
    browser.open(url)
    words = "return unbroken('Selling 2 kWh at 9.9 p, 5.5 p later; 95 % at 3 km')"
    assert (
        browser.run(words)
        == "Selling 2\u00a0kWh at 9.9\u00a0p, 5.5\u00a0p later; 95\u00a0% at 3 km"
    )
    told = "for 16:00-19:00 by AGILE-24-10-01, at 7.1-10.1 p"
    shown = str(browser.run("return unbroken(arguments[0])", told))
    assert shown.count("\u2060") == 2
    assert "AGILE-24-10-01," in shown, "a code that people copy"
    assert breakable(shown) == told
    browser.wait(lambda: browser.count("#plan-chart canvas") == 3, "the chart")
    assert not browser.run(r"return /\d p[,.:;]/.test(find('main').textContent)")


def test_a_forced_mode_without_power_is_shown_as_a_battery_that_rests(
    browser: Browser, url: str
) -> None:
    browser.open(url)
    browser.wait(lambda: browser.count("#plan-chart canvas") == 3, "the chart")
    words = "return [modeWords('force_charge', 0), modeWords('force_charge', 2.5)]"
    assert browser.run(words) == ["Hold", "Charge at 2.50\u00a0kW"]
    runs = """const slot = (hour, mode, power_kw) => ({ mode, power_kw,
        start: `2026-01-15T0${hour}:00Z`, end: `2026-01-15T0${hour + 1}:00Z` });
        const charge = [slot(1, "force_charge", 3), slot(2, "force_charge", 0)];
        return runsOf([...charge, slot(3, "hold", null)]).map((run) => run.mode);"""
    assert browser.run(runs) == ["force_charge", "hold"]
    told = browser.run("return inAppWords('force_charge', 0)")
    assert "Force Charge at 0 kW" in told
    assert browser.run("return inAppWords('hold', null)") == "In the Fox app: Back-up."


def test_hours_ahead_are_told_by_day_and_forecasts_marked(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.wait_for_text("#rates", "Cheapest today")
    today, tomorrow = browser.run("return latest.outlook.days")
    shown = browser.text("#rates")
    assert today["cheapest"]["is_published"]
    # Tomorrow's rates come at any moment: whether they are forecast is told either way.
    is_forecast = not tomorrow["cheapest"]["is_published"]
    assert ("(forecast)" in shown) is is_forecast
    assert "Dearest tomorrow" in shown


def test_nothing_is_drawn_of_what_has_not_been(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.wait(lambda: browser.count("#past-chart canvas") == 4, "the chart of the day")
    late = "return pastFigure.runs.filter((run) => Date.parse(run.end) > Date.parse(latest.now))"
    assert browser.run(late) == []


def test_the_whole_of_it_is_in_sight(browser: Browser, url: str) -> None:
    browser.open(url, width=PHONE)
    browser.wait_for_text("#mode", " ")
    rights = (
        "return [...document.querySelectorAll('nav a')].map((a) => a.getBoundingClientRect().right)"
    )
    assert max(browser.run(rights)) <= PHONE
    for width in (DESKTOP, 1000, 800):
        assert hidden_of_table(browser, url, width) <= 0


def test_on_a_phone_reasons_stay_in_sight_wherever_the_table_is_scrolled_to(
    browser: Browser, url: str
) -> None:
    assert hidden_of_table(browser, url, PHONE) > 0
    ends = """const box = find("plan-table").parentElement;
        return [0, 1000].map((left) => {
            box.scrollLeft = left;
            const { left: from, right: to } =
                document.querySelector("#plan-table td.words").getBoundingClientRect();
            return [from >= 0, to <= innerWidth];
        });"""
    assert browser.run(ends) == [[True, True], [True, True]]


def hidden_of_table(browser: Browser, url: str, width: int) -> int:
    """By how many pixels the plan's table is wider than what is seen of it."""
    browser.open(url, width=width)
    browser.wait(lambda: browser.count("#plan-table tbody tr") > 0, "the table")
    browser.run("find('plan-details').open = true")
    box = "const box = find('plan-table').parentElement; return box.scrollWidth - box.clientWidth"
    return int(browser.run(box))


def test_what_the_battery_holds_is_told_beside_the_savings(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.wait_for_text("#savings-notes", "kWh above its reserve")


def test_the_pictures_are_of_this_size(browser: Browser, url: str, tmp_path: Path) -> None:
    browser.open(url)
    browser.wait(lambda: browser.count("#bills-chart canvas") == 1, "the charts")
    shot = tmp_path / "page.png"
    browser.screenshot(shot, height=1500)
    assert 50_000 < shot.stat().st_size < 300_000
