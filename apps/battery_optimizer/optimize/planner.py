"""From an outlook to a plan: what to do now, what that will give, and what else would cost."""

from dataclasses import replace

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Alternative, Plan, Schedule
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.choosing import Chosen, choose
from battery_optimizer.optimize.events import with_events
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.mapping import PAUSE
from battery_optimizer.optimize.relaxation import ExactSolver, Optimum
from battery_optimizer.optimize.situation import Situation
from battery_optimizer.optimize.telling import slots_of


class Planner:
    """Plans for one house. Keeps compiled programs, and nothing that decides.

    Raises PlanningError where no schedule can be proven good enough.
    """

    def __init__(
        self, settings: PlannerSettings | None = None, *, with_reasons: bool = True
    ) -> None:
        """`with_reasons`: plans say in words why; what nobody reads takes an eighth of a cycle."""
        self.settings = settings or PlannerSettings()
        self._with_reasons = with_reasons
        self._solver = ExactSolver(
            time_limit_s=self.settings.time_limit_s, max_gap_p=self.settings.max_gap_p
        )

    def optimum(
        self, house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
    ) -> Optimum:
        """The best schedule from `soc_kwh` stored now [kWh], modes apart."""
        wishes = wishes.within(self.settings)
        return self._solver.solve(house.battery, program_inputs(house, outlook, soc_kwh, wishes))

    def command(
        self, house: House, outlook: Outlook, soc_kwh: float, *, in_force: InverterCommand | None
    ) -> InverterCommand:
        """What `plan` would do first, where nothing is wished."""
        now = self._situation(house, outlook, soc_kwh, in_force, NO_WISHES)
        return self._chosen(now)[0].command

    def plan(
        self,
        house: House,
        outlook: Outlook,
        soc_kwh: float,
        *,
        in_force: InverterCommand | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> Plan:
        """The plan from `soc_kwh` stored now [kWh]; `in_force` is what the inverter does now."""
        now = self._situation(house, outlook, soc_kwh, in_force, wishes)
        chosen, optimum = self._chosen(now)
        slots = slots_of(now, chosen, with_reasons=self._with_reasons)
        return Plan(
            made_at=outlook.horizon.start,
            horizon=outlook.horizon,
            slots=slots,
            solve=optimum.report,
            cost_p=sum(slot.cost_p for slot in slots),
            objective_p=optimum.schedule.objective_p,
            # With an order in the program its prices are no money.
            alternatives=_told(chosen) if now.order is None else (),
            warnings=_warnings(optimum.schedule),
            is_demo=outlook.is_demo,
            order=now.order,
        )

    def _situation(
        self,
        house: House,
        outlook: Outlook,
        soc_kwh: float,
        in_force: InverterCommand | None,
        wishes: Wishes,
    ) -> Situation:
        wishes = wishes.within(self.settings)
        return Situation(
            house=house,
            published=outlook,
            outlook=with_events(house, outlook, wishes),
            soc_kwh=soc_kwh,
            in_force=in_force,
            wishes=wishes,
            switching_price_p=self.settings.switching_price_p,
        )

    def _chosen(self, now: Situation) -> tuple[Chosen, Optimum]:
        """What to do, and the optimum that the program found, modes apart."""
        inputs = program_inputs(now.house, now.outlook, now.soc_kwh, now.wishes)
        optimum = self._solver.solve(now.house.battery, inputs)
        return choose(now, inputs, optimum), optimum


def _told(chosen: Chosen) -> tuple[Alternative, ...]:
    """What each thing to do now costs beyond what is done, which need not be the cheapest."""
    done_p = next(
        each.extra_cost_p for each in chosen.alternatives if each.command == chosen.command
    )
    return tuple(
        replace(each, extra_cost_p=each.extra_cost_p - done_p)
        for each in chosen.alternatives
        # To pause is to hold, unless it is done.
        if each.command == chosen.command or each.command != PAUSE
    )


def _warnings(schedule: Schedule) -> tuple[str, ...]:
    if schedule.shortfall_kwh < 0.01:  # noqa: PLR2004 (10 Wh is no shortfall)
        return ()
    message = (
        "The reserve, a target, an order or the fuse limit cannot be kept at some time: "
        f"up to {schedule.shortfall_kwh:.1f} kWh are missing."
    )
    return (message,)
