"""CVXPY without what it loads and is never used here: 38 MB, and half of its time to start.

For one atom of quantum information CVXPY imports `scipy.stats`, and to see whether SciPy's own
solver is there `scipy.optimize`: with them a good part of SciPy. While CVXPY is imported the first
has a stand-in, which gets the real one as soon as somebody uses it, and the second cannot be found,
so that HiGHS is the solver that CVXPY knows.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final, TypeAlias

__all__ = ["Expression", "Problem", "cp"]

Expression: TypeAlias = Any
"""A variable, a parameter, or what is made of them; CVXPY ships no usable types."""
Problem: TypeAlias = Any
"""A problem, compiled or not."""

_HEAVY: Final = "scipy.stats"
_NOT_NEEDED: Final = "scipy.optimize"


def _entropy(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the real one takes
    return import_module(_HEAVY).entropy(*arguments, **named)


def _real(name: str) -> Any:  # noqa: ANN401 - whatever is there
    """Anything else that is asked for while the stand-in is there."""
    if name.startswith("__"):  # what the import system looks for
        raise AttributeError(name)
    sys.modules.pop(_HEAVY, None)
    return getattr(import_module(_HEAVY), name)


_STAND_IN: Final = ModuleType(_HEAVY)
_STAND_IN.__dict__.update(entropy=_entropy, __getattr__=_real)


def _cvxpy() -> Any:  # noqa: ANN401 - CVXPY ships no types
    sys.modules.setdefault(_HEAVY, _STAND_IN)
    sys.modules.setdefault(_NOT_NEEDED, None)  # type: ignore[arg-type]  # which says "not there"
    try:
        return import_module("cvxpy")
    finally:
        # Also where it failed: other apps of this process have a use for SciPy.
        if sys.modules.get(_HEAVY) is _STAND_IN:
            del sys.modules[_HEAVY]
        if sys.modules.get(_NOT_NEEDED) is None:
            sys.modules.pop(_NOT_NEEDED, None)


cp: Final = _cvxpy()
