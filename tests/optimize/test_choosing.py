"""What to do now: what is priced, in which futures (C28), and which of the good ones is taken."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Alternative, Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Override, Wishes
from battery_optimizer.optimize.choosing import (
    candidates,
    choose,
    priced,
    schedules_after,
)
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.switching import MODES
from builders import MIDNIGHT, WATT_HOUR, a_house, a_planner, an_outlook

GRID_P = 0.1
"""How far off a cost is for being known at some stored energies only [p]."""

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


class TestC28Futures:
    """0.5 kWh is stored, and drawn now at 6 p. Will it be needed in the next slot, at 24 p?

    There the sun may cover the load or not. Using it now saves 3 p; if there is no sun, holding it
    now saves 12 p then.
    """

    OUTLOOK = an_outlook([6, 24], 0, 0.5, [0, 0.3])

    def plan(self, *futures: Future, in_force: InverterCommand | None = None) -> Plan:
        outlook = replace(self.OUTLOOK, futures=futures)
        return a_planner().plan(a_house(), outlook, 0.5, in_force=in_force)

    def needed(self, weight: float) -> tuple[Future, Future]:
        return (
            Future(weight=weight, load_kwh=np.full(2, 0.5), solar_kwh=np.zeros(2)),
            Future(weight=1 - weight, load_kwh=np.full(2, 0.5), solar_kwh=np.array([0, 0.5])),
        )

    def extra_costs(self, plan: Plan) -> dict[Mode, float]:
        return {each.command.mode: each.extra_cost_p for each in plan.alternatives}

    def test_the_forecast_alone_says_hold_most_of_it(self) -> None:
        # 0.2 kWh will be needed at 24 p, so 0.3 kWh can be used now.
        plan = self.plan()
        assert plan.slots[0].discharge_kwh == pytest.approx(0.3, abs=WATT_HOUR)

    def test_needed_with_30_percent_it_is_held_3p6_p_against_3(self) -> None:
        plan = self.plan(*self.needed(0.3))
        assert plan.slots[0].mode is Mode.HOLD
        # The best of self-use keeps the 0.2 kWh of the forecast: 1.8 p now, 0.3 * 4.8 p then.
        assert self.extra_costs(plan)[Mode.SELF_USE] == pytest.approx(3.6 - 3.24, abs=GRID_P)

    def test_needed_with_20_percent_it_is_used_2p4_p_against_3(self) -> None:
        plan = self.plan(*self.needed(0.2))
        assert plan.slots[0].command == SELF_USE
        assert self.extra_costs(plan)[Mode.HOLD] == pytest.approx(3 - 0.2 * 12, abs=GRID_P)

    def test_one_alternative_of_each_mode_is_told(self) -> None:
        modes = [each.command.mode for each in self.plan(*self.needed(0.3)).alternatives]
        assert len(modes) == len(set(modes))

    def test_what_is_done_now_is_shown_with_the_usual_load_and_sun_after_it(self) -> None:
        plan = self.plan(*self.needed(0.3))
        assert [slot.solar_kwh for slot in plan.slots] == [0, 0.3]
        assert plan.slots[1].soc_start_kwh == pytest.approx(0.5, abs=WATT_HOUR)

    def test_an_order_stands_whatever_may_come(self) -> None:
        outlook = replace(self.OUTLOOK, futures=self.needed(0.3))
        order = Override(start=MIDNIGHT, end=MIDNIGHT + SLOT, command=SELF_USE)
        plan = a_planner().plan(a_house(), outlook, 0.5, wishes=Wishes(overrides=(order,)))
        assert plan.slots[0].command == SELF_USE

    def test_a_change_of_mode_now_has_its_price(self) -> None:
        planner = Planner(PlannerSettings(switching_price_p=1.0))
        outlook = replace(self.OUTLOOK, futures=self.needed(0.3))
        plan = planner.plan(a_house(), outlook, 0.5, in_force=SELF_USE)
        assert plan.slots[0].mode is Mode.SELF_USE
