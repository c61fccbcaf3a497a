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

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from battery_optimizer.adapters.foxess.calls import Caller
from battery_optimizer.adapters.foxess.limits import CurrentLimits, ForgetfulMemory
from battery_optimizer.adapters.foxess.models import (
    EntityNames,
    FoxEntities,
    ListEntities,
    ReadState,
    offered_options,
)
from battery_optimizer.adapters.foxess.soc import SocNumbers
from battery_optimizer.errors import InverterError, InverterUnavailable
from battery_optimizer.model.house import Abilities, Battery
from battery_optimizer.model.memory import Memory
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.service import CallService


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
    memory: Memory = field(default_factory=ForgetfulMemory)
    """Keeps what a current limit was before this app set it to 0."""

    renewals = 0

    def __post_init__(self) -> None:
        self._limits_known: dict[str, str] = {}
        self._soc_numbers = SocNumbers(self.read_state)

    @property
    def abilities(self) -> Abilities:
        """The modes that its select offers, and the limits of its own min and max SoC.

        Everything as long as that cannot be seen: `apply` says why not. Floor and ceiling are kept
        by the five-minute cycle, not written into registers.
        """
        try:
            fox = self._entities()
        except InverterError:
            return Abilities()
        return Abilities(modes=self._modes(fox), soc_limits=self._soc_numbers.limits(fox.stem))

    def _modes(self, fox: FoxEntities) -> frozenset[Mode]:
        """Those that the select offers, and those that a current limit can stand in for."""
        offered = offered_options(self.read_state(fox.select))
        named = {mode for mode, word in fox.control.options.items() if word in offered}
        return frozenset({*named, *self._limits(fox).entities} if named else Mode)

    @property
    def stem(self) -> str:
        """What stands before the names of its entities; InverterError while there are none."""
        return self._entities().stem

    def current(self) -> InverterCommand | None:
        """What the select and the numbers say, powers translated with the sun of the moment.

        None if that is none of our modes (such as Peak Shaving); InverterError when unreadable,
        InverterUnavailable while the inverter is not there.
        """
        fox = self._entities()
        option = self._shown(fox)
        modes = [mode for mode, words in fox.control.options.items() if words == option]
        if not modes:
            return None
        mode = modes[0]
        if mode is Mode.SELF_USE:
            return InverterCommand(mode=self._limits(fox).in_place_of() or mode)
        if not mode.is_forced:
            return InverterCommand(mode=mode)
        inverter_kw = self._caller.number(fox.powers[mode]).value
        return InverterCommand(mode=mode, power_kw=self._battery_kw(mode, inverter_kw))

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """The command with the power that sun and rating leave to the battery.

        InverterError when the number that sets it cannot be read.
        """
        if command.power_kw is None:
            return command
        number = self._caller.number(self._entities().powers[command.mode])
        inverter_kw = number.nearest(self._inverter_kw(command))
        return replace(command, power_kw=self._battery_kw(command.mode, inverter_kw))

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Send what differs, power before mode, and wait until it is read back.

        The `other_way` is self-use with a current limit of 0, which the next command undoes.
        InverterError when it cannot be sent, is refused, or is not confirmed in time.
        """
        if command.curtail:
            raise InverterError(
                "Fox ESS inverters cannot be told to turn the sun down; set can_curtail to false"
            )
        fox = self._entities()
        shown = self._shown(fox)
        try:
            self._carry_out(fox, command, shown, other_way=other_way)
        except InverterError:
            self._end_force(fox, shown, command.mode)
            raise

    def _carry_out(
        self, fox: FoxEntities, command: InverterCommand, shown: str, *, other_way: bool
    ) -> None:
        other_way = other_way or self._must_go_another_way(fox, command.mode)
        option = self._option(fox, Mode.SELF_USE if other_way else command.mode)
        limits = self._limits(fox)
        if other_way:
            limits.stand_in(command.mode)
        if command.power_kw is not None:
            self._send_power(fox.powers[command.mode], command)
        if shown != option:
            self._caller.select(fox.select, option)
        # Last, so that nothing about limits stands between the house and self-use.
        limits.put_back(but=command.mode if other_way else None)

    def _end_force(self, fox: FoxEntities, shown: str, wanted: Mode) -> None:
        """What is wanted cannot be had: no reason to go on forcing what nobody wants any more.

        Self-use, or, if that is what cannot be had, no power; the caller says what went wrong.
        """
        mode = next((each for each, word in fox.control.options.items() if word == shown), None)
        if mode is None or not mode.is_forced or mode is wanted:
            return
        if wanted is not Mode.SELF_USE:
            with suppress(InverterError):
                self._caller.select(fox.select, self._option(fox, Mode.SELF_USE))
                return
        with suppress(InverterError):
            number = self._caller.number(fox.powers[mode])
            if number.value > number.nearest(0.0):
                self._caller.set_number(fox.powers[mode], number, number.nearest(0.0))

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving this inverter, with what to do; empty if nothing."""
        try:
            fox = self._entities()
            self._shown(fox)
        except InverterError as error:
            return (str(error),)
        return tuple(self._problems(fox))

    def _problems(self, fox: FoxEntities) -> Iterator[str]:
        for mode in Mode:
            try:
                self._option(fox, mode)
                if mode.is_forced:
                    self._caller.number(fox.powers[mode])
            except InverterError as error:
                yield str(error)
        yield from self._limits(fox).strange()

    def _entities(self) -> FoxEntities:
        # Looked up each time: after a restart of Home Assistant they come one after the other.
        return FoxEntities.find(self.names, self.list_entities, self.read_state)

    @property
    def _caller(self) -> Caller:
        return Caller(
            call_service=self.call_service,
            read_state=self.read_state,
            sleep=self.sleep,
            confirm_timeout_s=self.confirm_timeout_s,
        )

    def _shown(self, fox: FoxEntities) -> str:
        """The option that the select shows; a call would succeed and be dropped while none is."""
        try:
            return self._caller.read(fox.select).state
        except InverterError as error:
            raise InverterUnavailable(str(error)) from error

    def _must_go_another_way(self, fox: FoxEntities, mode: Mode) -> bool:
        """Whether the select has no word for the mode, while a current limit can stand in."""
        offered = offered_options(self.read_state(fox.select))
        has_word = fox.control.options.get(mode) in offered
        return not has_word and bool(offered) and mode in self._limits(fox).entities

    def _limits(self, fox: FoxEntities) -> CurrentLimits:
        there = {mode: each for mode, each in fox.limits.items() if self.read_state(each)}
        return CurrentLimits(
            caller=self._caller, memory=self.memory, entities=there, known=self._limits_known
        )

    def _option(self, fox: FoxEntities, mode: Mode) -> str:
        offered = offered_options(self.read_state(fox.select))
        option = fox.control.options.get(mode)
        if option is None or option not in offered:
            raise InverterError(
                f"{fox.select} does not offer {option or mode}, only "
                f"{', '.join(offered) or 'nothing'}: {fox.control.when_missing}"
            )
        return option

    def _send_power(self, entity_id: str, command: InverterCommand) -> None:
        number = self._caller.number(entity_id)
        wanted_kw = number.nearest(self._inverter_kw(command))
        if abs(wanted_kw - number.value) >= self.power_tolerance_kw:
            self._caller.set_number(entity_id, number, wanted_kw)

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
