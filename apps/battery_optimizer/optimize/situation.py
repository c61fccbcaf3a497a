"""All that a plan is made from: a house, what is stored, expected and wished, what is in force."""

from dataclasses import dataclass

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.wishes import NO_WISHES, Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """When a plan is made: the start of the outlook's horizon is now."""

    house: House
    published: Outlook
    """What is expected, by the rates as published."""
    outlook: Outlook
    """The same by the rates that count, with what sessions of the supplier make of them (C26)."""
    soc_kwh: float
    """What is stored now."""
    in_force: InverterCommand | None = None
    """What the inverter does now; None where that is not known."""
    wishes: Wishes = NO_WISHES
    switching_price_p: float = 0.0
    """What a change of mode must save (C20)."""

    @property
    def order(self) -> InverterCommand | None:
        """What a person ordered for now (C25)."""
        return self.wishes.order_at(self.outlook.horizon.start)
