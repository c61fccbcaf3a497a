"""What an inverter can be told; `flows` has what a house then does."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterCommand:
    """A mode with its parameters.

    `power_kw` is the battery's AC-side power in the two forced modes, else None.
    The battery does not discharge below `floor_kwh` nor charge above `ceiling_kwh` (None: its own
    limits). `curtail` turns the solar generation off.
    """

    mode: Mode
    power_kw: float | None = None
    floor_kwh: float | None = None
    ceiling_kwh: float | None = None
    curtail: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a forced mode without a power, or a power without its mode."""
        if self.mode.is_forced != (self.power_kw is not None):
            raise ValueError(f"{self.mode} with power {self.power_kw}")
        if self.power_kw is not None and self.power_kw < 0:
            raise ValueError(f"power must not be negative, as {self.power_kw} is")

    @property
    def acts_as(self) -> Mode:
        """What people see of it: a forced mode at no power is a battery that rests."""
        rests = self.power_kw is not None and self.power_kw < NO_POWER_KW
        return Mode.HOLD if rests else self.mode


NO_POWER_KW = 0.05
"""A forced power below this is a pause."""

REACHED_KWH = 0.02
"""A battery this close to a floor or ceiling has reached it."""

SELF_USE = InverterCommand(mode=Mode.SELF_USE)
