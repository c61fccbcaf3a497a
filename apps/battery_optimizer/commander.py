"""Gives the inverter its orders and watches what comes of them: `control.steering`, with hands."""

from dataclasses import replace
from datetime import datetime

from battery_optimizer.control.clock import set_back
from battery_optimizer.control.proof import UNCLEAR, Judgement, judge
from battery_optimizer.control.steering import Order, Steering
from battery_optimizer.control.writes import Writes, writes_for
from battery_optimizer.errors import DataError, InverterError, InverterUnavailable
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.settings import CommandSettings, Control
from battery_optimizer.model.slots import day_bounds, local_day
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.model.wishes import Wishes
from battery_optimizer.ports import Inverter, Journal

Problems = tuple[str, ...]


class Commander:
    """One inverter's; remembers what it was told."""

    def __init__(
        self, *, inverter: Inverter, journal: Journal, control: Control, settings: CommandSettings
    ) -> None:
        self._inverter = inverter
        self._journal = journal
        self._control = control
        self._steering = Steering(settings=settings)
        self._looked_at: datetime | None = None
        self._renewals = 0
        # By other than a cycle's command, perhaps by another thread.
        self._was_overtaken = False
        self._in_force: InverterCommand | None = None
        self._writes_for_safety = 0

    def look(
        self, now: datetime, wishes: Wishes
    ) -> tuple[InverterCommand | None, Wishes, Problems]:
        """What the inverter does by its own account, or why that is not known.

        With it the wishes, what somebody set at the inverter itself among them.
        """
        if self._looked_at is not None and now < self._looked_at:
            self._steering = set_back(self._steering, self._looked_at - now)
        self._looked_at = now
        if self._was_overtaken:
            self._was_overtaken = False
            self._steering = replace(self._steering, told=None)
        steering = self._steering.paused() if wishes.is_paused else self._steering.resumed()
        ordered = wishes.order_at(now) is not None
        try:
            in_force = self._inverter.current()
        except InverterError as error:
            steering = steering.seen(now, None, readable=False)
            is_away = isinstance(error, InverterUnavailable)
            self._steering = steering.away() if is_away else steering
            self._in_force = None
            return None, self._steering.wishes(wishes, now), (str(error),)
        self._steering, self._in_force = steering.seen(now, in_force, ordered=ordered), in_force
        self._count_writes_between(now)
        return in_force, self._steering.wishes(wishes, now), ()

    def writes(self, now: datetime) -> int:
        """How often the inverter was written to today."""
        return self._steering.writes.on(now)

    def should_look_again(self, now: datetime) -> bool:
        """Whether the powers should be looked at before the next cycle."""
        return self._steering.told_at == now or self._steering.repairs.is_suspicion

    def send(
        self,
        now: datetime,
        wanted: InverterCommand,
        in_force: InverterCommand | None,
        house: House,
        telemetry: Telemetry | None,
    ) -> tuple[CommandResult, Problems]:
        """Send what there is to send; what became of it, and what is wrong."""
        if self._control is Control.READ_ONLY:
            return CommandResult.READ_ONLY, ()
        self._remember_writes(now)
        wanted = self._as_shown(wanted)
        judgement = self._judgement(now, wanted, in_force, house, telemetry)
        judged = self._steering.judged(now, in_force, judgement)
        self._steering, order = judged.order(now, wanted, in_force, judgement)
        try:
            self._carry_out(now, order, in_force)
        except InverterError as error:
            if order.result is CommandResult.PAUSED:
                return order.result, (*order.problems, _not_even(error))
            return self._failed(now, order, error)
        return order.result, order.problems

    def make_safe(self) -> None:
        """Set self-use, for when nobody will watch; InverterError when that fails."""
        if self._control is Control.ACTIVE:
            # Also if it fails in part: whatever is shown next was nobody else's wish.
            self._was_overtaken = True
            self._inverter.apply(SELF_USE)
            # Until the next look, which counts it, it is written only once.
            self._writes_for_safety = writes_for(self._in_force, SELF_USE)

    def stand_aside(self) -> None:
        """Another app has the inverter: what it shows next is nobody's change by hand."""
        self._was_overtaken = True

    def _as_shown(self, wanted: InverterCommand) -> InverterCommand:
        """So that more than there is to be had is not sent again with every cycle."""
        try:
            return self._inverter.as_shown(wanted)
        except InverterError:
            return wanted  # `apply` says why, if that is to be sent

    def _judgement(
        self,
        now: datetime,
        wanted: InverterCommand,
        in_force: InverterCommand | None,
        house: House,
        telemetry: Telemetry | None,
    ) -> Judgement:
        if telemetry is None or in_force is None:
            return UNCLEAR
        was_tried = self._steering.tried is not None
        if was_tried and in_force.mode not in (wanted.mode, Mode.SELF_USE):
            return UNCLEAR  # its end failed, and what was done of that already shows
        if not self._steering.can_judge(now, in_force):
            return UNCLEAR
        return judge(house, in_force, telemetry)

    def _carry_out(self, now: datetime, order: Order, in_force: InverterCommand | None) -> None:
        for command in order.commands:
            self._inverter.apply(command, other_way=order.other_way)
            self._steering = self._steering.after_success(now, command, in_force)
            self._in_force = in_force = command

    def _failed(
        self, now: datetime, order: Order, error: InverterError
    ) -> tuple[CommandResult, Problems]:
        """Counted, unless nobody was there to refuse; after one too many self-use is tried."""
        if isinstance(error, InverterUnavailable):
            return CommandResult.FAILED, (*order.problems, str(error))
        self._steering = self._steering.after_failure(now, order.commands[-1])
        problems = (*order.problems, str(error))
        if self._steering.breaker.is_open(now):
            try:
                self.make_safe()
            except InverterError as worse:
                problems = (*problems, _not_even(worse))
        return CommandResult.FAILED, problems

    def _count_writes_between(self, now: datetime) -> None:
        """What had to be written so that a command goes on, or to make safe."""
        self._remember_writes(now)
        before, self._renewals = self._renewals, self._inverter.renewals
        count, self._writes_for_safety = self._writes_for_safety, 0
        writes = self._steering.writes.plus(now, self._renewals - before + count)
        self._steering = replace(self._steering, writes=writes)

    def _remember_writes(self, now: datetime) -> None:
        """Those of today from before a restart."""
        if self._steering.writes.day is not None:
            return
        start, _ = day_bounds(local_day(now))
        try:
            sent = self._journal.commands(start, now)
        except DataError:
            sent = []  # `record` says what is wrong with the store
        count, before = 0, None
        for each in sent:
            if each.result is CommandResult.APPLIED:
                count += writes_for(before, each.command)
                before = each.command
        writes = Writes().plus(now, count)
        self._steering = replace(self._steering, writes=writes)


def _not_even(error: InverterError) -> str:
    return f"not even Self Use could be set: {error}"
