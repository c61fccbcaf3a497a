"""The page in a real browser, served by the real AppDaemon around the simulated home."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium.webdriver.common.keys import Keys

from appdaemon_process import NOT_FOUND, ROOT, LiveAppDaemon, running, shipped_apps
from battery_optimizer.adapters.web.savings import savings_box
from battery_optimizer.model.loss import Split
from battery_optimizer.model.modes import NO_POWER_KW
from battery_optimizer.model.money import Savings
from battery_optimizer.model.slots import local_day
from battery_optimizer.simulate.live import prepare
from browser.chromium import DESKTOP, IS_THERE, PHONE, Browser, breakable, chromium
from browser.past_days import live_through

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not IS_THERE, reason="no Chromium: apt install chromium chromium-driver"),
]

AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules/axe-core/axe.min.js"))
MOST_KB = 150
SLOWEST_LOAD_MS = 30_000
"""A very busy machine's; on an idle one it is some hundredths."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveAppDaemon]:
    folder, apps = tmp_path_factory.mktemp("page"), shipped_apps()
    (folder / "run").mkdir()
    live_through(
        folder / "run",
        apps["battery_optimizer"],
        end=datetime.now(UTC),
        hours=49,  # all of yesterday, whatever the hour
        step_minutes=30,
    )
    with running(folder, apps) as appdaemon:
        appdaemon.wait_for("battery_optimizer: Plan until")
        yield appdaemon


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser, live: LiveAppDaemon) -> Browser:
    return opened(browser, live)


def opened(
    browser: Browser, live: LiveAppDaemon, *, width: int = DESKTOP, dark: bool = False
) -> Browser:
    browser.open(live.page_url(), width=width, dark=dark)
    browser.wait(lambda: browser.count("#plan-chart canvas") == 3, "the chart")
    return browser


def coloured_pixels(browser: Browser, css: str) -> list[int]:
    """How many pixels each canvas has that are not clear."""
    return list(
        browser.run(
            """return [...document.querySelectorAll(arguments[0])].map((canvas) => {
                const { data } = canvas.getContext("2d")
                    .getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
                return count;
            })""",
            css,
        )
    )


def seen_as(told: dict[str, Any]) -> str:
    """A forced mode at no power is a battery that rests."""
    rests = told["power_kw"] is not None and told["power_kw"] < NO_POWER_KW
    return "hold" if rests else str(told["mode"])


def ask_again(browser: Browser) -> None:
    """As if the network were back, instead of waiting for the next poll."""
    browser.run("dispatchEvent(new Event('online'))")


def test_the_plan_is_drawn_and_nothing_complained_of(page: Browser) -> None:
    assert min(coloured_pixels(page, "#plan-chart canvas")) > 3000
    assert page.count("#plan-table tbody tr") == 96
    assert page.complaints() == []


def test_now_is_told_in_words(page: Browser) -> None:
    # All at once, and what the page was told: there may be a cycle at any moment.
    told, plan, reason, mode, n_others, said = page.run(
        """return [latest.recommendation, latest.plan, find("reason").textContent,
            find("mode").textContent, document.querySelectorAll("#alternatives .badge").length,
            find("alternatives").textContent];"""
    )
    assert breakable(reason) == told["reason"]
    assert breakable(mode).split(" at ")[0] in {
        "Self Use", "Hold", "Feed in", "Charge", "Discharge",
    }  # fmt: skip
    assert page.find("#demo").is_displayed()
    assert page.text("#gauge-text").endswith("%")
    assert "p/kWh" in page.text("#rates")
    # How many there are depends on the hour: what is hopeless now is not priced in every future.
    others = [other for other in plan["alternatives"] if seen_as(other) != seen_as(told)]
    assert n_others == len(others)
    is_dearer = any(other["extra_cost_p"] >= 0.05 for other in others)
    assert is_dearer == ("more" in said)
    assert "Octopus" in page.text("#problems")
    assert "Working, with problems" in page.text("#status")
    assert page.find("#pill").get_attribute("href").endswith("#health-box")


def slot_and_words(page: Browser, slot: int) -> tuple[dict[str, Any], str, str]:
    """A slot as the page was told it, and what the slider says: at once, for cycles go on."""
    told, shown, spoken = page.run(
        """return [latest.plan.slots[arguments[0]],
            document.querySelector("#plan-chart .readout").textContent,
            document.querySelector("#plan-chart .slider").getAttribute("aria-valuetext")];""",
        slot,
    )
    return told, breakable(shown), breakable(spoken)


