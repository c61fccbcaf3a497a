"""What to do now: what is priced, in which futures (C28), and which of the good ones is taken."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.errors import SolverFailed
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Alternative, Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.choosing import (
    HOPELESS_P,
    candidates,
    choose,
    near_best,
    priced,
    schedules_after,
)
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.relaxation import Optimum
from battery_optimizer.optimize.switching import MODES
from builders import WATT_HOUR, a_battery, a_house, a_planner, an_outlook

HOLD = InverterCommand(mode=Mode.HOLD)
SELF_USE = InverterCommand(mode=Mode.SELF_USE)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)


def force_charge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def force_discharge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


class TestCandidates:
    def commands(
        self,
        outlook: Outlook,
        soc_kwh: float,
        planned: InverterCommand = SELF_USE,
        in_force: InverterCommand | None = None,
    ) -> tuple[InverterCommand, ...]:
        schedule = a_planner().optimum(a_house(), outlook, soc_kwh).schedule
        return candidates(a_house(), outlook, schedule, planned, in_force)

    def test_all_modes_are_priced_the_forced_ones_at_full_power(self) -> None:
        commands = self.commands(an_outlook([10, 30], 0, 1, 0.5), 5)
        assert set(commands) == {SELF_USE, HOLD, FEED_IN, force_charge(), force_discharge()}

    def test_without_sun_feed_in_is_self_use_at_best(self) -> None:
        assert FEED_IN not in self.commands(an_outlook([10, 30], 0, 1), 5)

    def test_each_once_what_is_planned_first(self) -> None:
        commands = self.commands(an_outlook([5, 30], 0, [0, 2]), 0, planned=force_charge())
        assert commands[0] == force_charge()
        assert len(commands) == len(set(commands))

    def test_a_forced_mode_in_force_is_also_priced_at_the_power_now_wanted(self) -> None:
        commands = self.commands(an_outlook([5, 30], 0, [0, 1]), 0, in_force=force_charge(1.0))
        assert force_charge(2.0) in commands
        assert force_charge(1.0) not in commands

    def test_selling_all_where_the_house_draws_it_anyway_is_no_other_thing_to_do(self) -> None:
        assert force_discharge() not in self.commands(an_outlook([40, 10], 0, 1), 1)

    def test_nor_is_charging_where_the_sun_fills_the_battery(self) -> None:
        assert force_charge() not in self.commands(an_outlook([40, 10], 0, 0, 1), 9.5)


class TestSchedulesAfter:
    def test_each_command_is_followed_by_the_best_that_can_follow(self) -> None:
        outlook, house = an_outlook([10, 30], 0, 1), a_house()
        optimum = a_planner().optimum(house, outlook, 1)
        found = schedules_after(house, outlook, 1, optimum, [SELF_USE, HOLD])
        assert found[SELF_USE].discharge_kwh == pytest.approx([1, 0], abs=WATT_HOUR)
        assert found[HOLD].discharge_kwh == pytest.approx([0, 1], abs=WATT_HOUR)
        assert found[SELF_USE].objective_p == pytest.approx(30, abs=0.01)
        assert found[HOLD].objective_p == pytest.approx(10, abs=0.01)

    def test_what_cannot_be_is_left_out(self) -> None:
        outlook, house = an_outlook([10, 30], 0, 1), a_house(import_limit_kw=3)
        optimum = a_planner().optimum(house, outlook, 1)
        found = schedules_after(house, outlook, 1, optimum, [HOLD, force_charge()])
        assert set(found) == {HOLD}


def test_commands_are_priced_against_the_cheapest_and_in_its_order() -> None:
    prices = [(each.command, each.extra_cost_p) for each in priced({SELF_USE: -3.0, HOLD: -5.0})]
    assert prices == [(HOLD, 0), (SELF_USE, 2)]


def test_other_futures_decide_only_between_what_is_near_the_best() -> None:
    alternatives = priced({SELF_USE: 7, HOLD: 7 + HOPELESS_P - 0.1, FEED_IN: 7 + HOPELESS_P})
    assert near_best(alternatives) == (SELF_USE, HOLD)


class TestChoose:
    """Self-use costs 0.5 p more than holding now; a change of mode is worth 0.3 p."""

    ALTERNATIVES = priced({HOLD: 0.0, SELF_USE: 0.5, force_charge(): 8.0})

    def chosen(
        self,
        in_force: InverterCommand | None,
        after: dict[Mode, float] | None = None,
        alternatives: Sequence[Alternative] = ALTERNATIVES,
    ) -> InverterCommand:
        """`after`: what going on in each mode costs in the slot that follows [p]."""
        to_go = np.zeros((2, len(MODES)))
        for mode, cost_p in (after or {}).items():
            to_go[1, MODES.index(mode)] = cost_p
        return choose(alternatives, in_force, to_go, 0.3).command

    def test_takes_the_cheapest_where_that_is_no_change(self) -> None:
        assert self.chosen(HOLD) == HOLD

    def test_changes_where_that_saves_more_than_the_change_costs(self) -> None:
        assert self.chosen(SELF_USE) == HOLD

    def test_not_where_it_would_have_to_be_changed_back(self) -> None:
        assert self.chosen(SELF_USE, {Mode.HOLD: 9.0, Mode.FORCE_CHARGE: 9.0}) == SELF_USE

    def test_what_follows_never_counts_for_more_than_one_change(self) -> None:
        # From holding any of the other modes can be had for 0.3 p, so 0.5 p are not worth it.
        assert self.chosen(HOLD, {Mode.HOLD: 9.0, Mode.FORCE_CHARGE: 9.0}) == HOLD

    def test_in_the_last_slot_nothing_follows(self) -> None:
        to_go = np.full((1, len(MODES)), 7.0)
        to_go[0, MODES.index(Mode.SELF_USE)] = 0.0
        assert choose(self.ALTERNATIVES, None, to_go, 1.0).command == HOLD

    def test_among_even_ones_what_follows_the_load_is_taken(self) -> None:
        even = priced({force_charge(0.0): 0.0, FEED_IN: 0.001, SELF_USE: 0.002})
        assert self.chosen(None, alternatives=even) == SELF_USE


class FailsIn(Planner):
    """A planner that cannot plan for some loads of the second slot [kWh]."""

    def __init__(self, *loads_kwh: float) -> None:
        super().__init__(PlannerSettings(switching_price_p=0.0))
        self._loads_kwh = loads_kwh

    def optimum(
        self, house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
    ) -> Optimum:
        """As a planner, or SolverFailed."""
        if float(outlook.load_kwh[1]) in self._loads_kwh:
            raise SolverFailed("no schedule in time")
        return super().optimum(house, outlook, soc_kwh, wishes)


def future(weight: float, *load_kwh: float) -> Future:
    return Future(
        weight=weight, load_kwh=np.array(load_kwh), solar_kwh=np.zeros_like(np.array(load_kwh))
    )


UNASKABLE = future(1.0, 9, 9, 9, 9, 9)
"""A future of five slots: where it is asked in a shorter outlook, that raises ValueError."""


class TestC28Futures:
    """0.5 kWh is stored, and drawn now at 6 p. Will it be needed in the next slot, at 24 p?

    The forecast says no: using it now saves 3 p. If it is, holding it now saves 12 p then.
    """

    OUTLOOK = an_outlook([6, 24], 0, [0.5, 0])

    def plan(self, *futures: Future, planner: Planner | None = None) -> Plan:
        outlook = replace(self.OUTLOOK, futures=futures)
        return (planner or a_planner()).plan(a_house(), outlook, 0.5)

    def needed(self, weight: float) -> tuple[Future, Future]:
        return future(weight, 0.5, 0.5), future(1 - weight, 0.5, 0)

    def extra_costs(self, plan: Plan) -> dict[Mode, float]:
        return {each.command.mode: each.extra_cost_p for each in plan.alternatives}

    def test_the_forecast_alone_says_use_it_holding_costs_3_p_more(self) -> None:
        plan = self.plan()
        assert plan.slots[0].mode is Mode.SELF_USE
        assert self.extra_costs(plan)[Mode.HOLD] == pytest.approx(3, abs=0.01)

    def test_needed_with_30_percent_it_is_held_3p6_p_against_3(self) -> None:
        plan = self.plan(*self.needed(0.3))
        assert plan.slots[0].mode is Mode.HOLD
        assert self.extra_costs(plan)[Mode.SELF_USE] == pytest.approx(0.3 * 12 - 3, abs=0.01)

    def test_needed_with_20_percent_it_is_used_2p4_p_against_3(self) -> None:
        plan = self.plan(*self.needed(0.2))
        assert plan.slots[0].mode is Mode.SELF_USE
        assert self.extra_costs(plan)[Mode.HOLD] == pytest.approx(3 - 0.2 * 12, abs=0.01)

    def test_a_usual_future_other_than_the_forecast_is_solved_too(self) -> None:
        # 0.3 * (0.5 kWh at 24 p) needed, else 0.25 kWh of it: (0.3 * 12 + 0.7 * 6) - 3.
        plan = self.plan(future(0.3, 0.5, 0.5), future(0.7, 0.5, 0.25))
        assert self.extra_costs(plan)[Mode.SELF_USE] == pytest.approx(4.8, abs=0.01)

    def test_what_is_done_now_is_shown_with_the_usual_load_after_it(self) -> None:
        plan = self.plan(*self.needed(0.3))
        assert [slot.load_kwh for slot in plan.slots] == [0.5, 0]
        assert plan.slots[1].soc_end_kwh == pytest.approx(0.5, abs=WATT_HOUR)

    def test_what_the_forecast_finds_hopeless_is_not_asked_for_again(self) -> None:
        # Charging 2 kWh costs 15 p more than using what is stored: no future is asked about it.
        assert self.extra_costs(self.plan())[Mode.FORCE_CHARGE] > HOPELESS_P
        assert Mode.FORCE_CHARGE not in self.extra_costs(self.plan(*self.needed(0.3)))

    def test_a_future_that_cannot_be_planned_is_left_out_the_others_count_for_more(self) -> None:
        halves = [replace(each, weight=each.weight / 2) for each in self.needed(0.3)]
        plan = self.plan(future(0.5, 0.5, 9), *halves, planner=FailsIn(9))
        assert plan.slots[0].mode is Mode.HOLD
        assert self.extra_costs(plan)[Mode.SELF_USE] == pytest.approx(0.6, abs=0.01)

    def test_where_none_can_be_planned_the_forecast_decides(self) -> None:
        plan = self.plan(future(0.5, 0.5, 8), future(0.5, 0.5, 9), planner=FailsIn(8, 9))
        assert plan.slots[0].mode is Mode.SELF_USE
        assert self.extra_costs(plan)[Mode.HOLD] == pytest.approx(3, abs=0.01)

    def test_what_one_future_makes_impossible_is_hopeless_there(self) -> None:
        # The fuse lets 0.5 kWh pass. Charging them is 4 p worse by the forecast; where the house
        # draws as much itself it cannot be.
        house = a_house(a_battery(max_charge_kw=1.0), import_limit_kw=1.0)
        futures = (future(0.5, 0, 0), future(0.5, 0.5, 0))
        outlook = replace(an_outlook([8, 15]), futures=futures)
        costs = self.extra_costs(a_planner().plan(house, outlook, 0))
        assert costs[Mode.FORCE_CHARGE] == pytest.approx(0.5 * 4 + 0.5 * HOPELESS_P, abs=0.01)

    def test_no_future_is_asked_where_nothing_is_near(self) -> None:
        # 2 kWh at 5 p for the peak: everything else costs 50 p more.
        outlook = replace(an_outlook([5, 30], 0, [0, 2]), futures=(UNASKABLE,))
        assert a_planner().plan(a_house(), outlook, 0).slots[0].command == force_charge()

    def test_nor_where_it_took_binaries_to_say_what_is_possible(self) -> None:
        # Free to buy, and 15 p for what is sold.
        outlook = an_outlook([10, 0], [0, 15], 0.5, end_value=3)
        plan = a_planner().plan(a_house(), replace(outlook, futures=(UNASKABLE,)), 0.5)
        assert plan.solve.n_doubtful > 0
        assert len(near_best(plan.alternatives)) > 1

    def test_but_where_something_is_near_it_is(self) -> None:
        with pytest.raises(ValueError, match="load_kwh has shape"):
            self.plan(UNASKABLE)
