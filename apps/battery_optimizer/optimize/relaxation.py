"""Relax, verify, and where that is not enough solve exactly: the optimum, and how sure that is.

The plain LP comes first. It is exact unless doing two opposite things at once, or losing sun, pays
(export above import, or a negative rate). So its solution is repaired into one that a meter and a
battery can do; what the repair costs is the proven gap. Only where that is too much is the program
solved by stored energy (`exact`), which knows no such things.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from battery_optimizer.errors import PlanningError, SolverFailed
from battery_optimizer.model.flows import Flows
from battery_optimizer.model.house import Battery
from battery_optimizer.model.plan import Schedule, SolveReport
from battery_optimizer.model.tariff import doubtful
from battery_optimizer.optimize.exact import ExactProgram
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.program import Feature, compile_program, features_of
from battery_optimizer.optimize.reading import (
    DUST_KWH,
    CompiledProgram,
    at_once,
    read_schedule,
    repaired,
)

GAP_P = 0.02
"""A schedule proven this close to the optimum is called optimal [p]."""

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
    schedule_if: Callable[[Flows], Schedule | None]
    """The best schedule [kWh] found if the first slot's flows are these; None if none was.

    Its objective is never too low. To be asked before another program is solved.
    """


class ExactSolver:
    """Solves programs to their proven optimum; keeps the compiled ones."""

    def __init__(self, *, time_limit_s: float = 2.0, max_gap_p: float = 50.0) -> None:
        self._time_limit_s = time_limit_s
        self._max_gap_p = max_gap_p
        self._programs: OrderedDict[Any, CompiledProgram] = OrderedDict()

    def solve(self, battery: Battery, inputs: ProgramInputs) -> Optimum:
        """The optimum for these inputs.

        Raises SolverFailed when no schedule is proven within the greatest gap allowed in time.
        """
        started = perf_counter()
        compiled = self._compiled(battery, inputs, features_of(inputs))
        compiled.load(inputs)
        try:
            relaxed = read_schedule(compiled, compiled.problem.solve_lp(), inputs)
        except PlanningError:
            relaxed = None  # HiGHS gave nothing; the other way needs nothing of it
        if relaxed is not None:
            schedule, gap_p = repaired(battery, inputs, relaxed)
            if gap_p <= GAP_P:
                report = SolveReport(
                    status="optimal", gap_p=gap_p, seconds=perf_counter() - started
                )
                schedule_if = partial(_schedule_if, compiled, battery, inputs)
                return Optimum(schedule=schedule, report=report, schedule_if=schedule_if)
        return self._exactly(battery, inputs, relaxed, started)

    def _exactly(
        self, battery: Battery, inputs: ProgramInputs, relaxed: Schedule | None, started: float
    ) -> Optimum:
        program, status = ExactProgram(battery, inputs), "optimal"
        schedule_if: Callable[[Flows], Schedule | None] = program.best_after
        try:
            schedule, gap_p = program.solve(started + self._time_limit_s)
        except SolverFailed:
            status, schedule_if = "time limit", _none_if
            schedule, gap_p = _incumbent(program, battery, inputs, relaxed)
        if gap_p > self._max_gap_p:
            raise SolverFailed(f"{status}, proven only within {gap_p:.0f} p")
        in_doubt = doubtful(inputs.import_rate, inputs.export_rate)
        if relaxed is not None:
            in_doubt |= at_once(relaxed)
        report = SolveReport(
            status=status,
            gap_p=gap_p,
            seconds=perf_counter() - started,
            n_doubtful=max(1, int(in_doubt.sum())),
        )
        return Optimum(schedule=schedule, report=report, schedule_if=schedule_if)

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


def _incumbent(
    program: ExactProgram, battery: Battery, inputs: ProgramInputs, relaxed: Schedule | None
) -> tuple[Schedule, float]:
    """What is left where time is over, and how far from the optimum it is at most [p].

    The relaxed schedule repaired, where that can be; plain self-use always can.
    """
    self_use = program.self_use()
    if relaxed is None:
        return self_use, float("inf")
    schedule, gap_p = repaired(battery, inputs, relaxed)
    if np.isfinite(gap_p) and schedule.objective_p <= self_use.objective_p:
        return schedule, gap_p
    values = relaxed.energy_value_p_per_kwh
    self_use = replace(self_use, energy_value_p_per_kwh=values)
    return self_use, max(0.0, self_use.objective_p - relaxed.objective_p)


def _schedule_if(
    compiled: CompiledProgram, battery: Battery, inputs: ProgramInputs, first: Flows
) -> Schedule | None:
    """What `Optimum.schedule_if` says, from the linear program that is loaded."""
    # C12 is a bound of the very column that is fixed here, so it would not be seen.
    most_kwh = inputs.import_limit_kwh[0] + inputs.fuse_excess_kwh[0]
    if first.grid_import_kwh > most_kwh + DUST_KWH:
        return None
    _fix_first_slot(compiled, first)
    try:
        solution = compiled.problem.solve_lp()
    except PlanningError:
        return None
    schedule = read_schedule(compiled, solution, inputs)
    possible, lost_p = repaired(battery, inputs, schedule)
    return possible if np.isfinite(lost_p) else None


def _none_if(_first: Flows) -> None:
    """Nothing is known of what else could be done."""


def _fix_first_slot(compiled: CompiledProgram, first: Flows) -> None:
    flow = compiled.program.flow
    fixed: dict[Any, float] = {
        flow.charge: first.charge_kwh,
        flow.discharge: first.discharge_kwh,
        flow.grid_import: first.grid_import_kwh,
        flow.grid_export: first.grid_export_kwh,
        flow.curtailed: first.lost_kwh,
    }
    columns = [compiled.problem.column(variable) for variable in fixed]
    values = list(fixed.values())
    compiled.problem.fix(columns, values, values)
