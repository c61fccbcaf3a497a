"""A Fox ESS inverter told by the services of the foxess_control integration, cloud or local.

Each service takes a duration, at whose end the integration goes back to self-use by itself: nothing
is stuck when this app dies. While it lives `current`, which every cycle calls, asks for more time
before the last one is up. What differs from foxess_modbus:

* A forced mode runs at full power, and there is no service to hold the battery.
* A duration must not cross midnight, so the last minute of a day is spent in self-use.
* The mode is read from a sensor that may be five minutes old, so for that long we are believed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from battery_optimizer.adapters.foxess.calls import Caller
from battery_optimizer.adapters.foxess.models import ReadState
from battery_optimizer.errors import InverterError, InverterUnavailable
from battery_optimizer.model.house import Abilities, Battery
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.service import CallService
from battery_optimizer.model.slots import UK, day_bounds, local_day
from battery_optimizer.model.wording import MODE_WORDS

LASTS: Final = timedelta(minutes=30)
RENEWED_BEFORE: Final = timedelta(minutes=12)
"""Two cycles and a bit."""
BELIEVED_FOR: Final = timedelta(minutes=6)
LEAST: Final = timedelta(minutes=2)
SERVICES: Final = MappingProxyType(
    {
        Mode.FORCE_CHARGE: "foxess_control/force_charge",
        Mode.FORCE_DISCHARGE: "foxess_control/force_discharge",
        Mode.FEED_IN: "foxess_control/feedin",
    }
)
CLEAR: Final = "foxess_control/clear_overrides"
WORDS: Final = MappingProxyType(
    {
        "SelfUse": Mode.SELF_USE,
        "Backup": Mode.HOLD,
        "Feedin": Mode.FEED_IN,
        "ForceCharge": Mode.FORCE_CHARGE,
        "ForceDischarge": Mode.FORCE_DISCHARGE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    command: InverterCommand
    at: datetime
    until: datetime | None


@dataclass(kw_only=True)
class FoxEssControl:
    """An inverter told by services with durations, and read by the sensor of its work mode."""

    call_service: CallService
    read_state: ReadState
    battery: Battery
    now: Callable[[], datetime]
    work_mode: str = "sensor.foxess_work_mode"
    zone: ZoneInfo = UK
    _told: _Told | None = field(default=None, init=False)
    renewals: int = field(default=0, init=False)

    @property
    def abilities(self) -> Abilities:
        """What there are services for, at full power."""
        return Abilities(modes=frozenset({Mode.SELF_USE, *SERVICES}), sets_powers=False)

    def current(self) -> InverterCommand | None:
        """What the inverter does; on the way what it was told is given more time.

        InverterError when the sensor cannot be read, or when a mode has ended by itself.
        """
        shown = self._shown()
        told, now = self._told, self.now()
        if told is None:
            return shown
        if told.until is not None and now >= told.until:
            self._told = None
            raise InverterError(
                f"{MODE_WORDS[told.command.mode]} has ended by itself, and is set again"
            )
        if now - told.at < BELIEVED_FOR:
            return told.command
        if shown is None or shown.mode is not told.command.mode:
            self._told = None
            return shown
        if told.until is not None and told.until - now < RENEWED_BEFORE:
            self._start(told.command)
            self.renewals += 1
        return told.command

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """The command: what was told is believed."""
        return command

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Call the mode's service for the next half hour; InverterError when it is refused."""
        if other_way:
            raise InverterError("foxess_control has no other way to set a mode")
        if command.curtail:
            raise InverterError(
                "Fox ESS inverters cannot be told to turn the sun down; set can_curtail to false"
            )
        if command.mode is Mode.SELF_USE:
            self._caller.call(CLEAR)
            self._told = _Told(command=command, at=self.now(), until=None)
            return
        if command.mode not in SERVICES:
            raise InverterError(f"foxess_control has no service for {MODE_WORDS[command.mode]}")
        self._start(command)

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving this inverter, with what to do; empty if nothing."""
        try:
            self._shown()
        except InverterError as error:
            return (str(error),)
        return ()

    def _start(self, command: InverterCommand) -> None:
        now = self.now()
        _, tomorrow = day_bounds(local_day(now, self.zone), self.zone)
        # The service counts from its own clock, and refuses what reaches midnight.
        until = min(now + LASTS, tomorrow - timedelta(minutes=1))
        if until - now < LEAST:
            raise InverterError(
                f"{MODE_WORDS[command.mode]} is not started in the last minutes of a day, which "
                "foxess_control would refuse"
            )
        self._caller.call(
            SERVICES[command.mode],
            duration={"minutes": (until - now) // timedelta(minutes=1)},
            replace_conflicts=True,
        )
        self._told = _Told(command=command, at=now, until=until)

    def _shown(self) -> InverterCommand | None:
        try:
            shown = self._caller.read(self.work_mode).state
        except InverterError as error:
            raise InverterUnavailable(str(error)) from error
        mode = WORDS.get(shown)
        if mode is None:
            return None
        power_kw = {
            Mode.FORCE_CHARGE: self.battery.max_charge_kw,
            Mode.FORCE_DISCHARGE: self.battery.max_discharge_kw,
        }.get(mode)
        return InverterCommand(mode=mode, power_kw=power_kw)

    @property
    def _caller(self) -> Caller:
        return Caller(
            call_service=self.call_service,
            read_state=self.read_state,
            sleep=lambda _: None,
            confirm_timeout_s=0.0,
        )
