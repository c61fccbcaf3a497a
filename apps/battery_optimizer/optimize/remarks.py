"""What a householder should know of a slot besides its reason: sessions, and what wishes cost."""

from collections.abc import Iterator

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import UK
from battery_optimizer.model.wishes import Event, Wishes
from battery_optimizer.model.wording import pence
from battery_optimizer.optimize.events import counted_share

_WORTH_P = 0.5
"""A wish that costs less than this a kWh is not worth a word."""
_ROOM_KWH = 0.1


class Remarks:
    """Sentences to follow a slot's reason, for one plan as its modes play it."""

    def __init__(self, house: House, outlook: Outlook, schedule: Schedule, wishes: Wishes) -> None:
        self._house, self._outlook = house, outlook
        self._schedule, self._wishes = schedule, wishes
        self._shares = [
            (event, counted_share(event, house, outlook, wishes)) for event in wishes.events
        ]

    def on(self, slot: int) -> str:
        """What is to be added, with a space before it; mostly nothing."""
        sentences = (*self._sessions(slot), *self._limits(slot))
        return "".join(f" {sentence}" for sentence in sentences)

    def _sessions(self, slot: int) -> Iterator[str]:
        """Which sessions are on (C26), until when, and whether they count."""
        start = self._outlook.horizon.starts[slot]
        for event, share in self._shares:
            if event.holds_at(start):
                yield _words_for(event, is_counted=bool(share[slot] > 0))

    def _limits(self, slot: int) -> Iterator[str]:
        """What would have paid, had it not been forbidden (C23, C24)."""
        if self._wishes.order_at(self._outlook.horizon.starts[slot]) is not None:
            return
        if self._would_charge(slot):
            most = pence(self._wishes.max_grid_charge_p_per_kwh or 0.0)
            yield f"It would pay to charge, but not from the grid above {most}, as set."
        if self._would_sell(slot):
            price = pence(float(self._outlook.export_rate[slot]))
            yield f"It would pay to sell at {price}, but not from the battery, as set."

    def _would_charge(self, slot: int) -> bool:
        battery = self._house.battery
        bought = float(self._outlook.import_rate[slot])
        pays = battery.charge_efficiency * self._value(slot) > bought + _WORTH_P
        has_room = self._stored(slot) < battery.ceiling_kwh - _ROOM_KWH
        return pays and has_room and self._is_forbidden(Mode.FORCE_CHARGE, slot)

    def _would_sell(self, slot: int) -> bool:
        battery = self._house.battery
        sold = float(self._outlook.export_rate[slot]) - battery.wear_p_per_kwh
        pays = sold > self._value(slot) / battery.discharge_efficiency + _WORTH_P
        has_some = self._stored(slot) > battery.reserve_kwh + _ROOM_KWH
        return pays and has_some and self._is_forbidden(Mode.FORCE_DISCHARGE, slot)

    def _is_forbidden(self, mode: Mode, slot: int) -> bool:
        rate = float(self._outlook.import_rate[slot])
        return mode in self._house.modes and self._wishes.forbid(mode, rate)

    def _value(self, slot: int) -> float:
        """What one more stored kWh would save later [p]."""
        return float(self._schedule.energy_value_p_per_kwh[slot])

    def _stored(self, slot: int) -> float:
        return float(self._schedule.soc_kwh[slot + 1])


def _words_for(event: Event, *, is_counted: bool) -> str:
    end = f"until {event.end.astimezone(UK):%H:%M}"
    if event.free_import:
        name, pays = "free electricity session", "gives you what is drawn beyond the usual"
        most = "more than usual cannot be drawn"
    else:
        paid = pence(event.reward_p_per_kwh)
        name, pays = "saving session", f"pays {paid} for each kWh less than usual"
        most = "less than usual cannot be drawn"
    if is_counted:
        return f"A {name} {pays} {end}."
    why = most if event.usual_kwh else "what is usual at this time is not known"
    return f"A {name} runs {end}, and is not counted: {why}."
