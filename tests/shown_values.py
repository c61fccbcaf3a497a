"""Outcomes to show: of a planned day, of a long plan, of demo rates, of no plan at all."""

from dataclasses import replace
from datetime import datetime, timedelta

from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.plan import Plan, SlotPlan, SolveReport
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import Horizon
from battery_optimizer.model.telemetry import Telemetry
from builders import MIDNIGHT, an_outlook, plan_for

RATES = [10.0, 8.0, 3.0, -2.0, 5.0, 15.0, 25.0, 40.0]


def an_outcome(plan: Plan | None = None, **changes: object) -> CycleOutcome:
    """A planned cycle at midnight."""
    at = plan.made_at if plan else MIDNIGHT
    outcome = CycleOutcome(
        at=at,
        result=CycleResult.PLANNED,
        command=plan.slots[0].command if plan else SELF_USE,
        command_result=CommandResult.APPLIED,
        reason=plan.slots[0].reason if plan else "Self Use, the safe mode",
        telemetry=Telemetry(measured_at=at, soc_kwh=5.0, load_kw=0.5),
        plan=plan,
    )
    return replace(outcome, **changes)


def a_planned_day(**changes: object) -> Shown:
    """A real plan for the worked rates; 10 kWh battery, half full."""
    plan = plan_for(RATES, 5.0, 0.4, soc_kwh=5.0)
    return Shown(outcome=an_outcome(plan), capacity_kwh=10.0, **changes)


def a_demo_day() -> Shown:
    """The same, by made-up rates."""
    day = a_planned_day()
    assert day.plan is not None
    plan = replace(day.plan, is_demo=True)
    return replace(day, outcome=an_outcome(plan, outlook=an_outlook(RATES)))


def nothing_planned() -> Shown:
    """The safe mode, with a problem."""
    outcome = an_outcome(
        result=CycleResult.SAFE_MODE, telemetry=None, problems=("sensor.soc is unavailable",)
    )
    return Shown(outcome=outcome, capacity_kwh=10.0, problems=outcome.problems)


def a_long_plan(n_slots: int, step: timedelta) -> Shown:
    """As many slots as asked, each another mode than the last, with the longest reasons."""
    horizon = Horizon(start=MIDNIGHT, n_slots=n_slots, step=step)
    slots = tuple(_slot(start, t) for t, start in enumerate(horizon.starts))
    plan = Plan(
        made_at=MIDNIGHT,
        horizon=horizon,
        slots=slots,
        solve=SolveReport(status="optimal", gap_p=0.0, seconds=0.01),
        cost_p=123.456,
        objective_p=100.0,
        alternatives=(),
    )
    return Shown(outcome=an_outcome(plan), capacity_kwh=10.0)


def _slot(start: datetime, t: int) -> SlotPlan:
    command = SELF_USE if t % 2 else InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.6789012)
    return SlotPlan(
        start=start,
        hours=0.5,
        command=command,
        import_rate=-12.3456789,
        export_rate=23.456789,
        rate_published=t < 48,
        load_kwh=1.23456789,
        solar_kwh=2.3456789,
        charge_kwh=0.0,
        discharge_kwh=1.83945,
        grid_import_kwh=0.0,
        grid_export_kwh=1.1,
        curtailed_kwh=0.0,
        soc_start_kwh=7.654321,
        soc_end_kwh=5.4321,
        energy_value_p_per_kwh=17.234567,
        cost_p=-12.345,
        reason="The battery serves the house instead of the grid, for which " * 6,
    )
