"""What is decided before t is the same whatever the data hold at and after t."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.tariff import published_until
from battery_optimizer.simulate.backtest import Policy, Run, play
from battery_optimizer.simulate.days.households import HOUSEHOLDS, move_in
from battery_optimizer.simulate.days.recorded import RecordedDays
from recordings import recorded_days, written

HOUSE = House(
    battery=Battery(capacity_kwh=10.0, reserve_kwh=1.0, max_charge_kw=3.6, max_discharge_kw=3.6),
    inverter=Inverter(can_curtail=True),
    grid=GridConnection(export_limit_kw=6.0),
)
START = datetime(2026, 1, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENTS = [START + hours * HOUR for hours in (0.5, 7, 15.5, 16, 16.5, 23.5, 26)]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> RecordedDays:
    path = written(recorded_days(n_slots=5 * 48), tmp_path_factory.mktemp("data"))
    return replace(RecordedDays.read(path, pv_kwp=3.0), run_start=START)


def decisions(
    days: RecordedDays, until: datetime, policy: Policy, step: timedelta
) -> list[InverterCommand]:
    run = Run(
        house=HOUSE,
        days=replace(days, run_end=until),
        start_soc_kwh=5.0,
        policy=policy,
        step=step,
        settings=PlannerSettings(horizon_hours=24),
    )
    return [played.command for played in play(run)]


def changed(series: SlotSeries, since: datetime, *, factor: float, plus: float) -> SlotSeries:
    known = max(0, (since - series.start) // SLOT)
    rest = series.values[known:] * factor + plus
    return SlotSeries(start=series.start, values=np.concatenate([series.values[:known], rest]))


def with_another_future(days: RecordedDays, since: datetime) -> RecordedDays:
    """Load and sun are others from `since` on, rates from where none was out before `since`.

    The forecast columns stay: what they say was said beforehand.
    """
    unpublished = published_until(since - timedelta(minutes=5))
    return replace(
        days,
        load_kw=changed(days.load_kw, since, factor=3, plus=1),
        solar_kw=changed(days.solar_kw, since, factor=0.1, plus=0.2),
        imports=changed(days.imports, unpublished, factor=-1, plus=20),
        exports=changed(days.exports, unpublished, factor=2, plus=15),
    )


@pytest.mark.parametrize("policy", [Policy.PLANNER, Policy.REACTIVE, Policy.SELF_USE])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment:%d-%Hh%M}")
def test_the_future_changes_no_decision(
    days: RecordedDays, moment: datetime, policy: Policy
) -> None:
    before = decisions(days, moment, policy, SLOT)
    assert decisions(with_another_future(days, moment), moment, policy, SLOT) == before


def test_the_future_changes_no_decision_within_a_slot(days: RecordedDays) -> None:
    moment, step = START + 3 * HOUR, timedelta(minutes=5)
    before = decisions(days, moment, Policy.PLANNER, step)
    assert decisions(with_another_future(days, moment), moment, Policy.PLANNER, step) == before


def test_the_past_does_change_decisions(days: RecordedDays) -> None:
    """Else the tests above would show nothing."""
    moment, until = START + 7 * HOUR, START + 12 * HOUR
    other = replace(days, load_kw=changed(days.load_kw, moment, factor=3, plus=1))
    assert decisions(other, until, Policy.PLANNER, SLOT) != decisions(
        days, until, Policy.PLANNER, SLOT
    )


def test_the_prescient_policy_does_look_ahead(days: RecordedDays) -> None:
    until = START + 7 * HOUR
    other = with_another_future(days, until)
    assert decisions(days, until, Policy.PRESCIENT, SLOT) != decisions(
        other, until, Policy.PRESCIENT, SLOT
    )


def test_the_future_of_large_loads_and_of_the_cold_changes_no_decision(tmp_path: Path) -> None:
    """With two months of history, so that both are in the forecast."""
    table = move_in(recorded_days("2025-11-14", n_slots=64 * 48), HOUSEHOLDS["heat_pump"], seed=2)
    path = written(table, tmp_path)
    days = replace(RecordedDays.read(path, pv_kwp=3.0), run_start=START - 3 * HOUR)
    moment = START + 2 * HOUR
    assert days.outside_c is not None
    other = replace(
        with_another_future(days, moment),
        large_kw={
            name: changed(kw, moment, factor=0, plus=2) for name, kw in days.large_kw.items()
        },
        outside_c=changed(days.outside_c, moment, factor=1, plus=-8),
    )
    before = decisions(days, moment, Policy.PLANNER, SLOT)
    assert decisions(other, moment, Policy.PLANNER, SLOT) == before
    blind = replace(days, large_kw={}, forecast_c=None)
    assert outlooks(blind, moment) != outlooks(days, moment), "else this would show nothing"


def outlooks(days: RecordedDays, until: datetime) -> list[float]:
    """What the house was expected to draw in all, as of each step."""
    run = Run(
        house=HOUSE,
        days=replace(days, run_end=until),
        start_soc_kwh=5.0,
        settings=PlannerSettings(horizon_hours=24),
    )
    return [float(step.outlook.load_kwh.sum()) for step in play(run) if step.outlook is not None]
