"""C20: what each mode costs in a slot, the steadiest run of modes, and forced modes going on.

The battery holds 10 kWh, moves 2 kWh per half hour either way, and loses nothing, unless said.
"""

import numpy as np
import pytest

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.optimize.mapping import carried_on
from battery_optimizer.optimize.switching import MODES, mode_costs, steadiest
from builders import a_battery, a_house, an_outlook

IMPOSSIBLE_P = 1e5


def one_slot(
    charge_kwh: float = 0.0, discharge_kwh: float = 0.0, soc_kwh: float = 5.0, value: float = 20.0
) -> Schedule:
    """A schedule of one slot that values stored energy at `value` [p/kWh]; its bill is unasked."""
    nothing = np.zeros(1)
    return Schedule(
        charge_kwh=np.array([charge_kwh]),
        discharge_kwh=np.array([discharge_kwh]),
        grid_import_kwh=nothing,
        grid_export_kwh=nothing,
        curtailed_kwh=nothing,
        soc_kwh=np.array([soc_kwh, soc_kwh + charge_kwh - discharge_kwh]),
        energy_value_p_per_kwh=np.array([value]),
        cost_p=0.0,
        objective_p=0.0,
        shortfall_kwh=0.0,
    )


class TestModeCosts:
    def costs(
        self, outlook: Outlook, schedule: Schedule, house: House | Battery | None = None
    ) -> dict[Mode, float]:
        house = house if isinstance(house, House) else a_house(house)
        return dict(zip(MODES, mode_costs(house, outlook, schedule)[0].tolist(), strict=True))

    def test_covering_1_kwh_at_10_p_with_energy_worth_20_p_loses_10_p(self) -> None:
        costs = self.costs(an_outlook([10], 5, 1), one_slot())
        assert costs[Mode.HOLD] == pytest.approx(0)
        assert costs[Mode.SELF_USE] == costs[Mode.FEED_IN] == pytest.approx(10)

    def test_holding_1_kwh_worth_20_p_while_buying_at_30_p_loses_10_p(self) -> None:
        costs = self.costs(an_outlook([30], 5, 1), one_slot(discharge_kwh=1))
        assert costs[Mode.SELF_USE] == costs[Mode.FEED_IN] == pytest.approx(0)
        assert costs[Mode.HOLD] == pytest.approx(10)

    def test_selling_2_kwh_of_sun_at_5_p_that_would_be_worth_20_p_loses_30_p(self) -> None:
        costs = self.costs(an_outlook([30], 5, 1, 3), one_slot(charge_kwh=2))
        assert costs[Mode.SELF_USE] == costs[Mode.HOLD] == pytest.approx(0)
        assert costs[Mode.FEED_IN] == pytest.approx(30)

    def test_what_the_export_limit_does_not_let_out_brings_nothing(self) -> None:
        house = a_house(export_limit_kw=0.0)
        costs = self.costs(an_outlook([30], 5, 1, 3), one_slot(charge_kwh=2), house)
        assert costs[Mode.FEED_IN] == pytest.approx(40)

    def test_storing_2_kwh_at_90_percent_gains_only_1p8(self) -> None:
        # Sold for 2 * 19 p, or stored as 1.8 kWh worth 20 p each.
        battery = a_battery(efficiency=0.9)
        costs = self.costs(an_outlook([30], 19, 0, 2), one_slot(), battery)
        assert costs[Mode.SELF_USE] == pytest.approx(2 * 19 - 1.8 * 20)
        assert costs[Mode.FEED_IN] == pytest.approx(0)

    def test_wear_of_3_p_makes_holding_cost_less(self) -> None:
        battery = a_battery(wear_p_per_kwh=3.0)
        costs = self.costs(an_outlook([30], 5, 1), one_slot(discharge_kwh=1), battery)
        assert costs[Mode.HOLD] == pytest.approx(7)

    def test_a_full_battery_takes_no_sun_in_any_mode(self) -> None:
        # Where it took any, that would lose 3 p a kWh: it is worth less stored than sold.
        costs = self.costs(an_outlook([30], 5, 0, 2), one_slot(soc_kwh=10, value=2))
        assert costs[Mode.SELF_USE] == costs[Mode.FEED_IN] == pytest.approx(0)

    def test_a_battery_at_its_reserve_gives_nothing_in_any_mode(self) -> None:
        battery = a_battery(reserve_kwh=5.0)
        costs = self.costs(an_outlook([10], 5, 1), one_slot(), battery)
        assert costs[Mode.SELF_USE] == costs[Mode.HOLD] == pytest.approx(0)

    def test_no_mode_gives_more_than_the_battery_can_in_half_an_hour(self) -> None:
        costs = self.costs(an_outlook([10], 5, 6), one_slot())
        assert costs[Mode.SELF_USE] == pytest.approx(2 * 10)

    def test_nor_takes_more(self) -> None:
        costs = self.costs(an_outlook([10], 5, 0, 6), one_slot(soc_kwh=0, value=2))
        assert costs[Mode.SELF_USE] == pytest.approx(2 * 3)

    def test_nothing_counts_as_better_than_the_schedule(self) -> None:
        # An order may hold the battery where covering the load would pay.
        assert self.costs(an_outlook([30], 5, 1), one_slot())[Mode.SELF_USE] == 0

    def test_charging_from_the_grid_is_for_the_forced_mode_alone(self) -> None:
        costs = self.costs(an_outlook([10], 5, 1), one_slot(charge_kwh=2))
        assert costs[Mode.FORCE_CHARGE] == 0
        assert costs[Mode.FORCE_DISCHARGE] > IMPOSSIBLE_P
        assert costs[Mode.HOLD] == pytest.approx(20)

    def test_a_forced_mode_may_pause_at_night_but_not_in_the_sun(self) -> None:
        night = self.costs(an_outlook([10], 5, 1), one_slot())
        day = self.costs(an_outlook([10], 5, 1, 0.5), one_slot())
        for mode in (Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE):
            assert night[mode] == 0
            assert day[mode] > IMPOSSIBLE_P


