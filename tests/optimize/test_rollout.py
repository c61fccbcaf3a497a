"""The plan's slots are what the inverter's modes do, so following the plan gives the plan."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_optimizer.model.flows import flows
from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, day_bounds
from builders import MIDNIGHT, WATT_HOUR, a_battery, a_house, a_planner, an_outlook, plan_for
from worlds import World, worlds

SOLAR_DAY = np.maximum(0, np.sin((np.arange(48) - 14) / 20 * np.pi)) * (np.arange(48) < 34)


def replay(house: House, plan: Plan, soc_kwh: float) -> float:
    """Follow the plan's commands and check every slot; the energy that is left [kWh]."""
    for slot in plan.slots:
        assert slot.soc_start_kwh == pytest.approx(soc_kwh, abs=1e-9)
        given_ = flows(
            house,
            slot.command,
            soc_kwh=soc_kwh,
            load_kwh=slot.load_kwh,
            solar_kwh=slot.solar_kwh,
            hours=slot.hours,
        )
        assert slot.charge_kwh == given_.charge_kwh
        assert slot.discharge_kwh == given_.discharge_kwh
        assert slot.grid_import_kwh == given_.grid_import_kwh
        assert slot.grid_export_kwh == given_.grid_export_kwh
        assert slot.curtailed_kwh == given_.lost_kwh
        cost_p = (
            slot.import_rate * given_.grid_import_kwh - slot.export_rate * given_.grid_export_kwh
        )
        assert slot.cost_p == pytest.approx(cost_p)
        soc_kwh = house.battery.soc_after(
            soc_kwh - house.battery.standby_kw * slot.hours,
            given_.charge_kwh,
            given_.discharge_kwh,
        )
    assert plan.cost_p == pytest.approx(sum(slot.cost_p for slot in plan.slots))
    return soc_kwh


def plan_of(world: World) -> Plan:
    return a_planner().plan(world.house, world.outlook, world.soc_kwh)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_replaying_the_commands_gives_the_plan_slot_by_slot(world: World) -> None:
    plan = plan_of(world)
    end_kwh = replay(world.house, plan, world.soc_kwh)
    assert plan.slots[-1].soc_end_kwh == pytest.approx(end_kwh)


@settings(max_examples=60, deadline=None)
@given(worlds(least_import=-12, least_export=0))
def test_the_modes_cost_what_the_program_promises(world: World) -> None:
    """Where no sale costs money: then sun that must be lost is lost by itself."""
    world = World(
        a_house(world.house.battery, export_limit_kw=world.house.grid.export_limit_kw),
        world.outlook,
        world.soc_kwh,
    )
    plan, promised = plan_of(world), world.value(world.optimum().schedule)
    wear = world.house.battery.wear_p_per_kwh * sum(slot.discharge_kwh for slot in plan.slots)
    left = world.outlook.terminal_value.of(plan.slots[-1].soc_end_kwh)
    # 2 Wh a slot are within an inverter's own error, and at most 40 p/kWh apart.
    assert plan.cost_p + wear - left == pytest.approx(promised, abs=8 * 2e-3 * 40 + 0.03)


