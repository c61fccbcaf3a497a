"""What to send the inverter now: from what is wanted, what it shows, and what came of it before.

In this order: a mode that somebody else set is left alone for a while; after too much trouble there
is a pause in self-use; a mode that is not carried out is repaired; and what differs is sent, though
not too soon after the last change, and no oftener in a day than was allowed. Whatever makes the
house safe is sent always.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.control.breaker import Breaker
from battery_optimizer.control.dispatch import same
from battery_optimizer.control.manual import ManualChange, change_by_others
from battery_optimizer.control.proof import SETTLED_AFTER, UNCLEAR, Judgement, Repairs, Verdict
from battery_optimizer.control.writes import Writes, writes_for
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.settings import CommandSettings
from battery_optimizer.model.wishes import Wishes

OTHER_WAYS: Final = (Mode.HOLD, Mode.FEED_IN)
"""Modes that can be had in another way, by current limits."""
MOST_REPAIRS: Final = 2
_KEPT_FOR_MODES: Final = 4
"""A quarter of the day's writes are not for changes of power alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to send, one after the other; what it comes to if none of it fails; what to tell."""

    result: CommandResult
    commands: tuple[InverterCommand, ...] = ()
    problems: tuple[str, ...] = ()
    other_way: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """All that is remembered of commands and of what came of them."""

    settings: CommandSettings = field(default_factory=CommandSettings)
    breaker: Breaker = field(default_factory=Breaker)
    repairs: Repairs = field(default_factory=Repairs)
    writes: Writes = field(default_factory=Writes)
    told: InverterCommand | None = None
    """What was last set, or found set as wanted; None before that."""
    told_at: datetime | None = None
    """When its mode was set."""
    power_at: datetime | None = None
    """When that or its power was, which is felt as late."""
    tried: InverterCommand | None = None
    """What failed since then: it may yet come."""
    manual: ManualChange | None = None
    other_ways: frozenset[Mode] = frozenset()
    """Modes that did nothing by themselves, and are now had in the other way."""
    could_read: bool = False
    is_paused: bool = False
    is_at_rest: bool = False
    """Paused, and self-use was set: from then on nothing is."""

    def paused(self) -> "Steering":
        """While the household wants the inverter left alone."""
        return self if self.is_paused else replace(self, is_paused=True, is_at_rest=False)

    def resumed(self) -> "Steering":
        """While it does not; what was set meanwhile is nobody's change."""
        return replace(self, is_paused=False, told=None) if self.is_paused else self

    def seen(
        self,
        now: datetime,
        in_force: InverterCommand | None,
        *,
        readable: bool = True,
        ordered: bool = False,
    ) -> "Steering":
        """After a look at the inverter: whether somebody else has set it.

        Where the household has `ordered` a mode, that stands, and the change is taken back.
        """
        before = replace(self, could_read=readable)
        if not readable or self.told is None or self.is_paused:
            return before
        if in_force is not None and in_force.mode is self.told.mode:
            return replace(before, manual=None)
        manual = self.manual
        if manual is not None and (ordered or not manual.holds(now)):
            # Forgotten, so that it is not noticed again should taking it back fail.
            return replace(before, manual=None, told=None)
        if manual is None and not self.could_read:
            return before  # after an outage nobody can be blamed
        if manual is not None and _mode(manual.command) is _mode(in_force):
            return replace(before, manual=replace(manual, command=in_force))
        change = change_by_others(
            self.told,
            in_force,
            tried=self.tried,
            now=now,
            respected=timedelta(minutes=0 if ordered else self.settings.manual_change_minutes),
        )
        return replace(before, manual=change, repairs=Repairs() if change else self.repairs)

    def away(self) -> "Steering":
        """While the inverter is not there to be asked: what failed just before was its going.

        It is waited for, and told at once when it is back, unless it is paused for not obeying.
        """
        return self if self.repairs.tried else replace(self, breaker=Breaker())

    def wishes(self, wishes: Wishes, now: datetime) -> Wishes:
        """The household's wishes, what somebody set by hand among them."""
        return wishes if self.manual is None else self.manual.among(wishes, now)

    def can_judge(self, now: datetime, in_force: InverterCommand | None) -> bool:
        """Whether what the battery does now is to be what the mode in force makes it do."""
        if in_force is None or self.told is None or self.told.mode is not in_force.mode:
            return False
        return self.power_at is None or now - self.power_at >= SETTLED_AFTER

    def judged(
        self, now: datetime, in_force: InverterCommand | None, judgement: Judgement
    ) -> "Steering":
        """After one more reading of what the battery does in the mode in force."""
        if in_force is None:
            return self
        return replace(self, repairs=self.repairs.after(judgement, in_force.mode, now))

    def order(
        self,
        now: datetime,
        wanted: InverterCommand,
        in_force: InverterCommand | None,
        judgement: Judgement = UNCLEAR,
    ) -> tuple["Steering", Order]:
        """What to send now, and what is then remembered."""
        if self.is_paused and self.is_at_rest:
            return self, Order(result=CommandResult.LEFT)
        notices = () if self.manual is None else (self.manual.words,)
        if self.manual is not None and self.manual.command is None and self.manual.holds(now):
            return self, Order(result=CommandResult.LEFT, problems=notices)
        if self.breaker.is_open(now):
            return self._while_open(now, in_force, judgement)
        if self._must_repair(now, wanted, in_force, judgement):
            return self._repaired(now, wanted, judgement)
        order = self._changed(now, wanted, in_force)
        wrong = (judgement.words,) if judgement.is_bad else ()
        is_found = order.result is CommandResult.UNCHANGED and self.manual is None
        power_at = now if self.told is None else self.power_at  # perhaps set a moment ago
        found = replace(self, told=wanted, power_at=power_at, is_at_rest=self.is_paused)
        problems = (*notices, *wrong, *order.problems)
        return found if is_found else self, replace(order, problems=problems)

    def after_success(
        self, now: datetime, command: InverterCommand, in_force: InverterCommand | None
    ) -> "Steering":
        """The inverter took a command, and showed it."""
        trusted = self.repairs.tried == 0 and not self.breaker.is_open(now)
        is_new = in_force is None or in_force.mode is not command.mode
        return replace(
            self,
            breaker=self.breaker.after_success() if trusted else self.breaker,
            writes=self.writes.plus(now, writes_for(in_force, command)),
            told=command,
            told_at=now if is_new else self.told_at,
            power_at=now,
            is_at_rest=self.is_paused,
            tried=None,
            manual=self.manual if _same_mode(self.manual, command) else None,
        )

    def after_failure(self, now: datetime, command: InverterCommand) -> "Steering":
        """The inverter refused, or did not show it."""
        return replace(self, breaker=self.breaker.after_failure(now), tried=command)

    def _while_open(
        self, now: datetime, in_force: InverterCommand | None, judgement: Judgement
    ) -> tuple["Steering", Order]:
        """The breaker is: self-use, by way of another mode if even that is not done."""
        problems: tuple[str, ...] = ("the inverter failed again and again; commands are paused",)
        steering = self
        if in_force is None or not same(SELF_USE, in_force):
            commands: tuple[InverterCommand, ...] = (SELF_USE,)
        elif judgement.verdict is Verdict.DEFIES and self.repairs.is_due(now):
            steering = replace(self, repairs=self.repairs.after_try(now))
            commands = (_between(SELF_USE), SELF_USE)
        else:
            commands = ()
        if judgement.words:
            problems = (*problems, judgement.words)
        return steering, Order(result=CommandResult.PAUSED, commands=commands, problems=problems)

    def _must_repair(
        self,
        now: datetime,
        wanted: InverterCommand,
        in_force: InverterCommand | None,
        judgement: Judgement,
    ) -> bool:
        if in_force is None or in_force.mode is not wanted.mode:
            return False
        if not judgement.is_bad or not self.repairs.is_due(now):
            return False
        is_dangerous = judgement.verdict is Verdict.DEFIES  # and repaired at any price
        return is_dangerous or self._left(now) >= writes_for(None, wanted) + 1

    def _repaired(
        self, now: datetime, wanted: InverterCommand, judgement: Judgement
    ) -> tuple["Steering", Order]:
        """Once more by way of another mode; then the other way; then self-use and a pause."""
        tried = self.repairs.tried
        steering = replace(self, repairs=self.repairs.after_try(now))
        again = Order(
            result=CommandResult.APPLIED,
            commands=(_between(wanted), wanted),
            problems=(f"{judgement.words}: it is set again",),
        )
        if tried >= MOST_REPAIRS:
            words = f"{judgement.words}, however it is told: Self Use, and commands are paused"
            return replace(steering, breaker=self.breaker.opened(now)), replace(
                again,
                result=CommandResult.PAUSED,
                commands=(_between(SELF_USE), SELF_USE),
                problems=(words,),
            )
        if tried and wanted.mode in OTHER_WAYS and wanted.mode not in self.other_ways:
            words = f"{judgement.words}: it is now done in another way, by a current limit"
            return replace(steering, other_ways=self.other_ways | {wanted.mode}), replace(
                again, commands=(wanted,), problems=(words,), other_way=True
            )
        return steering, again

    def _changed(
        self, now: datetime, wanted: InverterCommand, in_force: InverterCommand | None
    ) -> Order:
        """What differs, unless it is too soon or too often."""
        unchanged = Order(result=CommandResult.UNCHANGED)
        if in_force is not None and same(wanted, in_force):
            return unchanged
        send = Order(
            result=CommandResult.APPLIED,
            commands=(wanted,),
            other_way=wanted.mode in self.other_ways,
        )
        if _makes_safe(wanted, in_force):
            return send
        left = self._left(now) - writes_for(in_force, wanted)
        if left < 0:
            return self._out_of_writes(in_force)
        if in_force is not None and in_force.mode is wanted.mode:
            kept = self.settings.writes_per_day / _KEPT_FOR_MODES
            return send if left >= kept else unchanged
        return Order(result=CommandResult.WAITING) if self._is_early(now, in_force) else send

    def _out_of_writes(self, in_force: InverterCommand | None) -> Order:
        is_safe = in_force is not None and in_force.mode is Mode.SELF_USE
        words = (
            f"the {self.settings.writes_per_day} writes a day that commands.writes_per_day allows "
            "are used up: Self Use until midnight"
        )
        return Order(
            result=CommandResult.WAITING if is_safe else CommandResult.APPLIED,
            commands=() if is_safe else (SELF_USE,),
            problems=(words,),
        )

    def _is_early(self, now: datetime, in_force: InverterCommand | None) -> bool:
        """Whether our own last change of mode is too fresh; what others changed is put right."""
        if self.told_at is None or self.told is None or _mode(in_force) is not self.told.mode:
            return False
        # Half a minute off: cycles do not tick to the millisecond.
        dwell = timedelta(minutes=self.settings.dwell_minutes) - SETTLED_AFTER
        return now - self.told_at < dwell

    def _left(self, now: datetime) -> int:
        return self.settings.writes_per_day - self.writes.on(now)


def _makes_safe(wanted: InverterCommand, in_force: InverterCommand | None) -> bool:
    """Self-use, the end of a forced mode, a lower charge, or anything over what cannot be read."""
    if wanted.mode is Mode.SELF_USE or in_force is None:
        return True
    if wanted.mode is in_force.mode is Mode.FORCE_CHARGE:
        return (wanted.power_kw or 0.0) < (in_force.power_kw or 0.0)  # the fuse may be why
    return in_force.mode.is_forced and not wanted.mode.is_forced


def _between(command: InverterCommand) -> InverterCommand:
    """The mode to pass through: selecting the one that is shown already writes nothing."""
    return InverterCommand(mode=Mode.HOLD) if command.mode is Mode.SELF_USE else SELF_USE


def _mode(command: InverterCommand | None) -> Mode | None:
    return None if command is None else command.mode


def _same_mode(manual: ManualChange | None, command: InverterCommand) -> bool:
    return manual is not None and _mode(manual.command) is command.mode