class TestSteadiest:
    """Two modes in three slots: the second is 3 p better in the middle, 5 p worse around."""

    COSTS = np.array([[0.0, 5.0], [3.0, 0.0], [0.0, 5.0]])

    def test_a_change_there_and_back_at_1_p_each_is_made_for_3_p(self) -> None:
        to_go = steadiest(self.COSTS, 1.0)
        assert to_go.tolist() == [[2, 6], [3, 1], [0, 5]]

    def test_at_2_p_each_it_is_not(self) -> None:
        to_go = steadiest(self.COSTS, 2.0)
        # Staying costs the 3 p; from the second mode one change is needed anyway.
        assert to_go.tolist() == [[3, 7], [3, 2], [0, 5]]

    def test_changes_at_no_price_leave_the_best_of_each_slot(self) -> None:
        assert steadiest(self.COSTS, 0.0)[0].tolist() == [0, 5]

    def test_the_costs_given_stay_as_they_were(self) -> None:
        steadiest(self.COSTS, 1.0)
        assert self.COSTS[0].tolist() == [0, 5]


class TestCarriedOn:
    def carried(
        self, mode: Mode, schedule: Schedule, load_kwh: float = 0.0, solar_kwh: float = 0.0
    ) -> InverterCommand | None:
        return carried_on(an_outlook([10], 5, load_kwh, solar_kwh), schedule, 0, mode)

    def test_charging_goes_on_at_the_power_now_wanted(self) -> None:
        command = self.carried(Mode.FORCE_CHARGE, one_slot(charge_kwh=1.5))
        assert command == InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0)

    def test_so_does_selling(self) -> None:
        command = self.carried(Mode.FORCE_DISCHARGE, one_slot(discharge_kwh=1.5), load_kwh=1)
        assert command == InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)

    @pytest.mark.parametrize("mode", [Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE])
    def test_both_pause_at_no_power_at_night(self, mode: Mode) -> None:
        command = self.carried(mode, one_slot(), load_kwh=1)
        assert command == InverterCommand(mode=mode, power_kw=0.0)

    @pytest.mark.parametrize("mode", [Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE])
    def test_neither_pauses_while_there_is_sun(self, mode: Mode) -> None:
        assert self.carried(mode, one_slot(), load_kwh=1, solar_kwh=0.2) is None

    def test_covering_the_load_is_not_left_to_a_forced_power(self) -> None:
        assert self.carried(Mode.FORCE_DISCHARGE, one_slot(discharge_kwh=1), load_kwh=1) is None

    def test_nor_is_storing_the_sun(self) -> None:
        assert self.carried(Mode.FORCE_CHARGE, one_slot(charge_kwh=1), solar_kwh=1) is None

    def test_one_forced_mode_does_not_go_on_as_the_other(self) -> None:
        assert self.carried(Mode.FORCE_CHARGE, one_slot(discharge_kwh=2)) is None
        assert self.carried(Mode.FORCE_DISCHARGE, one_slot(charge_kwh=2)) is None

    def test_what_follows_the_load_is_not_carried_on_by_force(self) -> None:
        assert self.carried(Mode.HOLD, one_slot()) is None
