"""What is done now: the choice between what could be done, a person's orders, and no flutter."""

from datetime import timedelta

import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Override, Wishes
from builders import MIDNIGHT, WATT_HOUR, a_battery, a_house, plan_for

HOLD = InverterCommand(mode=Mode.HOLD)
SELF_USE = InverterCommand(mode=Mode.SELF_USE)


def force_charge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def force_discharge(power_kw: float = 4.0) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


def ordered(command: InverterCommand, first: int = 0, last: int = 0, **wishes: object) -> Wishes:
    """An order for the slots first to last."""
    order = Override(
        start=MIDNIGHT + first * SLOT, end=MIDNIGHT + (last + 1) * SLOT, command=command
    )
    return Wishes(overrides=(order,), **wishes)


class TestAlternatives:
    def extra_costs(self, plan: Plan) -> dict[Mode, float]:
        return {each.command.mode: each.extra_cost_p for each in plan.alternatives}

    def test_using_1_kwh_now_at_10_p_instead_of_later_at_30_costs_20_p(self) -> None:
        costs = self.extra_costs(plan_for([10, 30], 0, 1, soc_kwh=1))
        assert costs[Mode.HOLD] == pytest.approx(0, abs=0.01)
        assert costs[Mode.SELF_USE] == pytest.approx(20, abs=0.01)

    def test_charging_2_kwh_at_10_p_that_have_no_use_but_1_costs_10_p_less_than_10(self) -> None:
        # 2 kWh for 20 p, of which the second slot needs none (it has its own): all are wasted.
        costs = self.extra_costs(plan_for([10, 30], 0, 1, soc_kwh=1))
        assert costs[Mode.FORCE_CHARGE] == pytest.approx(20, abs=0.01)

    def test_the_cheapest_comes_first_and_costs_nothing_extra(self) -> None:
        plan = plan_for([10, 30], 5, 1, soc_kwh=1)
        costs = [each.extra_cost_p for each in plan.alternatives]
        assert costs[0] == 0
        assert costs == sorted(costs)

    def test_while_something_is_ordered_nothing_else_has_a_price(self) -> None:
        """What the program makes of an order that is not followed is no money."""
        assert plan_for([10, 30], 0, 1, soc_kwh=1, wishes=ordered(SELF_USE)).alternatives == ()

    def test_they_cost_more_or_less_than_what_goes_on_for_the_sake_of_peace(self) -> None:
        hold = InverterCommand(mode=Mode.HOLD)
        settings = PlannerSettings(switching_price_p=3.0)
        plan = plan_for([10, 10], 0, [0.5, 0], soc_kwh=0.5, end_value=6, in_force=hold,
                        settings=settings)  # fmt: skip
        costs = self.extra_costs(plan)
        assert (plan.slots[0].mode, costs[Mode.HOLD]) == (Mode.HOLD, 0)
        assert costs[Mode.SELF_USE] == pytest.approx(-2, abs=0.01)

    def test_what_would_pass_the_fuse_is_no_alternative(self) -> None:
        plan = plan_for([10, 30], 0, 1, soc_kwh=1, house=a_house(import_limit_kw=3))
        assert Mode.FORCE_CHARGE not in self.extra_costs(plan)

    def test_among_even_ones_what_follows_the_load_is_chosen(self) -> None:
        assert plan_for([10, 10], 0, 0).slots[0].mode is Mode.SELF_USE


