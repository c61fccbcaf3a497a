"""What an inverter can be told, by name; `modes` has what it means."""

from enum import StrEnum


class Mode(StrEnum):
    """What the inverter is told; no maker's words."""

    SELF_USE = "self_use"
    """Solar serves the load, then the battery, then the grid; the battery covers the load."""
    HOLD = "hold"
    """As self-use, but the battery does not discharge."""
    FEED_IN = "feed_in"
    """As self-use, but surplus solar is sold, not stored."""
    FORCE_CHARGE = "force_charge"
    """The battery charges at a given AC power, from solar, then the grid."""
    FORCE_DISCHARGE = "force_discharge"
    """The battery discharges at a given AC power."""

    @property
    def is_forced(self) -> bool:
        """Whether the mode follows a given power instead of the load."""
        return self in (Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE)
