"""A past day over HTTP, out of the real store."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.web.history import Json, Past, day_asked, history
from battery_optimizer.errors import BadRequest, RatesUnavailable
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Telemetry
from builders import MIDNIGHT, plan_for
from shown_values import RATES, an_outcome

DAY = MIDNIGHT.date()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


def rates(start: datetime, end: datetime, now: datetime) -> KnownRates:
    """10 p to buy, 5 p to sell, known for the first half hour only."""
    assert start < end
    assert now >= start
    buying = SlotSeries(start=start, values=np.array([10.0]))
    selling = SlotSeries(start=start, values=np.array([5.0]))
    return KnownRates(imports=buying, exports=selling)


def no_rates(*_: object) -> KnownRates:
    raise RatesUnavailable("the source is away")


def told(store: Store, day: date = DAY, *, now: datetime = MIDNIGHT + timedelta(days=1)) -> Json:
    return history(Past(records=store, known_rates=rates), day, now, capacity_kwh=10.0)


def a_plan() -> Plan:
    """Made half an hour before midnight, so that it expects something of the first half hour."""
    return plan_for(RATES, 5.0, 0.4, soc_kwh=5.0, start=MIDNIGHT - SLOT)


def lived(store: Store, cycles: int = 6) -> None:
    """A plan from midnight on, and readings every ten minutes: 1 kW bought, the battery at rest."""
    plan = a_plan()
    for t in range(cycles):
        at = MIDNIGHT + 10 * t * MINUTE
        reading = Telemetry(
            measured_at=at, soc_kwh=5.0, load_kw=1.0, solar_kw=0.0, battery_kw=0.0, grid_kw=1.0
        )
        store.save_observation(reading)
        result = CommandResult.UNCHANGED if t else CommandResult.APPLIED
        outcome = an_outcome(plan, at=at, telemetry=reading, command_result=result, reason="Cheap.")
        store.record(outcome)


def test_what_was_planned_stands_beside_what_was_metered(store: Store) -> None:
    lived(store)
    day = told(store)
    assert day["reason"] is None
    assert day["n_cycles"] == 6
    assert day["n_commands"] == 1
    first = day["slots"][0]
    assert first["start"] == "2026-01-15T00:00:00Z"
    assert first["planned"]["load_kwh"] == pytest.approx(0.4)
    assert first["metered"]["grid_import_kwh"] == pytest.approx(0.5)
    assert first["metered"]["soc_percent"] == 50.0
    assert (first["import_rate"], first["export_rate"]) == (10.0, 5.0)
    assert day["slots"][1]["import_rate"] is None
    totals = day["totals"]
    assert totals["n_slots"] == 1
    assert totals["grid_import_kwh"]["metered"] == pytest.approx(0.5)
    assert totals["load_kwh"] == {"planned": pytest.approx(0.4), "metered": pytest.approx(0.5)}
    assert day["slots"][1]["planned"] is None


def test_decisions_that_say_the_same_are_told_once(store: Store) -> None:
    lived(store, cycles=3)
    at = MIDNIGHT + timedelta(hours=1)
    store.record(an_outcome(at=at, reason="Else.", problems=("sensor.soc is unavailable",)))
    first, second = told(store)["decisions"]
    assert first["n_cycles"] == 3
    assert (first["from"], first["to"]) == ("2026-01-15T00:00:00Z", "2026-01-15T00:20:00Z")
    assert first["command_results"] == ["applied", "unchanged"]
    assert first["reason"] == "Cheap."
    assert second["problems"] == ["sensor.soc is unavailable"]


def test_of_today_only_what_has_begun_is_told(store: Store) -> None:
    lived(store)
    day = told(store, now=MIDNIGHT + 40 * MINUTE)
    assert day["is_today"]
    assert [slot["start"][11:16] for slot in day["slots"]] == ["00:00", "00:30"]
    assert day["totals"]["n_slots"] == 1


def test_a_day_without_records_says_so(store: Store) -> None:
    day = told(store, date(2025, 3, 1))
    assert day["reason"] == "nothing was recorded on 01 March 2025"
    assert day["slots"] == day["decisions"] == []
    assert day["totals"]["load_kwh"] == {"planned": None, "metered": None}


def test_what_was_not_metered_is_absent_not_zero(store: Store) -> None:
    reading = Telemetry(measured_at=MIDNIGHT, soc_kwh=5.0, load_kw=1.0)
    store.save_observation(reading)
    store.record(an_outcome(a_plan(), telemetry=reading))
    day = told(store)
    assert day["slots"][0]["metered"]["solar_kwh"] is None
    assert day["totals"]["solar_kwh"] == {"planned": None, "metered": None}
    assert day["totals"]["load_kwh"]["metered"] == 0.5


def test_without_rates_the_day_is_told_all_the_same(store: Store) -> None:
    lived(store)
    past = Past(records=store, known_rates=no_rates)
    day = history(past, DAY, MIDNIGHT + timedelta(days=1), capacity_kwh=10.0)
    assert day["slots"][0]["import_rate"] is None
    assert day["slots"][0]["metered"] is not None


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_is_a_day_on_the_wall_clock(store: Store, day: date, hours: int) -> None:
    answer = told(store, day, now=datetime(2026, 12, 1, tzinfo=UTC))
    start, end = (datetime.fromisoformat(answer[key]) for key in ("start", "end"))
    assert end - start == timedelta(hours=hours)


def test_without_a_day_it_is_today_in_the_united_kingdom() -> None:
    assert day_asked({}, datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == date(2026, 7, 2)
    assert day_asked({"day": "2026-01-14"}, MIDNIGHT) == date(2026, 1, 14)


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-02-30", "20260114", "2026-W03-4", "2026-1-14", "14/01/2026",
        "<script>alert(1)</script>", "\u0662026-01-14", "0001-01-01", "9999-12-31", "2026-01-16",
        "2026-01-14T00:00:00Z", "'; DROP TABLE decisions", "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_not_a_past_day_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadRequest, match="2026-01-15") as refused:
        day_asked({"day": text}, MIDNIGHT + SLOT)
    assert len(str(refused.value)) < 200


def test_runs_differ_by_power(store: Store) -> None:
    for t, power_kw in enumerate((1.0, 1.01, 2.0)):
        command = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)
        store.record(an_outcome(at=MIDNIGHT + t * MINUTE, command=command, reason="Cheap."))
    assert [run["n_cycles"] for run in told(store)["decisions"]] == [2, 1]
