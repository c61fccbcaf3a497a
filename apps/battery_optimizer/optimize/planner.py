"""From an outlook to a plan: what to do now, what that will give, and what else would cost."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Flows, InverterCommand
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Alternative, Plan, Schedule, SlotPlan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.choosing import (
    EVEN_P,
    candidates,
    choose,
    priced,
    schedules_after,
)
from battery_optimizer.optimize.events import credit_p, with_events
from battery_optimizer.optimize.explain import Story
from battery_optimizer.optimize.inputs import ProgramInputs, program_inputs
from battery_optimizer.optimize.mapping import (
    MATCH_KWH,
    PAUSE,
    apart_kwh,
    flows_under,
    following,
)
from battery_optimizer.optimize.relaxation import ExactSolver, Optimum
from battery_optimizer.optimize.remarks import Remarks
from battery_optimizer.optimize.stages import part_powers
from battery_optimizer.optimize.steady import Played, steadied
from battery_optimizer.optimize.worth import Worth


class Planner:
    """Plans for one house. Keeps compiled programs, and nothing that decides."""

    def __init__(self, settings: PlannerSettings | None = None) -> None:
        self._settings = settings or PlannerSettings()
        self._solver = ExactSolver(
            time_limit_s=self._settings.time_limit_s, max_gap_p=self._settings.max_gap_p
        )

    def optimum(
        self, house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
    ) -> Optimum:
        """The best schedule from `soc_kwh` stored now [kWh], modes apart.

        Raises PlanningError when none could be proven good enough.
        """
        wishes = wishes.within(self._settings)
        return self._solver.solve(house.battery, program_inputs(house, outlook, soc_kwh, wishes))

    def plan(
        self,
        house: House,
        outlook: Outlook,
        soc_kwh: float,
        *,
        in_force: InverterCommand | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> Plan:
        """The plan from `soc_kwh` stored now [kWh]; `in_force` is what the inverter does now.

        Raises PlanningError when no schedule could be proven good enough.
        """
        wishes = wishes.within(self._settings)
        told, outlook = outlook, with_events(house, outlook, wishes)
        inputs = program_inputs(house, outlook, soc_kwh, wishes)
        optimum = self._solver.solve(house.battery, inputs)
        order = wishes.order_at(outlook.horizon.start)
        planned, _ = following(house, outlook, optimum.schedule, 0, soc_kwh, ordered=order)
        commands = candidates(house, outlook, optimum.schedule, planned, in_force, wishes)
        price_p = self._settings.switching_price_p
        if outlook.futures and order is None:
            worth = Worth(house, outlook, inputs, price_p, wishes)
            parts = part_powers(house, wishes, float(outlook.import_rate[0]))
            alternatives = _on_average(worth, (*commands, *parts), soc_kwh)
            chosen = choose(alternatives, in_force, price_p).command
            given = flows_under(house, chosen, outlook, 0, soc_kwh)
            is_as_planned = apart_kwh(optimum.schedule, 0, given) <= MATCH_KWH
            found = None if is_as_planned else optimum.schedule_if(given)
            schedule = found or optimum.schedule
        else:
            after = schedules_after(house, outlook, soc_kwh, optimum, commands)
            # The planned command stands even where rounding made its own program refuse it.
            after.setdefault(planned, optimum.schedule)
            costs = {each: found.objective_p for each, found in after.items()}
            chosen = planned  # C25
            if order is None and price_p and len(after) > 1:
                changes = self._changes_to_come(house, outlook, inputs, wishes, tuple(after))
                costs = {each: cost_p + changes[each] for each, cost_p in costs.items()}
            alternatives = priced(costs)
            if order is None:
                chosen = choose(alternatives, in_force, price_p).command
            schedule = after[chosen]
        # With its first slot settled a program knows less well what energy is worth.
        schedule = replace(schedule, energy_value_p_per_kwh=optimum.schedule.energy_value_p_per_kwh)
        is_kept = order is None and _is_kept(alternatives, chosen, in_force)
        slots = _slots(
            house,
            outlook,
            soc_kwh,
            schedule,
            chosen,
            wishes,
            told=told,
            is_kept=is_kept,
            price_p=price_p,
        )
        return Plan(
            made_at=outlook.horizon.start,
            horizon=outlook.horizon,
            slots=slots,
            solve=optimum.report,
            cost_p=sum(slot.cost_p for slot in slots),
            objective_p=optimum.schedule.objective_p,
            # To pause is to hold, unless it is done.
            alternatives=tuple(
                each for each in alternatives if each.command == chosen or each.command != PAUSE
            ),
            warnings=_warnings(optimum.schedule),
            is_demo=outlook.is_demo,
        )

    def _changes_to_come(
        self,
        house: House,
        outlook: Outlook,
        inputs: ProgramInputs,
        wishes: Wishes,
        commands: Sequence[InverterCommand],
    ) -> dict[InverterCommand, float]:
        """C20: what later changes of mode cost after each command where all is certain [p].

        The program knows of no modes, and the grid of `worth` is coarse: so only what the price
        of changing adds there is taken from it.
        """
        certain = Future(weight=1.0, load_kwh=outlook.load_kwh, solar_kwh=outlook.solar_kwh)
        world = replace(outlook, futures=(certain,))
        with_price, without = (
            Worth(house, world, inputs, price_p, wishes)
            for price_p in (self._settings.switching_price_p, 0.0)
        )
        soc_kwh = float(inputs.start_soc_kwh[0])
        return {
            each: with_price.expected_cost_p(each, soc_kwh) - without.expected_cost_p(each, soc_kwh)
            for each in commands
        }


def _on_average(
    worth: Worth, commands: Sequence[InverterCommand], soc_kwh: float
) -> tuple[Alternative, ...]:
    """C28: the best command of each mode, by what it costs on average over the futures [p]."""
    costs = {each: worth.expected_cost_p(each, soc_kwh) for each in dict.fromkeys(commands)}
    best = {
        (each.mode, each == PAUSE): each
        for each in sorted(costs, key=lambda each: costs[each], reverse=True)
    }
    return priced({each: costs[each] for each in best.values()})


def _is_kept(
    alternatives: Sequence[Alternative], chosen: InverterCommand, in_force: InverterCommand | None
) -> bool:
    """Whether the mode in force goes on only because a change would cost more than it gains."""
    if in_force is None or chosen.mode is not in_force.mode:
        return False
    return any(each.command == chosen and each.extra_cost_p > EVEN_P for each in alternatives)


def _slots(  # noqa: PLR0913 (rates as they count, and as they are told)
    house: House,
    outlook: Outlook,
    soc_kwh: float,
    schedule: Schedule,
    first: InverterCommand,
    wishes: Wishes,
    *,
    told: Outlook,
    is_kept: bool,
    price_p: float,
) -> tuple[SlotPlan, ...]:
    """The schedule as modes, played forward: each slot holds what its mode really gives."""
    played = _played(house, outlook, soc_kwh, schedule, first, wishes)
    if price_p and not (wishes.targets or wishes.overrides or wishes.events):
        played = steadied(house, outlook, played, price_p)
    done = _as_done(schedule, [given for _, given, _ in played], [end for *_, end in played])
    story = Story(house, told, done, first, is_kept=is_kept, counted=outlook)
    remarks = Remarks(house, outlook, done, wishes)
    slots = []
    for t, (start, (command, given, end_kwh)) in enumerate(
        zip(outlook.horizon.starts, played, strict=True)
    ):
        import_rate, export_rate = float(told.import_rate[t]), float(told.export_rate[t])
        bill_p = import_rate * given.grid_import_kwh - export_rate * given.grid_export_kwh
        paid_p = credit_p(told, wishes, t, given.grid_import_kwh, given.grid_export_kwh)
        slots.append(
            SlotPlan(
                start=start,
                hours=float(outlook.horizon.hours[t]),
                command=command,
                import_rate=import_rate,
                export_rate=export_rate,
                rate_published=bool(outlook.rate_published[t]),
                load_kwh=float(outlook.load_kwh[t]),
                solar_kwh=float(outlook.solar_kwh[t]),
                charge_kwh=given.charge_kwh,
                discharge_kwh=given.discharge_kwh,
                grid_import_kwh=given.grid_import_kwh,
                grid_export_kwh=given.grid_export_kwh,
                curtailed_kwh=given.lost_kwh,
                soc_start_kwh=soc_kwh,
                soc_end_kwh=end_kwh,
                energy_value_p_per_kwh=float(schedule.energy_value_p_per_kwh[t]),
                cost_p=bill_p - paid_p,
                reason=story.reason(t) + remarks.on(t),
            )
        )
        soc_kwh = end_kwh
    return tuple(slots)


def _played(
    house: House,
    outlook: Outlook,
    soc_kwh: float,
    schedule: Schedule,
    first: InverterCommand,
    wishes: Wishes,
) -> list[Played]:
    """Each slot's command, what then flows, and what is stored at its end [kWh]."""
    played: list[Played] = []
    command = first
    for t, start in enumerate(outlook.horizon.starts):
        if t == 0:
            given = flows_under(house, command, outlook, t, soc_kwh)
        else:
            order = wishes.order_at(start)
            command, given = following(
                house, outlook, schedule, t, soc_kwh, before=command, ordered=order
            )
        soc_kwh = house.battery.soc_after(
            soc_kwh - house.battery.standby_kw * float(outlook.horizon.hours[t]),
            given.charge_kwh,
            given.discharge_kwh,
        )
        played.append((command, given, soc_kwh))
    return played


def _as_done(schedule: Schedule, flows: Sequence[Flows], ends_kwh: Sequence[float]) -> Schedule:
    """The schedule as its modes play it: reasons tell what is done, not what was meant."""
    return replace(
        schedule,
        charge_kwh=np.array([given.charge_kwh for given in flows]),
        discharge_kwh=np.array([given.discharge_kwh for given in flows]),
        grid_import_kwh=np.array([given.grid_import_kwh for given in flows]),
        grid_export_kwh=np.array([given.grid_export_kwh for given in flows]),
        curtailed_kwh=np.array([given.lost_kwh for given in flows]),
        soc_kwh=np.array([schedule.soc_kwh[0], *ends_kwh]),
    )


def _warnings(schedule: Schedule) -> tuple[str, ...]:
    if schedule.shortfall_kwh < 0.01:  # noqa: PLR2004 (10 Wh is no shortfall)
        return ()
    message = (
        "The reserve, a target, an order or the fuse limit cannot be kept at some time: "
        f"up to {schedule.shortfall_kwh:.1f} kWh are missing."
    )
    return (message,)
