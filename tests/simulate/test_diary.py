"""A backtest's diary and the store's yesterday tell the same day alike; the report shows it."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from battery_optimizer.hindsight.loss import Hindsight
from battery_optimizer.model.slots import UK
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.backtest import Forecast, Policy, Run, Step, play, summary
from battery_optimizer.simulate.diary import Diary, loss_figures, split_table
from battery_optimizer.simulate.report.backtest import report_of
from lived_days import DAY, PLAYED, SETTINGS, a_run, lived
from recordings import a_home, recorded_days, written


def test_each_day_has_its_split_and_the_steps_lose_their_outlooks() -> None:
    diary, steps = lived(days=1.25)
    assert [split.start.day for split in diary.splits] == [15, 16]
    assert sum(split.bill_p for split in diary.splits) == pytest.approx(
        sum(step.cost_p for step in steps)
    )
    assert all(split.distance_p >= -0.05 for split in diary.splits)
    assert all(step.outlook is None for step in steps)
    assert len(diary.expected) == len(steps) == 60
    table = split_table(diary.splits)
    parts = table[["load_p", "solar_p", "rates_p", "inverter_p", "mode_p", "optimizer_p"]]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(table["distance_p"].to_numpy(), abs=1e-3)
    figures = loss_figures(diary.splits, 1.25)
    assert figures["distance_p_per_day"] == pytest.approx(
        table["distance_p"].sum() / 1.25, abs=0.01
    )
    assert loss_figures([], 1.0) == {}


def test_the_replay_with_the_forecasts_as_used_is_what_happened() -> None:
    diary = Diary(a_run(), is_splitting=True)
    days = []

    class Noted(Hindsight):
        def split(self, day):  # noqa: ANN001, ANN202
            days.append(day)
            return super().split(replace(day, is_played=False))

    diary._hindsight = Noted(PLAYED, SETTINGS)
    list(diary.kept(play(a_run())))
    assert days[0].is_played
    assert diary.splits[0].inverter_p == pytest.approx(0, abs=0.01)
    assert diary.splits[0].distance_p == pytest.approx(lived()[0].splits[0].distance_p, abs=0.01)


def test_with_perfect_forecasts_load_and_sun_cost_nothing() -> None:
    run = a_run(forecast=Forecast.PERFECT)
    diary = Diary(run, is_splitting=True)
    list(diary.kept(play(run)))
    assert diary.splits[0].load_p == pytest.approx(0, abs=0.02)
    assert diary.splits[0].solar_p == pytest.approx(0, abs=0.02)


def test_a_policy_without_plans_has_no_splits() -> None:
    run = replace(a_run(), policy=Policy.SELF_USE)
    diary = Diary(run, is_splitting=True)
    assert len(list(diary.kept(play(run)))) == 48
    assert diary.splits == []
    assert diary.expected == []


def test_in_steps_of_five_minutes_each_half_hour_is_noted_once() -> None:
    run = a_run(days=1 / 24, minutes=5)
    diary = Diary(run, is_splitting=False)
    assert len(list(diary.kept(play(run)))) == 12
    assert len(diary.expected) == 2


class Page(HTMLParser):
    """What a page holds: its tags, their addresses, its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "path", "rect", "circle", "polyline", "polygon"}:
            self.open.append(tag)
        self.addresses += [f"{value}" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"path", "rect", "circle", "polyline", "polygon"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def report_html(diary: Diary, run: Run, steps: list[Step]) -> str:
    return report_of(run, summary(run, steps), steps, diary).html()


def test_the_report_is_one_page_that_needs_no_network() -> None:
    diary, steps = lived(days=1.25)
    html = report_html(diary, a_run(days=1.25), list(steps))
    page = Page(html)
    assert page.open == []
    assert page.addresses == []
    assert "://" not in html
    assert "nan" not in html.lower()
    assert page.tags.count("svg") == page.tags.count("figcaption") == 14
    for words in (
        "best in hindsight", "price forecast", "optimizer", "Saved since the start",
        "Load: error by lead time", "Solar: each day", "Mode changes", "Time of a decision",
        "2026-01-16",
    ):  # fmt: skip
        assert words in page.words, words


def test_nothing_lost_has_no_minus() -> None:
    diary, steps = lived(days=1.25)
    run = a_run(days=1.25)
    report = report_of(run, summary(run, list(steps)), list(steps), diary)
    splits = [replace(split, optimizer_p=-1e-9) for split in report.splits]
    assert ">-0.0<" not in replace(report, splits=splits).html()


def test_the_report_says_what_the_battery_held_and_names_whole_days() -> None:
    """Two days and a half by the clock: the half one is in no title."""
    run = replace(a_run(days=2.5), policy=Policy.SELF_USE)
    diary = Diary(run, is_splitting=False)
    steps = list(diary.kept(play(run)))
    figures = summary(run, steps)
    page = Page(report_html(diary, run, steps))
    first, last = (steps[place].time.astimezone(UK) for place in (0, 95))
    assert f"Backtest {first:%d %b %Y} to {last:%d %b %Y}" in page.words
    assert f"Stored, start to end{run.start_soc_kwh:.1f} to {figures['end_soc_kwh']:.1f} kWh" in (
        page.words
    )
    assert "Stored, start to end, reactive rules" in page.words
    assert figures["start_soc_kwh"] == run.start_soc_kwh


def test_a_report_without_forecasts_or_splits_shows_the_money() -> None:
    run = replace(a_run(), policy=Policy.SELF_USE)
    diary = Diary(run, is_splitting=False)
    page = Page(report_html(diary, run, list(diary.kept(play(run)))))
    assert page.open == []
    assert "reactive rules" in page.words
    assert "hindsight" not in page.words


def test_a_long_run_is_drawn_week_by_week() -> None:
    run = replace(a_run(days=3), policy=Policy.SELF_USE)
    diary = Diary(run, is_splitting=False)
    steps = list(diary.kept(play(run)))
    long = [replace(step, time=step.time + n * 3 * DAY) for n in range(20) for step in steps]
    report = report_of(run, summary(run, long), long, diary)
    html = replace(report, baselines={}).html()
    assert "Bill, week by week" in html
    assert html.count("2026-0") >= 60


def test_the_command_line_writes_the_split_and_the_report(tmp_path: Path) -> None:
    data = written(recorded_days(), tmp_path)
    split, report = tmp_path / "split.csv", tmp_path / "report.html"
    arguments = ["--data", str(data), "--home", str(a_home(tmp_path)), "--days", "0.25"]
    start = ["--start", "2026-01-15", "--split", str(split), "--report", str(report)]
    assert main(["backtest", *arguments, *start]) == 0
    table = pd.read_csv(split)
    assert table["day"].tolist() == ["2026-01-15"]
    assert "Where the money went" in report.read_text()
    missing = str(tmp_path / "none" / "report.html")
    assert main(["backtest", *arguments, "--report", missing]) == BAD_INPUT
