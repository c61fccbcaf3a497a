"""Force charge for models that foxess_modbus cannot force: by a charge period of the inverter.

Some models (H1, AC1 and AIO over RS485) have two daily times in which they charge from the grid at
full power, set by the service `update_charge_period`. The second of them is used, from now on for
an hour, and moved on while it is wanted. It is a register: it outlives this app, and comes back
every day at its time. So the times that were set are remembered, by the database and by Home
Assistant's own helper where its package is installed, whose watchdog clears it, too. A period with
these times is ours, and is cleared with the next other command, also after a restart. Any other is
somebody else's: it is not overwritten, and its owner is asked to clear it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from battery_optimizer.adapters.foxess.calls import Caller
from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.errors import DataError, InverterError
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.memory import Memory
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.slots import UK

PERIOD: Final = 2
SERVICE: Final = "foxess_modbus/update_charge_period"
LASTS: Final = timedelta(hours=1)
RENEWED_BEFORE: Final = timedelta(minutes=12)
"""Two cycles and a bit."""
LAST_MINUTE: Final = time(23, 59)
"""A period must not reach midnight."""
HELPER: Final = "input_text.battery_optimizer_charge_period"
"""Of our package for Home Assistant."""
_KEY: Final = "our charge period"
_NUMBERS: Final = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A period that is set, as it shows."""

    number: int
    first: time
    last: time

    @property
    def times(self) -> str:
        return _times(self.first, self.last)

    def ends_after(self, now: datetime) -> datetime | None:
        """When it ends, if it runs now."""
        first, last = (
            datetime.combine(now.date(), each, tzinfo=now.tzinfo)
            for each in (self.first, self.last)
        )
        return last if first <= now < last else None


