"""What to do now: what is priced, in which futures (C28), and which of the good ones is taken."""

from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Override, Wishes
from battery_optimizer.optimize.choosing import (
    candidates,
    priced,
    schedules_after,
    steadiest,
)
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.situation import Situation
from builders import MIDNIGHT, WATT_HOUR, a_battery, a_horizon, a_house, a_planner, an_outlook

GRID_P = 0.1
"""How far off a cost is for being known at some stored energies only [p]."""

HOLD = InverterCommand(mode=Mode.HOLD)
SELF_USE = InverterCommand(mode=Mode.SELF_USE)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)


def force_charge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def force_discharge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


def a_situation(
    outlook: Outlook,
    soc_kwh: float,
    *,
    house: House | None = None,
    in_force: InverterCommand | None = None,
) -> Situation:
    return Situation(
        house=house or a_house(),
        published=outlook,
        outlook=outlook,
        soc_kwh=soc_kwh,
        in_force=in_force,
    )


def later(outlook: Outlook, slot: int) -> Outlook:
    """What is left of it from this slot on."""
    n_slots = outlook.horizon.n_slots - slot
    return replace(
        outlook,
        horizon=a_horizon(n_slots, outlook.horizon.starts[slot]),
        **{
            name: getattr(outlook, name)[slot:]
            for name in ("import_rate", "export_rate", "rate_published", "load_kwh", "solar_kwh")
        },
    )


class TestCandidates:
    def commands(
        self,
        outlook: Outlook,
        soc_kwh: float,
        planned: InverterCommand = SELF_USE,
        in_force: InverterCommand | None = None,
    ) -> tuple[InverterCommand, ...]:
        schedule = a_planner().optimum(a_house(), outlook, soc_kwh).schedule
        now = a_situation(outlook, soc_kwh, in_force=in_force)
        return candidates(now, schedule, planned)

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
        found = schedules_after(a_situation(outlook, 1), optimum, [SELF_USE, HOLD])
        assert found[SELF_USE].discharge_kwh == pytest.approx([1, 0], abs=WATT_HOUR)
        assert found[HOLD].discharge_kwh == pytest.approx([0, 1], abs=WATT_HOUR)
        assert found[SELF_USE].objective_p == pytest.approx(30, abs=0.01)
        assert found[HOLD].objective_p == pytest.approx(10, abs=0.01)

    def test_what_cannot_be_is_left_out(self) -> None:
        outlook, house = an_outlook([10, 30], 0, 1), a_house(import_limit_kw=3)
        optimum = a_planner().optimum(house, outlook, 1)
        now = a_situation(outlook, 1, house=house)
        found = schedules_after(now, optimum, [HOLD, force_charge()])
        assert set(found) == {HOLD}


def test_commands_are_priced_against_the_cheapest_and_in_its_order() -> None:
    prices = [(each.command, each.extra_cost_p) for each in priced({SELF_USE: -3.0, HOLD: -5.0})]
    assert prices == [(HOLD, 0), (SELF_USE, 2)]


class TestSteadiest:
    """Self-use costs 0.5 p more than holding; a change of mode is worth 0.6 p."""

    ALTERNATIVES = priced({HOLD: 0.0, SELF_USE: 0.5, force_charge(): 8.0})

    def test_takes_the_cheapest_where_that_is_no_change(self) -> None:
        assert steadiest(self.ALTERNATIVES, HOLD, 0.6).command == HOLD

    def test_and_where_nothing_is_known_to_be_in_force(self) -> None:
        assert steadiest(self.ALTERNATIVES, None, 0.6).command == HOLD

    def test_changes_where_that_saves_more_than_the_change_costs(self) -> None:
        assert steadiest(self.ALTERNATIVES, SELF_USE, 0.4).command == HOLD
        assert steadiest(self.ALTERNATIVES, SELF_USE, 0.6).command == SELF_USE

    def test_among_even_ones_what_follows_the_load_is_taken(self) -> None:
        even = priced({force_charge(0.0): 0.0, FEED_IN: 0.001, SELF_USE: 0.002})
        assert steadiest(even, None, 0.3).command == SELF_USE


def test_where_an_empty_battery_sold_the_sun_is_sold_by_a_mode_that_can_be_told() -> None:
    # To go on discharging would save a change of mode; but dispatch holds an empty battery
    # instead, and to hold is to store the sun, for which nobody pays later.
    outlook = an_outlook([30] * 3, [15, 0, 0], 0, [0.5, 0, 0])
    sunny = Future(weight=0.5, load_kwh=outlook.load_kwh, solar_kwh=1.1 * outlook.solar_kwh)
    dull = replace(sunny, solar_kwh=0.9 * outlook.solar_kwh)
    plan = Planner().plan(
        a_house(), replace(outlook, futures=(sunny, dull)), 0, in_force=force_discharge()
    )
    assert plan.slots[0].command == FEED_IN


