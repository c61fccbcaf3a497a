"""What stands in the house: the battery, the inverter, and the limits of the grid connection."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from battery_optimizer.model.linear import Linear
from battery_optimizer.model.ranges import Range, check_ranges

E = TypeVar("E", bound=Linear)

_FORBID_EXTRA = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery as its inverter's AC side sees it."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    capacity_kwh: Annotated[float, Range(0, 1000)]
    """Usable energy when full [kWh]."""
    reserve_kwh: Annotated[float, Range(0, 1000)] = 0.0
    """Energy kept for outages (min SoC) [kWh], at most the capacity."""
    maximum_kwh: Annotated[float | None, Range(0, 1000)] = None
    """Energy to charge to at most (max SoC) [kWh]; none: the capacity."""
    max_charge_kw: Annotated[float, Range(0, 1000)]
    """Greatest charging power, AC side [kW]."""
    max_discharge_kw: Annotated[float, Range(0, 1000)]
    """Greatest discharging power, AC side [kW]."""
    charge_efficiency: Annotated[float, Range(0.3, 1)] = 0.95
    """Energy stored per AC energy taken [fraction]."""
    discharge_efficiency: Annotated[float, Range(0.3, 1)] = 0.95
    """AC energy given per stored energy drawn [fraction]."""
    standby_kw: Annotated[float, Range(0, 1)] = 0.0
    """Stored energy that the battery loses to its own electronics [kW]."""
    wear_p_per_kwh: Annotated[float, Range(0, 100)] = 0.0
    """What a kWh discharged costs in battery life [p/kWh]."""

    def __post_init__(self) -> None:
        """Raise ValueError naming the first value that no battery can have."""
        check_ranges(self)
        if self.reserve_kwh > self.capacity_kwh:
            raise ValueError(
                f"reserve_kwh must be at most capacity_kwh, {self.capacity_kwh:g}, "
                f"not {self.reserve_kwh!r}"
            )
        if not self.reserve_kwh <= self.ceiling_kwh <= self.capacity_kwh:
            raise ValueError(
                f"maximum_kwh must be from reserve_kwh, {self.reserve_kwh:g}, to capacity_kwh, "
                f"{self.capacity_kwh:g}, not {self.maximum_kwh!r}"
            )

    @property
    def ceiling_kwh(self) -> float:
        """Energy to charge to at most [kWh]."""
        return self.capacity_kwh if self.maximum_kwh is None else self.maximum_kwh

    def soc_after(self, soc_kwh: E, charge_kwh: E, discharge_kwh: E) -> E:
        """Stored energy [kWh] after AC-side charge and discharge [kWh], both >= 0."""
        return (
            soc_kwh
            + self.charge_efficiency * charge_kwh
            - discharge_kwh / self.discharge_efficiency
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """What the inverter can pass, and whether it can turn the sun down."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    ac_limit_kw: Annotated[float, Range(0.1, 1000)] = 1000.0
    """AC rating that solar and discharge share [kW]; solar above it can still charge."""
    can_curtail: bool = False
    """Whether the optimizer may turn solar generation down (most Fox ESS cannot be told to)."""

    def __post_init__(self) -> None:
        """Raise ValueError for a rating that no inverter has."""
        check_ranges(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridConnection:
    """What may flow at the meter."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    import_limit_kw: Annotated[float, Range(0.1, 1000)] = 20.0
    """The fuse [kW]; planned to be kept, but what the house itself draws is never refused."""
    export_limit_kw: Annotated[float, Range(0, 1000)] = 1000.0
    """The network operator's export limit [kW]; solar above it is lost."""

    def __post_init__(self) -> None:
        """Raise ValueError for limits that no connection has."""
        check_ranges(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The physical side of a house that plans and simulations are made for."""

    battery: Battery
    inverter: Inverter
    grid: GridConnection