@dataclass(kw_only=True)
class FoxEssWithPeriods:
    """The inverter, with a charge period in the place of the Force Charge that it lacks.

    `name` is how foxess_modbus's services call the inverter, if that is not to be found out: its
    friendly name, or a device id.
    `zone` is that of the inverter's clock.
    """

    inner: FoxEssModbus
    memory: Memory
    now: Callable[[], datetime]
    name: str | None = None
    zone: tzinfo = UK

    renewals: int = field(default=0, init=False)
    """How often a period was moved on."""
    _is_wanted: bool | None = field(default=None, init=False)
    """Whether it was told to charge, and nothing else since; None while it was told nothing."""
    _known: str = field(default="", init=False)
    """What was remembered last, for when the database is lost."""

    @property
    def abilities(self) -> Abilities:
        """Those of the inverter; where a period stands in Force Charge, too, at full power."""
        its = self.inner.abilities
        if not self._stands_in():
            return its
        return replace(its, modes=its.modes | {Mode.FORCE_CHARGE}, sets_powers=False)

    def current(self) -> InverterCommand | None:
        """What it does; a period of ours that is wanted on is moved on before it ends.

        InverterError when that cannot be read, or not be moved.
        """
        shown = self.inner.current()
        if shown != SELF_USE or not self._stands_in():
            return shown
        now, ours = self._clock(), self._ours()
        until = None if ours is None else ours.ends_after(now)
        if ours is not None and until is None:
            raise InverterError(
                f"charge period {PERIOD}, set by this app, is over and would come back "
                "tomorrow: it is cleared, or set anew, with the command that follows"
            )
        if until is None and not self._running():
            return shown
        if until is not None and self._is_wanted is False:
            raise InverterError(
                f"charge period {PERIOD}, set by this app, was to be cleared, but is there: it is "
                "cleared again"
            )
        if self._is_wanted and until is not None and until - now < RENEWED_BEFORE:
            self._start()
            self.renewals += 1
        return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=self.inner.battery.max_charge_kw)

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """As the inverter shows it; a charge by the period is always at full power."""
        if command.mode is Mode.FORCE_CHARGE and self._stands_in():
            return command
        return self.inner.as_shown(command)

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
        for theirs in self._running() if self._stands_in() else ():
            raise InverterError(f"{_owned(theirs)}: the battery charges until then")

    def check(self) -> tuple[str, ...]:
        """What stands in the way of driving this inverter, with what to do; empty if nothing."""
        problems = self.inner.check()
        if self._stands_in():
            lacking = "does not offer Force Charge"
            problems = tuple(each for each in problems if lacking not in each)
        try:
            ours = self._ours()
            theirs = [each for each in map(self._period, _NUMBERS) if each and each != ours]
        except InverterError as error:
            return tuple(dict.fromkeys((*problems, str(error))))
        return (*problems, *(f"{_owned(each)}, whatever is planned" for each in theirs))

    def _stands_in(self) -> bool:
        """Whether the select has no Force Charge, and there is a period that can be set."""
        if Mode.FORCE_CHARGE in self.inner.abilities.modes:
            return False
        return self.inner.read_state(self._switch(PERIOD)) is not None

    def _start(self) -> None:
        shown = self._period(PERIOD)
        if shown is not None and shown != self._ours():
            raise InverterError(f"{_owned(shown)}, so that this app can charge by it")
        now = self._clock()
        end = min(now + LASTS, datetime.combine(now.date(), LAST_MINUTE, tzinfo=now.tzinfo))
        if end <= now:
            raise InverterError("a charge period cannot be set in the last minute of a day")
        # The old times, too: should the call fail, it is them that go on.
        before = () if shown is None else (shown.times,)
        self._remember(*before, _times(now.time(), end.time()))
        self._send(first=now.time(), last=end.time(), enable=True)
        self._confirm(is_on=True)

    def _clear(self) -> None:
        """End a period of ours; that it was is not forgotten, for the inverter may drop it."""
        if self._ours() is None:
            return
        # The service wants times, and a later end, of what is taken away, too.
        self._send(first=time(0, 0), last=time(0, 1), enable=False)
        self._confirm(is_on=False)

    def _send(self, *, first: time, last: time, enable: bool) -> None:
        self._caller.call(
            SERVICE,
            inverter=self._inverter() if self.name is None else self.name,
            charge_period=PERIOD,
            enable_force_charge=enable,
            enable_charge_from_grid=enable,
            start=f"{first:%H:%M}",
            end=f"{last:%H:%M}",
        )

    def _inverter(self) -> str:
        """Its friendly name, which stands in brackets behind the name of each of its entities."""
        shown = self.inner.read_state(self._switch(PERIOD))
        words = "" if shown is None else str(shown.attributes.get("friendly_name"))
        return words.partition(" (")[2].removesuffix(")") or self.inner.stem.rstrip("_")

    def _confirm(self, *, is_on: bool) -> None:
        for _ in range(1 + round(self.inner.confirm_timeout_s)):
            shown = self._period(PERIOD)
            runs = shown is not None and shown.ends_after(self._clock()) is not None
            if runs if is_on else shown is None:
                return
            self.inner.sleep(1.0)
        raise InverterError(
            f"charge period {PERIOD} was {'set' if is_on else 'cleared'}, but does not show it"
        )

    def _running(self) -> list[_Shown]:
        """Periods in which it charges now."""
        now = self._clock()
        shown = [self._period(number) for number in _NUMBERS]
        return [each for each in shown if each is not None and each.ends_after(now) is not None]

    def _ours(self) -> _Shown | None:
        """Our period, if it is set and ours by its times."""
        shown = self._period(PERIOD)
        return shown if shown is not None and shown.times in self._remembered() else None

    def _period(self, number: int) -> _Shown | None:
        """A period, if there is one and it is set; InverterError when that cannot be read."""
        switch = self._switch(number)
        if self.inner.read_state(switch) is None or self._caller.read(switch).state != "on":
            return None
        first, last = (self._time(number, which) for which in ("start", "end"))
        return _Shown(number=number, first=first, last=last)

    def _time(self, number: int, which: str) -> time:
        entity_id = f"sensor.{self.inner.stem}time_period_{number}_{which}"
        shown = self._caller.read(entity_id).state
        try:
            return time.fromisoformat(shown)
        except ValueError as error:
            raise InverterError(f"{entity_id} shows {shown!r}, which is no time") from error

    def _remember(self, *times: str) -> None:
        """These are ours from now on, so that nobody has to wonder who set them."""
        words = " ".join(times)
        try:
            self.memory.put_state(_KEY, words)
        except DataError as error:
            raise InverterError(
                f"no charge period is set, since that it is ours could not be kept: {error}"
            ) from error
        self._known = words
        if self.inner.read_state(HELPER) is not None:
            self._caller.call("input_text/set_value", entity_id=HELPER, value=words)

    def _remembered(self) -> list[str]:
        """All times that may be ours: by this process, the database, and Home Assistant."""
        helper = self.inner.read_state(HELPER)
        words = [self._known, "" if helper is None else helper.state]
        with suppress(DataError):  # control goes on without its store, which `record` tells of
            words.append(self.memory.get_state(_KEY) or "")
        return " ".join(words).split()

    def _clock(self) -> datetime:
        """By the inverter's clock, on the whole minute."""
        return self.now().astimezone(self.zone).replace(second=0, microsecond=0)

    def _switch(self, number: int) -> str:
        return f"binary_sensor.{self.inner.stem}time_period_{number}_enable_force_charge"

    @property
    def _caller(self) -> Caller:
        return Caller(
            call_service=self.inner.call_service,
            read_state=self.inner.read_state,
            sleep=self.inner.sleep,
            confirm_timeout_s=self.inner.confirm_timeout_s,
        )


def _times(first: time, last: time) -> str:
    return f"{first:%H:%M}-{last:%H:%M}"


def _owned(shown: _Shown) -> str:
    return (
        f"charge period {shown.number}, {shown.first:%H:%M} to {shown.last:%H:%M}, is set by "
        "somebody else: clear it in the Fox app or in Home Assistant"
    )
