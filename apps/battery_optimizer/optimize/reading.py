"""From HiGHS' columns to a schedule, and from a relaxed schedule to one that can be done."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from battery_optimizer.model.house import Battery
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.tariff import bill
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.program import Program
from battery_optimizer.optimize.solver import CompiledProblem, Solution

DUST_KWH = 1e-6


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
        self.problem.load(self.program.values(inputs))


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
    missed = [values(variable, solution.columns).max() for variable in slack.used()]
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
    effect on the battery, and what was bought and sold at once by its net effect at the meter.
    """
    nothing = np.zeros_like(schedule.charge_kwh)
    stored = battery.soc_after(nothing, schedule.charge_kwh, schedule.discharge_kwh)
    charge = _without_dust(np.maximum(stored, 0.0) / battery.charge_efficiency)
    discharge = _without_dust(np.maximum(-stored, 0.0) * battery.discharge_efficiency)
    curtailed = _without_dust(schedule.curtailed_kwh)
    at_meter = inputs.load_kwh - inputs.solar_kwh + curtailed + charge - discharge
    # Sun that is lost only because nothing can take it is not lost while the house buys.
    usable = np.clip(np.minimum(at_meter, curtailed - inputs.curtail_import_kwh), 0.0, None)
    curtailed, at_meter = curtailed - usable, at_meter - usable
    bought, sold = np.maximum(at_meter, 0.0), np.maximum(-at_meter, 0.0)
    passed = inputs.solar_kwh - curtailed + discharge - charge
    tolerance = 10 * DUST_KWH
    if (sold > inputs.export_limit_kwh + tolerance).any() or (
        passed > inputs.ac_limit_kwh + tolerance
    ).any():
        return schedule, float("inf")
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


def _without_dust(values: Floats) -> Floats:
    return np.where(values < DUST_KWH, 0.0, values)
