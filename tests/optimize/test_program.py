"""What each constraint and term of the program does, in worlds of one to four slots.

The battery holds 10 kWh, moves 2 kWh per half hour either way, and loses nothing, unless said.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.outlook import TerminalValue
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import NO_WISHES, Target, Wishes
from battery_optimizer.optimize.exact import ExactProgram
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.program import compile_program, features_of
from battery_optimizer.optimize.reading import CompiledProgram, read_schedule
from battery_optimizer.optimize.relaxation import GAP_P, ExactSolver
from builders import (
    MIDNIGHT,
    WATT_HOUR,
    a_battery,
    a_house,
    an_outlook,
    optimum_for,
)


def kwh(*values: float) -> object:
    return pytest.approx(list(values), abs=WATT_HOUR)


def schedule_for(
    *args: object,
    house: House | Battery | None = None,
    soc_kwh: float = 0.0,
    wishes: Wishes = NO_WISHES,
    **world: object,
) -> Schedule:
    """What is planned; the program solved by stored energy must say just the same."""
    found = optimum_for(*args, house=house, soc_kwh=soc_kwh, wishes=wishes, **world).schedule
    whole = house if isinstance(house, House) else a_house(house)
    inputs = program_inputs(whole, an_outlook(*args, **world), soc_kwh, wishes)
    exact, gap_p = ExactProgram(whole.battery, inputs).solve()
    assert gap_p < 1e-4
    assert exact.objective_p == pytest.approx(found.objective_p, abs=1e-3)
    assert exact.shortfall_kwh == pytest.approx(found.shortfall_kwh, abs=WATT_HOUR)
    for name in ("charge_kwh", "discharge_kwh", "grid_import_kwh", "grid_export_kwh", "soc_kwh"):
        assert getattr(exact, name) == pytest.approx(getattr(found, name), abs=WATT_HOUR), name
    return found


def relaxed(*args: object, **world: object) -> Schedule:
    """The plain LP's own solution, neither verified nor repaired."""
    house = a_house(world.pop("house", None))
    inputs = program_inputs(house, an_outlook(*args, **world), 5.0)
    compiled = CompiledProgram.of(
        compile_program(house.battery, len(inputs.hours), features_of(inputs))
    )
    compiled.load(inputs)
    return read_schedule(compiled, compiled.problem.solve_lp(), inputs)


class TestC1EveryKwhGoesSomewhere:
    def test_2_kwh_bought_at_5_p_serve_the_load_of_2_kwh_at_30_p(self) -> None:
        schedule = schedule_for([5, 30], load_kwh=[0, 2])
        assert schedule.charge_kwh == kwh(2, 0)
        assert schedule.discharge_kwh == kwh(0, 2)
        assert schedule.grid_import_kwh == kwh(2, 0)
        assert schedule.cost_p == pytest.approx(10, abs=0.01)

    def test_3_kwh_of_sun_go_1_to_the_house_and_2_to_the_meter(self) -> None:
        schedule = schedule_for([10], 15, 1, 3)
        assert schedule.grid_export_kwh == kwh(2)
        assert schedule.cost_p == pytest.approx(-30, abs=0.01)


class TestC2StoredEnergy:
    def test_1_kwh_at_the_peak_takes_1_over_95_percent_squared_when_cheap(self) -> None:
        schedule = schedule_for([10, 40], load_kwh=[0, 1], house=a_battery(efficiency=0.95))
        assert schedule.charge_kwh == kwh(1 / 0.95**2, 0)
        assert schedule.soc_kwh == kwh(0, 1 / 0.95, 0)

    def test_a_cycle_that_loses_19_percent_does_not_pay_between_10_and_12_p(self) -> None:
        schedule = schedule_for([10, 12], load_kwh=[0, 1], house=a_battery(efficiency=0.9))
        assert schedule.charge_kwh == kwh(0, 0)

    def test_standby_of_100_w_takes_50_wh_a_slot(self) -> None:
        schedule = schedule_for([10, 10], soc_kwh=5, house=a_battery(standby_kw=0.1))
        assert schedule.soc_kwh == kwh(5, 4.95, 4.90)