class TestC20ChangesToCome:
    """All is certain: the modes of a run of slots, each slot decided when it comes."""

    def modes(
        self, outlook: Outlook, soc_kwh: float, price_p: float, efficiency: float = 0.9
    ) -> list[Mode]:
        planner = Planner(PlannerSettings(switching_price_p=price_p))
        house, command = a_house(a_battery(efficiency=efficiency)), SELF_USE
        told = []
        for slot in range(outlook.horizon.n_slots - 1):
            left = later(outlook, slot)
            plan = planner.plan(house, left, soc_kwh, in_force=command)
            command, soc_kwh = plan.slots[0].command, plan.slots[0].soc_end_kwh
            told.append(command.mode)
        return told

    def test_a_mode_there_and_back_must_save_two_changes(self) -> None:
        # The middle slot: what 1 kWh takes of the store is worth 19.845 / 0.9 = 22.05 p.
        outlook = an_outlook([30, 21, 30, 30], 0, 1, end_value=19.845)
        there_and_back = [Mode.SELF_USE, Mode.HOLD, Mode.SELF_USE]
        assert self.modes(outlook, 9, 0.5) == there_and_back
        assert self.modes(outlook, 9, 0.55) == [Mode.SELF_USE] * 3

    def test_it_changes_early_where_a_change_is_due_anyway(self) -> None:
        # Holding saves 0.3 p in the second slot, less than a change, and 3.5 p from the third on.
        outlook = an_outlook([30, 21.7, 18.5, 18.5], 0, 1, end_value=19.8)
        assert self.modes(outlook, 9, 0.5) == [Mode.SELF_USE, Mode.HOLD, Mode.HOLD]

    def test_at_night_charging_pauses_and_goes_on(self) -> None:
        # Two cheap slots, and one between them in which serving the house would save 0.5 p.
        outlook = an_outlook([5, 22.5, 5, 30], 0, 1, end_value=22)
        charge = Mode.FORCE_CHARGE
        assert self.modes(outlook, 2, 0.3, efficiency=1) == [charge] * 3
        assert self.modes(outlook, 2, 0.2, efficiency=1) == [charge, Mode.SELF_USE, charge]


class TestForbidden:
    """C23, C24: what is not wished is not done now either, however well it would pay."""

    def test_the_battery_does_not_sell_where_it_must_not(self) -> None:
        outlook = an_outlook([40, 5, 5], 35, 0.2)
        assert a_planner().plan(a_house(), outlook, 9).slots[0].mode is Mode.FORCE_DISCHARGE
        for futures in ((), self.two(outlook)):
            plan = a_planner().plan(
                a_house(),
                replace(outlook, futures=futures),
                9,
                wishes=Wishes(battery_may_export=False),
            )
            modes = {each.command.mode for each in plan.alternatives}
            assert Mode.FORCE_DISCHARGE not in modes

    def test_nor_charges_from_the_grid_above_the_price_named(self) -> None:
        outlook = an_outlook([10, 40, 40], 0, 1)
        assert a_planner().plan(a_house(), outlook, 0).slots[0].mode is Mode.FORCE_CHARGE
        for futures in ((), self.two(outlook)):
            plan = a_planner().plan(
                a_house(),
                replace(outlook, futures=futures),
                0,
                wishes=Wishes(max_grid_charge_p_per_kwh=9),
            )
            modes = {each.command.mode for each in plan.alternatives}
            assert Mode.FORCE_CHARGE not in modes

    def two(self, outlook: Outlook) -> tuple[Future, Future]:
        return tuple(
            Future(weight=0.5, load_kwh=outlook.load_kwh * share, solar_kwh=outlook.solar_kwh)
            for share in (0.9, 1.1)
        )


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

    def test_so_has_a_change_of_power_half_of_it(self) -> None:
        sells = replace(self.OUTLOOK, export_rate=np.array([9.0, 0.0]), futures=self.needed(0.3))

        def planned(in_force: InverterCommand | None, price_p: float = 0.0) -> InverterCommand:
            planner = Planner(PlannerSettings(switching_price_p=price_p))
            return planner.plan(a_house(), sells, 3.0, in_force=in_force).slots[0].command

        best = planned(None)
        less = replace(best, power_kw=best.power_kw - 0.5)
        gained_p = 0.25 * 9  # nobody needs the quarter of a kWh later
        assert planned(less, 1.5 * gained_p) == best
        assert planned(less, 2.5 * gained_p) == less
