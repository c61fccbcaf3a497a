"""Comparing variants: the same outcome on one core, on several, and on a Dask cluster."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import numpy as np
import pytest
from distributed import LocalCluster

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import DataError
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.backtest import Policy, Run, play
from battery_optimizer.simulate.compare import run as compare_module
from battery_optimizer.simulate.compare.report import report, terminal_table
from battery_optimizer.simulate.compare.run import Job, Outcome, all_played
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.progress import Progress
from builders import a_battery, a_house
from recordings import a_home, recorded_days, written

HOUSE = a_house(a_battery(efficiency=0.95, reserve_kwh=1.0), export_limit_kw=6)
POLICIES = (Policy.REACTIVE, Policy.SELF_USE)
APPS_YAML = """
battery_optimizer:
  module: battery_optimizer.app
  class: BatteryOptimizer
  battery: {capacity_kwh: 10, max_charge_kw: 3.6, max_discharge_kw: 3.6}
  rates: {import_product: agile, fixed_export_p: 5, standing_charge_p: 50}
"""


@cache
def days_of(seed: int = 1) -> RecordedDays:
    with TemporaryDirectory() as folder:
        path = written(recorded_days(n_slots=2 * 48, seed=seed), Path(folder))
        return RecordedDays.read(path, pv_kwp=3.0)


def jobs(standing_p: float = 50.0) -> list[Job]:
    """Two homes, each under two policies."""
    return [
        Job(
            home=f"home {seed}",
            variant=str(policy),
            run=Run(house=HOUSE, days=days_of(seed), start_soc_kwh=5.0, policy=policy),
            standing_p=standing_p,
        )
        for seed in (1, 2)
        for policy in POLICIES
    ]


def quiet(_words: str, _share: float) -> None:
    """Nobody is told."""


@cache
def serial() -> list[Outcome]:
    return all_played(jobs(), n_jobs=1, tell=quiet)


def bare(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Without the time that they took."""
    return [replace(outcome, seconds=0.0) for outcome in outcomes]


def test_an_outcome_is_the_backtests_bill_with_the_standing_charge() -> None:
    for job, outcome in zip(jobs(), serial(), strict=True):
        steps = list(play(job.run))
        assert outcome.total_p == pytest.approx(sum(step.cost_p for step in steps) + 2 * 50)
        assert outcome.n_days == 2
        assert outcome.p_a_day == pytest.approx(outcome.total_p / 2)
        assert len(outcome.days) == 2


def test_part_of_a_day_owes_part_of_the_standing_charge() -> None:
    short = days_of().part(None, 0.5)
    (job,) = [replace(job, run=replace(job.run, days=short)) for job in jobs()[:1]]
    (outcome,) = all_played([job], n_jobs=1, tell=quiet)
    energy_p = sum(step.cost_p for step in play(job.run))
    assert outcome.total_p - energy_p == pytest.approx(50 / 2)


def test_several_processes_find_the_same_in_the_same_order() -> None:
    told: list[tuple[str, float]] = []
    parallel = all_played(jobs(), n_jobs=2, tell=lambda *so_far: told.append(so_far))
    assert bare(parallel) == bare(serial())
    done = [words for words, _ in told if words]
    assert {words.partition(" played")[0] for words in done} == {
        outcome.label for outcome in parallel
    }
    assert told[-1][1] == 1.0


def test_the_work_is_joblibs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    class Watched(joblib.Parallel):  # type: ignore[misc]
        def __init__(self, **options: object) -> None:
            asked.append(options)
            super().__init__(**options)

    monkeypatch.setattr(joblib, "Parallel", Watched)
    all_played(jobs()[:2], n_jobs=2, tell=quiet)
    assert [options["n_jobs"] for options in asked] == [2]
    all_played(jobs()[:2], n_jobs=1, tell=quiet)
    assert len(asked) == 1, "one core needs no joblib"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as made:
        yield made


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_dask_cluster_of_two_workers_finds_the_same(cluster: LocalCluster) -> None:
    before = cluster.scheduler.transition_counter
    found = all_played(jobs(), dask=cluster.scheduler_address, tell=quiet)
    assert bare(found) == bare(serial())
    assert cluster.scheduler.transition_counter > before, "the cluster did the work"