def test_c3_starts_from_what_is_measured() -> None:
    schedule = schedule_for([30, 30], load_kwh=1, soc_kwh=1.5)
    assert schedule.soc_kwh == kwh(1.5, 0.5, 0)


class TestC4Reserve:
    def test_serves_1_kwh_of_2_since_the_other_is_reserve(self) -> None:
        schedule = schedule_for([30], load_kwh=2, soc_kwh=3, house=a_battery(reserve_kwh=2))
        assert schedule.discharge_kwh == kwh(1)
        assert schedule.shortfall_kwh == pytest.approx(0, abs=WATT_HOUR)

    def test_a_battery_2_kwh_under_its_reserve_of_3_fills_up_at_any_price_and_says_so(
        self,
    ) -> None:
        schedule = schedule_for([90, 1], soc_kwh=1, house=a_battery(reserve_kwh=3, max_charge_kw=3))
        assert schedule.charge_kwh == kwh(1.5, 0.5)
        assert schedule.shortfall_kwh == pytest.approx(0.5, abs=WATT_HOUR)

    @pytest.mark.parametrize(("soc_kwh", "given_kwh"), [(3.0, 1.0), (1.5, 0.0)])
    def test_nothing_is_taken_from_it_even_if_that_cost_nothing(
        self, soc_kwh: float, given_kwh: float
    ) -> None:
        house = a_house(a_battery(reserve_kwh=2, max_charge_kw=0))
        inputs = program_inputs(house, an_outlook([30], load_kwh=2), soc_kwh)
        free = replace(inputs, reserve_price=np.zeros(1))
        assert ExactSolver().solve(house.battery, free).schedule.discharge_kwh == kwh(given_kwh)
        assert ExactProgram(house.battery, free).solve()[0].discharge_kwh == kwh(given_kwh)


class TestC5Ceiling:
    def test_charges_1_kwh_at_1_p_since_more_is_above_the_maximum(self) -> None:
        battery = a_battery(maximum_kwh=6)
        assert schedule_for([1], soc_kwh=5, end_value=50, house=battery).charge_kwh == kwh(1)

    def test_a_battery_above_its_maximum_keeps_what_it_has(self) -> None:
        battery = a_battery(maximum_kwh=6)
        schedule = schedule_for([1, 50], soc_kwh=8, end_value=10, house=battery)
        assert schedule.soc_kwh == kwh(8, 8, 8)


class TestC6C7Power:
    def test_charges_at_most_2_kwh_a_slot(self) -> None:
        assert schedule_for([1, 1], end_value=50).charge_kwh == kwh(2, 2)

    def test_discharges_at_most_2_kwh_a_slot(self) -> None:
        assert schedule_for([30, 30], load_kwh=3, soc_kwh=9).discharge_kwh == kwh(2, 2)

    def test_in_the_last_10_minutes_of_a_slot_a_third_of_it(self) -> None:
        late = MIDNIGHT + timedelta(minutes=20)
        assert schedule_for([1, 1], end_value=50, start=late).charge_kwh == kwh(2 / 3, 2)
        discharging = schedule_for([9, 9], load_kwh=3, soc_kwh=9, start=late)
        assert discharging.discharge_kwh == kwh(2 / 3, 2)


