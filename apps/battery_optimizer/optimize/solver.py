"""CVXPY's program in HiGHS' hands: compiled once, and each time only new numbers.

CVXPY's own `solve` makes every boolean an integer in every slot, starts each time from nothing, and
drops the bound of an interrupted search. So this takes the matrices from CVXPY (see `parametric`)
and calls HiGHS itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import highspy
import numpy as np

from battery_optimizer.errors import Infeasible, SolverFailed
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.parametric import Lp, ParametricLp

_OPTIONS: Mapping[str, bool | int | float | str] = {
    "output_flag": False,
    # The program is small: threads cost more than they bring. Of a search, the bound is the hard
    # part, so what does little for it is left out: restarts, most heuristics, cuts at nodes
    # (window x230701 of the benchmark: 1.8 s with all but the first two, 0.65 s without).
    "threads": 1,
    # Nor does looking for a smaller program, of which there is none but in a search.
    "presolve": "off",
    "mip_allow_restart": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_allow_cut_separation_at_nodes": False,
    "mip_pscost_minreliable": 2,
    "mip_rel_gap": 0.0,
}

_BARE_OPTIONS = {"output_flag": False, "time_limit": 30.0, "mip_rel_gap": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What HiGHS found; `gap_p` is the proven distance from the optimum [p].

    `row_duals` [p per unit of a row's right side] are those of the last LP, empty for a MIP.
    """

    status: str
    objective: float
    gap_p: float
    columns: Floats
    row_duals: Floats


class CompiledProblem:
    """A CVXPY problem that HiGHS solves again and again, with changing parameters."""

    def __init__(self, problem: Any) -> None:  # noqa: ANN401 (CVXPY ships no types)
        self._parametric = ParametricLp(problem)
        self._highs = highspy.Highs()
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._basis: Any = None
        self._lp: Lp | None = None

    def load(self, values: Mapping[int, Floats]) -> None:
        """Hand HiGHS the program with these values of its parameters, by their CVXPY ids."""
        self._lp = self._parametric.at(values)
        self.reload()

    def reload(self) -> None:
        """The program as it was last loaded: nothing fixed, every column continuous."""
        self._loaded().hand_to(self._highs)

    def column(self, variable: Any, index: int = 0) -> int:  # noqa: ANN401
        """The HiGHS column of one element of a CVXPY variable."""
        return self._parametric.columns_of[variable.id] + index

    def values(self, variable: Any, columns: Floats) -> Floats:  # noqa: ANN401
        """The part of a solution that belongs to a CVXPY variable."""
        first = self.column(variable)
        return columns[first : first + variable.size]

    def fix(self, columns: Sequence[int], lower: Sequence[float], upper: Sequence[float]) -> None:
        """Bound some columns; holds until the next `load` or `reload`."""
        self._highs.changeColsBounds(
            len(columns), np.array(columns, np.int32), np.array(lower), np.array(upper)
        )

    def forget(self) -> None:
        """Start the next solve from nothing."""
        self._basis = None

    def solve_lp(self) -> Solution:
        """Solve as an LP, from the last basis if there is one."""
        if self._basis is not None:
            self._highs.setBasis(self._basis)
        self._highs.run()
        solution = self._solution()
        self._basis = self._highs.getBasis()
        return solution

    def solve_mip(self, integers: Sequence[int], *, time_limit_s: float, gap_p: float) -> Solution:
        """Solve with these columns integer; the incumbent and its proven gap at the time limit."""
        highs = self._highs
        kinds = np.full(len(integers), highspy.HighsVarType.kInteger)
        highs.changeColsIntegrality(len(integers), np.array(integers, np.int32), kinds)
        highs.setOptionValue("presolve", "choose")
        highs.setOptionValue("time_limit", time_limit_s)
        highs.setOptionValue("mip_abs_gap", gap_p)
        try:
            highs.run()
            return self._solution(is_mip=True)
        finally:
            highs.setOptionValue("time_limit", float("inf"))
            highs.setOptionValue("presolve", "off")

    def bare_solve_s(self, integers: Sequence[int] = (), *, gap_p: float = 0.0) -> float:
        """How long a HiGHS started from nothing, as it comes, takes for the loaded program [s]."""
        highs = highspy.Highs()
        for name, value in (_BARE_OPTIONS | {"mip_abs_gap": gap_p}).items():
            highs.setOptionValue(name, value)
        started = perf_counter()
        self._loaded().hand_to(highs)
        kinds = np.full(len(integers), highspy.HighsVarType.kInteger)
        highs.changeColsIntegrality(len(integers), np.array(integers, np.int32), kinds)
        highs.run()
        return perf_counter() - started

    def _loaded(self) -> Lp:
        if self._lp is None:
            raise ValueError("no program is loaded")
        return self._lp

    def _solution(self, *, is_mip: bool = False) -> Solution:
        highs = self._highs
        status = highs.getModelStatus()
        info = highs.getInfo()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Infeasible("no schedule keeps every hard bound of the program")
        incumbent = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if not incumbent or (status != highspy.HighsModelStatus.kOptimal and not is_mip):
            raise SolverFailed(highs.modelStatusToString(status))
        found = highs.getSolution()
        objective = info.objective_function_value
        return Solution(
            status="optimal" if status == highspy.HighsModelStatus.kOptimal else "time limit",
            objective=objective,
            gap_p=max(0.0, objective - info.mip_dual_bound) if is_mip else 0.0,
            columns=np.array(found.col_value),
            row_duals=np.empty(0) if is_mip else np.array(found.row_dual),
        )
