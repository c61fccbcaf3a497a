"""One cycle: read, forecast, optimize, dispatch, record. The same in the house and in a backtest.

Every failure is answered here and nowhere else, by the ladder of failing safely: a new plan; the
last plan while it is young; stated rules on the present rate; self-use.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isnan

from battery_optimizer.commander import Commander
from battery_optimizer.control.dispatch import all_that_it_takes, dispatch, without_limits
from battery_optimizer.control.fallback import reactive_command
from battery_optimizer.control.guards import within_fuse, within_limits, within_reserve
from battery_optimizer.control.reasons import BY_RULES, PAUSED, kept_reason, ordered_reason
from battery_optimizer.errors import (
    BatteryOptimizerError,
    DataError,
    PlanningError,
)
from battery_optimizer.foresight import Foreseen
from battery_optimizer.model.decision import CycleInputs, CycleOutcome, CycleResult
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan, SlotPlan
from battery_optimizer.model.settings import CommandSettings, Control
from battery_optimizer.model.slots import day_bounds, local_day
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.model.wording import MODE_WORDS
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.seen import reason_seen
from battery_optimizer.ports import Ports

_HOLD = InverterCommand(mode=Mode.HOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """A rung of the ladder of failing safely: what to do on it, and why."""

    result: CycleResult
    command: InverterCommand
    reason: str
    telemetry: Telemetry | None = None
    outlook: Outlook | None = None
    plan: Plan | None = None
    problems: tuple[str, ...] = ()


class Cycle:
    """Runs cycles for one house; remembers the last plan."""

    def __init__(
        self,
        *,
        house: House,
        ports: Ports,
        foresight: Foreseen,
        planner: Planner,
        control: Control = Control.ACTIVE,
        commands: CommandSettings = CommandSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._house = house
        self._ports = ports
        self._foresight = foresight
        self.learned = Learned(battery=house.battery)
        """What was learned of the battery, as of the last cycle."""
        self._settings = planner.settings
        self._planner = planner
        self._commander = Commander(
            inverter=ports.inverter, journal=ports.journal, control=control, settings=commands
        )
        self._inputs = CycleInputs(house=house, settings=planner.settings)
        # The house as its inverter lets it be used.
        self._present = house
        self._last_plan: Plan | None = None
        self._last_outlook: Outlook | None = None

    def run(self, now: datetime, wishes: Wishes = NO_WISHES) -> CycleOutcome:
        """One cycle at `now` (UTC). Raises nothing of ours: what went wrong is in the outcome."""
        in_force, wishes, problems = self._commander.look(now, wishes.within(self._settings))
        limits = self._look_at_inverter(now, in_force, wishes)
        rung = self._ordered(now, self._highest_rung(now, in_force, wishes), wishes)
        result, control_problems = self._commander.send(
            now, rung.command, in_force, self._present, rung.telemetry
        )
        outcome = CycleOutcome(
            at=now,
            result=rung.result,
            command=rung.command,
            command_result=result,
            reason=rung.reason,
            telemetry=rung.telemetry,
            outlook=rung.outlook,
            plan=rung.plan,
            problems=(*problems, *limits, *rung.problems, *control_problems),
            inputs=self._inputs,
            writes_today=self._commander.writes(now),
            look_again=self._commander.should_look_again(now),
        )
        return self._recorded(outcome)

    def _look_at_inverter(
        self, now: datetime, in_force: InverterCommand | None, wishes: Wishes
    ) -> tuple[str, ...]:
        """What it can do, and what it keeps the battery from; what to tell of that."""
        self.learned = self._foresight.learned(self._house, now)
        house = replace(
            self._house, battery=self.learned.battery, abilities=self._ports.inverter.abilities
        )
        self._inputs = CycleInputs(
            house=house,
            settings=self._settings,
            in_force=in_force,
            wishes=wishes,
            learned=self.learned.curves,
        )
        battery, notes = within_limits(house.battery, house.abilities.soc_limits)
        self._present = replace(house, battery=battery)
        return notes

    def make_safe(self) -> None:
        """Set self-use, for when nobody will watch; InverterError when that fails."""
        self._commander.make_safe()

    def stand_aside(self) -> None:
        """Another app has the inverter: what it shows next is nobody's change by hand."""
        self._commander.stand_aside()

    def _highest_rung(
        self, now: datetime, in_force: InverterCommand | None, wishes: Wishes
    ) -> _Rung:
        """The first rung of the ladder that holds."""
        try:
            telemetry = self._ports.meters.read(now)
        except DataError as error:
            return self._without_plan(now, None, (str(error),))
        try:
            outlook, problems = self._foresight.outlook(now, wishes, self._present.battery)
            house = self._house_at(telemetry)
            plan = self._planner.plan(
                house, outlook, telemetry.soc_kwh, in_force=in_force, wishes=wishes
            )
        except (DataError, PlanningError) as error:
            return self._without_plan(now, telemetry, (str(error),))
        command = self._dispatched(self._in_full(plan.slots[0], telemetry), telemetry)
        if not wishes.events:  # of which the reason tells, too
            plan = _as_seen(plan, command, telemetry, house.battery)
        self._last_plan, self._last_outlook = plan, outlook
        return _Rung(
            result=CycleResult.PLANNED,
            command=command,
            reason=plan.slots[0].reason,
            telemetry=telemetry,
            outlook=outlook,
            plan=plan,
            problems=(*problems, *plan.warnings),
        )

    def _without_plan(
        self, now: datetime, telemetry: Telemetry | None, problems: tuple[str, ...]
    ) -> _Rung:
        """No new plan: the last one while it is young, then the rules, then self-use."""
        plan = self._followable(now)
        if plan is not None:
            slot = plan.at(now)
            return _Rung(
                result=CycleResult.KEPT_LAST_PLAN,
                command=self._dispatched(slot.command, telemetry),
                reason=kept_reason(plan, slot, soc_is_known=telemetry is not None),
                telemetry=telemetry,
                outlook=self._last_outlook,
                plan=plan,
                problems=problems,
            )
        rules = self._by_rules(now) if telemetry is not None else None
        if telemetry is not None and rules is not None:
            return _Rung(
                result=CycleResult.FELL_BACK,
                command=self._dispatched(rules, telemetry),
                reason=BY_RULES,
                telemetry=telemetry,
                problems=problems,
            )
        safe = self._dispatched(SELF_USE, telemetry)
        return _Rung(
            result=CycleResult.SAFE_MODE,
            command=safe,
            reason=f"{MODE_WORDS[safe.mode]}, the safe mode: {problems[0]}",
            telemetry=telemetry,
            problems=problems,
        )

    def _followable(self, now: datetime) -> Plan | None:
        plan = self._last_plan or self._remembered()
        if plan is None or not plan.horizon.start <= now < plan.horizon.end:
            return None
        order, slot = self._inputs.wishes.order_at(now), plan.at(now)
        if plan.order not in (None, order):
            return None  # it was made for an order that holds no more
        if order is None and self._inputs.wishes.forbid(slot.mode, slot.import_rate):
            return None  # it was made before a setting forbade it
        age = now - plan.made_at
        return plan if age <= timedelta(minutes=self._settings.max_plan_age_minutes) else None

    def _remembered(self) -> Plan | None:
        try:
            return self._ports.journal.last_plan()
        except DataError:
            # Without its store the app goes on from memory; `record` says what is wrong with it.
            return None

    def _by_rules(self, now: datetime) -> InverterCommand | None:
        start, end = day_bounds(local_day(now))
        try:
            known = self._ports.rates.known_rates(start, end, now)
        except DataError:
            return None
        rate = known.imports.at(now)
        if isnan(rate):
            return None
        command = reactive_command(self._present.battery, rate, known.imports.values)
        # Cheap for this day, but dearer than the household wants it: kept for what is dearer still.
        return _HOLD if self._inputs.wishes.forbid(command.mode, rate) else command

    def _ordered(self, now: datetime, rung: _Rung, wishes: Wishes) -> _Rung:
        """What a person ordered for now, to the letter and without a plan, too."""
        order = wishes.order_at(now)
        if order is None:
            return rung
        command = self._dispatched(order, rung.telemetry)
        if wishes.is_paused:
            return replace(rung, command=command, reason=PAUSED)
        modes = self._present.modes
        is_told = rung.result is CycleResult.PLANNED and order.mode in modes
        if is_told and command.mode is rung.command.mode:
            return replace(rung, command=command)
        return replace(rung, command=command, reason=ordered_reason(order, command, modes))

    def _in_full(self, slot: SlotPlan, telemetry: Telemetry) -> InverterCommand:
        return all_that_it_takes(
            slot.command,
            battery=self._present.battery,
            learned=self.learned.curves,
            soc_kwh=telemetry.soc_kwh,
            celsius=telemetry.battery_temperature_c,
            hours=slot.hours,
        )

    def _house_at(self, telemetry: Telemetry) -> House:
        battery = self._present.battery.at_temperature(telemetry.battery_temperature_c)
        return replace(self._present, battery=battery)

    def _dispatched(self, planned: InverterCommand, telemetry: Telemetry | None) -> InverterCommand:
        if telemetry is None:
            # A forced mode is not followed blindly.
            seen = SELF_USE if planned.mode.is_forced else planned
            return seen if self._present.abilities.keeps_limits else without_limits(seen)
        command = dispatch(planned, house=self._present, soc_kwh=telemetry.soc_kwh)
        command = within_fuse(self._present, command, telemetry)
        if self._inputs.wishes.is_paused:
            return command
        return within_reserve(self._present, command, telemetry, self._inputs.in_force)

    def _recorded(self, outcome: CycleOutcome) -> CycleOutcome:
        try:
            if outcome.telemetry is not None:
                self._ports.history.save_observation(outcome.telemetry)
            self._ports.journal.record(outcome)
        except BatteryOptimizerError as error:
            return replace(outcome, problems=(*outcome.problems, str(error)))
        return outcome


def _as_seen(plan: Plan, command: InverterCommand, telemetry: Telemetry, battery: Battery) -> Plan:
    """The plan with a reason for now that what the meters show does not belie."""
    reason = reason_seen(plan.slots[0], command, telemetry, battery)
    if reason is None:
        return plan
    return replace(plan, slots=(replace(plan.slots[0], reason=reason), *plan.slots[1:]))