@pytest.mark.parametrize(
    ("day", "n_slots"),
    [(date(2026, 3, 29), 46), (date(2026, 7, 1), 48), (date(2026, 10, 25), 50)],
)
def test_plans_a_whole_local_day_of_46_48_or_50_slots(day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    assert (end - start) / SLOT == n_slots
    house = a_house(a_battery(efficiency=0.95, reserve_kwh=1.0))
    rates = 20 + 10 * np.sin(np.arange(n_slots) / 5)
    outlook = an_outlook(rates, 15, 0.3, np.resize(SOLAR_DAY, n_slots), start=start, end_value=10.0)
    plan = a_planner().plan(house, outlook, 5.0)
    assert len(plan.slots) == n_slots
    assert plan.slots[0].start == start
    assert plan.slots[-1].start + SLOT == end == plan.horizon.end
    replay(house, plan, 5.0)


def test_reasons_name_the_wall_clock_before_and_after_the_clocks_go_back() -> None:
    # 00:30 UTC is 01:30 in summer time; half an hour later it is 01:00 again, in winter time.
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    plan = plan_for([20, 5, 40], 0, [1, 0, 2], start=start)
    assert "at 01:00, when a kWh costs 5 p" in plan.slots[0].reason
    assert "for 01:30-02:00, when a kWh saves 40 p" in plan.slots[1].reason


def test_a_plan_made_within_a_slot_begins_with_the_rest_of_it() -> None:
    start = MIDNIGHT + timedelta(minutes=20)
    plan = plan_for([1, 30], 0, [0, 2], start=start)
    assert plan.slots[0].hours == pytest.approx(1 / 6)
    assert plan.slots[0].charge_kwh == pytest.approx(4 / 6, abs=WATT_HOUR)
    assert plan.slots[1].start == MIDNIGHT + SLOT
    assert plan.at(start) is plan.slots[0]


class TestModes:
    """The mode that follows the load is preferred wherever it gives the plan's energies."""

    def modes(self, *args: object, **world: object) -> list[Mode]:
        return [slot.mode for slot in plan_for(*args, **world).slots]

    def test_serves_the_load_in_self_use_without_a_floor(self) -> None:
        slot = plan_for([30, 30], 0, 1, soc_kwh=5).slots[0]
        assert slot.command == InverterCommand(mode=Mode.SELF_USE)

    def test_keeps_energy_for_the_peak_in_hold(self) -> None:
        assert self.modes([10, 30], 0, 1, soc_kwh=1) == [Mode.HOLD, Mode.SELF_USE]

    def test_sells_the_sun_at_20_p_and_stores_it_at_1_p(self) -> None:
        modes = self.modes([30, 30, 30], [20, 1, 1], [0, 0, 1], [1, 1, 0])
        assert modes == [Mode.FEED_IN, Mode.SELF_USE, Mode.SELF_USE]

    def test_charges_from_the_grid_by_force(self) -> None:
        slot = plan_for([5, 30], 0, [1, 2]).slots[0]
        assert slot.command == InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)

    def test_sells_the_battery_by_force(self) -> None:
        slot = plan_for([40, 40], [30, 0], [1, 0], soc_kwh=5).slots[0]
        assert slot.command == InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=4.0)

    def test_serves_part_of_a_slot_down_to_a_floor(self) -> None:
        # 3 kWh stored, 2 of them for the peak of 40 p: 1 for the 2 kWh at 20 p.
        command = plan_for([20, 40], 0, [2, 2], soc_kwh=3).slots[0].command
        assert command.mode is Mode.SELF_USE
        assert command.floor_kwh == pytest.approx(2, abs=WATT_HOUR)

    def test_stores_part_of_the_sun_up_to_a_ceiling(self) -> None:
        command = plan_for([40, 40], 10, [0, 1], [2, 0]).slots[0].command
        assert command.mode is Mode.SELF_USE
        assert command.ceiling_kwh == pytest.approx(1, abs=WATT_HOUR)

    def test_a_floor_allows_for_what_the_battery_draws_itself(self) -> None:
        battery = a_battery(standby_kw=0.1)
        plan = plan_for([20, 40], 0, [2, 2], soc_kwh=3, house=battery)
        assert [slot.mode for slot in plan.slots] == [Mode.SELF_USE, Mode.SELF_USE]
        assert plan.slots[0].discharge_kwh == pytest.approx(0.9, abs=WATT_HOUR)

    def test_goes_on_in_the_mode_before_where_it_does_as_well(self) -> None:
        # C20: in the second slot nothing flows, so Hold and Self Use are the same.
        modes = self.modes([10, 20, 30], 0, [1, 0, 1], soc_kwh=1)
        assert modes == [Mode.HOLD, Mode.HOLD, Mode.SELF_USE]

    def test_the_sun_lost_at_the_export_limit_is_not_turned_off(self) -> None:
        house = a_house(can_curtail=True, export_limit_kw=1)
        slot = plan_for([20], 10, 1, 4, soc_kwh=10, house=house).slots[0]
        assert not slot.command.curtail
        assert slot.grid_export_kwh == 0.5

    def test_the_sun_is_turned_off_where_that_pays(self) -> None:
        house = a_house(can_curtail=True)
        slot = plan_for([-5], -8, 1, 4, soc_kwh=10, house=house).slots[0]
        assert slot.command.curtail
        assert slot.cost_p == pytest.approx(-5)


