"""CVXPY without what it loads and is never used here: 24 MB, and half of its time to start.

For one atom of quantum information CVXPY imports `scipy.stats`, and with it a good part of SciPy.
While it is imported a stand-in is there, which gets the real one as soon as somebody uses it.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

__all__ = ["cp"]

_HEAVY: Final = "scipy.stats"


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
sys.modules.setdefault(_HEAVY, _STAND_IN)

import cvxpy as cp  # noqa: E402 - with the stand-in there

if sys.modules.get(_HEAVY) is _STAND_IN:
    del sys.modules[_HEAVY]
