"""Relax, verify, branch: the exact optimum of the program, and how sure that is.

The plain LP comes first. It is exact unless doing two opposite things at once pays (export above
import, or a negative rate). So its solution is repaired into one that a meter and a battery can do;
what the repair costs is the proven gap. Only where that is too much is the exact program solved,
with binaries in the doubtful slots alone.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from battery_optimizer.errors import PlanningError, SolverFailed
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import Flows
from battery_optimizer.model.plan import Schedule, SolveReport
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.model.tariff import bill, doubtful
from battery_optimizer.optimize.branching import Incumbent, branch
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.program import Directions, Feature, Program, compile_program
from battery_optimizer.optimize.solver import CompiledProblem, Solution

GAP_P = 0.02
"""A schedule proven this close to the optimum is called optimal [p]."""

_DUST_KWH = 1e-6
_LEAST_S = 0.05
"""Time that the exact program gets in any case [s]."""
_MOST_NODES = 40
"""Nodes of our own search before HiGHS takes over."""
_MOST_PROGRAMS = 12
"""Compiled programs kept: horizons, features and temperatures of the battery in use."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    program: Program
    problem: CompiledProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best schedule, and what other first slots would cost."""

    schedule: Schedule
    report: SolveReport
    _compiled: _Compiled
    _battery: Battery
    _inputs: ProgramInputs

    def objective_if(self, first: Flows) -> float | None:
        """The least objective [p] if the first slot's flows are these; None if they cannot be.

        Solved on the program that gave the schedule, binaries as they were found.
        """
        _fix_first_slot(self._compiled, first)
        try:
            return self._compiled.problem.solve_lp().objective
        except PlanningError:
            return None

    def schedule_if(self, first: Flows) -> Schedule | None:
        """The best schedule [kWh] if the first slot's flows are these; None if they cannot be."""
        _fix_first_slot(self._compiled, first)
        try:
            solution = self._compiled.problem.solve_lp()
        except PlanningError:
            return None
        schedule = _read(self._compiled, solution, self._inputs)
        return _repaired(self._battery, self._inputs, schedule)[0]


