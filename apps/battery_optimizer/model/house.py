"""What stands in the house: the battery, the inverter, and the limits of the grid connection."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypeVar

from battery_optimizer.model.linear import Linear
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.ranges import Range, check_ranges

E = TypeVar("E", bound=Linear)

_SHARE_STEP = 0.05
_FORBID_EXTRA = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A battery as its inverter's AC side sees it."""

    __pydantic_config__: ClassVar[Any] = _FORBID_EXTRA

    capacity_kwh: Annotated[float, Range(0, 1000)]
    """Usable energy when full [kWh]; above 0."""
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
    charge_taper: tuple[tuple[float, float], ...] = ()
    """How charging slows as the battery fills: pairs (share of capacity, share of max_charge_kw),
    e.g. [[0.9, 1.0], [1.0, 0.3]]; concave. Not given: learned."""
    discharge_taper: tuple[tuple[float, float], ...] = ()
    """How discharging slows as the battery empties: pairs (share of capacity, share of
    max_discharge_kw), e.g. [[0.1, 0.4], [0.2, 1.0]]; concave. Not given: learned."""
    cold_limit: tuple[tuple[float, float], ...] = ()
    """How cold slows the battery: pairs (temperature [C], share of full power), e.g.
    [[0, 0.2], [16, 1.0]]; in proportion between the points, beyond them as at the last. Not given:
    learned."""
    cold_slows_discharge: bool = True
    """Whether a cold_limit given here holds for discharging, too."""

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
        _check_curve("charge_taper", self.charge_taper, concave=True)
        _check_curve("discharge_taper", self.discharge_taper, concave=True)
        _check_curve("cold_limit", self.cold_limit, concave=False)

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

    def charge_lines(self) -> tuple["PowerLine", ...]:
        """The taper C8: charging power is at most the least of these lines [kW]."""
        return _lines(self.charge_taper, self.capacity_kwh, self.max_charge_kw)

    def discharge_lines(self) -> tuple["PowerLine", ...]:
        """The taper C9: discharging power is at most the least of these lines [kW]."""
        return _lines(self.discharge_taper, self.capacity_kwh, self.max_discharge_kw)

    def most_charge_kwh(self, soc_kwh: float, hours: float) -> float:
        """AC energy that can be charged in `hours` from this state, taper and power kept [kWh].

        A line holds at the middle of the step, so the energy c solves
        c = hours * (a + b * (soc + efficiency * c / 2)).
        """
        most = self.max_charge_kw * hours
        for line in self.charge_lines():
            at_start = hours * (line.at_empty_kw + line.slope_per_hour * soc_kwh)
            most = min(
                most, at_start / (1 - hours * line.slope_per_hour * self.charge_efficiency / 2)
            )
        return max(0.0, most)

    def most_discharge_kwh(self, soc_kwh: float, hours: float) -> float:
        """AC energy that can be discharged in `hours` from this state [kWh]; as for charging."""
        most = self.max_discharge_kw * hours
        for line in self.discharge_lines():
            at_start = hours * (line.at_empty_kw + line.slope_per_hour * soc_kwh)
            most = min(
                most, at_start / (1 + hours * line.slope_per_hour / self.discharge_efficiency / 2)
            )
        return max(0.0, most)

    def at_temperature(self, celsius: float | None) -> "Battery":
        """The battery as it is at this temperature (C10); unchanged where none is known."""
        if celsius is None or not self.cold_limit:
            return self
        # In steps, so that a battery warming up does not make a new program each cycle.
        share = round(_interpolate(self.cold_limit, celsius) / _SHARE_STEP) * _SHARE_STEP
        return replace(
            self,
            max_charge_kw=self.max_charge_kw * share,
            max_discharge_kw=self.max_discharge_kw * (share if self.cold_slows_discharge else 1.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SocLimits:
    """Between which shares of the capacity the inverter itself keeps the battery."""

    least: float = 0.0
    most: float = 1.0


NO_SOC_LIMITS = SocLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an inverter can do and be told, by its own account: models and moments differ."""

    modes: frozenset[Mode] = frozenset(Mode)
    """What it can be told: a plan counts on nothing else."""
    sets_powers: bool = True
    """Whether a forced mode keeps to the power told; else it gives or takes all it can."""
    keeps_limits: bool = False
    """Whether it stops at a command's floor and ceiling by itself."""
    soc_limits: SocLimits = NO_SOC_LIMITS
    """Between which states of charge it keeps the battery by itself, as far as it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLine:
    """A line that bounds power by stored energy: power [kW] <= at_empty_kw + slope * soc_kwh."""

    at_empty_kw: float
    slope_per_hour: float


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
    abilities: Abilities = Abilities()
    """The inverter's, as it tells them; the settings know nothing of them."""

    @property
    def modes(self) -> frozenset[Mode]:
        """What the inverter can be told."""
        return self.abilities.modes

    @property
    def sets_powers(self) -> bool:
        """Whether a forced mode keeps to the power told."""
        return self.abilities.sets_powers


def _lines(
    curve: tuple[tuple[float, float], ...], capacity_kwh: float, power_kw: float
) -> tuple[PowerLine, ...]:
    lines: list[PowerLine] = []
    if capacity_kwh == 0:
        return ()
    for (share_0, power_0), (share_1, power_1) in pairwise(curve):
        slope = (power_1 - power_0) * power_kw / ((share_1 - share_0) * capacity_kwh)
        at_empty = power_0 * power_kw - slope * share_0 * capacity_kwh
        lines.append(PowerLine(at_empty_kw=at_empty, slope_per_hour=slope))
    return tuple(lines)


def _interpolate(curve: tuple[tuple[float, float], ...], at: float) -> float:
    if at <= curve[0][0]:
        return curve[0][1]
    for (x_0, y_0), (x_1, y_1) in pairwise(curve):
        if at <= x_1:
            return y_0 + (y_1 - y_0) * (at - x_0) / (x_1 - x_0)
    return curve[-1][1]


def _check_curve(name: str, curve: tuple[tuple[float, float], ...], *, concave: bool) -> None:
    if not curve:
        return
    if len(curve) == 1 or any(x_1 <= x_0 for (x_0, _), (x_1, _) in pairwise(curve)):
        raise ValueError(f"{name} needs two or more points, each further than the one before")
    if not all(0 <= share <= 1 for _, share in curve):
        raise ValueError(f"the power shares of {name} must be from 0 to 1, not {curve!r}")
    slopes = [(y_1 - y_0) / (x_1 - x_0) for (x_0, y_0), (x_1, y_1) in pairwise(curve)]
    if concave and any(later > earlier for earlier, later in pairwise(slopes)):
        raise ValueError(f"{name} must be concave: no piece may rise more steeply than the last")
