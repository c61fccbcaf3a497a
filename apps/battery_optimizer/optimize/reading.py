"""From HiGHS' columns to a schedule, and from a relaxed schedule to one that can be done."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from battery_optimizer.model.house import Battery
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.model.tariff import bill
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.parametric import Indices
from battery_optimizer.optimize.program import Program
from battery_optimizer.optimize.solver import CompiledProblem, Solution

DUST_KWH = 1e-6
"""What rounding leaves of nothing."""


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """A program, without what CVXPY needs to compile it, and HiGHS holding it."""

    program: Program
    problem: CompiledProblem

    @classmethod
    def of(cls, program: Program) -> Self:
        """A program compiled for HiGHS."""
        # CVXPY's expressions and what it remembers of them are done with: half the memory.
        return cls(replace(program, problem=None), CompiledProblem(program.problem))

    def load(self, inputs: ProgramInputs) -> None:
        """Hand HiGHS the program for these inputs; nothing is compiled again."""
        self.problem.load(self.program.values(inputs), self._idle(inputs))

    def _idle(self, inputs: ProgramInputs) -> Indices:
        """The columns that meet C1 and C2 while the battery does nothing."""
        flow, first = self.program.flow, self.problem.column
        slots = np.arange(len(inputs.hours), dtype=np.int32)
        buys = inputs.load_kwh >= inputs.solar_kwh
        at_meter = np.where(buys, first(flow.grid_import), first(flow.grid_export))
        return np.concatenate((first(flow.soc) + 1 + slots, at_meter + slots))


def read_schedule(compiled: CompiledProgram, solution: Solution, inputs: ProgramInputs) -> Schedule:
    """The solution in our own terms."""
    flow, slack, values = compiled.program.flow, compiled.program.slack, compiled.problem.values
    charge, discharge, bought, sold, curtailed = (
        np.maximum(values(variable, solution.columns), 0.0)
        for variable in (
            flow.charge,
            flow.discharge,
            flow.grid_import,
            flow.grid_export,
            flow.curtailed,
        )
    )
    missed = [
        (values(each, solution.columns) * (inputs.is_forced if each is slack.override else 1)).max()
        for each in slack.used()
    ]
    return Schedule(
        charge_kwh=charge,
        discharge_kwh=discharge,
        grid_import_kwh=bought,
        grid_export_kwh=sold,
        curtailed_kwh=curtailed,
        soc_kwh=values(flow.soc, solution.columns),
        # The first rows are C2: soc[t+1] - soc[t] - ... = right side.
        energy_value_p_per_kwh=-solution.row_duals[: len(charge)],
        cost_p=float(bill(inputs.import_rate, inputs.export_rate, bought, sold)),
        objective_p=solution.objective,
        shortfall_kwh=float(max(missed, default=0.0)),
    )


def repaired(battery: Battery, inputs: ProgramInputs, schedule: Schedule) -> tuple[Schedule, float]:
    """The schedule without opposite flows at once, and what that costs [p] (infinite: cannot be).

    Stored energy stays as it was: what charged and discharged at once is replaced by its net
    effect on the battery, and what was bought and sold at once by its net effect at the meter. Nor
    is more sun lost than can be.
    """
    nothing = np.zeros_like(schedule.charge_kwh)
    stored = battery.soc_after(nothing, schedule.charge_kwh, schedule.discharge_kwh)
    charge = _without_dust(np.maximum(stored, 0.0) / battery.charge_efficiency)
    discharge = _without_dust(np.maximum(-stored, 0.0) * battery.discharge_efficiency)
    # C14: the sun that nothing can take is lost, and no more of it where that cannot be told.
    passes = np.minimum(inputs.ac_limit_kwh, inputs.load_kwh + inputs.export_limit_kwh)
    must_be_lost = inputs.solar_kwh - passes - charge + discharge
    at_will = np.minimum(schedule.curtailed_kwh, inputs.lost_at_will_kwh)
    curtailed = _without_dust(np.maximum(must_be_lost, at_will))
    if (curtailed > inputs.curtail_limit_kwh + 10 * DUST_KWH).any():
        return schedule, float("inf")
    at_meter = inputs.load_kwh - inputs.solar_kwh + curtailed + charge - discharge
    bought, sold = np.maximum(at_meter, 0.0), np.maximum(-at_meter, 0.0)
    cost_p = float(bill(inputs.import_rate, inputs.export_rate, bought, sold))
    extra_p = (
        cost_p
        - schedule.cost_p
        + float(inputs.charge_cost @ (charge - schedule.charge_kwh))
        + float(inputs.discharge_cost @ (discharge - schedule.discharge_kwh))
    )
    repaired = replace(
        schedule,
        charge_kwh=charge,
        discharge_kwh=discharge,
        grid_import_kwh=bought,
        grid_export_kwh=sold,
        curtailed_kwh=curtailed,
        cost_p=cost_p,
        objective_p=schedule.objective_p + extra_p,
    )
    return repaired, max(0.0, extra_p)


def at_once(schedule: Schedule) -> Bools:
    """Where a schedule does what no battery and no meter can, shape (n_slots,)."""
    battery = np.minimum(schedule.charge_kwh, schedule.discharge_kwh) > DUST_KWH
    meter = np.minimum(schedule.grid_import_kwh, schedule.grid_export_kwh) > DUST_KWH
    return battery | meter


def _without_dust(values: Floats) -> Floats:
    return np.where(values < DUST_KWH, 0.0, values)
