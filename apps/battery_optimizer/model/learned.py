"""What was learned of the battery from its own readings."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from battery_optimizer.model.house import Battery

CURVES = ("charge_taper", "discharge_taper", "cold_limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The battery with the curves that were learned, their names, and what they say in words."""

    battery: Battery
    curves: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()


def as_set(battery: Battery, curves: Collection[str]) -> Battery:
    """The battery without the learned ones among its curves."""
    nothing: dict[str, Any] = {name: () for name in CURVES if name in curves}
    return replace(battery, **nothing) if nothing else battery
