"""Branch and bound for a handful of doubtful directions, on warm linear programs.

With the hull of each slot's cases in the program, most windows are settled within a few nodes of a
millisecond each; HiGHS' own search costs a tenth of a second before it begins. What is not settled
within `most_nodes` is left to HiGHS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np

from battery_optimizer.errors import PlanningError
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.solver import CompiledProblem, Solution

_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Incumbent:
    """Whole values of the integer columns, and the objective that they are known to reach [p]."""

    objective_p: float
    directions: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Branched:
    """The best that was found, and what nothing can be better than [p]."""

    incumbent: Incumbent
    bound_p: float

    @property
    def gap_p(self) -> float:
        """Proven distance of the best from the optimum [p]; infinite where it cannot be done."""
        return max(0.0, self.incumbent.objective_p - self.bound_p)


def branch(
    problem: CompiledProblem,
    integers: Sequence[int],
    incumbent_of: Callable[[Solution], Incumbent],
    *,
    gap_p: float,
    most_nodes: int,
) -> Branched | None:
    """Best-first search on the loaded problem; None where no node could be solved.

    `integers` are 0-or-1 columns; `incumbent_of` makes something feasible of any LP solution.
    """
    best: Incumbent | None = None
    settled_p = np.inf
    ties = count()
    lower, upper = np.zeros(len(integers)), np.ones(len(integers))
    open_nodes: list[tuple[float, int, Floats, Floats]] = [(-np.inf, next(ties), lower, upper)]
    for _ in range(most_nodes):
        if not open_nodes or (best and open_nodes[0][0] >= best.objective_p - gap_p):
            break
        _, _, lower, upper = heappop(open_nodes)
        problem.fix(integers, lower.tolist(), upper.tolist())
        try:
            solution = problem.solve_lp()
        except PlanningError:
            continue
        found = incumbent_of(solution)
        if best is None or found.objective_p < best.objective_p:
            best = found
        values = solution.columns[list(integers)]
        doubt = np.abs(values - values.round())
        if doubt.max(initial=0.0) <= _WHOLE or solution.objective >= best.objective_p - gap_p:
            settled_p = min(settled_p, solution.objective)
            continue
        most = int(np.argmax(doubt))
        for side in (0.0, 1.0):
            low, high = lower.copy(), upper.copy()
            low[most] = high[most] = side
            heappush(open_nodes, (solution.objective, next(ties), low, high))
    if best is None:
        return None
    bound_p = min([settled_p, *(node[0] for node in open_nodes)])
    return Branched(incumbent=best, bound_p=bound_p)
