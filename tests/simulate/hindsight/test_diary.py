"""A backtest's diary and the store's yesterday tell the same day alike; the report shows it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import DataError
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult
from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.loss import Yesterday
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy, Telemetry
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.backtest import Forecast, Policy, Run, Step, play, summary
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.hindsight.diary import Diary, loss_figures, split_table
from battery_optimizer.simulate.hindsight.loss import Hindsight
from battery_optimizer.simulate.hindsight.review import PLANS_A_LOOK, Review, lived_day
from battery_optimizer.simulate.house import as_played
from battery_optimizer.simulate.report.backtest import report_of
from builders import a_battery, a_house
from recordings import a_home, recorded_days, written

HOUSE: House = a_house(
    a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20, export_limit_kw=6
)
PLAYED = as_played(HOUSE)
SETTINGS = PlannerSettings(horizon_hours=24)
DAY = timedelta(days=1)
START_KWH = 5.0


@cache
def a_run(
    *,
    days: float = 1.0,
    forecast: Forecast = Forecast.HISTORY,
    minutes: int = 30,
    house: House = HOUSE,
) -> Run:
    """The second recorded day and on; the first is history."""
    with TemporaryDirectory() as folder:
        path = written(recorded_days("2026-01-14", 4 * 48), Path(folder))
        recorded = RecordedDays.read(path, pv_kwp=3.0)
    start = recorded.run_start + DAY
    return Run(
        house=house,
        days=replace(recorded, run_start=start, run_end=start + days * DAY),
        start_soc_kwh=START_KWH,
        forecast=forecast,
        step=timedelta(minutes=minutes),
        settings=SETTINGS,
    )


@cache
def lived(*, days: float = 1.0) -> tuple[Diary, tuple[Step, ...]]:
    diary = Diary(a_run(days=days), is_splitting=True)
    return diary, tuple(diary.kept(play(a_run(days=days))))


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


class Kept:
    """A backtest's days written to a real store, as the app would have; its rates."""

    def __init__(self, store: Store, run: Run) -> None:
        days = run.days
        self._days = days
        store.seed_observations(Observations(load_kw=days.load_kw, solar_kw=days.solar_kw))
        for step in play(run):
            store.record(
                CycleOutcome(
                    at=step.time,
                    result=CycleResult.PLANNED,
                    command=step.command,
                    command_result=CommandResult.UNCHANGED,
                    reason="",
                    telemetry=Telemetry(measured_at=step.time, soc_kwh=step.soc_kwh),
                    outlook=step.outlook,
                )
            )
            store.save_slot_energy(
                kind=EnergyKind.METERED,
                energy=SlotEnergy(
                    start=step.time,
                    grid_import_kwh=step.flows.grid_import_kwh,
                    grid_export_kwh=step.flows.grid_export_kwh,
                    discharge_kwh=step.flows.discharge_kwh,
                ),
            )

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:  # noqa: ARG002
        return KnownRates(
            imports=self._days.imports.between(start, end),
            exports=self._days.exports.between(start, end),
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    kept = Store(tmp_path_factory.mktemp("store") / "kept.db")
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def kept(store: Store) -> Kept:
    return Kept(store, a_run(days=1.0625))


START = datetime(2026, 1, 15, tzinfo=UTC)
END = START + DAY


def a_review(store: Store, kept: Kept) -> Review:
    return Review(past=store, rates=kept, house=lambda: PLAYED, settings=SETTINGS)


def test_the_store_tells_the_day_as_the_backtest_lived_it(store: Store, kept: Kept) -> None:
    known = kept.known_rates(START, END + 2 * DAY, END)
    day = lived_day(store, known, START, END, END + 2 * DAY)
    told = Hindsight(PLAYED, SETTINGS).split(day)
    played = lived(days=1.25)[0].splits[0]
    assert told.bill_p == pytest.approx(played.bill_p, abs=1e-6)
    assert told.inverter_p == pytest.approx(0, abs=0.01)
    for name, lost in told.parts.items():
        assert lost == pytest.approx(played.parts[name], abs=0.02), name


def test_a_review_takes_a_few_plans_a_look_and_then_shows_yesterday(
    store: Store, kept: Kept
) -> None:
    review, now = a_review(store, kept), END + timedelta(minutes=5)
    looks = 0
    while isinstance(review.latest, str):
        review.look(now + looks * timedelta(minutes=1))
        looks += 1
    assert 60 < looks * PLANS_A_LOOK / 3 < 150
    found = review.latest
    assert isinstance(found, Yesterday)
    assert found.split.start == START
    assert found.split.bill_p == pytest.approx(lived(days=1.25)[0].splits[0].bill_p, abs=1e-6)
    assert len(found.load.by_hour_kw) == 24
    assert found.load.next_hour_kw is not None
    assert found.load.next_hour_kw < 0.3
    assert None not in found.solar.by_lead_kw[:12]
    review.look(END + timedelta(hours=20))
    assert review.latest is found


def test_an_inverter_that_lacks_a_mode_and_keeps_to_no_power_is_looked_back_at_as_such(
    tmp_path: Path,
) -> None:
    modes = frozenset({Mode.SELF_USE, Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE})
    weak = as_played(replace(HOUSE, abilities=Abilities(modes=modes, sets_powers=False)))
    store = Store(tmp_path / "kept.db")
    kept = Kept(store, a_run(days=1.0625, house=weak))
    # As long as it is not there nobody knows what it can do.
    shown = PLAYED
    review = Review(past=store, rates=kept, house=lambda: shown, settings=SETTINGS)
    review.look(START + timedelta(hours=1))
    shown = weak
    for minute in range(200):
        review.look(END + timedelta(minutes=5 + minute))
    store.close()
    assert isinstance(review.latest, Yesterday)
    assert review.latest.split.inverter_p == pytest.approx(0, abs=0.01)


def test_a_review_says_what_is_missing_and_tries_again_the_next_day(
    store: Store, kept: Kept
) -> None:
    review = a_review(store, kept)
    review.look(START + timedelta(hours=1))
    assert isinstance(review.latest, str)
    assert "is not known" in review.latest
    review.look(END + timedelta(minutes=5))
    while isinstance(review.latest, str):
        review.look(END + timedelta(minutes=5))


def test_a_day_with_a_gap_in_the_meter_is_not_judged(store: Store, kept: Kept) -> None:
    known = kept.known_rates(START, END + 2 * DAY, END)
    with pytest.raises(DataError, match=r"expected|not known"):
        lived_day(store, known, END, END + DAY, END + DAY)
    energy = SlotEnergy(start=START, grid_import_kwh=None, grid_export_kwh=0.0)
    before = store.slot_energy(kind=EnergyKind.METERED, start=START, end=START + SLOT)[0]
    store.save_slot_energy(kind=EnergyKind.METERED, energy=energy)
    with pytest.raises(DataError, match="1 half hours the energy at the meter"):
        lived_day(store, known, START, END, END)
    store.save_slot_energy(kind=EnergyKind.METERED, energy=before)


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