def test_the_slider_walks_through_the_plan_by_keyboard(page: Browser) -> None:
    slider = page.find("#plan-chart .slider")
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    third, shown, spoken = slot_and_words(page, 2)
    assert third["reason"] in shown
    assert third["reason"] in spoken
    slider.send_keys(Keys.END)
    last, shown, _ = slot_and_words(page, 95)
    assert last["reason"] in shown


@pytest.mark.parametrize("kind", ["pointermove", "pointerdown"])
def test_a_half_hour_is_picked_by_pointer_or_tap(page: Browser, kind: str) -> None:
    page.run(
        """const over = document.querySelector("#plan-chart .u-over");
        const { left, top, width } = over.getBoundingClientRect();
        over.dispatchEvent(new PointerEvent(arguments[0],
            { clientX: left + width - 2, clientY: top + 5, bubbles: true }));""",
        kind,
    )
    last, shown, _ = slot_and_words(page, 95)
    assert last["reason"] in shown
    assert page.run("return document.querySelector('#plan-chart .u-select').clientWidth") > 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["battery_optimizer", "battery_optimizer_api"])
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser,
    live: LiveAppDaemon,
    name: str,
    dark: bool,  # noqa: FBT001 - a parameter
) -> None:
    opened(browser, live, width=PHONE, dark=dark)
    browser.run("document.getElementById('plan-details').open = true")
    if name != "battery_optimizer":
        browser.open(f"{live.url}/app/{name}", width=PHONE, dark=dark)
    assert browser.run("return document.documentElement.scrollWidth") == PHONE
    assert browser.complaints() == []


def test_dark_is_dark(browser: Browser, live: LiveAppDaemon) -> None:
    def brightness() -> int:
        ground = browser.run("return getComputedStyle(document.body).backgroundColor")
        return max(int(part) for part in ground[4:-1].split(","))

    opened(browser, live, dark=True)
    assert brightness() < 50
    dark = browser.run("return document.querySelector('#plan-chart canvas').toDataURL()")
    browser.cdp(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}]
    )
    browser.wait(lambda: brightness() > 200, "the light")
    # The chart follows at once, without being loaded again.
    shot = "return document.querySelector('#plan-chart canvas').toDataURL()"
    browser.wait(lambda: browser.run(shot) != dark, "the chart in light colours")


def test_a_past_day_shows_what_was_planned_and_what_happened(page: Browser) -> None:
    page.find("#day-before").click()
    yesterday = local_day(datetime.now(UTC)) - timedelta(days=1)
    page.wait_for_text("#past-words", f"{yesterday.day} {yesterday:%B}")
    page.wait(lambda: page.count("#past-chart canvas") == 4, "the chart of the day")
    assert min(coloured_pixels(page, "#past-chart canvas")) > 1000
    assert page.count("#past-totals tbody tr") == 6
    assert page.count("#past-decisions li") >= 3
    assert "half hours that are over" in page.text("#past-note")
    page.find("#past-chart .slider").send_keys(Keys.END)
    assert "23:30\u201300:00" in page.text("#past-chart .readout")
    page.find("#day-after").send_keys(Keys.ENTER)  # the way back by keyboard
    page.wait_for_text("#past-words", "so far")
    assert not page.find("#day-after").is_enabled()
    assert page.complaints() == []


def test_what_was_found_is_told(page: Browser) -> None:
    page.wait(lambda: page.count("#found li") >= 10, "what was found")
    assert "select.foxess_work_mode" in page.text("#found")
    assert "Solcast" in page.text("#found")
    # Octopus is not to be reached here: that is said once, and where it is missing how to find it.
    missing = page.run(
        "return [...document.querySelectorAll('#found .missing')].map((each) => each.textContent)"
    )
    assert sum("see the problem above" in each for each in missing) == 2
    assert page.text("body").count("Octopus is away") == 1
    assert "missing" in page.text("#found-words")


