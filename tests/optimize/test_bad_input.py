"""Input that nobody should give, and what comes of it."""

from datetime import timedelta

import numpy as np
import pytest

from battery_optimizer.errors import SolverFailed
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.relaxation import GAP_P, ExactSolver
from builders import MIDNIGHT, a_battery, a_horizon, a_house, an_outlook, optimum_for, plan_for

RATES = [10, 5, 20, 30]


def does_nothing(plan: Plan) -> bool:
    return all(slot.charge_kwh == slot.discharge_kwh == 0 for slot in plan.slots)


class TestRates:
    def test_of_10000_p_and_minus_10000_p_are_planned_with_exactly(self) -> None:
        # 2 kWh each: bought while paid 10,000 p, served and sold at 10,000 p.
        optimum = optimum_for([-10_000, 10_000], [-10_000, 10_000], [0, 1])
        assert optimum.schedule.cost_p == pytest.approx(-20_000 - 10_000, abs=0.1)
        assert optimum.report.gap_p <= GAP_P

    @pytest.mark.parametrize("rate", [float("nan"), float("inf"), -float("inf")])
    def test_that_are_no_numbers_are_refused_by_name(self, rate: float) -> None:
        with pytest.raises(ValueError, match="import_rate has values that are not finite"):
            plan_for([10, rate])
        with pytest.raises(ValueError, match="export_rate has values that are not finite"):
            plan_for([10, 20], [rate, 0])


class TestHorizon:
    def test_an_empty_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one slot, not 0"):
            a_horizon(0)

    @pytest.mark.parametrize("left", [timedelta(seconds=1), timedelta(microseconds=1)])
    def test_a_first_slot_of_a_second_or_less_is_planned_like_any(self, left: timedelta) -> None:
        start = MIDNIGHT + SLOT - left
        plan = plan_for([1, 30, 30], 0, [0, 1, 1], soc_kwh=1, start=start)
        assert plan.slots[0].hours == left / timedelta(hours=1)
        assert plan.slots[0].charge_kwh <= 4 * plan.slots[0].hours + 1e-9
        assert [slot.discharge_kwh for slot in plan.slots[1:]] == pytest.approx([1, 0], abs=2e-3)


class TestBattery:
    def test_of_no_capacity_does_nothing(self) -> None:
        plan = plan_for(RATES, 5, 1, house=a_battery(capacity_kwh=0))
        assert does_nothing(plan)
        assert plan.cost_p == pytest.approx(sum(RATES))

    def test_of_no_capacity_and_with_a_taper_does_nothing(self) -> None:
        battery = a_battery(capacity_kwh=0, charge_taper=((0.8, 1), (1, 0.2)))
        assert does_nothing(plan_for(RATES, 5, 1, house=battery))

    def test_of_no_power_does_nothing(self) -> None:
        battery = a_battery(max_charge_kw=0, max_discharge_kw=0)
        assert does_nothing(plan_for(RATES, 5, 1, house=battery, soc_kwh=5))

    def test_a_reserve_over_the_maximum_is_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match="maximum_kwh must be from reserve_kwh, 9"):
            a_battery(reserve_kwh=9, maximum_kwh=8)
        with pytest.raises(ValueError, match="reserve_kwh must be at most capacity_kwh, 10"):
            a_battery(reserve_kwh=11)

    @pytest.mark.parametrize("efficiency", [0, 1.01, float("nan")])
    def test_an_efficiency_that_no_battery_has_is_refused(self, efficiency: float) -> None:
        with pytest.raises(ValueError, match=r"charge_efficiency must be from 0\.3 to 1"):
            a_battery(efficiency=efficiency)

    def test_efficiencies_of_1_at_equal_and_negative_rates_have_a_proven_plan(self) -> None:
        # 2 kWh are stored while paid 5 p; then 6 of the 7 kWh, and 2 of sun, can be given.
        optimum = optimum_for([-5, 10, 10, 10], [-5, 10, 10, 10], 1, [0, 2, 0, 0], soc_kwh=5)
        assert optimum.report.gap_p <= GAP_P
        assert optimum.schedule.cost_p == pytest.approx(-5 * 3 - 10 * (6 + 2 - 3), abs=0.05)