class TestC8C9Taper:
    def test_from_8_of_10_kwh_power_falling_to_nothing_at_10_lets_two_thirds_of_a_kwh_in(
        self,
    ) -> None:
        # 4 kW at 5 kWh, 0 at 10: charge = 0.5 h * 0.8 / h * (10 - 8 - charge / 2)
        battery = a_battery(charge_taper=((0.5, 1), (1, 0)))
        schedule = schedule_for([1], soc_kwh=8, end_value=50, house=battery)
        assert schedule.charge_kwh == kwh(2 / 3)

    def test_from_2_of_10_kwh_power_falling_to_nothing_at_0_lets_two_thirds_of_a_kwh_out(
        self,
    ) -> None:
        battery = a_battery(discharge_taper=((0, 0), (0.5, 1)))
        assert schedule_for([30], load_kwh=2, soc_kwh=2, house=battery).discharge_kwh == kwh(2 / 3)

    def test_a_taper_does_not_bind_where_it_is_flat(self) -> None:
        battery = a_battery(charge_taper=((0.5, 1), (1, 0)))
        assert schedule_for([1], soc_kwh=0, end_value=50, house=battery).charge_kwh == kwh(2)


def test_c10_at_0_degrees_a_battery_of_a_quarter_of_its_power_takes_half_a_kwh() -> None:
    battery = a_battery(cold_limit=((0, 0.25), (20, 1))).at_temperature(0)
    assert schedule_for([1], end_value=50, house=battery).charge_kwh == kwh(0.5)
    assert schedule_for([30], 0, 2, soc_kwh=5, house=battery).discharge_kwh == kwh(0.5)


class TestC11Rating:
    def test_1_kwh_of_sun_leaves_half_a_kwh_of_a_1500_wh_rating_for_the_battery(self) -> None:
        schedule = schedule_for([10], 30, 0, 1, soc_kwh=5, house=a_house(ac_limit_kw=3))
        assert schedule.discharge_kwh == kwh(0.5)

    def test_sun_above_the_rating_is_stored_rather_than_lost(self) -> None:
        schedule = schedule_for([10], 20, 0, 3, end_value=1, house=a_house(ac_limit_kw=3))
        assert schedule.charge_kwh == kwh(1.5)
        assert schedule.curtailed_kwh == kwh(0)

    def test_sun_above_the_rating_is_lost_where_the_battery_is_full(self) -> None:
        schedule = schedule_for([10], 20, 0, 3, soc_kwh=10, house=a_house(ac_limit_kw=3))
        assert schedule.curtailed_kwh == kwh(1.5)
        assert schedule.grid_export_kwh == kwh(1.5)


class TestC12Fuse:
    def test_a_load_of_1_kwh_leaves_half_a_kwh_of_a_1500_wh_fuse_to_charge(self) -> None:
        schedule = schedule_for([1], 0, 1, end_value=50, house=a_house(import_limit_kw=3))
        assert schedule.charge_kwh == kwh(0.5)

    def test_a_house_that_draws_more_than_its_fuse_is_not_refused_but_nothing_is_charged(
        self,
    ) -> None:
        schedule = schedule_for([1, 1], 0, 3, end_value=50, house=a_house(import_limit_kw=3))
        assert schedule.charge_kwh == kwh(0, 0)
        assert schedule.grid_import_kwh == kwh(3, 3)
        assert schedule.shortfall_kwh == pytest.approx(1.5, abs=WATT_HOUR)

    def test_no_charge_passes_it_even_if_that_cost_nothing(self) -> None:
        house = a_house(import_limit_kw=3)
        inputs = program_inputs(house, an_outlook([1], 0, 3, end_value=50), 0.0)
        free = replace(inputs, fuse_price=np.zeros(1))
        assert ExactSolver().solve(house.battery, free).schedule.charge_kwh == kwh(0)
        assert ExactProgram(house.battery, free).solve()[0].charge_kwh == kwh(0)

    def test_the_battery_takes_1500_wh_off_a_fuse_although_it_is_worth_more_later(self) -> None:
        schedule = schedule_for(
            [1], 0, 3, end_value=50, soc_kwh=5, house=a_house(import_limit_kw=3)
        )
        assert schedule.discharge_kwh == kwh(1.5)

    def test_sun_is_turned_off_to_be_paid_for_2_kwh_and_not_for_3_that_pass_it(self) -> None:
        house = a_house(can_curtail=True, import_limit_kw=4)
        schedule = schedule_for([-20], 0, 3, 2.5, soc_kwh=10, house=house)
        assert schedule.curtailed_kwh == kwh(1.5)
        assert schedule.cost_p == pytest.approx(-40, abs=0.01)