def test_powers_from_before_a_change_of_mode_are_called_so(page: Browser) -> None:
    words = """const told = structuredClone(latest);
        return arguments[0].map((result) => {
            told.recommendation.command_result = result;
            showNow(told);
            return find("powers-words").hidden ? "" : find("powers-words").textContent;
        });"""
    sent, unchanged = page.run(words, ["applied", "unchanged"])
    assert sent == "Measured just before this mode was sent."
    assert unchanged == ""


def test_what_keeps_a_plan_from_being_made_stands_at_the_top(page: Browser) -> None:
    assert not page.find("#trouble").is_displayed(), "there is a plan"
    words = """return arguments[0].map(([status, problem, reason]) => {
            showHealth({ ...latest.health, status, problems: [problem] }, latest.now, reason);
            return find("trouble").hidden ? null : find("trouble").textContent;
        });"""
    told = [
        ("kept_last_plan", "the solver took too long", "By the plan of 12:00: Charging."),
        ("safe_mode", "sensor.soc is unavailable", "Self Use, the safe mode: no plan"),
        ("safe_mode", "sensor.soc is odd", "Self Use, the safe mode: sensor.soc is odd"),
        ("degraded", "no sun is forecast", "Charging."),
    ]
    assert page.run(words, told) == [
        "The solver took too long.", "sensor.soc is unavailable.", None, None,
    ]  # fmt: skip


def test_forecasts_stand_beside_what_came(page: Browser) -> None:
    page.wait(lambda: page.count("#forecasts-table tbody tr") >= 3, "the days")
    assert "The forecast of the house was off by" in page.text("#forecasts-words")
    cells = page.run(
        "return [...document.querySelectorAll('#forecasts-table tbody tr:last-child *')]"
        ".map((cell) => cell.textContent)"
    )
    assert cells[0] == "All"
    assert all(float(cell) >= 0 for cell in cells[1:])


def test_the_charge_level_has_its_likely_range(page: Browser) -> None:
    slots = page.run("return latest.plan.slots")
    for slot in slots:
        assert slot["soc_low_percent"] <= slot["soc_end_percent"] <= slot["soc_high_percent"]
    assert max(slot["soc_high_percent"] - slot["soc_low_percent"] for slot in slots) > 5
    assert "Likely range" in page.text("#plan-chart")
    slider = page.find("#plan-chart .slider")
    slider.send_keys(Keys.END)
    last, shown, _ = slot_and_words(page, 95)
    low, high = (
        page.run("return number(arguments[0], 0)", last[f"soc_{end}_percent"])
        for end in ("low", "high")
    )
    assert (f"({low} to {high})" in shown) is (low != high)


def test_a_range_of_one_number_is_told_as_that(page: Browser) -> None:
    words = "return [range(4.21, 4.24), range(4.2, 5), range(-3.3, -0.9), range(-1, 2)]"
    assert page.run(words) == [
        "4.2", "4.2\u2060\u2013\u20605.0", "\u22123.3 to \u22120.9", "\u22121.0 to 2.0",
    ]  # fmt: skip
    words = "return [[20, 20.3], [20, 31], [null, null]].map(([low, high]) => "
    words += "likely({ soc_low_percent: low, soc_high_percent: high }))"
    assert page.run(words) == ["", " (20 to 31)", ""]


def test_hours_that_are_all_there_are_are_not_told_twice(page: Browser) -> None:
    words = """const hours = (start, end, rate) => ({
            lowest: rate, highest: rate, is_published: true,
            start: `2026-01-15T${start}:00Z`, end: `2026-01-15T${end}:00Z` });
        const [all, cheap, dear] = [hours(20, 22, 24.5), hours(20, 21, 5), hours(21, 22, 9)];
        return [["today", all, all], ["tomorrow", all, all], ["today", cheap, dear],
            ["today", null, null]].map(([name, cheapest, dearest]) =>
            windowsOf({ name, cheapest, dearest }, "2026-01-15T20:10:00Z"));"""
    assert page.run(words) == [
        [["The rest of today", "now\u201322:00, 24.5 p"]],
        [["All of tomorrow", "now\u201322:00, 24.5 p"]],
        [["Cheapest today", "now\u201321:00, 5.0 p"], ["Dearest today", "21:00\u201322:00, 9.0 p"]],
        [],
    ]


