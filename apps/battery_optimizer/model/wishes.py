"""What the household wants besides a low bill, and what the grid offers for a while."""

from dataclasses import dataclass, replace
from datetime import datetime

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, count_slots, floor_to_slot, require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Have this much stored energy by a moment; missing it costs `price_p_per_kwh` (soft)."""

    by: datetime
    soc_kwh: float
    price_p_per_kwh: float = 100.0

    def __post_init__(self) -> None:
        """Raise ValueError for a target that cannot be meant."""
        require_utc(self.by)
        if self.soc_kwh < 0:
            raise ValueError(f"a target cannot be below 0 kWh, as {self.soc_kwh} is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person's order: this command holds from `start` until `end`."""

    start: datetime
    end: datetime
    command: InverterCommand

    def __post_init__(self) -> None:
        """Raise ValueError unless the times are UTC and in order."""
        require_utc(self.start)
        require_utc(self.end)
        if self.end <= self.start:
            raise ValueError(f"an override must end after it starts, not at {self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A session of the supplier or the grid.

    `reward_p_per_kwh` is paid for each kWh less imported, or more exported, than usual (a saving
    session). `free_import` makes each kWh imported above the usual free (a free-electricity
    session).
    """

    start: datetime
    end: datetime
    reward_p_per_kwh: float = 0.0
    free_import: bool = False
    usual_kwh: tuple[float, ...] = ()
    """What the house usually imports in each half hour from the start on [kWh], in a saving session
    less what it exports; () where that is not known: then the session counts for nothing."""

    def __post_init__(self) -> None:
        """Raise ValueError unless the times are UTC and in order, and what is usual fits them."""
        require_utc(self.start)
        require_utc(self.end)
        if self.end <= self.start:
            raise ValueError(f"an event must end after it starts, not at {self.end}")
        if self.usual_kwh and len(self.usual_kwh) != len(self.half_hours):
            raise ValueError(f"{len(self.half_hours)} half hours have {len(self.usual_kwh)} usual")

    @property
    def half_hours(self) -> tuple[datetime, ...]:
        """The starts of those that it touches."""
        first = floor_to_slot(self.start)
        return tuple(first + n * SLOT for n in range(count_slots(first, self.end)))

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is on."""
        return self.start <= moment < self.end

    def paid_p(
        self, usual_kwh: float, import_rate: float, bought_kwh: float, sold_kwh: float
    ) -> float:
        """What it pays for what was bought and sold where so much is usual [p], by its own rule."""
        paid_p = self.reward_p_per_kwh * max(usual_kwh - (bought_kwh - sold_kwh), 0.0)
        if self.free_import:
            paid_p += max(import_rate, 0.0) * max(bought_kwh - usual_kwh, 0.0)
        return paid_p

    def usual_at(self, moment: datetime) -> float:
        """What is usual in the half hour that holds a moment of it [kWh]; it must be known."""
        return self.usual_kwh[(moment - floor_to_slot(self.start)) // SLOT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """All wishes in force."""

    targets: tuple[Target, ...] = ()
    overrides: tuple[Override, ...] = ()
    events: tuple[Event, ...] = ()
    battery_may_export: bool = True
    max_grid_charge_p_per_kwh: float | None = None
    """Never charge from the grid above this import rate; None: at any."""
    is_paused: bool = False
    """Self-use, and then the inverter is left alone, whoever sets it."""
    away_until: datetime | None = None
    """Until when nobody is at home."""

    def order_at(self, moment: datetime) -> InverterCommand | None:
        """What a person ordered for this moment, the last order given; None if nothing."""
        holding = [order for order in self.overrides if order.start <= moment < order.end]
        return holding[-1].command if holding else None

    def within(self, settings: PlannerSettings) -> "Wishes":
        """With what the settings forbid at all times (C23, C24)."""
        dearest = (self.max_grid_charge_p_per_kwh, settings.max_grid_charge_p_per_kwh)
        return replace(
            self,
            battery_may_export=self.battery_may_export and settings.battery_may_export,
            max_grid_charge_p_per_kwh=min(
                (price for price in dearest if price is not None), default=None
            ),
        )

    def forbid(self, mode: Mode, import_rate: float) -> bool:
        """Whether a mode must not be used while a kWh costs so much (C23, C24)."""
        match mode:
            case Mode.FORCE_DISCHARGE:
                return not self.battery_may_export
            case Mode.FORCE_CHARGE:
                dearest = self.max_grid_charge_p_per_kwh
                return dearest is not None and import_rate > dearest
            case _:
                return False


NO_WISHES = Wishes()