class ExactSolver:
    """Solves programs to their proven optimum; keeps the compiled ones."""

    def __init__(self, *, time_limit_s: float = 2.0, max_gap_p: float = 50.0) -> None:
        self._time_limit_s = time_limit_s
        self._max_gap_p = max_gap_p
        self._programs: OrderedDict[Any, _Compiled] = OrderedDict()

    def solve(
        self, battery: Battery, inputs: ProgramInputs, features: frozenset[Feature] = frozenset()
    ) -> Optimum:
        """The optimum for these inputs.

        Raises SolverFailed when neither program gave a schedule within the greatest gap allowed.
        """
        started = perf_counter()
        relaxed = self._compiled(battery, inputs, features)
        relaxed.program.set(inputs)
        relaxed.problem.load()
        solution = relaxed.problem.solve_lp()
        schedule, gap_p = _repaired(battery, inputs, _read(relaxed, solution, inputs))
        if gap_p <= GAP_P:
            report = SolveReport(status="optimal", gap_p=gap_p, seconds=perf_counter() - started)
            return Optimum(
                schedule=schedule,
                report=report,
                _compiled=relaxed,
                _battery=battery,
                _inputs=inputs,
            )
        return self._branch(battery, inputs, features, started)

    def _branch(
        self,
        battery: Battery,
        inputs: ProgramInputs,
        features: frozenset[Feature],
        started: float,
    ) -> Optimum:
        exact = self._compiled(battery, inputs, features | {Feature.EXCLUSIVE})
        exact.program.set(inputs)
        exact.problem.load()
        slots = _doubtful_slots(inputs)
        deadline = started + self._time_limit_s
        while True:
            settled = _search(exact, battery, inputs, slots) or _search_with_highs(
                exact, slots, deadline
            )
            solution = _read(exact, settled.solution, inputs)
            schedule, repair_p = _repaired(battery, inputs, solution)
            # Where nothing else can be done with energy that is in the way, burning it pays in
            # slots whose own rates are beyond doubt: those are settled as they show.
            more = slots | _at_once(solution)
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
    ) -> _Compiled:
        n_slots = len(inputs.hours)
        key = (battery, n_slots, features)
        if key not in self._programs:
            program = compile_program(battery, n_slots, features)
            self._programs[key] = _Compiled(program, CompiledProblem(program.problem))
            while len(self._programs) > _MOST_PROGRAMS:
                self._programs.popitem(last=False)
        self._programs.move_to_end(key)
        return self._programs[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """The LP that is left when the directions are settled; it has duals and can be asked more."""

    solution: Solution
    gap_p: float
    status: str


def _search(
    exact: _Compiled, battery: Battery, inputs: ProgramInputs, slots: Bools
) -> _Settled | None:
    """Our own search; None where it did not prove its best good enough in a few nodes."""
    integers, importing = _columns(exact, slots), _directions(exact).importing

    def incumbent_of(solution: Solution) -> Incumbent:
        schedule, repair_p = _repaired(battery, inputs, _read(exact, solution, inputs))
        forward = exact.problem.values(importing, solution.columns) > 0.5  # noqa: PLR2004 (half)
        return Incumbent(
            objective_p=schedule.objective_p if np.isfinite(repair_p) else np.inf,
            directions=_directions_of(schedule, slots, forward),
        )

    found = branch(exact.problem, integers, incumbent_of, gap_p=GAP_P / 2, most_nodes=_MOST_NODES)
    if found is None or found.gap_p > GAP_P / 2:
        return None
    try:
        solution = _settle(exact, integers, found.incumbent.directions)
    except PlanningError:
        return None
    lost_p = max(0.0, solution.objective - found.incumbent.objective_p)
    if found.gap_p + lost_p > GAP_P:
        return None
    return _Settled(solution=solution, gap_p=found.gap_p + lost_p, status="optimal")


def _search_with_highs(exact: _Compiled, slots: Bools, deadline: float) -> _Settled:
    """HiGHS' search until the deadline."""
    integers = _columns(exact, slots)
    exact.problem.load()
    remaining = max(_LEAST_S, deadline - perf_counter())
    found = exact.problem.solve_mip(integers, time_limit_s=remaining, gap_p=GAP_P)
    solution = _settle(exact, integers, found.columns[integers].round())
    return _Settled(solution=solution, gap_p=found.gap_p, status=found.status)


def _settle(exact: _Compiled, integers: list[int], directions: Floats) -> Solution:
    exact.problem.load()
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


def _read(compiled: _Compiled, solution: Solution, inputs: ProgramInputs) -> Schedule:
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
    missed = [values(variable, solution.columns) for variable in slack.used()]
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
        shortfall_kwh=float(np.max(missed)),
    )


def _repaired(
    battery: Battery, inputs: ProgramInputs, schedule: Schedule
) -> tuple[Schedule, float]:
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
    tolerance = 10 * _DUST_KWH
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
    return np.where(values < _DUST_KWH, 0.0, values)


def _doubtful_slots(inputs: ProgramInputs) -> Bools:
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


def _at_once(schedule: Schedule) -> Bools:
    """Where a schedule does what no battery and no meter can, shape (3, n_slots)."""
    battery = np.minimum(schedule.charge_kwh, schedule.discharge_kwh) > _DUST_KWH
    meter = np.minimum(schedule.grid_import_kwh, schedule.grid_export_kwh) > _DUST_KWH
    return np.array([battery | meter, battery, battery])


def _directions(exact: _Compiled) -> Directions:
    if exact.program.directions is None:
        raise ValueError("only the exact program has directions")
    return exact.program.directions


def _columns(exact: _Compiled, slots: Bools) -> list[int]:
    """The columns that must be whole, for slots as `_doubtful_slots` gives them."""
    directions = _directions(exact)
    variables = (directions.importing, directions.charging_import, directions.charging_export)
    return [
        exact.problem.column(variable, int(t))
        for variable, where in zip(variables, slots, strict=True)
        for t in np.flatnonzero(where)
    ]


def _fix_first_slot(compiled: _Compiled, first: Flows) -> None:
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