def test_energy_in_the_way_costs(page: Browser) -> None:
    words = """const told = structuredClone(latest);
        return arguments[0].map((value) => {
            told.plan.slots[0].energy_value = value;
            showNow(told);
            return find("rates").textContent;
        });"""
    saves, costs = (breakable(each) for each in page.run(words, [9.3, -0.9]))
    assert "One more stored kWh saves9.3 p" in saves
    assert "One more stored kWh costs0.9 p" in costs


def test_beside_todays_savings_stands_what_they_leave_out(page: Browser) -> None:
    page.wait_for_text("#savings-table", "This month")
    words = """const period = structuredClone(latest.savings.periods[0]);
        return [["Today so far", 2.31], ["Today so far", 0.2], ["Yesterday", -3]].map(
            ([name, kwh]) => {
                showSaved([{ ...period, name, stored_more_than_self_use_kwh: kwh }]);
                return find("saved-words").textContent;
            });"""
    more, little, not_today = page.run(words)
    assert breakable(more) == (
        "Not counted: the battery now holds 2.3 kWh more than it would with Self Use alone."
    )
    assert (little, not_today) == ("", "")


def test_every_other_thing_to_do_is_priced(page: Browser) -> None:
    plan, told = page.run("return [latest.plan, latest.recommendation]")
    others = {other["mode"] for other in plan["alternatives"]}
    # Without sun there is nothing to feed in; charging or selling may be what is done.
    assert {"self_use", "hold"} <= others | {told["mode"]}
    assert page.count("#alternatives .badge") >= 1


def test_a_day_without_records_says_so_and_the_next_one_is_drawn(page: Browser) -> None:
    page.run("document.getElementById('day').value = '2024-01-01'; showDay()")
    page.wait_for_text("#past-words", "Nothing was recorded on 01 January 2024")
    assert not page.find("#past-box").is_displayed()


def test_bills_and_savings_stand_side_by_side(page: Browser, live: LiveAppDaemon) -> None:
    # Before half past midnight today has no bill yet.
    page.wait_for_text("#savings-table", "Yesterday")
    assert "This month" in page.text("#savings-table") or local_day(datetime.now(UTC)).day == 1
    names = [row.text for row in page.driver.find_elements("css selector", "#savings-table th")]
    others = ["No battery", "Self Use alone", "Simple rules"]
    assert names[names.index("Bill") :][:5] == ["Bill", "Yours", *others]
    assert names[names.index("Saved against") :][:4] == ["Saved against", *others]
    told = live.endpoint(f"savings?from={datetime.now(UTC).date() - timedelta(days=3)}")
    yesterday = [row for row in told["rows"] if row["half_hours"] >= 46][-1]
    shown, saved = page.run(
        "const shown = inPence(arguments[0]);"
        "return [shown.bill_p, shown.saved_against_self_use_p].map(pounds)",
        yesterday,
    )
    assert shown in page.text("#savings-table")
    assert saved in page.text("#saved")
    assert "rates were made up" in page.text("#savings-notes")
    links = page.run("return [...document.querySelectorAll('#savings-box a')].map((a) => a.href)")
    assert all(link.startswith(f"{live.url}/app/battery_optimizer_savings?by=") for link in links)
    assert page.complaints() == []


def test_figures_that_stand_together_add_up_as_they_are_shown(page: Browser) -> None:
    """Each rounded by itself they would be a penny out."""
    row = {
        "bill_p": 144.8, "import_p": 123.4, "export_p": 0.0, "standing_p": 21.4,
        "no_battery_bill_p": 210.4, "self_use_bill_p": 144.4, "reactive_bill_p": 30.0,
    }  # fmt: skip
    shown = page.run("return inPence(arguments[0])", row)
    assert shown["bill_p"] == 145
    assert shown["import_p"] - shown["export_p"] + shown["standing_p"] == 145
    assert (shown["saved_against_no_battery_p"], shown["saved_against_self_use_p"]) == (65, -1)
    unknown = page.run("return inPence(arguments[0])", {**row, "bill_p": 123.4, "standing_p": None})
    assert (unknown["bill_p"], unknown["import_p"], unknown["standing_p"]) == (123, 123, None)
    parts = page.run("return addingUp(-0.3, [0.26, -0.26, -0.26, 0, 0], 0.1)")
    assert sum(parts) == pytest.approx(-0.3)


