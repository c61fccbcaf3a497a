"""A Fox ESS inverter as the foxess_modbus integration shows it in Home Assistant.

The force powers of Fox ESS are the inverter's AC power; a command's power is the battery's. Between
them stands the sun of the moment, which a hybrid inverter adds on its own side:

    force charge      inverter takes P from the AC side    battery charges    P + solar
    force discharge   inverter gives P to the AC side      battery discharges P - solar

so P = wanted - solar to charge, and P = wanted + solar to discharge, within what the number entity
allows. The cases at the edge:

* The sun alone exceeds the wanted charge: P = 0. All the sun goes into the battery, more than
  wanted, and the grid serves the house. Less would need a forced discharge, which goes on taking
  from the battery when a cloud comes; whoever wants less than the sun gives should say self-use.
* Wanted discharge and sun exceed the inverter's rating: P is the rating, and the sun goes first.
* The sun is not measured: P = wanted. A charge takes the sun on top, a discharge is less by it.

`floor_kwh` and `ceiling_kwh` are not sent: min and max SoC are registers that outlive this app. A
cycle every five minutes ends a forced mode there instead; the inverter's own min SoC always holds.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from battery_optimizer.adapters.foxess_models import (
    POWER_UNIT,
    EntityNames,
    FoxEntities,
    ListEntities,
    ReadState,
    offered_options,
)
from battery_optimizer.errors import InverterError
from battery_optimizer.model.entity import EntityState, finite
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import InverterCommand, Mode

NOT_THERE: Final = ("unavailable", "unknown")
POLL_SECONDS: Final = 0.5
FINEST_STEP_KW: Final = 0.001


class CallService(Protocol):
    """Calls a Home Assistant service such as `select/select_option`; returns its answer."""

    def __call__(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        """The answer, in which `success` says whether it was done."""


@dataclass(kw_only=True)
class FoxEssModbus:
    """An inverter told by a select and two numbers, and read back after each command.

    `solar_kw` gives the generation of the moment [kW], None where it is not known; `sleep` waits
    for so many seconds. A power that differs by less than `power_tolerance_kw` is not sent again.
    """

    call_service: CallService
    read_state: ReadState
    list_entities: ListEntities
    battery: Battery
    solar_kw: Callable[[], float | None]
    sleep: Callable[[float], None]
    names: EntityNames = field(default_factory=EntityNames)
    confirm_timeout_s: float = 10.0
    power_tolerance_kw: float = 0.05

    keeps_limits = False
    """Floor and ceiling are kept by the five-minute cycle, not written into registers."""

    def current(self) -> InverterCommand | None:
        """What the select and the numbers say, powers translated with the sun of the moment.

        None if that is none of our modes (such as Peak Shaving); InverterError when unreadable.
        """
        fox = self._entities()
        option = self._read(fox.select).state
        modes = [mode for mode, words in fox.control.options.items() if words == option]
        if not modes:
            return None
        mode = modes[0]
        if not mode.is_forced:
            return InverterCommand(mode=mode)
        inverter_kw = self._number(fox.powers[mode]).value_kw
        return InverterCommand(mode=mode, power_kw=self._battery_kw(mode, inverter_kw))

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Send what differs, power before mode, and wait until it is read back.

        InverterError when it cannot be sent, is refused, or is not confirmed in time.
        """
        if command.curtail:
            raise InverterError(
                "Fox ESS inverters cannot be told to turn the sun down; set can_curtail to false"
            )
        fox = self._entities()
        shown = self._read(fox.select).state
        option = self._option(fox, command.mode)
        if command.power_kw is not None:
            self._send_power(fox.powers[command.mode], command)
        if shown != option:
            self._call("select/select_option", fox.select, option=option)
            self._confirm(fox.select, option, lambda shown: shown == option)

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving this inverter, with what to do; empty if nothing."""
        try:
            fox = self._entities()
            self._read(fox.select)
        except InverterError as error:
            return (str(error),)
        return tuple(self._problems(fox))

    def _problems(self, fox: FoxEntities) -> Iterator[str]:
        for mode in Mode:
            try:
                self._option(fox, mode)
                if mode.is_forced:
                    self._number(fox.powers[mode])
            except InverterError as error:
                yield str(error)

    def _entities(self) -> FoxEntities:
        # Looked up each time: after a restart of Home Assistant they come one after the other.
        return FoxEntities.find(self.names, self.list_entities, self.read_state)

    def _option(self, fox: FoxEntities, mode: Mode) -> str:
        offered = offered_options(self.read_state(fox.select))
        option = fox.control.options.get(mode)
        if option is None or option not in offered:
            raise InverterError(
                f"{fox.select} does not offer {option or mode}, only "
                f"{', '.join(offered) or 'nothing'}: {fox.control.when_missing}"
            )
        return option

    def _read(self, entity_id: str) -> EntityState:
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

    def _number(self, entity_id: str) -> "PowerNumber":
        return PowerNumber.from_state(entity_id, self._read(entity_id))

    def _send_power(self, entity_id: str, command: InverterCommand) -> None:
        number = self._number(entity_id)
        wanted_kw = number.nearest(self._inverter_kw(command))
        if abs(wanted_kw - number.value_kw) < self.power_tolerance_kw:
            return
        self._call("number/set_value", entity_id, value=wanted_kw)
        self._confirm(
            entity_id,
            f"{wanted_kw:g}",
            lambda shown: number.shows(shown, wanted_kw),
        )

    def _inverter_kw(self, command: InverterCommand) -> float:
        battery_kw, solar_kw = command.power_kw or 0.0, self.solar_kw() or 0.0
        if command.mode is Mode.FORCE_CHARGE:
            return max(0.0, min(battery_kw, self.battery.max_charge_kw) - solar_kw)
        return min(battery_kw, self.battery.max_discharge_kw) + solar_kw

    def _battery_kw(self, mode: Mode, inverter_kw: float) -> float:
        solar_kw = self.solar_kw() or 0.0
        if mode is Mode.FORCE_CHARGE:
            return round(min(inverter_kw + solar_kw, self.battery.max_charge_kw), 3)
        return round(min(max(0.0, inverter_kw - solar_kw), self.battery.max_discharge_kw), 3)

    def _call(self, service: str, entity_id: str, **data: object) -> None:
        try:
            answer = self.call_service(service, entity_id=entity_id, **data)
        except Exception as error:  # the host's own kinds, which this layer must not import
            raise InverterError(f"{service} for {entity_id} cannot be called: {error}") from error
        if refusal := _refusal(answer):
            words = ", ".join(str(value) for value in data.values())
            raise InverterError(f"{entity_id} was not set to {words}: {refusal}")

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
class PowerNumber:
    """A number entity that takes a power [kW]."""

    value_kw: float
    """What it is set to."""
    least_kw: float
    most_kw: float
    step_kw: float

    @classmethod
    def from_state(cls, entity_id: str, state: EntityState) -> Self:
        """From what Home Assistant shows; InverterError for another unit or no sensible range."""
        if state.unit != POWER_UNIT:
            raise InverterError(
                f"{entity_id} is in {state.unit or 'no unit'}, not {POWER_UNIT}: set the entity id "
                "of foxess_modbus's force power, or set its unit back to kW in Home Assistant"
            )
        least, most, step = (finite(state.attributes.get(key)) for key in ("min", "max", "step"))
        if least is None or most is None or not 0 <= least < most:
            raise InverterError(
                f"{entity_id} allows {least} to {most} kW, which is no range to charge or "
                "discharge in: set the entity id of the right number"
            )
        try:
            value_kw = state.number
        except ValueError as error:
            raise InverterError(f"{entity_id} {error}: check foxess_modbus") from error
        return cls(
            value_kw=value_kw,
            least_kw=least,
            most_kw=most,
            step_kw=step if step is not None and step > 0 else FINEST_STEP_KW,
        )

    def shows(self, state: str, wanted_kw: float) -> bool:
        """Whether this state is the wanted power [kW], but for rounding."""
        shown_kw = finite(state)
        return shown_kw is not None and abs(shown_kw - wanted_kw) <= self.step_kw

    def nearest(self, power_kw: float) -> float:
        """The power nearest to the wanted one that the number takes [kW]."""
        clipped = min(max(power_kw, self.least_kw), self.most_kw)
        return round(min(round(clipped / self.step_kw) * self.step_kw, self.most_kw), 3)


def _refusal(answer: object) -> str | None:
    """Why a service call did not succeed, or None if it did."""
    if answer is None:
        return "Home Assistant is not connected"
    if not isinstance(answer, Mapping):
        return f"the answer was {answer!r}"
    if answer.get("success") is True:
        return None
    if answer.get("ad_status") == "TIMEOUT":
        return "Home Assistant did not answer in time; it may yet be done"
    error = answer.get("error")
    return str(error.get("message", error) if isinstance(error, Mapping) else error)