class TestWordsAreOfWhatIsDone:
    """However short a slot is: no reason says that the battery waits while it serves the house."""

    def check(self, plan: Plan) -> None:
        waits = (
            "Keeping the battery", "The house runs on", "Nothing to gain", "The sun covers",
            "The battery is at its reserve",
        )  # fmt: skip
        for slot in plan.slots:
            words = slot.reason
            if words.startswith(waits):
                assert slot.discharge_kwh < 1e-6, words
            if words.startswith(("The battery serves", "Selling from the battery")):
                assert slot.discharge_kwh > 0, words
            if words.startswith(("Charging from the grid", "Storing the sun")):
                assert slot.charge_kwh > 0, words

    @pytest.mark.parametrize("seconds", [1, 5, 52, 600, 1800])
    def test_in_the_last_seconds_of_a_slot(self, seconds: int) -> None:
        start = MIDNIGHT + SLOT - timedelta(seconds=seconds)
        outlook = an_outlook([15, 14, 30], 8, [0.13 * seconds / 3600, 0.1, 2], start=start)
        usual = Future(weight=1.0, load_kwh=outlook.load_kwh, solar_kwh=outlook.solar_kwh)
        for futures in ((), (usual,)):
            for price_p in (0.0, 0.12):
                for in_force in (None, SELF_USE, InverterCommand(mode=Mode.HOLD)):
                    plan = a_planner(PlannerSettings(switching_price_p=price_p)).plan(
                        a_house(a_battery(efficiency=0.95, max_charge_kw=0)),
                        replace(outlook, futures=futures),
                        1.5,
                        in_force=in_force,
                    )
                    self.check(plan)
                    first = plan.slots[0]
                    if first.mode is Mode.SELF_USE:
                        assert first.reason.startswith("The battery serves the house")
                    else:
                        assert first.reason.startswith("Keeping the battery")

    def test_where_10_w_flow(self) -> None:
        plan = plan_for([20, 30], 0, [0.005, 0.005], soc_kwh=5)
        assert [slot.mode for slot in plan.slots] == [Mode.SELF_USE, Mode.SELF_USE]
        assert plan.slots[0].reason.startswith("The battery serves the house")

    def test_where_the_inverter_knows_no_mode_for_what_is_meant(self) -> None:
        # To be kept for 30 p, but it has Self Use alone.
        house = replace(a_house(), abilities=Abilities(modes=frozenset({Mode.SELF_USE})))
        plan = plan_for([10, 12, 30], 0, 1, soc_kwh=2, house=house)
        assert [slot.discharge_kwh for slot in plan.slots] == pytest.approx([1, 1, 0])
        assert plan.slots[1].reason.startswith("The battery serves the house")
        self.check(plan)

    @settings(max_examples=60, deadline=None)
    @given(worlds(), st.integers(0, 1799))
    def test_in_any_world(self, world: World, gone: int) -> None:
        horizon = replace(world.outlook.horizon, start=MIDNIGHT + timedelta(seconds=gone))
        outlook = replace(world.outlook, horizon=horizon)
        self.check(a_planner().plan(world.house, outlook, world.soc_kwh))
