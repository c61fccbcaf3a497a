"""Relax, verify, branch: the exact optimum of the program, and how sure that is.

The plain LP comes first. It is exact unless doing two opposite things at once pays (export above
import, or a negative rate). So its solution is repaired into one that a meter and a battery can do;
what the repair costs is the proven gap. Only where that is too much is the exact program solved,
with binaries in the doubtful slots alone.
"""

from collections import OrderedDict
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from battery_optimizer.errors import PlanningError, SolverFailed
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import Flows
from battery_optimizer.model.plan import Schedule, SolveReport
from battery_optimizer.optimize.directions import (
    GAP_P,
    at_once,
    doubtful_slots,
    search,
)
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.program import Feature, compile_program, features_of
from battery_optimizer.optimize.reading import DUST_KWH, CompiledProgram, read_schedule, repaired

_MOST_PROGRAMS = 6
"""Compiled programs kept: horizons, features and temperatures of the battery in use.

With all that HiGHS has for it one takes 0.5 to 3 MB, and three solvers keep some: the cycle's and
two that look back. One that is missed is compiled in some 40 ms, on a small computer 0.2 s.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best schedule, and what other first slots would cost."""

    schedule: Schedule
    report: SolveReport
    _compiled: CompiledProgram
    _battery: Battery
    _inputs: ProgramInputs

    def schedule_if(self, first: Flows) -> Schedule | None:
        """The best schedule [kWh] found if the first slot's flows are these; None if none was.

        Solved on the program that gave the schedule, binaries as they were found, and repaired as
        that was: so its objective is never too low.
        """
        # C12 is a bound of the very column that is fixed here, so it would not be seen.
        most_kwh = self._inputs.import_limit_kwh[0] + self._inputs.fuse_excess_kwh[0]
        if first.grid_import_kwh > most_kwh + DUST_KWH:
            return None
        _fix_first_slot(self._compiled, first)
        try:
            solution = self._compiled.problem.solve_lp()
        except PlanningError:
            return None
        schedule = read_schedule(self._compiled, solution, self._inputs)
        possible, lost_p = repaired(self._battery, self._inputs, schedule)
        return possible if np.isfinite(lost_p) else None


class ExactSolver:
    """Solves programs to their proven optimum; keeps the compiled ones."""

    def __init__(self, *, time_limit_s: float = 2.0, max_gap_p: float = 50.0) -> None:
        self._time_limit_s = time_limit_s
        self._max_gap_p = max_gap_p
        self._programs: OrderedDict[Any, CompiledProgram] = OrderedDict()

    def forget(self) -> None:
        """Start from nothing: where several schedules are best, none is kept from before."""
        for compiled in self._programs.values():
            compiled.problem.forget()

    def solve(self, battery: Battery, inputs: ProgramInputs) -> Optimum:
        """The optimum for these inputs.

        Raises SolverFailed when neither program gave a schedule within the greatest gap allowed.
        """
        started = perf_counter()
        relaxed = self._compiled(battery, inputs, features_of(inputs))
        relaxed.load(inputs)
        solution = relaxed.problem.solve_lp()
        schedule, gap_p = repaired(battery, inputs, read_schedule(relaxed, solution, inputs))
        if gap_p <= GAP_P:
            report = SolveReport(status="optimal", gap_p=gap_p, seconds=perf_counter() - started)
            return Optimum(
                schedule=schedule,
                report=report,
                _compiled=relaxed,
                _battery=battery,
                _inputs=inputs,
            )
        return self._branch(battery, inputs, started)

    def _branch(self, battery: Battery, inputs: ProgramInputs, started: float) -> Optimum:
        exact = self._compiled(battery, inputs, features_of(inputs) | {Feature.EXCLUSIVE})
        exact.load(inputs)
        slots = doubtful_slots(inputs)
        deadline = started + self._time_limit_s
        while True:
            settled = search(exact, battery, inputs, slots, deadline)
            solution = read_schedule(exact, settled.solution, inputs)
            schedule, repair_p = repaired(battery, inputs, solution)
            # Where nothing else can be done with energy that is in the way, burning it pays in
            # slots whose own rates are beyond doubt: those are settled as they show.
            more = slots | at_once(solution)
            if repair_p <= GAP_P or (more == slots).all() or perf_counter() > deadline:
                break
            slots = more
        gap_p = settled.gap_p + repair_p
        if gap_p > self._max_gap_p:
            raise SolverFailed(f"{settled.status}, proven only within {gap_p:.0f} p")
        report = SolveReport(
            status=settled.status,
            gap_p=gap_p,
            seconds=perf_counter() - started,
            n_doubtful=int(slots.any(axis=0).sum()),
        )
        return Optimum(
            schedule=schedule, report=report, _compiled=exact, _battery=battery, _inputs=inputs
        )

    def _compiled(
        self, battery: Battery, inputs: ProgramInputs, features: frozenset[Feature]
    ) -> CompiledProgram:
        n_slots = len(inputs.hours)
        key = (battery, n_slots, features)
        if key not in self._programs:
            self._programs[key] = CompiledProgram.of(compile_program(battery, n_slots, features))
            while len(self._programs) > _MOST_PROGRAMS:
                self._programs.popitem(last=False)
        self._programs.move_to_end(key)
        return self._programs[key]


def _fix_first_slot(compiled: CompiledProgram, first: Flows) -> None:
    flow, directions = compiled.program.flow, compiled.program.directions
    fixed: dict[Any, float] = {
        flow.charge: first.charge_kwh,
        flow.discharge: first.discharge_kwh,
        flow.grid_import: first.grid_import_kwh,
        flow.grid_export: first.grid_export_kwh,
        flow.curtailed: first.lost_kwh,
    }
    if directions is not None:
        importing = first.grid_export_kwh <= first.grid_import_kwh
        charging = first.charge_kwh > 0
        fixed |= {
            directions.importing: float(importing),
            directions.charging_import: float(importing and charging),
            directions.charging_export: float(not importing and charging),
        }
    columns = [compiled.problem.column(variable) for variable in fixed]
    values = list(fixed.values())
    compiled.problem.fix(columns, values, values)