def test_what_each_of_the_last_days_lost_stands_in_a_table(page: Browser) -> None:
    """No house lives through a day within the time of a test: so these are given."""
    split = Split(
        start=datetime(2026, 1, 15, tzinfo=UTC),
        bill_p=140.0,
        load_p=3.0,
        solar_p=-1.0,
        rates_p=0.5,
        inverter_p=1.0,
        mode_p=0.25,
        optimizer_p=0.25,
    )
    before = replace(split, start=split.start - timedelta(days=1), n_bridged=1, n_sessions=2)
    lost = savings_box(Savings(lately=(split, before)))["lost"]
    page.wait_for_text("#savings-table", "Yesterday")
    words, rows, notes = page.run(
        """showLost(arguments[0]);
        const texts = (css) => [...document.querySelectorAll(css)].map((each) => each.textContent);
        const rows = [...document.querySelectorAll("#lost-table tbody tr")];
        const cells = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
        return [texts("#lost-words")[0], cells, texts("#lost-notes li")];""",
        lost,
    )
    assert words == "No day of this month has been looked back on yet."
    # The parts add up as they are shown.
    pence = ("4.0", "3.0", "\N{MINUS SIGN}1.0", "0.5", "1.2", "0.3")
    figures = ["£1.40", *(f"{each}\u00a0p" for each in pence)]
    assert rows == [["Thu 15 Jan", *figures], ["Wed 14 Jan", *figures]]
    unmetered, session = notes
    assert unmetered == "Wed 14 Jan: 1 half hour not metered, taken as the mean of those beside."
    assert session.startswith("Wed 14 Jan: a session of Octopus was on. What it pays is not in")
    assert page.complaints() == []


def test_bills_are_drawn_by_day_and_told_by_month(page: Browser, live: LiveAppDaemon) -> None:
    page.wait(lambda: page.count("#bills-chart canvas") == 1, "the chart of bills")
    assert min(coloured_pixels(page, "#bills-chart canvas")) > 1000
    days = live.endpoint(f"savings?from={datetime.now(UTC).date() - timedelta(days=3)}")["rows"]
    slider = page.find("#bills-chart .slider")
    slider.send_keys(Keys.HOME)
    start = datetime.fromisoformat(days[0]["first_day"])
    assert f"{start:%A} {start.day} {start:%B}" in page.text("#bills-chart .readout")
    assert page.run("return pounds(arguments[0])", days[0]["bill_p"]) in page.text("#bills-chart")
    months = live.endpoint("savings?by=month")["rows"]
    assert page.count("#months-table tbody tr") == len(months)
    saved = page.run("return pounds(inPence(arguments[0]).saved_against_self_use_p)", months[-1])
    assert saved in page.text("#months-table")
    assert page.complaints() == []


def test_each_part_of_the_page_is_a_link_away(page: Browser) -> None:
    links = page.run(
        "return [...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))"
    )
    assert len(links) == 7
    assert all(page.count(f"section{link}") == 1 for link in links)


def test_it_is_small_and_soon_there(page: Browser) -> None:
    entries = page.run(
        """return [...performance.getEntriesByType("navigation"),
                   ...performance.getEntriesByType("resource")]
            .map((entry) => [entry.name, entry.decodedBodySize, entry.transferSize]);"""
    )
    assert {name.partition("?")[0] for name, _, _ in entries} == {
        page.run("return location.href")
    }, "everything comes from its own address"
    document = entries[0]
    assert 0 < document[1] < MOST_KB * 1000
    timing = page.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert timing < SLOWEST_LOAD_MS


def test_no_serious_fault_of_accessibility(browser: Browser, live: LiveAppDaemon) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: npm install --no-save axe-core, or set AXE_CORE")
    for name in ("battery_optimizer", "battery_optimizer_api"):
        for width in (DESKTOP, PHONE):
            for dark in (False, True):
                opened(browser, live, width=width, dark=dark)
                browser.run("document.getElementById('plan-details').open = true")
                if name != "battery_optimizer":
                    browser.open(f"{live.url}/app/{name}", width=width, dark=dark)
                browser.cdp("Runtime.evaluate", expression=AXE.read_text(encoding="utf-8"))
                found = browser.driver.execute_async_script(
                    "const done = arguments[0]; axe.run(document).then((told) => done(told));"
                )
                assert [fault["id"] for fault in found["violations"]] == []


