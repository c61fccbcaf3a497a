"""What stands in the house: the battery, the inverter, and the limits of the grid connection."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from battery_optimizer.model.linear import Linear

E = TypeVar("E", bound=Linear)

_FORBID_EXTRA = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery as its inverter's AC side sees it."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    capacity_kwh: float
    """Usable energy when full [kWh], up to 1000."""
    reserve_kwh: float = 0.0
    """Energy kept for outages (min SoC) [kWh]."""
    maximum_kwh: float | None = None
    """Energy to charge to at most (max SoC) [kWh]; none: the capacity."""
    max_charge_kw: float
    """Greatest charging power, AC side [kW]."""
    max_discharge_kw: float
    """Greatest discharging power, AC side [kW]."""
    charge_efficiency: float = 0.95
    """Energy stored per AC energy taken, in (0, 1]."""
    discharge_efficiency: float = 0.95
    """AC energy given per stored energy drawn, in (0, 1]."""
    standby_kw: float = 0.0
    """Stored energy that the battery loses to its own electronics [kW]."""
    wear_p_per_kwh: float = 0.0
    """What a kWh discharged costs in battery life [p/kWh]."""

    def __post_init__(self) -> None:
        """Raise ValueError naming the first value that no battery can have."""
        _within("capacity_kwh", self.capacity_kwh, 0, 1000)
        _within("reserve_kwh", self.reserve_kwh, 0, self.capacity_kwh)
        if self.maximum_kwh is not None:
            _within("maximum_kwh", self.maximum_kwh, self.reserve_kwh, self.capacity_kwh)
        _within("max_charge_kw", self.max_charge_kw, 0, 1000)
        _within("max_discharge_kw", self.max_discharge_kw, 0, 1000)
        _within("charge_efficiency", self.charge_efficiency, 0.3, 1)
        _within("discharge_efficiency", self.discharge_efficiency, 0.3, 1)
        _within("standby_kw", self.standby_kw, 0, 1)
        _within("wear_p_per_kwh", self.wear_p_per_kwh, 0, 100)

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

    ac_limit_kw: float = 1000.0
    """AC rating that solar and discharge share [kW]; solar above it can still charge."""
    can_curtail: bool = False
    """Whether the optimizer may turn solar generation down (most Fox ESS cannot be told to)."""

    def __post_init__(self) -> None:
        """Raise ValueError for a rating that no inverter has."""
        _within("ac_limit_kw", self.ac_limit_kw, 0.1, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridConnection:
    """What may flow at the meter."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    import_limit_kw: float = 20.0
    """The fuse [kW]; planned to be kept, but what the house itself draws is never refused."""
    export_limit_kw: float = 1000.0
    """The network operator's export limit [kW]; solar above it is lost."""

    def __post_init__(self) -> None:
        """Raise ValueError for limits that no connection has."""
        _within("import_limit_kw", self.import_limit_kw, 0.1, 1000)
        _within("export_limit_kw", self.export_limit_kw, 0, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The physical side of a house that plans and simulations are made for."""

    battery: Battery
    inverter: Inverter
    grid: GridConnection


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value!r}")
