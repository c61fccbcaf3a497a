"""CVXPY's program as HiGHS' LP: compiled once, and for each plan a single sparse product.

CVXPY's own way from new parameters to matrices checks, copies and converts what never changes,
and took longer than the solve. Its compiled form, the affine maps `A` and `q` from the parameters
to the matrices (which differentiable layers use as well), is all that is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.cvxpy_light import Problem, cp

Indices = npt.NDArray[np.int32]

_BASIC = highspy.HighsBasisStatus.kBasic
_AT_LOWER = highspy.HighsBasisStatus.kLower
_AT_ZERO = highspy.HighsBasisStatus.kZero


@dataclass(frozen=True, slots=True, kw_only=True)
class Lp:
    """HiGHS' LP: minimize costs @ x, with bounds of the columns and of the rows.

    The matrix is kept by columns: the elements of column j are `starts[j]` to `starts[j + 1]`.
    """

    costs: Floats
    column_lower: Floats
    column_upper: Floats
    row_lower: Floats
    row_upper: Floats
    starts: Indices
    rows: Indices
    values: Floats

    def hand_to(self, highs: highspy.Highs) -> None:
        """Make it the model that HiGHS holds, every column continuous."""
        n_columns = len(self.costs)
        highs.passModel(
            n_columns,
            len(self.row_lower),
            len(self.values),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            self.costs,
            self.column_lower,
            self.column_upper,
            self.row_lower,
            self.row_upper,
            self.starts,
            self.rows,
            self.values,
            np.zeros(n_columns, dtype=np.int32),
        )

    def basis_of(self, basic: Indices) -> highspy.HighsBasis:
        """The basis of these columns and of every row that is no equation."""
        columns = np.full(len(self.costs), _AT_LOWER)
        columns[np.isinf(self.column_lower)] = _AT_ZERO
        columns[basic] = _BASIC
        rows = np.full(len(self.row_lower), _BASIC)
        rows[self.row_lower == self.row_upper] = _AT_LOWER
        basis = highspy.HighsBasis()
        basis.col_status = columns.tolist()
        basis.row_status = rows.tolist()
        basis.valid = True
        return basis


class ParametricLp:
    """The LP that belongs to any values of a problem's parameters.

    CVXPY's conic form is A x = b above A x <= b. A row of one column becomes a bound of that
    column: fewer rows, and a smaller basis.
    """

    def __init__(self, problem: Problem) -> None:
        if not problem.is_dpp():
            raise ValueError("the program must be affine in its parameters (DPP)")
        for parameter in problem.parameters():
            parameter.value = np.zeros(parameter.shape)  # CVXPY wants some; any will do
        data, _, _ = problem.get_problem_data(
            cp.HIGHS, canon_backend="COO", solver_opts={"use_quad_obj": False}
        )
        compiled, n_rows = data["param_prob"], len(data["b"])
        n_columns = compiled.x.size
        self.columns_of: dict[int, int] = compiled.var_id_to_col
        self._first_of: dict[int, int] = compiled.param_id_to_col
        self._own_bounds = _column_bounds(data, n_columns)
        used, self._map = _map(compiled, n_columns, n_rows)
        self._parts = np.cumsum([len(used), n_rows])
        self._is_equal = np.arange(n_rows) < data["dims"].zero

        columns, rows = np.divmod(used, n_rows)
        is_bound = np.bincount(rows, minlength=n_rows) == 1
        self._is_row, self._in_bound = ~is_bound, is_bound[rows]
        self._bound_columns, self._bound_rows = columns[self._in_bound], rows[self._in_bound]
        columns, rows = columns[~self._in_bound], rows[~self._in_bound]
        self._starts = np.searchsorted(columns, np.arange(n_columns + 1)).astype(np.int32)
        self._rows = (np.cumsum(self._is_row) - 1)[rows].astype(np.int32)

    def at(self, values: Mapping[int, Floats]) -> Lp:
        """The LP for these values of the parameters, by their CVXPY ids; all must be given."""
        known = np.ones(self._map.shape[1])  # the last stays 1, for what is constant
        for number, value in values.items():
            first = self._first_of.get(number)
            if first is not None:  # else the program has no use for it
                known[first : first + len(value)] = value
        coefficients, upper, costs = np.split(self._map @ known, self._parts)
        lower = np.where(self._is_equal, upper, -highspy.kHighsInf)
        column_lower, column_upper = (bounds.copy() for bounds in self._own_bounds)
        of_row, factors = self._bound_rows, coefficients[self._in_bound]
        ends = lower[of_row] / factors, upper[of_row] / factors
        np.maximum.at(column_lower, self._bound_columns, np.minimum(*ends))
        np.minimum.at(column_upper, self._bound_columns, np.maximum(*ends))
        return Lp(
            costs=costs,
            column_lower=column_lower,
            column_upper=column_upper,
            row_lower=lower[self._is_row],
            row_upper=upper[self._is_row],
            starts=self._starts,
            rows=self._rows,
            values=coefficients[~self._in_bound],
        )


def _map(compiled: Problem, n_columns: int, n_rows: int) -> tuple[Indices, Any]:
    """The elements that -A ever has, and the map from the parameters to these, b and the costs.

    Element (row, column) of (A, b) is row `column * n_rows + row` of CVXPY's map. Of its millions
    of rows nearly all are empty, so nothing as long as the map is made here: a table of where its
    rows begin takes 50 MB for two days of half hours, and 2 GB for two days of five minutes.
    """
    given = sparse.coo_array(compiled.A)
    n_elements = n_columns * n_rows
    is_element = given.row < n_elements
    used = np.unique(given.row[is_element])
    kept = np.concatenate((used, n_elements + np.arange(n_rows)))
    values = np.where(is_element, -given.data, given.data)
    shape = len(kept), given.shape[1]
    matrix = sparse.coo_array((values, (np.searchsorted(kept, given.row), given.col)), shape=shape)
    return used, sparse.csr_array(sparse.vstack((matrix, compiled.q[:-1])))


def _column_bounds(data: Mapping[str, Any], n_columns: int) -> tuple[Floats, Floats]:
    """CVXPY's own bounds of the columns."""
    lower, upper = (
        np.full(n_columns, default) if given is None else np.array(given, dtype=float)
        for given, default in (
            (data["lower_bounds"], -highspy.kHighsInf),
            (data["upper_bounds"], highspy.kHighsInf),
        )
    )
    return lower, upper