def test_c13_sells_half_a_kwh_a_slot_where_the_network_allows_1_kw() -> None:
    schedule = schedule_for([10, 10], 30, soc_kwh=5, house=a_house(export_limit_kw=1))
    assert schedule.grid_export_kwh == kwh(0.5, 0.5)


class TestC14LostSun:
    FULL = 10.0

    def test_where_it_may_it_turns_2_kwh_of_sun_off_to_be_paid_for_3(self) -> None:
        house = a_house(can_curtail=True)
        schedule = schedule_for([-5], 0, 3, 2, soc_kwh=self.FULL, house=house)
        assert schedule.curtailed_kwh == kwh(2)
        assert schedule.cost_p == pytest.approx(-15, abs=0.01)

    def test_where_it_may_not_it_is_paid_for_1(self) -> None:
        schedule = schedule_for([-5], 0, 3, 2, soc_kwh=self.FULL)
        assert schedule.curtailed_kwh == kwh(0)
        assert schedule.cost_p == pytest.approx(-5, abs=0.01)

    def test_never_more_than_there_is(self) -> None:
        house = a_house(can_curtail=True)
        schedule = schedule_for([-5, -5], 0, 3, [2, 0], soc_kwh=self.FULL, house=house)
        assert schedule.curtailed_kwh == kwh(2, 0)

    def test_nor_does_the_plain_lp_lose_what_it_may_not(self) -> None:
        assert relaxed([-5], 0, 3, 2).curtailed_kwh == kwh(0)

    def test_what_the_meter_cannot_take_is_lost_but_not_bought_instead(self) -> None:
        # Losing 3 kWh of sun at the export limit while being paid for 1 kWh charged is a trick.
        house = a_house(export_limit_kw=0)
        schedule = schedule_for([-5], 0, 0, 3, soc_kwh=9, house=house)
        assert schedule.grid_import_kwh == kwh(0)


class TestC15C16NothingIsResold:
    """These hold in the plain LP, and keep its bound near the truth; by C1 each says the other."""

    def test_what_is_bought_is_used_or_stored(self) -> None:
        schedule = relaxed([5], 30, 1, 1)
        assert (schedule.grid_import_kwh <= 1 + schedule.charge_kwh + WATT_HOUR).all(), (
            "else it buys without end to sell"
        )

    def test_what_is_sold_comes_from_the_sun_or_the_battery(self) -> None:
        schedule = relaxed([5], 30, 1, 1)
        made = 1 - schedule.curtailed_kwh + schedule.discharge_kwh
        assert (schedule.grid_export_kwh <= made + WATT_HOUR).all()


class TestC17OneDirectionAtTheMeter:
    def test_1_kwh_of_load_and_half_of_sun_cost_2_p_50_though_export_pays_15(self) -> None:
        idle = a_battery(max_charge_kw=0, max_discharge_kw=0)
        optimum = optimum_for([5, 30], 15, 1, [0.5, 1], house=idle)
        assert optimum.schedule.cost_p == pytest.approx(2.5, abs=0.01)
        assert optimum.report.gap_p <= GAP_P

    def test_sells_2_kwh_rather_than_buying_and_selling_at_once(self) -> None:
        schedule = schedule_for([5], 30, 1, 0, soc_kwh=5)
        assert schedule.discharge_kwh == kwh(2)
        assert schedule.grid_export_kwh == kwh(1)