def test_a_scheduler_that_is_not_there_is_told() -> None:
    with pytest.raises(DataError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        all_played(jobs(), dask="tcp://127.0.0.1:1", tell=quiet)


def test_without_joblib_one_core_does_and_more_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert bare(all_played(jobs()[:1], n_jobs=1, tell=quiet)) == bare(serial()[:1])
    with pytest.raises(DataError, match=r"requirements-compare\.txt, or use one core"):
        all_played(jobs(), n_jobs=2, tell=quiet)


class Parts(HTMLParser):
    """What a page is made of, and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_report_is_one_file_with_charts_that_loads_nothing() -> None:
    html = report(serial(), ["home 1: <b>a gap</b>"])
    parts = Parts(html)
    assert parts.loads == []
    assert "script" not in parts.tags
    assert parts.tags.count("svg") == 4
    assert "&lt;b&gt;a gap&lt;/b&gt;" in html
    for outcome in serial():
        assert f"{outcome.p_a_day:.1f}" in html


def test_long_runs_are_drawn_by_month() -> None:
    each = serial()[0]
    day, first = next(iter(each.days.items()))
    long = replace(each, days={day + timedelta(days=t): first for t in range(70)})
    html = report([long], [])
    assert "month by month" in html
    assert "day by day" in report(serial(), [])


def test_more_variants_than_colours_are_cut_and_that_is_said() -> None:
    each = serial()[0]
    html = report([replace(each, variant=f"number {t}") for t in range(8)], [])
    assert "the first 6 variants" in html
    assert "8 number 7" in html
    assert "first 6 variants" not in report(serial(), [])


def test_the_table_is_against_the_first_line_of_each_home() -> None:
    lines = terminal_table(serial()).splitlines()
    assert lines[0] == "home 1, 14 Jan 2026 to 15 Jan 2026"
    assert lines[2].split()[3:5] == ["0.0", "-"]
    saved = serial()[0].net_p_a_day - serial()[1].net_p_a_day
    assert lines[3].split()[3] == f"{saved:.1f}"


def test_what_is_left_in_the_battery_is_worth_what_a_stored_kwh_was() -> None:
    for job, outcome in zip(jobs(), serial(), strict=True):
        steps, battery = list(play(job.run)), job.run.house.battery
        cost_p = sum(
            (step.import_rate if step.flows.grid_import_kwh > 1e-9 else step.export_rate)
            * step.flows.charge_kwh
            for step in steps
        )
        stored_kwh = battery.charge_efficiency * sum(step.flows.charge_kwh for step in steps)
        saved_p = sum(
            (step.export_rate if step.flows.grid_export_kwh > 1e-9 else step.import_rate)
            * step.flows.discharge_kwh
            for step in steps
        )
        drawn_kwh = sum(step.flows.discharge_kwh for step in steps) / battery.discharge_efficiency
        assert drawn_kwh > 1
        per_kwh = [cost_p / stored_kwh] if stored_kwh else []
        per_kwh += [saved_p / drawn_kwh]
        more_kwh = outcome.end_soc_kwh - outcome.start_soc_kwh
        assert abs(more_kwh) > 0.1
        assert outcome.left_p == pytest.approx(more_kwh * np.mean(per_kwh))
        assert outcome.net_p_a_day == pytest.approx(outcome.p_a_day - outcome.left_p / 2)


def test_a_battery_that_ends_fuller_has_saved_more() -> None:
    first, other = (
        serial()[0],
        replace(serial()[0], variant="fuller", left_p=serial()[0].left_p + 60),
    )
    table = terminal_table([first, other]).splitlines()
    assert table[3].split()[3] == "30.0"
    assert f"{first.start_soc_kwh:.1f} to {first.end_soc_kwh:.1f}" in table[2]
    assert f"{first.left_p / 100:+.2f}" in table[2]
    assert "that saves 30.0 p a day." in table[-1]


def of_days(outcome: Outcome, n_days: int) -> Outcome:
    day, first = next(iter(outcome.days.items()))
    return replace(outcome, days={day + timedelta(days=t): first for t in range(n_days)})


def test_too_few_days_say_nothing_of_a_year() -> None:
    first = replace(serial()[0], left_p=0.0)
    cheap = replace(first, variant="cheap", standing_p=first.standing_p - 20)
    few = terminal_table([of_days(first, 13), of_days(cheap, 13)])
    assert few.splitlines()[3].split()[3:5] == ["20.0", "-"]
    assert "year" not in few.splitlines()[-1]
    enough = terminal_table([of_days(first, 14), of_days(cheap, 14)])
    assert enough.splitlines()[3].split()[3:5] == ["20.0", "73"]
    assert enough.endswith("in a year of such days GBP 73.")


def test_a_bill_below_zero_is_what_the_house_earns() -> None:
    first = replace(serial()[0], left_p=0.0, standing_p=serial()[0].standing_p - 10_000)
    earned = f"it earns {-first.p_a_day:.0f} p a day."
    assert terminal_table([first]).endswith(f"Nothing is cheaper than 'reactive': {earned}")


def test_days_in_part_are_in_no_title_and_no_chart_of_days() -> None:
    """A run of UTC days in summer begins an hour late by the clock, and ends an hour late."""
    path_days = days_of()
    summer = timedelta(days=203)
    moved = {
        name: replace(getattr(path_days, name), start=getattr(path_days, name).start + summer)
        for name in ("imports", "exports", "load_kw", "solar_kw", "solar_p10_kw", "solar_p50_kw",
                     "solar_p90_kw")
    }  # fmt: skip
    days = replace(
        path_days,
        run_start=path_days.run_start + summer,
        run_end=path_days.run_end + summer,
        **moved,
    )
    job = replace(jobs()[0], run=replace(jobs()[0].run, days=days))
    (outcome,) = all_played([job], n_jobs=1, tell=quiet)
    assert [f"{day:%d %b}" for day in outcome.days] == ["05 Aug", "06 Aug", "07 Aug"]
    assert terminal_table([outcome]).startswith("home 1, 05 Aug 2026 to 06 Aug 2026")
    charts = report([outcome], []).partition("Day by day")[0]
    assert "06 Aug" in charts
    assert "07 Aug" not in charts
    assert outcome.n_days == 2


def run(*arguments: str | Path) -> int:
    return main(["compare", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    return written(recorded_days(), tmp_path), a_home(tmp_path)


def test_the_command_compares_and_writes_its_files(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, home = files
    (tmp_path / "v.yaml").write_text("more sun: {solar_scale: 2, policy: self_use}\n")
    code = run(
        "--data", data, "--home", home, "--start", "2026-01-15", "--days", "0.25", "--jobs", 1,
        "--variants", "v.yaml", "--variant", "cheap: policy=self_use standing_p=10",
        "--standing", 50, "--json", "found.json", "--report", "out.html",
    )  # fmt: skip
    assert code == 0
    shown = capsys.readouterr()
    for name in ("as it is", "as it is, Self Use alone", "as it is, no battery", "more sun"):
        assert re.search(rf"^{name}  ", shown.out, re.MULTILINE)
        assert f"data: {name} played in" in shown.err
    found = {each["variant"]: each for each in json.loads(Path("found.json").read_text())}
    assert found["as it is"]["days"] == 0.25
    dearer_p = found["as it is, Self Use alone"]["bill_p"] - found["cheap"]["bill_p"]
    assert dearer_p == pytest.approx(0.25 * 40)
    assert Path("out.html").read_text().startswith("<!doctype html>")


def test_several_homes_are_told_apart(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, home = files
    (tmp_path / "other").mkdir()
    other = written(recorded_days(seed=3), tmp_path / "other")
    assert run("--data", data, other, "--home", home, "--days", "0.1", "--jobs", 1) == 0
    out = capsys.readouterr().out
    assert "data (1), " in out
    assert "data (2), " in out


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two days of one's own; what is sold has a fixed rate."""
    days = days_of()
    store = Store(tmp_path / "battery_optimizer.db")
    load = SlotSeries(start=days.load_kw.start, values=days.load_kw.values.copy())
    load.values[20] = np.nan
    store.seed_observations(Observations(load_kw=load, solar_kw=days.solar_kw))
    starts = [
        days.imports.start + (days.imports.end - days.imports.start) / 96 * t for t in range(96)
    ]
    store.save_rates(
        direction=Direction.IMPORT,
        source="octopus agile",
        rates=[UnitRate(start=at, end=None, p_per_kwh=days.imports.at(at)) for at in starts],
        fetched_at=starts[0],
    )
    store.close()
    return tmp_path / "battery_optimizer.db"


def test_ones_own_history_is_compared(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "apps.yaml").write_text(APPS_YAML)
    own = ("--database", database, "--settings", "apps.yaml", "--jobs", 1)
    assert run(*own, "--days", "0.25") == 0
    shown = capsys.readouterr()
    assert "battery_optimizer, 14 Jan 2026 to 14 Jan 2026" in shown.out
    assert "of the values 1 were missing" in shown.err
    assert "of the values 1 were missing" in Path("compare.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "data.csv"], "--home is missing"),
        (["--data", "gone.csv", "--home", "home.json"], "cannot be read as CSV"),
        (["--data", "data.csv", "--home", "home.json", "home.json"], "need one --home or as many"),
        (["--database", "gone.db"], "--settings is missing"),
        (["--database", "gone.db", "--settings", "apps.yaml"], "there is no such file"),
        (["--database", "empty.db", "--settings", "apps.yaml"], "no load was ever metered"),
        (["--data", "data.csv", "--home", "home.json", "--variant", "x: size=1"], "is not a key"),
        (["--data", "data.csv", "--home", "home.json", "--variants", "none.yaml"], "as YAML"),
        (["--data", "data.csv", "--home", "home.json", "--jobs", "0"], "--jobs must be 1 or more"),
        (["--data", "data.csv", "--home", "home.json", "--report", "no/x.html"], "be written"),
        (["--data", "gap.csv", "--home", "home.json"], "row 12, column time"),
        (["--data", "data.csv", "--home", "home.json", "--days", "0"], "less than a half hour"),
    ],
)
def test_what_cannot_be_compared_is_told_and_ends_with_2(
    files: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    del files
    (tmp_path / "apps.yaml").write_text(APPS_YAML)
    written(recorded_days().drop(index=10), tmp_path, "gap.csv")
    empty = Store(tmp_path / "empty.db")
    empty.put_state("key", "value")
    empty.close()
    assert run(*arguments) == BAD_INPUT
    assert words in capsys.readouterr().err


def test_on_a_terminal_there_is_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress()
    progress.tell("", 0.5)
    progress.tell("", 0.25)  # it never goes back
    progress.tell("home: variant played in 1 s", 1.0)
    progress.end()
    err = capsys.readouterr().err
    assert "[" + "#" * 15 + " " * 15 + "]  50%" in err
    assert " 25%" not in err
    assert "100%" in err


def test_the_bar_tells_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(started=time.monotonic() - 600)
    progress.tell("", 0.01)  # too soon to say
    progress.tell("", 0.25)
    progress.tell("", 0.96)
    assert re.findall(r"% +(\d+ \w+(?: left)?)", capsys.readouterr().err) == [
        "600 s", "30 min left", "25 s left",
    ]  # fmt: skip


def test_rules_of_thumb_count_for_little_of_the_work() -> None:
    by_rules = jobs()[0]
    planned = replace(by_rules, run=replace(by_rules.run, policy=Policy.PLANNER))
    assert planned.work == planned.n_steps
    assert by_rules.work < planned.work / 50


def test_the_cheapest_is_named_in_words() -> None:
    first, second = serial()[:2]
    cheap = replace(second, variant="larger battery", standing_p=second.standing_p - 1000)
    text = report([first, cheap], [])
    assert "The cheapest is &#x27;larger battery&#x27;" in text
    assert "with what the battery holds at the end that saves 10" in text
    dear = replace(second, standing_p=second.standing_p + 1000)
    assert f"Nothing is cheaper than '{first.variant}'" in terminal_table([first, dear])


def test_while_others_work_their_notes_tell_how_far_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_module, "_LOOK_EVERY_S", 0.01)
    (tmp_path / "0").write_text("48")
    told: list[float] = []
    with compare_module._watched(
        jobs()[:2], [tmp_path / "0", tmp_path / "1"], lambda _, share: told.append(share)
    ):
        while not told:
            pass
    assert told[0] == pytest.approx(48 / 192)
