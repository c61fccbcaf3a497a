"""Numbers of sensors in the units of this app; ValueError says in plain words what is wrong."""

from typing import Final

from battery_optimizer.model.entity import KW_PER_UNIT, EntityState

MAX_POWER_KW: Final = 100.0
"""More than this is a wrong unit or a broken sensor, in either direction."""

BATTERY_C: Final = (-40.0, 100.0)
OUTSIDE_C: Final = (-30.0, 50.0)


def power_kw(state: EntityState | None) -> float:
    """A power [kW]."""
    number, unit = number_and_unit(state)
    if unit not in KW_PER_UNIT:
        raise ValueError(wrong_unit(unit, tuple(KW_PER_UNIT)))
    kw = number * KW_PER_UNIT[unit]
    if abs(kw) > MAX_POWER_KW:
        raise ValueError(f"shows {number:g} {unit}, more than {MAX_POWER_KW:g} kW: check its unit")
    return kw


def celsius_of(
    state: EntityState | None, limits: tuple[float, float] = BATTERY_C, whose: str = "battery"
) -> float:
    """A temperature [deg C] within the limits."""
    number, unit = number_and_unit(state)
    if unit not in ("°C", "°F"):
        raise ValueError(wrong_unit(unit, ("°C", "°F")))
    celsius = number if unit == "°C" else (number - 32) / 1.8
    low, high = limits
    if not low <= celsius <= high:
        raise ValueError(f"shows {number:g} {unit}, which no {whose} has")
    return celsius


def number_and_unit(state: EntityState | None) -> tuple[float, str]:
    """The number that it shows, and its unit."""
    if state is None:
        raise ValueError("does not exist in Home Assistant: check the name in the settings")
    return state.number, state.unit or ""


def wrong_unit(unit: str, allowed: tuple[str, ...]) -> str:
    """What to say of a unit that is none of those allowed."""
    has = f"has the unit {unit!r}" if unit else "has no unit"
    return f"{has}: it must have one of {', '.join(allowed)} as its unit_of_measurement"
