"""CVXPY is loaded without most of SciPy, and works as it always does."""

import os
import subprocess
import sys

_SOLVES = """
import sys
from battery_optimizer.optimize.cvxpy_light import cp
share = cp.Variable(2)
problem = cp.Problem(cp.Minimize(share @ [1.0, 2.0]), [share >= 0, cp.sum(share) == 1])
problem.solve(solver=cp.HIGHS, canon_backend="COO")
light = not any(name.startswith(("scipy.stats", "scipy.optimize")) for name in sys.modules)
from cvxpy.atoms.quantum_rel_entr import entropy
from scipy.optimize import brentq
from scipy.stats import entropy as real, norm
print(light, round(problem.value, 6), entropy([0.5, 0.5]) == real([0.5, 0.5]), norm.cdf(0.0))
print(brentq(lambda x: x - 0.25, 0.0, 1.0))
"""

_ASKS_FOR_MORE = """
import sys
from battery_optimizer.optimize import cvxpy_light
sys.modules["scipy.stats"] = cvxpy_light._STAND_IN
from scipy.stats import norm
import scipy.stats
print(norm.cdf(0.0), scipy.stats is not cvxpy_light._STAND_IN)
"""

_WAS_THERE = """
import scipy.optimize
import scipy.stats
before = scipy.stats, scipy.optimize
from battery_optimizer.optimize.cvxpy_light import cp
import sys
print((sys.modules["scipy.stats"], sys.modules["scipy.optimize"]) == before)
"""

_IS_MISSING = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "cvxpy":
            raise ImportError("not installed yet")

sys.meta_path.insert(0, Missing())
try:
    from battery_optimizer.optimize.cvxpy_light import cp
except ImportError as error:
    print(str(error).replace(" ", "_"))
from scipy.optimize import brentq
from scipy.stats import norm
print(brentq(lambda x: x - 0.25, 0.0, 1.0), norm.cdf(0.0))
sys.meta_path.pop(0)
from battery_optimizer.optimize.cvxpy_light import cp
print(cp.__name__)
"""


def told_by(script: str) -> list[str]:
    """What a fresh Python prints."""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=paths
    )
    return done.stdout.split()


def test_it_solves_with_little_of_scipy_and_the_rest_is_there_where_it_is_used() -> None:
    assert told_by(_SOLVES) == ["True", "1.0", "True", "0.5", "0.25"]


def test_a_cvxpy_that_needs_more_of_them_gets_it() -> None:
    assert told_by(_ASKS_FOR_MORE) == ["0.5", "True"]


def test_what_was_there_before_stays() -> None:
    assert told_by(_WAS_THERE) == ["True"]


def test_a_cvxpy_that_cannot_be_loaded_leaves_scipy_to_others_and_can_be_loaded_later() -> None:
    assert told_by(_IS_MISSING) == ["not_installed_yet", "0.25", "0.5", "cvxpy"]