def test_an_app_that_is_away_is_said_to_be_and_comes_back(
    page: Browser, live: LiveAppDaemon
) -> None:
    """As when Home Assistant restarts: AppDaemon stops the app, and starts it again."""
    service = "/api/appdaemon/service/admin/app"
    live.post(f"{service}/stop", {"app": "battery_optimizer"})
    live.wait_for("Stopped; the inverter is set to Self Use")
    # It says so before its last endpoint is closed.
    health = "/api/appdaemon/battery_optimizer_health"
    live.wait_until(lambda: live.get(health).status_code == NOT_FOUND, "closed endpoints")
    ask_again(page)
    page.wait_for_text("#away", "the app is not running: Home Assistant may be away")
    assert page.find("#away").is_displayed()
    assert "No answer" in page.text("#status")
    assert "just now" not in page.text("#status")
    assert page.count("#plan-table tbody tr") == 96, "what was known stays to be read"
    plans = live.log.count("battery_optimizer: Plan until")
    live.post(f"{service}/start", {"app": "battery_optimizer"})
    live.wait_until(lambda: live.log.count("battery_optimizer: Plan until") > plans, "a plan")
    ask_again(page)
    page.wait(lambda: not page.find("#away").is_displayed(), "the page's recovery")


def test_a_stopped_appdaemon_is_said_to_be_away(page: Browser, live: LiveAppDaemon) -> None:
    """The last test of this AppDaemon."""
    live.stop()
    ask_again(page)
    page.wait_for_text("#away", "AppDaemon does not answer")
    assert re.search(r"Trying again every \d+ seconds", page.text("#away"))
    rarer = r"every (6|12|24|48|60) seconds"
    page.wait(lambda: re.search(rarer, page.text("#away")), "rarer tries")


def test_before_there_is_an_inverter_it_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, shipped_apps(entities={}), has_home=False) as live:
        live.wait_for("Not started yet: no inverter found")
        browser.open(live.page_url())
        browser.wait_for_text("#mode", "No plan yet")
        browser.wait_for_text("#problems", "install foxess_modbus")
        assert "install foxess_modbus" in browser.text("#trouble")
        assert "no plan to draw" in browser.text("#plan-words")
        browser.wait_for_text("#past-words", "not found its inverter yet")
        refused = [line for line in browser.complaints() if "503" not in line]
        assert refused == []


def test_a_page_opened_before_anything_is_there_shows_the_plan_once_there_is_one(
    browser: Browser, tmp_path: Path
) -> None:
    """An empty store and no inverter; then the home comes, and nobody touches the page."""
    with running(tmp_path, shipped_apps(entities={}), has_home=False) as live:
        live.wait_for("Not started yet")
        browser.open(live.page_url())
        browser.wait_for_text("#mode", "No plan yet")
        browser.wait_for_text("#problems", "install foxess_modbus")
        browser.wait_for_text("#found", "see the problem above")
        browser.wait_for_text("#forecasts-words", "not found its inverter yet")
        prepare(tmp_path / "made", environment={}, root=tmp_path / "checkout")
        made = yaml.safe_load((tmp_path / "made" / "apps" / "simulated_home.yaml").read_text())
        home = {"simulated_home": made["simulated_home"]}
        (live.folder / "apps" / "home.yaml").write_text(yaml.safe_dump(home))
        live.wait_for("battery_optimizer: Plan until")  # it looks again each half minute
        browser.wait(lambda: browser.count("#plan-chart canvas") == 3, "the chart")
        browser.wait_for_text("#found", "sensor.foxess_load_power")
        browser.wait_for_text("#forecasts-words", "No half hour that is over")
        assert not browser.find("#away").is_displayed()


def test_markup_in_names_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    name = "sensor.<img src=x onerror=document.title='hacked'>"
    entities = {"prefix": "foxess", "soc": name}
    with running(tmp_path, shipped_apps(entities=entities)) as live:
        live.wait_for("Problem: sensor.<img")
        browser.open(live.page_url())
        browser.wait_for_text("#problems", "<img src=x")
        assert browser.count("img") == 0
        assert browser.driver.title == "Battery Optimizer"
        assert "Safe mode" in browser.text("#status")
        assert not browser.find("#gauge").is_displayed()
        assert browser.complaints() == []
