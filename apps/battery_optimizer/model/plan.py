"""A plan: what the inverter should do in each slot, what that gives, and why."""

from dataclasses import dataclass
from datetime import datetime

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.slots import Floats, Horizon


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveReport:
    """How the solver got there.

    `gap_p` is the proven distance of the schedule from the program's optimum [p]; `seconds` are
    wall-clock, all solves of this plan together; `n_doubtful` slots were beyond a linear program.
    """

    status: str
    gap_p: float
    seconds: float
    n_doubtful: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The solution of the program: AC-side energy per slot [kWh], all >= 0, shape (n_slots,).

    `soc_kwh` has shape (n_slots + 1,): stored energy at the slots' boundaries.
    `energy_value_p_per_kwh` is what one more stored kWh at a slot's end would save
    (shape (n_slots,), the dual of the battery's balance).
    """

    charge_kwh: Floats
    discharge_kwh: Floats
    grid_import_kwh: Floats
    grid_export_kwh: Floats
    curtailed_kwh: Floats
    soc_kwh: Floats
    energy_value_p_per_kwh: Floats
    cost_p: float
    """Bill over the horizon at the meter [p]; wear and the terminal value apart."""
    objective_p: float
    """What was minimized: bill, wear, switching and shortfall, less the terminal value [p]."""
    shortfall_kwh: float
    """Greatest amount by which the reserve, a target or the fuse cannot be kept [kWh]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another thing to do now, and what it would cost over the horizon beyond what is done [p].

    Below 0 where only the price of a change of mode speaks against it.
    """

    command: InverterCommand
    extra_cost_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """One slot of a plan. Energies [kWh] as in `Schedule`; rates as published [p/kWh].

    `cost_p` is the slot's bill less what sessions of the supplier pay (C26) [p].
    """

    start: datetime
    hours: float
    command: InverterCommand
    import_rate: float
    export_rate: float
    rate_published: bool
    load_kwh: float
    solar_kwh: float
    charge_kwh: float
    discharge_kwh: float
    grid_import_kwh: float
    grid_export_kwh: float
    curtailed_kwh: float
    soc_start_kwh: float
    soc_end_kwh: float
    energy_value_p_per_kwh: float
    cost_p: float
    reason: str

    @property
    def bill_p(self) -> float:
        """What is bought less what is sold, by published rates [p]."""
        return self.import_rate * self.grid_import_kwh - self.export_rate * self.grid_export_kwh

    @property
    def mode(self) -> Mode:
        """What the inverter is told in this slot."""
        return self.command.mode


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The slots to come, oldest first; the first is the one that runs now.

    `cost_p` is the bill of all, less what sessions of the supplier pay [p].
    """

    made_at: datetime
    horizon: Horizon
    slots: tuple[SlotPlan, ...]
    solve: SolveReport
    cost_p: float
    objective_p: float
    alternatives: tuple[Alternative, ...]
    warnings: tuple[str, ...] = ()
    is_demo: bool = False
    order: InverterCommand | None = None
    """What a person had ordered for the time when it was made."""

    def at(self, moment: datetime) -> SlotPlan:
        """The slot that holds this moment; IndexError outside of the plan."""
        return self.slots[self.horizon.index_of(moment)]