class TestC20C27Steadiness:
    """A change of mode is worth 0.3 p; what a mode is worth to stay in for is named in pence."""

    SETTINGS = PlannerSettings(switching_price_p=0.3)

    def plan(self, *args: object, **world: object) -> Plan:
        return plan_for(*args, settings=self.SETTINGS, **world)

    def mode_where_using_saves(self, pence: float, in_force: InverterCommand | None) -> Mode:
        """0.5 kWh of load at 10 p now, nothing after: whether what is stored is used or kept."""
        kept = 10 - 2 * pence
        plan = self.plan([10, 10], 0, [0.5, 0], soc_kwh=0.5, end_value=kept, in_force=in_force)
        return plan.slots[0].mode

    def mode_where_holding_saves(self, pence: float, in_force: InverterCommand | None) -> Mode:
        """0.5 kWh stored, of load now, and of load later, which is covered: holding is for now."""
        later = 10 + 2 * pence
        return self.plan([10, later], 0, 0.5, soc_kwh=0.5, in_force=in_force).slots[0].mode

    def test_stays_for_0p25_p(self) -> None:
        assert self.mode_where_using_saves(0.25, HOLD) is Mode.HOLD

    def test_leaves_for_0p35_p(self) -> None:
        assert self.mode_where_using_saves(0.35, HOLD) is Mode.SELF_USE

    def test_takes_the_best_where_it_is_in_force_or_nothing_is_known_to_be(self) -> None:
        assert self.mode_where_using_saves(0.25, SELF_USE) is Mode.SELF_USE
        assert self.mode_where_using_saves(0.25, None) is Mode.SELF_USE

    def test_0p5_p_are_not_worth_a_change_and_another_back(self) -> None:
        assert self.mode_where_holding_saves(0.5, SELF_USE) is Mode.SELF_USE

    def test_0p7_p_are(self) -> None:
        assert self.mode_where_holding_saves(0.7, SELF_USE) is Mode.HOLD

    def test_a_mode_to_be_left_soon_is_not_left_sooner_than_it_pays(self) -> None:
        assert self.mode_where_holding_saves(0.2, HOLD) is Mode.HOLD

    def test_what_must_follow_is_taken_at_once_for_0p2_p(self) -> None:
        assert self.mode_where_holding_saves(0.2, None) is Mode.SELF_USE

    def test_the_rest_of_the_plan_follows_from_what_is_really_done(self) -> None:
        plan = self.plan([10, 10.4], 0, 0.5, soc_kwh=0.5, in_force=SELF_USE)
        assert [slot.soc_end_kwh for slot in plan.slots] == pytest.approx([0, 0], abs=WATT_HOUR)
        assert plan.slots[1].grid_import_kwh == pytest.approx(0.5)

    def test_a_force_of_another_power_is_the_same_mode(self) -> None:
        plan = self.plan([5, 30], 0, [0, 1], in_force=force_charge(1.0))
        assert plan.slots[0].command == force_charge(2.0)

    def test_charging_pauses_at_no_power_at_night(self) -> None:
        plan = self.plan([5, 8, 5, 30, 30], 0, [0, 0.1, 0, 2, 2])
        assert [slot.command for slot in plan.slots[:3]] == [
            force_charge(4.0),
            force_charge(0.0),
            force_charge(4.0),
        ]

    def test_also_where_the_pause_is_now(self) -> None:
        plan = self.plan([8, 5, 7, 30, 30], 0, [0.1, 0, 0, 2, 1], in_force=force_charge(4.0))
        assert plan.slots[0].command == force_charge(0.0)

    def test_but_not_while_there_is_sun(self) -> None:
        plan = self.plan(
            [5, 8, 5, 30, 30], 0, [0, 0.1, 0, 2, 2], [0, 0.1, 0, 0, 0], in_force=force_charge(4.0)
        )
        assert [slot.mode for slot in plan.slots[:3]] == [
            Mode.FORCE_CHARGE,
            Mode.SELF_USE,
            Mode.FORCE_CHARGE,
        ]

    def test_a_house_full_of_sun_is_not_left_charging_by_force(self) -> None:
        plan = self.plan([40, 40], 0, 0.5, 1, soc_kwh=10, end_value=20, in_force=force_charge(4.0))
        assert plan.slots[0].mode is Mode.SELF_USE

    def test_covering_the_load_is_not_left_to_a_forced_power(self) -> None:
        # At 4 kW the last kWh would be gone, half of it sold for nothing, before the load is over.
        plan = self.plan([40, 10], 0, 1, soc_kwh=1, in_force=force_discharge(4.0))
        assert plan.slots[0].mode is Mode.SELF_USE