class TestC18OneDirectionInTheBattery:
    def test_a_full_battery_is_paid_nothing_to_burn_energy(self) -> None:
        optimum = optimum_for([-10], soc_kwh=10, house=a_battery(efficiency=0.9))
        assert optimum.schedule.cost_p == pytest.approx(0, abs=0.01)
        assert optimum.schedule.charge_kwh == kwh(0)
        assert optimum.report.gap_p <= GAP_P

    def test_nor_while_it_sells_at_a_loss(self) -> None:
        optimum = optimum_for([5], -10, 0, 2, soc_kwh=10, house=a_battery(efficiency=0.9))
        assert optimum.schedule.cost_p == pytest.approx(20, abs=0.01)

    def test_nor_to_make_room_for_paid_energy_in_a_slot_of_ordinary_price(self) -> None:
        # 3 kWh of sun are lost at 5 p: charging and discharging at once would empty the battery.
        house = a_house(a_battery(efficiency=0.9), export_limit_kw=0)
        optimum = optimum_for([5, -10], 0, 0, [3, 0], soc_kwh=10, house=house)
        assert optimum.schedule.cost_p == pytest.approx(0, abs=0.01)
        assert optimum.report.gap_p <= GAP_P

    @pytest.mark.parametrize("can_curtail", [False, True])
    def test_nor_where_only_what_nothing_takes_would_be_given(self, *, can_curtail: bool) -> None:
        # Room for 1.5 kWh: 1.67 kWh are taken at -10 p. Burning 0.3 kWh of the sun that is lost
        # before would make room for 2.
        battery = a_battery(efficiency=0.9)
        house = a_house(battery, export_limit_kw=0, can_curtail=can_curtail)
        schedule = schedule_for([5, -10], 0, 0, [3, 0], soc_kwh=8.5, house=house)
        assert schedule.curtailed_kwh == kwh(3, 0)
        assert schedule.cost_p == pytest.approx(-10 * 1.5 / 0.9, abs=0.01)

    def test_nor_more_than_the_house_takes_with_its_sun_turned_off(self) -> None:
        # The same, but 0.2 kWh can be given to the house.
        house = a_house(a_battery(efficiency=0.9), export_limit_kw=0, can_curtail=True)
        schedule = schedule_for([5, -10], 0, [0.2, 0], [3, 0], soc_kwh=8.5, house=house)
        assert schedule.discharge_kwh == kwh(0.2, 0)
        assert schedule.cost_p == pytest.approx(-10 * (1.5 + 0.2 / 0.9) / 0.9, abs=0.01)


class TestC19Wear:
    def test_a_gain_of_5_p_a_kwh_is_not_worth_10_p_of_wear(self) -> None:
        schedule = schedule_for([10, 15], 0, [0, 1], house=a_battery(wear_p_per_kwh=10))
        assert schedule.discharge_kwh == kwh(0, 0)

    def test_but_4_p_of_wear(self) -> None:
        schedule = schedule_for([10, 15], 0, [0, 1], house=a_battery(wear_p_per_kwh=4))
        assert schedule.discharge_kwh == kwh(0, 1)
        assert schedule.objective_p == pytest.approx(10 + 4, abs=0.01)


class TestC21EnergyLeftAtTheEnd:
    def test_the_first_2_kwh_are_worth_30_p_the_rest_5_so_2_are_bought_at_20_p(self) -> None:
        value = TerminalValue(
            intercept_p=np.array([0.0, 50.0]), slope_p_per_kwh=np.array([30.0, 5.0])
        )
        schedule = schedule_for([20], end_value=value, house=a_battery(max_charge_kw=8))
        assert schedule.charge_kwh == kwh(2)
        assert schedule.objective_p == pytest.approx(40 - 60, abs=0.01)

    def test_worth_nothing_it_is_used_up(self) -> None:
        assert schedule_for([1], load_kwh=2, soc_kwh=2).soc_kwh == kwh(2, 0)

    def test_7_lines_are_refused(self) -> None:
        value = TerminalValue(intercept_p=np.zeros(7), slope_p_per_kwh=np.zeros(7))
        with pytest.raises(ValueError, match="at most 6 lines"):
            schedule_for([1], end_value=value)


