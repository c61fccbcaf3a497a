from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, SlotSeries, day_bounds
from battery_optimizer.simulate.backtest import (
    Forecast,
    Policy,
    Run,
    Step,
    end_soc_kwh,
    log_table,
    play,
    summary,
)
from battery_optimizer.simulate.days.recorded import RecordedDays
from builders import a_battery, a_house
from recordings import recorded_days, written

HOUSE = a_house(a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20, export_limit_kw=6)
START_KWH = 5.0
DAY = timedelta(days=1)


@cache
def days_of(start: str = "2026-01-14", n_slots: int = 3 * 48, seed: int = 1) -> RecordedDays:
    with TemporaryDirectory() as folder:
        path = written(recorded_days(start, n_slots, seed), Path(folder))
        return RecordedDays.read(path, pv_kwp=3.0)


def a_run(
    policy: Policy = Policy.PLANNER,
    forecast: Forecast = Forecast.HISTORY,
    *,
    days: RecordedDays | None = None,
    house: House = HOUSE,
    step: timedelta = SLOT,
) -> Run:
    return Run(
        house=house,
        days=days or replace(days_of(), run_start=days_of().run_start + DAY),
        start_soc_kwh=START_KWH,
        policy=policy,
        forecast=forecast,
        step=step,
        settings=PlannerSettings(horizon_hours=24),
    )


@cache
def steps_of(policy: Policy, forecast: Forecast = Forecast.HISTORY) -> tuple[Step, ...]:
    return tuple(play(a_run(policy, forecast)))


def bill_p(steps: tuple[Step, ...]) -> float:
    """The bill, and what the energy missing at the end costs to buy again at a mean price."""
    end_kwh = end_soc_kwh(a_run(), steps[-1])
    return sum(step.cost_p for step in steps) + 12.0 * (START_KWH - end_kwh)


def test_knowing_more_is_never_dearer() -> None:
    prescient = bill_p(steps_of(Policy.PRESCIENT))
    perfect = bill_p(steps_of(Policy.PLANNER, Forecast.PERFECT))
    planner = bill_p(steps_of(Policy.PLANNER))
    self_use = bill_p(steps_of(Policy.SELF_USE))
    tolerance_p = 3.0
    assert prescient <= perfect + tolerance_p
    assert perfect <= planner + tolerance_p
    assert planner < self_use - 20


def test_the_planner_beats_the_reactive_rules() -> None:
    assert bill_p(steps_of(Policy.PLANNER)) < bill_p(steps_of(Policy.REACTIVE))


def test_what_is_held_after_a_step_is_what_the_next_one_starts_with() -> None:
    battery = replace(HOUSE.battery, standby_kw=0.1)
    run = a_run(Policy.SELF_USE, house=replace(HOUSE, battery=battery))
    steps = list(play(run))
    held = [end_soc_kwh(run, step) for step in steps[:-1]]
    assert held == [step.soc_kwh for step in steps[1:]]


@pytest.mark.parametrize("policy", Policy)
def test_the_log_is_whole_and_adds_up(policy: Policy) -> None:
    steps = steps_of(policy)
    log = log_table(list(steps))
    assert len(log) == 96
    assert list(log.columns[:9]) == [
        "time", "mode", "power_kw", "floor_kwh", "ceiling_kwh",
        "charge_kwh", "discharge_kwh", "soc_kwh", "solar_kwh",
    ]  # fmt: skip
    assert log["time"].iloc[0] == "2026-01-15T00:00:00Z"
    assert pd.to_datetime(log["time"]).diff().dropna().unique().tolist() == [pd.Timedelta(SLOT)]
    assert set(log["mode"]) <= {str(mode) for mode in Mode}
    assert log["soc_kwh"].iloc[0] == START_KWH
    after = HOUSE.battery.soc_after(log["soc_kwh"], log["charge_kwh"], log["discharge_kwh"])
    assert log["soc_kwh"].iloc[1:].to_numpy() == pytest.approx(after.iloc[:-1].to_numpy())
    forced = log["mode"].isin(["force_charge", "force_discharge"])
    assert (log["power_kw"].notna() == forced).all()


def test_self_use_is_self_use_throughout() -> None:
    assert {step.command.mode for step in steps_of(Policy.SELF_USE)} == {Mode.SELF_USE}


def test_the_summary_tells_the_run_in_figures() -> None:
    steps = list(steps_of(Policy.PLANNER))
    figures = summary(a_run(), steps)
    assert figures["policy"] == "planner"
    assert figures["days"] == 2
    assert figures["bill_p"] == pytest.approx(sum(step.cost_p for step in steps), abs=0.01)
    assert figures["bill_p_per_day"] == pytest.approx(figures["bill_p"] / 2, abs=0.01)
    assert 1.0 <= figures["end_soc_kwh"] <= 10.0
    assert figures["cycle_ms_max"] >= figures["cycle_ms_p99"] >= figures["cycle_ms_median"] > 0


def test_the_same_run_is_the_same_again() -> None:
    run = a_run(days=replace(a_run().days, run_end=a_run().days.run_start + DAY))
    first, second = ([step.flows for step in play(run)] for _ in range(2))
    assert first == second


def test_five_minute_steps_follow_the_plan_within_the_slot() -> None:
    run_end = a_run().days.run_start + timedelta(hours=6)
    days = replace(a_run().days, run_end=run_end)
    steps = list(play(a_run(days=days, step=timedelta(minutes=5))))
    assert len(steps) == 72
    assert summary(a_run(days=days, step=timedelta(minutes=5)), steps)["days"] == 0.25
    loads = [
        step.flows.solar_kwh + step.flows.discharge_kwh + step.flows.grid_import_kwh
        - step.flows.charge_kwh - step.flows.grid_export_kwh
        for step in steps
    ]  # fmt: skip
    assert sum(loads) == pytest.approx(
        sum(days.load_kw.at(step.time) / 12 for step in steps), abs=1e-6
    )


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_days_on_which_the_clocks_change_are_played_whole(day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    whole = days_of((start - 2 * DAY).strftime("%Y-%m-%d"), 5 * 48 + 2)
    steps = list(play(a_run(days=replace(whole, run_start=start, run_end=end))))
    assert len(steps) == n_slots
    assert steps[-1].time == end - SLOT
    discharged = sum(step.flows.discharge_kwh for step in steps if step.import_rate > 28)
    assert discharged > 0.5


def test_at_the_export_limit_the_log_shows_what_the_meter_let_through() -> None:
    """The referee's inverter gives all that is asked of it."""
    start = datetime(2026, 1, 15, 16, tzinfo=UTC)
    days = replace(days_of(), run_start=start, run_end=start + timedelta(hours=1))
    dear = SlotSeries(start=days.exports.start, values=np.full(3 * 48, 70.0))
    house = a_house(a_battery(reserve_kwh=1.0), export_limit_kw=1.5)
    steps = list(play(a_run(days=replace(days, exports=dear), house=house)))
    assert {step.command.mode for step in steps} == {Mode.FORCE_DISCHARGE}
    for step in steps:
        assert step.flows.grid_export_kwh <= 0.75 + 1e-9
        assert step.power_kw is not None
        assert step.power_kw * 0.5 >= step.flows.discharge_kwh - 1e-9
        if step.flows.grid_export_kwh > 0.75 - 1e-9:
            assert step.power_kw * 0.5 == pytest.approx(step.flows.discharge_kwh)