class TestC25Orders:
    @pytest.mark.parametrize("export_p", [0, 15], ids=["by the linear program", "exactly"])
    def test_an_order_that_is_followed_as_far_as_sun_load_and_battery_go_is_no_shortfall(
        self, export_p: float
    ) -> None:
        """A full battery takes no more sun, an empty one serves no load: nothing is wrong."""
        full = plan_for([10, 10], export_p, 0, [2, 2], soc_kwh=9, wishes=ordered(HOLD))
        empty = plan_for([10, 10], export_p, [2, 2], soc_kwh=1, wishes=ordered(SELF_USE))
        assert full.warnings == empty.warnings == ()

    def test_a_charge_that_does_not_fit_is_one(self) -> None:
        plan = plan_for([10, 10], soc_kwh=9, wishes=ordered(force_charge(4)))
        assert "an order" in plan.warnings[0]

    def test_holds_as_ordered_though_the_peak_is_now(self) -> None:
        plan = plan_for([40, 10], 0, 1, soc_kwh=2, wishes=ordered(HOLD))
        assert [slot.mode for slot in plan.slots] == [Mode.HOLD, Mode.SELF_USE]

    def test_an_order_for_later_is_planned_for_now(self) -> None:
        plan = plan_for([10, 40, 40], 0, [1, 1, 1], wishes=ordered(HOLD, 1, 1))
        assert plan.slots[0].charge_kwh == pytest.approx(1, abs=WATT_HOUR)
        assert [slot.discharge_kwh for slot in plan.slots] == pytest.approx(
            [0, 0, 1], abs=WATT_HOUR
        )

    def test_charges_at_the_power_ordered_whatever_it_costs(self) -> None:
        plan = plan_for([40, 5], wishes=ordered(force_charge(3.0)))
        assert plan.slots[0].command == force_charge(3.0)
        assert plan.slots[0].charge_kwh == pytest.approx(1.5)

    def test_discharges_at_the_power_ordered_whatever_it_brings(self) -> None:
        plan = plan_for([40, 50], 0, 0, soc_kwh=5, wishes=ordered(force_discharge(2.0)))
        assert plan.slots[0].command == force_discharge(2.0)
        assert plan.slots[0].grid_export_kwh == pytest.approx(1)

    def test_sells_the_sun_as_ordered(self) -> None:
        feed_in = InverterCommand(mode=Mode.FEED_IN)
        plan = plan_for([40, 40], 1, [0, 1], [1, 0], wishes=ordered(feed_in))
        assert plan.slots[0].command == feed_in
        assert plan.slots[0].grid_export_kwh == pytest.approx(1)

    def test_the_very_mode_is_kept_where_another_would_give_the_same(self) -> None:
        # With 1 kWh of sun Self Use would do the same, as long as the sun is as foreseen.
        plan = plan_for([20] * 3, 0, 0, 1, wishes=ordered(HOLD, 0, 2))
        assert [slot.command for slot in plan.slots] == [HOLD] * 3

    def test_nor_is_it_changed_later_in_the_plan(self) -> None:
        plan = plan_for([20] * 3, 0, 0, 1, wishes=ordered(HOLD, 1, 2))
        assert [slot.command for slot in plan.slots] == [SELF_USE, HOLD, HOLD]

    def test_and_not_given_up_for_the_mode_in_force(self) -> None:
        settings = PlannerSettings(switching_price_p=5.0)
        plan = plan_for([20], 0, 0, 1, wishes=ordered(HOLD), in_force=SELF_USE, settings=settings)
        assert plan.slots[0].command == HOLD

    def test_the_order_given_last_holds(self) -> None:
        both = Wishes(
            overrides=ordered(HOLD).overrides + ordered(force_charge(2.0)).overrides,
        )
        assert plan_for([20, 20], wishes=both).slots[0].command == force_charge(2.0)

    def test_an_order_stands_above_a_limit_on_the_price_of_charging(self) -> None:
        wishes = ordered(force_charge(2.0), max_grid_charge_p_per_kwh=8)
        assert plan_for([20, 20], wishes=wishes).slots[0].charge_kwh == pytest.approx(1)

    def test_an_empty_battery_ordered_to_give_gives_nothing_and_it_is_said(self) -> None:
        battery = a_battery(reserve_kwh=1.0)
        plan = plan_for(
            [10, 10], 29, 0, soc_kwh=1, house=battery, wishes=ordered(force_discharge())
        )
        assert plan.slots[0].discharge_kwh == 0
        assert plan.slots[0].soc_end_kwh == 1
        assert "up to 2.0 kWh are missing" in plan.warnings[0]

    def test_no_order_passes_the_fuse_nor_the_reserve(self) -> None:
        # Nearly 30 p for every kWh given, and the order's own price, do not buy the reserve.
        plan = plan_for(
            [-10, -10], -20, wishes=ordered(force_charge(), 0, 1), house=a_house(import_limit_kw=2)
        )
        assert [slot.grid_import_kwh for slot in plan.slots] == pytest.approx([1, 1])


def test_an_order_for_half_an_hour_ago_is_over() -> None:
    wishes = ordered(HOLD)
    plan = plan_for([40, 10], 0, 1, soc_kwh=2, wishes=wishes, start=MIDNIGHT + SLOT)
    assert plan.slots[0].mode is Mode.SELF_USE
    assert wishes.order_at(MIDNIGHT + SLOT - timedelta(seconds=1)) == HOLD


def test_a_plan_says_what_it_was_made_from() -> None:
    plan = plan_for([10, 30], 5, 1, soc_kwh=0.5)
    assert plan.made_at == plan.horizon.start == MIDNIGHT
    assert plan.solve.status == "optimal"
    assert plan.warnings == ()
    # It charges the other half of the 1 kWh at 10 p: that is what a stored kWh would save.
    assert [slot.energy_value_p_per_kwh for slot in plan.slots] == pytest.approx([10, 10], abs=0.01)
