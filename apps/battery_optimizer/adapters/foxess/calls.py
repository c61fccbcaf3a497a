"""Setting and reading single entities in Home Assistant, with proof that it was done."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from battery_optimizer.adapters.foxess.models import POWER_UNIT, ReadState
from battery_optimizer.errors import InverterError
from battery_optimizer.model.entity import EntityState, finite
from battery_optimizer.model.service import CallService, failure

NOT_THERE: Final = ("unavailable", "unknown")
POLL_SECONDS: Final = 0.5
FINEST_STEP: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Sets entities and waits until they show it; every failure is an InverterError."""

    call_service: CallService
    read_state: ReadState
    sleep: Callable[[float], None]
    confirm_timeout_s: float

    def read(self, entity_id: str) -> EntityState:
        """The entity as it shows, if it is there at all."""
        state = self.read_state(entity_id)
        if state is None:
            raise InverterError(
                f"{entity_id} does not exist: set its entity id or the prefix to what Home "
                "Assistant shows under Settings, Devices, or enable it there"
            )
        if state.state in NOT_THERE:
            # A call would succeed and be dropped.
            raise InverterError(
                f"{entity_id} is {state.state}: see whether foxess_modbus is connected to the "
                "inverter"
            )
        return state

    def number(self, entity_id: str, unit: str = POWER_UNIT) -> "Number":
        """The number that the entity is."""
        return Number.from_state(entity_id, self.read(entity_id), unit)

    def select(self, entity_id: str, option: str) -> None:
        """Choose an option, and wait until it is shown."""
        self.call("select/select_option", entity_id=entity_id, option=option)
        self._confirm(entity_id, option, lambda shown: shown == option)

    def set_number(self, entity_id: str, number: "Number", value: float) -> None:
        """Set a number, and wait until it is shown."""
        self.call("number/set_value", entity_id=entity_id, value=value)
        self._confirm(entity_id, f"{value:g}", lambda shown: number.shows(shown, value))

    def call(self, service: str, **data: object) -> None:
        """Call a service that must succeed."""
        about = ", ".join(str(value) for value in data.values())
        if why := failure(self.call_service, service, data, about=about):
            raise InverterError(why)

    def _confirm(self, entity_id: str, wanted: str, holds: Callable[[str], bool]) -> None:
        shown = "nothing"
        for attempt in range(1 + math.ceil(self.confirm_timeout_s / POLL_SECONDS)):
            if attempt:
                self.sleep(POLL_SECONDS)
            state = self.read_state(entity_id)
            shown = "nothing" if state is None else state.state
            if holds(shown):
                return
        raise InverterError(
            f"{entity_id} was told {wanted}, but still shows {shown} after "
            f"{self.confirm_timeout_s:g} s"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number entity: a power [kW] or a current [A]."""

    value: float
    """What it is set to."""
    least: float
    most: float
    step: float

    @classmethod
    def from_state(cls, entity_id: str, state: EntityState, unit: str) -> Self:
        """From what Home Assistant shows; InverterError for another unit or no sensible range."""
        if state.unit != unit:
            raise InverterError(
                f"{entity_id} is in {state.unit or 'no unit'}, not {unit}: set the entity id of "
                f"foxess_modbus's own, or set its unit back to {unit} in Home Assistant"
            )
        least, most, step = (finite(state.attributes.get(key)) for key in ("min", "max", "step"))
        if least is None or most is None or not 0 <= least < most:
            raise InverterError(
                f"{entity_id} allows {least} to {most} {unit}, which is no range to charge or "
                "discharge in: set the entity id of the right number"
            )
        try:
            value = state.number
        except ValueError as error:
            raise InverterError(f"{entity_id} {error}: check foxess_modbus") from error
        fine = step if step is not None and step > 0 else FINEST_STEP
        return cls(value=value, least=least, most=most, step=fine)

    def shows(self, state: str, wanted: float) -> bool:
        """Whether this state is the wanted number, but for rounding."""
        shown = finite(state)
        return shown is not None and abs(shown - wanted) <= self.step

    def nearest(self, wanted: float) -> float:
        """The value nearest to the wanted one that the number takes."""
        clipped = min(max(wanted, self.least), self.most)
        return round(min(round(clipped / self.step) * self.step, self.most), 3)
