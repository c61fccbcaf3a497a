"""How a cycle behaves: the settings that are about control, not about the house."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from battery_optimizer.model.ranges import Range, check_ranges
from battery_optimizer.model.slots import SLOT


class Control(StrEnum):
    """Whether commands are really sent."""

    ACTIVE = "active"
    READ_ONLY = "read_only"


class Attitude(StrEnum):
    """How much is done against load and sun that turn out other than expected."""

    THRIFTY = "thrifty"
    """Trust the forecast: one future."""
    BALANCED = "balanced"
    """Weigh a short, a usual and an ample future as likely as they are."""
    CAUTIOUS = "cautious"
    """Weigh the short future more: a fuller battery, for a little more money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """How plans are made."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    horizon_hours: Annotated[float, Range(6, 168)] = 48.0
    """How far ahead is planned [h]."""
    step_minutes: Annotated[int, Range(5, 30)] = 30
    """Length of a slot of the plan [min]; 5, 10, 15 or 30."""
    attitude: Attitude = Attitude.BALANCED
    """How much is done against surprises: thrifty, balanced or cautious."""
    switching_price_p: Annotated[float, Range(0, 100)] = 0.1
    """What changing the inverter's mode must at least save [p]."""
    battery_may_export: bool = True
    """Whether the battery may be sold from; false: it serves the house, and only sun is sold."""
    max_grid_charge_p_per_kwh: Annotated[float | None, Range(-1000, 1000)] = None
    """The battery is not charged from the grid while a kWh costs more than this [p/kWh]; none:
    whenever it pays."""
    time_limit_s: Annotated[float, Range(0.1, 60)] = 2.0
    """Longest time for one solve [s]; what is found by then is used with its proven gap."""
    max_gap_p: Annotated[float, Range(0, 10000)] = 50.0
    """A plan not proven within this of the optimum is not followed [p]."""
    max_plan_age_minutes: Annotated[float, Range(5, 720)] = 120.0
    """How long the last plan is followed when no new one can be made [min]."""

    def __post_init__(self) -> None:
        """Raise ValueError for settings that no plan can be made with."""
        check_ranges(self)
        if SLOT % timedelta(minutes=self.step_minutes):
            raise ValueError(f"step_minutes must divide 30, as {self.step_minutes} does not")

    @property
    def step(self) -> timedelta:
        """Length of a slot of the plan."""
        return timedelta(minutes=self.step_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """How often the inverter is told something, and what of others' doing is respected."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    manual_change_minutes: Annotated[float, Range(0, 1440)] = 60.0
    """How long a mode that somebody else set is left alone [min]; 0 takes it back at once."""
    dwell_minutes: Annotated[float, Range(0, 120)] = 5.0
    """Shortest time between two changes of mode [min], but to make safe."""
    writes_per_day: Annotated[int, Range(10, 1000)] = 60
    """How often the inverter is written to in a day at most, but to make safe; then self-use."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is out of range."""
        check_ranges(self)