class TestC22Target:
    def wishes(self, slots: int, soc_kwh: float, price: float = 100) -> Wishes:
        by = MIDNIGHT + slots * SLOT
        return Wishes(targets=(Target(by=by, soc_kwh=soc_kwh, price_p_per_kwh=price),))

    def test_has_3_kwh_after_two_slots_though_the_third_is_cheaper(self) -> None:
        schedule = schedule_for([10, 20, 5], wishes=self.wishes(2, 3))
        assert schedule.charge_kwh == kwh(2, 1, 0)

    def test_misses_it_where_missing_costs_less_than_the_energy(self) -> None:
        schedule = schedule_for([10, 20, 5], wishes=self.wishes(2, 3, price=15))
        assert schedule.charge_kwh == kwh(2, 0, 0)
        assert schedule.shortfall_kwh == pytest.approx(1, abs=WATT_HOUR)

    def test_what_cannot_be_reached_is_reached_for_and_reported(self) -> None:
        schedule = schedule_for([10, 20], wishes=self.wishes(2, 9))
        assert schedule.charge_kwh == kwh(2, 2)
        assert schedule.shortfall_kwh == pytest.approx(5, abs=WATT_HOUR)

    def test_no_target_however_dear_breaks_the_fuse(self) -> None:
        house = a_house(import_limit_kw=2)
        schedule = schedule_for([10, 10], wishes=self.wishes(2, 9, price=5000), house=house)
        assert schedule.grid_import_kwh == kwh(1, 1)

    def test_the_end_of_the_horizon_is_a_moment_too_and_what_is_beyond_is_not(self) -> None:
        assert schedule_for([10, 20], wishes=self.wishes(2, 1)).charge_kwh == kwh(1, 0)
        assert schedule_for([10, 20], wishes=self.wishes(3, 1)).charge_kwh == kwh(0, 0)


class TestC23NeverExportFromTheBattery:
    def test_serves_1_kwh_and_sells_none_at_50_p(self) -> None:
        schedule = schedule_for([20], 50, 1, soc_kwh=5, wishes=Wishes(battery_may_export=False))
        assert schedule.discharge_kwh == kwh(1)
        assert schedule.grid_export_kwh == kwh(0)

    def test_the_sun_is_still_sold(self) -> None:
        schedule = schedule_for([20], 50, 0, 3, soc_kwh=5, wishes=Wishes(battery_may_export=False))
        assert schedule.grid_export_kwh == kwh(3)


class TestC24NeverChargeFromTheGridAboveAPrice:
    WISHES = Wishes(max_grid_charge_p_per_kwh=8)

    def test_not_at_9_p_even_for_a_peak_of_50(self) -> None:
        strong = a_battery(max_discharge_kw=8)
        schedule = schedule_for([9, 7, 50], 0, [0, 0, 4], wishes=self.WISHES, house=strong)
        assert schedule.charge_kwh == kwh(0, 2, 0)

    def test_but_from_the_sun_at_any(self) -> None:
        schedule = schedule_for([9, 50], 0, [1, 2], [2, 0], wishes=self.WISHES)
        assert schedule.charge_kwh == kwh(1, 0)


class TestEqualPrices:
    def test_charges_late_since_sun_may_come(self) -> None:
        assert schedule_for([5, 5, 5, 30], 0, [0, 0, 0, 2]).charge_kwh == kwh(0, 0, 2, 0)

    def test_charges_early_where_the_rates_are_a_forecast_since_they_may_rise(self) -> None:
        schedule = schedule_for([5, 5, 5, 30], 0, [0, 0, 0, 2], published=False)
        assert schedule.charge_kwh == kwh(2, 0, 0, 0)

    def test_charges_at_the_published_rate_rather_than_at_an_equal_one_that_is_a_forecast(
        self,
    ) -> None:
        schedule = schedule_for(
            [5, 5, 5, 30], 0, [0, 0, 0, 2], published=[True, True, False, False]
        )
        assert schedule.charge_kwh == kwh(0, 2, 0, 0)