class TestStoredEnergy:
    def test_of_0_percent_fills_the_reserve_first(self) -> None:
        plan = plan_for([30, 1], 0, 0, soc_kwh=0, house=a_battery(reserve_kwh=3))
        assert plan.slots[0].mode is Mode.FORCE_CHARGE
        assert [slot.soc_end_kwh for slot in plan.slots] == pytest.approx([2, 3], abs=1e-3)
        assert "up to 1.0 kWh are missing" in plan.warnings[0]

    def test_of_0_percent_with_a_reserve_beyond_reach_is_reported_and_not_refused(self) -> None:
        plan = plan_for(RATES, 0, 1, soc_kwh=0, house=a_battery(reserve_kwh=9))
        assert "up to 7.0 kWh are missing" in plan.warnings[0]

    def test_of_101_percent_is_what_it_is(self) -> None:
        plan = plan_for([10, 30], 0, 1, soc_kwh=10.1)
        assert plan.slots[0].soc_end_kwh == pytest.approx(9.1)

    @pytest.mark.parametrize("taper", [((0.8, 1), (1, 0)), ((0.5, 1), (0.9, 0))])
    def test_beyond_where_charging_ends_is_nothing_to_flee_from(
        self, taper: tuple[tuple[float, float], ...]
    ) -> None:
        battery = a_battery(charge_taper=taper)
        plan = plan_for(RATES, 0, 0, soc_kwh=10.1, end_value=1, house=battery)
        assert does_nothing(plan)
        assert plan.solve.n_doubtful == 0

    def test_below_where_discharging_ends_is_nothing_to_flee_from(self) -> None:
        battery = a_battery(discharge_taper=((0.1, 0), (0.2, 1)), max_charge_kw=0)
        assert does_nothing(plan_for(RATES, 0, 1, soc_kwh=0.5, house=battery))
        # Settled by the linear program, which is else without any solution.
        optimum = optimum_for(RATES, 0, 1, soc_kwh=0.5, house=battery)
        assert optimum.report.n_doubtful == 0

    def test_of_a_frozen_empty_battery_that_draws_by_itself_is_reported(self) -> None:
        battery = a_battery(max_charge_kw=0, standby_kw=0.04, discharge_taper=((0, 0), (0.2, 1)))
        plan = plan_for(RATES, 0, 1, soc_kwh=0, house=battery)
        assert does_nothing(plan)
        assert plan.warnings

    @pytest.mark.parametrize("soc_kwh", [float("nan"), float("inf"), -0.1])
    def test_that_is_no_energy_is_refused(self, soc_kwh: float) -> None:
        with pytest.raises(ValueError, match="stored energy must be a number of kWh from 0 up"):
            plan_for(RATES, soc_kwh=soc_kwh)


class TestLimits:
    def test_an_export_limit_of_0_loses_the_sun_that_nothing_takes(self) -> None:
        plan = plan_for([10, 10], 15, 0.5, 3, soc_kwh=9, house=a_house(export_limit_kw=0))
        assert all(slot.grid_export_kwh == 0 for slot in plan.slots)
        assert plan.slots[-1].soc_end_kwh == pytest.approx(10)
        assert sum(slot.curtailed_kwh for slot in plan.slots) == pytest.approx(5 - 1)
        lost = next(slot for slot in plan.slots if slot.charge_kwh == 0)
        assert lost.reason == (
            "More sun than the house, the battery and the meter can take: 2.5 kWh is lost."
        )

    def test_a_little_lost_sun_is_told_in_watt_hours(self) -> None:
        plan = plan_for([10, 10], 15, 0, 0.03, soc_kwh=10, house=a_house(export_limit_kw=0))
        assert plan.slots[0].reason.endswith("can take: 30 Wh is lost.")

    def test_an_export_limit_of_0_at_negative_rates_has_a_proven_plan(self) -> None:
        optimum = optimum_for(
            [-5, 5, -10], 0, 0, [1, 3, 0], soc_kwh=9, house=a_house(export_limit_kw=0)
        )
        assert optimum.report.gap_p <= GAP_P
        assert (optimum.schedule.grid_export_kwh == 0).all()


class TestSolver:
    NEGATIVE = an_outlook(
        np.tile([-10.0, 5, 20, -3], 24),
        np.tile([15.0, 10, -5, 12], 24),
        0.4,
        np.tile([0, 1.5, 3, 0.2], 24),
    )

    def test_one_that_is_given_no_time_fails_by_name_or_proves_what_it_has(self) -> None:
        house = a_house(a_battery(efficiency=0.9), export_limit_kw=1)
        inputs = program_inputs(house, self.NEGATIVE, 5.0)
        solver = ExactSolver(time_limit_s=0.0, max_gap_p=0.5)
        try:
            report = solver.solve(house.battery, inputs).report
        except SolverFailed as error:
            assert "the solver ended with status" in str(error)  # noqa: PT017
        else:
            assert report.gap_p <= 0.5

    def test_out_of_time_the_best_is_kept_that_was_found_and_how_far_it_is_proven(self) -> None:
        house = a_house(a_battery(efficiency=0.9))
        inputs = program_inputs(house, self.NEGATIVE, 5.0)
        hurried = ExactSolver(time_limit_s=0.0, max_gap_p=5000).solve(house.battery, inputs)
        patient = ExactSolver(time_limit_s=1.0, max_gap_p=5000).solve(house.battery, inputs)
        lost_p = hurried.schedule.objective_p - patient.schedule.objective_p
        assert -patient.report.gap_p - GAP_P <= lost_p <= hurried.report.gap_p + GAP_P

    def test_a_plan_not_proven_within_the_greatest_gap_is_refused(self) -> None:
        house = a_house(a_battery(efficiency=0.9), export_limit_kw=1)
        inputs = program_inputs(house, self.NEGATIVE, 5.0)
        with pytest.raises(SolverFailed, match="no usable plan"):
            ExactSolver(time_limit_s=0.0, max_gap_p=-1.0).solve(house.battery, inputs)
