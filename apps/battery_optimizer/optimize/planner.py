"""From an outlook to a plan: what to do now, what that will give, and what else would cost."""

from collections.abc import Sequence
from dataclasses import replace

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Alternative, Plan, Schedule, SlotPlan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.explain import Story
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.mapping import command_for, flows_under
from battery_optimizer.optimize.program import Feature
from battery_optimizer.optimize.relaxation import ExactSolver, Optimum

_EVEN_P = 0.01
"""Costs this close are even [p]: then what follows the load wins."""


class Planner:
    """Plans for one house. Keeps compiled programs and the last basis, nothing that decides."""

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
        features = set()
        if wishes.targets:
            features.add(Feature.TARGETS)
        if wishes.overrides:
            features.add(Feature.OVERRIDES)
        inputs = program_inputs(house, outlook, soc_kwh, wishes)
        return self._solver.solve(house.battery, inputs, frozenset(features))

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
        optimum = self.optimum(house, outlook, soc_kwh, wishes)
        order = wishes.order_at(outlook.horizon.start)
        planned = command_for(house, outlook, optimum.schedule, 0, soc_kwh, ordered=order)
        alternatives = _alternatives(house, outlook, soc_kwh, optimum, planned)
        chosen = (
            _choose(alternatives, in_force, self._settings.switching_price_p)
            if order is None
            else next(each for each in alternatives if each.command == planned)  # C25
        )
        first = flows_under(house, chosen.command, outlook, 0, soc_kwh)
        # With its first slot settled a program knows less well what energy is worth.
        schedule = replace(
            optimum.schedule_if(first) or optimum.schedule,
            energy_value_p_per_kwh=optimum.schedule.energy_value_p_per_kwh,
        )
        slots = _slots(house, outlook, soc_kwh, schedule, chosen.command, wishes)
        return Plan(
            made_at=outlook.horizon.start,
            horizon=outlook.horizon,
            slots=slots,
            solve=optimum.report,
            cost_p=sum(slot.cost_p for slot in slots),
            objective_p=optimum.schedule.objective_p,
            alternatives=alternatives,
            warnings=_warnings(optimum.schedule),
            is_demo=outlook.is_demo,
        )


def _alternatives(
    house: House,
    outlook: Outlook,
    soc_kwh: float,
    optimum: Optimum,
    planned: InverterCommand,
) -> tuple[Alternative, ...]:
    """Everything that could be done now, cheapest first.

    Each with what it would cost more than the best [p] if all goes best afterwards; solved, not
    estimated.
    """
    battery = house.battery
    commands = {
        planned: None,
        InverterCommand(mode=Mode.SELF_USE): None,
        InverterCommand(mode=Mode.HOLD): None,
        InverterCommand(mode=Mode.FEED_IN): None,
        InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=battery.max_charge_kw): None,
        InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=battery.max_discharge_kw): None,
    }
    costs: dict[InverterCommand, float] = {}
    for command in commands:
        first = flows_under(house, command, outlook, 0, soc_kwh)
        objective = optimum.objective_if(first)
        if objective is not None:
            costs[command] = objective
    # The planned command stands even where rounding made its own program refuse it.
    costs.setdefault(planned, optimum.schedule.objective_p)
    best = min(costs.values())
    return tuple(
        Alternative(command=command, extra_cost_p=cost - best)
        for command, cost in sorted(costs.items(), key=lambda item: item[1])
    )


def _choose(
    alternatives: Sequence[Alternative], in_force: InverterCommand | None, switching_price_p: float
) -> Alternative:
    """C20, C27: stay in the mode in force unless another saves more than the price of switching.

    Among even ones, what follows the load.
    """
    if in_force is not None:
        for alternative in alternatives:  # cheapest first
            if alternative.command.mode is in_force.mode:
                if alternative.extra_cost_p <= switching_price_p:
                    return alternative
                break
    even = [alternative for alternative in alternatives if alternative.extra_cost_p <= _EVEN_P]
    return min(even, key=lambda alternative: _PREFERENCE.index(alternative.command.mode))


_PREFERENCE = (
    Mode.SELF_USE,
    Mode.HOLD,
    Mode.FEED_IN,
    Mode.FORCE_CHARGE,
    Mode.FORCE_DISCHARGE,
)


def _slots(
    house: House,
    outlook: Outlook,
    soc_kwh: float,
    schedule: Schedule,
    first: InverterCommand,
    wishes: Wishes,
) -> tuple[SlotPlan, ...]:
    """The schedule as modes, played forward: each slot holds what its mode really gives."""
    story = Story(outlook, schedule)
    slots = []
    command = first
    for t, start in enumerate(outlook.horizon.starts):
        if t > 0:
            order = wishes.order_at(start)
            command = command_for(
                house, outlook, schedule, t, soc_kwh, before=command, ordered=order
            )
        given = flows_under(house, command, outlook, t, soc_kwh)
        end_kwh = house.battery.soc_after(
            soc_kwh - house.battery.standby_kw * float(outlook.horizon.hours[t]),
            given.charge_kwh,
            given.discharge_kwh,
        )
        import_rate, export_rate = float(outlook.import_rate[t]), float(outlook.export_rate[t])
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
                cost_p=import_rate * given.grid_import_kwh - export_rate * given.grid_export_kwh,
                reason=story.reason(t),
            )
        )
        soc_kwh = end_kwh
    return tuple(slots)


def _warnings(schedule: Schedule) -> tuple[str, ...]:
    if schedule.shortfall_kwh < 0.01:  # noqa: PLR2004 (10 Wh is no shortfall)
        return ()
    message = (
        "The reserve, a target, an order or the fuse limit cannot be kept at some time: "
        f"up to {schedule.shortfall_kwh:.1f} kWh are missing."
    )
    return (message,)
