"""CVXPY's program in HiGHS' hands: compiled once, and each time only new numbers.

CVXPY's own `solve` starts each time from nothing. So this takes the matrices from CVXPY (see
`parametric`) and calls HiGHS itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from battery_optimizer.errors import Infeasible, SolverFailed
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.cvxpy_light import Expression, Problem
from battery_optimizer.optimize.parametric import Indices, ParametricLp

_OPTIONS: Mapping[str, bool | int | float | str] = {
    "output_flag": False,
    # The program is small: threads cost more than they bring, as does looking for a smaller one.
    "threads": 1,
    "presolve": "off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What HiGHS found; `row_duals` [p per unit of a row's right side]."""

    objective: float
    columns: Floats
    row_duals: Floats


class CompiledProblem:
    """A CVXPY problem that HiGHS solves again and again, with changing parameters."""

    def __init__(self, problem: Problem) -> None:
        self._parametric = ParametricLp(problem)
        self._highs = highspy.Highs()
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._basis: Any = None

    def load(self, values: Mapping[int, Floats], basic: Indices | None = None) -> None:
        """Hand HiGHS the program with these values of its parameters, by their CVXPY ids.

        The next solve starts where these columns meet the equations, of which there must be as
        many: never from an earlier program, so that what is found depends on these values alone.
        """
        lp = self._parametric.at(values)
        lp.hand_to(self._highs)
        self._basis = None if basic is None else lp.basis_of(basic)

    def column(self, variable: Expression) -> int:
        """The HiGHS column of the first element of a CVXPY variable."""
        return self._parametric.columns_of[variable.id]

    def values(self, variable: Expression, columns: Floats) -> Floats:
        """The part of a solution that belongs to a CVXPY variable."""
        first = self.column(variable)
        return columns[first : first + variable.size]

    def fix(self, columns: Sequence[int], lower: Sequence[float], upper: Sequence[float]) -> None:
        """Bound some columns; holds until the next `load`."""
        self._highs.changeColsBounds(
            len(columns), np.array(columns, np.int32), np.array(lower), np.array(upper)
        )

    def solve_lp(self) -> Solution:
        """Solve as an LP, from the last basis if there is one."""
        if self._basis is not None:
            self._highs.setBasis(self._basis)
        self._highs.run()
        solution = self._solution()
        self._basis = self._highs.getBasis()
        return solution

    def _solution(self) -> Solution:
        highs = self._highs
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Infeasible("no schedule keeps every hard bound of the program")
        if status != highspy.HighsModelStatus.kOptimal:
            raise SolverFailed(highs.modelStatusToString(status))
        found = highs.getSolution()
        return Solution(
            objective=highs.getInfo().objective_function_value,
            columns=np.array(found.col_value),
            row_duals=np.array(found.row_dual),
        )
