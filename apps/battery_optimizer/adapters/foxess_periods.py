"""Force charge for models that foxess_modbus cannot force: by a charge period of the inverter.

Some models (H1, AC1 and AIO over RS485) have two daily times in which they charge from the grid at
full power, set by the service `update_charge_period`. The second of them is used, from now on for
an hour, and moved on while it is wanted. It is a register: it outlives this app, and comes back
every day at its time. So that it is ours is remembered, and it is cleared with the next other
command, also after a restart. Whoever set it before is asked to clear it; it is not overwritten.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from battery_optimizer.adapters.foxess_calls import Caller
from battery_optimizer.adapters.foxess_limits import Memory
from battery_optimizer.adapters.foxess_modbus import FoxEssModbus
from battery_optimizer.errors import DataError, InverterError
from battery_optimizer.model.house import SocLimits
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.slots import UK

PERIOD: Final = 2
SERVICE: Final = "foxess_modbus/update_charge_period"
LASTS: Final = timedelta(hours=1)
RENEWED_BEFORE: Final = timedelta(minutes=12)
"""Two cycles and a bit."""
LAST_MINUTE: Final = time(23, 59)
"""A period must not reach midnight."""
_KEY: Final = "our charge period"
_OURS, _NOTHING = "set", ""


@dataclass(kw_only=True)
class FoxEssWithPeriods:
    """The inverter, with a charge period in the place of the Force Charge that it lacks.

    `name` is how foxess_modbus's services call the inverter: its friendly name, or a device id.
    `zone` is that of the inverter's clock.
    """

    inner: FoxEssModbus
    memory: Memory
    now: Callable[[], datetime]
    name: str | None = None
    zone: tzinfo = UK

    _is_wanted: bool = field(default=False, init=False)
    """Whether it was told to charge, and nothing else since."""

    keeps_limits = False

    @property
    def sets_powers(self) -> bool:
        """Not by a period, which charges at full power."""
        return not self._stands_in()

    @property
    def soc_limits(self) -> SocLimits:
        """Those of the inverter."""
        return self.inner.soc_limits

    @property
    def modes(self) -> frozenset[Mode]:
        """Those of the select, and Force Charge where a period stands in."""
        return self.inner.modes | ({Mode.FORCE_CHARGE} if self._stands_in() else frozenset())

    def current(self) -> InverterCommand | None:
        """What it does; a period of ours that is wanted on is moved on before it ends.

        InverterError when that cannot be read, or not be moved.
        """
        shown = self.inner.current()
        if shown != SELF_USE or not self._stands_in():
            return shown
        until = self._until()
        if until is None:
            if self._is_ours() and self._is_on():
                raise InverterError(
                    f"charge period {PERIOD}, set by this app, is over and would come back "
                    "tomorrow: it is cleared, or set anew, with the command that follows"
                )
            return shown
        if self._is_wanted and until - self._clock() < RENEWED_BEFORE:
            self._start()
        return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=self.inner.battery.max_charge_kw)

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """As the select does; a charge by the period, which any other command clears.

        InverterError when it cannot be sent, is refused, or is not confirmed in time.
        """
        if command.mode is Mode.FORCE_CHARGE and self._stands_in():
            if other_way or command.curtail:
                raise InverterError("a charge period knows no other way, and no sun turned down")
            self.inner.apply(SELF_USE)
            self._start()
            self._is_wanted = True
            return
        self._is_wanted = False
        try:
            self._clear()
        finally:
            self.inner.apply(command, other_way=other_way)

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving this inverter, with what to do; empty if nothing."""
        problems = self.inner.check()
        if not self._stands_in():
            return problems
        lacking = "does not offer Force Charge"
        return tuple(each for each in problems if lacking not in each)

    def _stands_in(self) -> bool:
        """Whether the select has no Force Charge, and there is a period that can be set."""
        if Mode.FORCE_CHARGE in self.inner.modes:
            return False
        return self.inner.read_state(self._switch) is not None

    def _start(self) -> None:
        if not self._is_ours() and self._is_on():
            raise InverterError(
                f"charge period {PERIOD} is set by somebody else: clear it in the Fox app or in "
                "Home Assistant, so that this app can charge by it"
            )
        now = self._clock()
        end = min(now + LASTS, datetime.combine(now.date(), LAST_MINUTE, tzinfo=now.tzinfo))
        if end <= now:
            raise InverterError("a charge period cannot be set in the last minute of a day")
        try:
            self.memory.put_state(_KEY, _OURS)
        except DataError as error:
            raise InverterError(
                f"no charge period is set, since that it is ours could not be kept: {error}"
            ) from error
        self._send(first=now.time(), last=end.time(), enable=True)
        self._confirm(is_on=True)

    def _clear(self) -> None:
        """End a period of ours."""
        if not self._is_ours():
            return
        if self._is_on():
            # The service wants times, and a later end, of what is taken away, too.
            self._send(first=time(0, 0), last=time(0, 1), enable=False)
            self._confirm(is_on=False)
        try:
            self.memory.put_state(_KEY, _NOTHING)
        except DataError:
            return  # remembered too long does no harm: what is not on is not cleared

    def _send(self, *, first: time, last: time, enable: bool) -> None:
        self._caller.call(
            SERVICE,
            inverter=self.inner.stem.rstrip("_") if self.name is None else self.name,
            charge_period=PERIOD,
            enable_force_charge=enable,
            enable_charge_from_grid=enable,
            start=f"{first:%H:%M}",
            end=f"{last:%H:%M}",
        )

    def _confirm(self, *, is_on: bool) -> None:
        for _ in range(1 + round(self.inner.confirm_timeout_s)):
            if (self._until() is not None) if is_on else not self._is_on():
                return
            self.inner.sleep(1.0)
        raise InverterError(
            f"charge period {PERIOD} was {'set' if is_on else 'cleared'}, but does not show it"
        )

    def _until(self) -> datetime | None:
        """When the period that runs now ends; None while none does."""
        if not self._is_on():
            return None
        now = self._clock()
        first, last = (
            datetime.combine(now.date(), self._time(each), tzinfo=now.tzinfo)
            for each in ("start", "end")
        )
        return last if first <= now < last else None

    def _is_on(self) -> bool:
        return self._caller.read(self._switch).state == "on"

    def _time(self, which: str) -> time:
        entity_id = self._entity("sensor", which)
        shown = self._caller.read(entity_id).state
        try:
            return time.fromisoformat(shown)
        except ValueError as error:
            raise InverterError(f"{entity_id} shows {shown!r}, which is no time") from error

    def _is_ours(self) -> bool:
        try:
            return self.memory.get_state(_KEY) == _OURS
        except DataError:
            return False

    def _clock(self) -> datetime:
        """By the inverter's clock, on the whole minute."""
        return self.now().astimezone(self.zone).replace(second=0, microsecond=0)

    def _entity(self, domain: str, ending: str) -> str:
        return f"{domain}.{self.inner.stem}time_period_{PERIOD}_{ending}"

    @property
    def _switch(self) -> str:
        return self._entity("binary_sensor", "enable_force_charge")

    @property
    def _caller(self) -> Caller:
        return Caller(
            call_service=self.inner.call_service,
            read_state=self.inner.read_state,
            sleep=self.inner.sleep,
            confirm_timeout_s=self.inner.confirm_timeout_s,
        )
