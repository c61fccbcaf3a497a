"""C17, C18 where they are in doubt: which way meter and battery run, searched and proven."""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from battery_optimizer.errors import PlanningError, SolverFailed
from battery_optimizer.model.house import Battery
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.model.tariff import doubtful
from battery_optimizer.optimize.branching import Branched, Incumbent, branch
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.program import Directions
from battery_optimizer.optimize.reading import DUST_KWH, CompiledProgram, read_schedule, repaired
from battery_optimizer.optimize.solver import Solution

GAP_P = 0.02
"""A schedule proven this close to the optimum is called optimal [p]."""

_LEAST_S = 0.05
"""Time that HiGHS' search gets in any case [s]."""
_MOST_NODES = 12
"""Nodes of our own search before HiGHS takes over: more rarely proved what these had not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The LP that is left when the directions are settled; it has duals and can be asked more."""

    solution: Solution
    gap_p: float
    status: str


def search(
    exact: CompiledProgram, battery: Battery, inputs: ProgramInputs, slots: Bools, deadline: float
) -> Settled:
    """Our own search and, where that does not prove its best good enough in a few nodes, HiGHS'.

    At the deadline the best that either has found, as far as it is proven.
    """
    integers, importing = _columns(exact, slots), _directions(exact).importing

    def incumbent_of(solution: Solution) -> Incumbent:
        schedule, repair_p = repaired(battery, inputs, read_schedule(exact, solution, inputs))
        forward = exact.problem.values(importing, solution.columns) > 0.5  # noqa: PLR2004 (half)
        return Incumbent(
            objective_p=schedule.objective_p if np.isfinite(repair_p) else np.inf,
            directions=_directions_of(schedule, slots, forward),
        )

    found = branch(exact.problem, integers, incumbent_of, gap_p=GAP_P / 2, most_nodes=_MOST_NODES)
    if found is not None and found.gap_p <= GAP_P / 2:
        settled = _found(exact, integers, found)
        if settled is not None and settled.gap_p <= GAP_P:
            return settled
    try:
        return _search_with_highs(exact, integers, deadline)
    except SolverFailed:
        settled = None if found is None else _found(exact, integers, found)
        if settled is None:
            raise
        return replace(settled, status="time limit")


def _found(exact: CompiledProgram, integers: list[int], found: Branched) -> Settled | None:
    """What our own search found, or the best with its directions; None where none has them."""
    try:
        solution = _settle(exact, integers, found.incumbent.directions)
    except PlanningError:
        return None
    gap_p = max(0.0, solution.objective - found.bound_p)
    return Settled(solution=solution, gap_p=gap_p, status="optimal")


def _search_with_highs(exact: CompiledProgram, integers: list[int], deadline: float) -> Settled:
    exact.problem.reload()
    remaining = max(_LEAST_S, deadline - perf_counter())
    found = exact.problem.solve_mip(integers, time_limit_s=remaining, gap_p=GAP_P)
    solution = _settle(exact, integers, found.columns[integers].round())
    return Settled(solution=solution, gap_p=found.gap_p, status=found.status)


def _settle(exact: CompiledProgram, integers: list[int], directions: Floats) -> Solution:
    exact.problem.reload()
    exact.problem.fix(integers, directions.tolist(), directions.tolist())
    return exact.problem.solve_lp()


def _directions_of(schedule: Schedule, slots: Bools, importing: Bools) -> Floats:
    """Which way meter and battery run in a schedule, in the order of `_columns`.

    Where nothing flows at the meter, it runs as `importing` says.
    """
    bought, sold = schedule.grid_import_kwh > 0, schedule.grid_export_kwh > 0
    importing = bought | (importing & ~sold)
    charging = schedule.charge_kwh > 0
    return np.array([importing, importing & charging, ~importing & charging])[slots].astype(float)


def doubtful_slots(inputs: ProgramInputs) -> Bools:
    """Where two opposite directions at once could pay, shape (3, n_slots).

    First the meter's; then the battery's while the meter runs forward, and while it runs backward:
    where burning energy by its round trip could pay.
    """
    return np.array(
        [
            doubtful(inputs.import_rate, inputs.export_rate),
            inputs.import_rate < 0,
            inputs.export_rate < 0,
        ]
    )


def at_once(schedule: Schedule) -> Bools:
    """Where a schedule does what no battery and no meter can, shape (3, n_slots)."""
    battery = np.minimum(schedule.charge_kwh, schedule.discharge_kwh) > DUST_KWH
    meter = np.minimum(schedule.grid_import_kwh, schedule.grid_export_kwh) > DUST_KWH
    return np.array([battery | meter, battery, battery])


def _directions(exact: CompiledProgram) -> Directions:
    if exact.program.directions is None:
        raise ValueError("only the exact program has directions")
    return exact.program.directions


def _columns(exact: CompiledProgram, slots: Bools) -> list[int]:
    """The columns that must be whole, for slots as `doubtful_slots` gives them."""
    directions = _directions(exact)
    variables = (directions.importing, directions.charging_import, directions.charging_export)
    return [
        exact.problem.column(variable, int(t))
        for variable, where in zip(variables, slots, strict=True)
        for t in np.flatnonzero(where)
    ]
