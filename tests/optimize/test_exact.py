"""The program solved by stored energy: against the linear one, and where that says nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Floats
from battery_optimizer.model.wishes import NO_WISHES, Override, Target, Wishes
from battery_optimizer.optimize.exact import ExactProgram
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.mapping import flows_under
from battery_optimizer.optimize.relaxation import GAP_P, ExactSolver, Optimum
from battery_optimizer.simulate.bench.directions import BareProgram
from builders import (
    MIDNIGHT,
    WATT_HOUR,
    a_battery,
    a_house,
    a_planner,
    an_outlook,
    optimum_for,
    schedule_for,
)
from worlds import World, worlds

DAYS = 96
OF_DAY = np.arange(DAYS) % 48
LOAD = np.random.default_rng(1).uniform(0.1, 0.6, DAYS)
SUN = np.where((OF_DAY > 14) & (OF_DAY < 34), 1.4 * np.sin((OF_DAY - 14) / 20 * np.pi), 0.0)


def a_usual_battery(**changes: object) -> object:
    values = {"capacity_kwh": 10.4, "reserve_kwh": 1.04, "efficiency": 0.95}
    return a_battery(**(values | changes))


def two_days(import_rate: float | Floats, export_rate: float) -> Outlook:
    return an_outlook(np.broadcast_to(import_rate, DAYS), export_rate, LOAD, SUN)


def exactly(
    house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
) -> tuple[Schedule, float]:
    return ExactProgram(house.battery, program_inputs(house, outlook, soc_kwh, wishes)).solve()


def solved(house: House, outlook: Outlook, soc_kwh: float) -> Optimum:
    """With time to prove it on a busy machine."""
    inputs = program_inputs(house, outlook, soc_kwh)
    return ExactSolver(time_limit_s=60.0).solve(house.battery, inputs)


def check(house: House, outlook: Outlook, schedule: Schedule) -> None:
    """That every kWh goes somewhere, one way at a time, within every limit."""
    flows = (schedule.charge_kwh, schedule.discharge_kwh)
    meter = (schedule.grid_import_kwh, schedule.grid_export_kwh)
    assert np.minimum(*flows).max() == 0
    assert np.minimum(*meter).max() == 0
    assert min(flow.min() for flow in (*flows, *meter, schedule.curtailed_kwh)) >= 0
    net = outlook.net_kwh + schedule.curtailed_kwh + flows[0] - flows[1]
    assert net == pytest.approx(meter[0] - meter[1], abs=1e-9)
    drawn = house.battery.standby_kw * outlook.horizon.hours
    assert schedule.soc_kwh[1:] == pytest.approx(
        house.battery.soc_after(schedule.soc_kwh[:-1] - drawn, *flows), abs=2e-6
    )
    assert schedule.soc_kwh.min() >= house.battery.reserve_kwh - 1e-9
    assert schedule.soc_kwh.max() <= house.battery.ceiling_kwh + 1e-9
    assert (meter[1] <= house.grid.export_limit_kw * outlook.horizon.hours + 1e-9).all()


class TestAgainstTheLinearProgram:
    """At ordinary rates both are exact, and say the same of energies, costs and their values."""

    @settings(max_examples=60, deadline=None)
    @given(worlds(least_import=3, least_export=0))
    def test_at_ordinary_rates(self, world: World) -> None:
        lower = np.minimum(world.outlook.export_rate, world.outlook.import_rate - 0.5)
        world = replace(world, outlook=replace(world.outlook, export_rate=lower))
        linear = world.optimum().schedule
        schedule, gap_p = exactly(world.house, world.outlook, world.soc_kwh)
        assert schedule.objective_p == pytest.approx(linear.objective_p, abs=GAP_P)
        assert gap_p < 1e-3
        check(world.house, world.outlook, schedule)

    @pytest.mark.parametrize(
        ("house", "soc_kwh", "wishes"),
        [
            (a_battery(reserve_kwh=3), 0.5, NO_WISHES),
            (a_battery(reserve_kwh=1, standby_kw=0.05), 1.0, NO_WISHES),
            (a_battery(maximum_kwh=6), 8.0, NO_WISHES),
            (a_battery(charge_taper=((0.5, 1), (1, 0.1))), 3.0, NO_WISHES),
            (a_battery(charge_taper=((0.9, 1), (1, 0.1))), 3.0, NO_WISHES),
            (a_battery(discharge_taper=((0, 0), (0.5, 1)), standby_kw=0.05), 6.0, NO_WISHES),
            (a_house(import_limit_kw=2), 1.0, NO_WISHES),
            (a_house(ac_limit_kw=2.5, export_limit_kw=1.5), 1.0, NO_WISHES),
            (a_house(), 1.0, Wishes(battery_may_export=False)),
            (a_house(), 1.0, Wishes(max_grid_charge_p_per_kwh=12)),
            (
                a_house(),
                1.0,
                Wishes(
                    targets=(Target(by=MIDNIGHT + 5 * SLOT, soc_kwh=6, price_p_per_kwh=30),),
                    overrides=tuple(
                        Override(
                            start=MIDNIGHT + slot * SLOT,
                            end=MIDNIGHT + (slot + 2) * SLOT,
                            command=InverterCommand(mode=mode, power_kw=power_kw),
                        )
                        for slot, mode, power_kw in (
                            (2, Mode.FORCE_CHARGE, 3.0),
                            (6, Mode.FORCE_DISCHARGE, 3.5),
                            (9, Mode.HOLD, None),
                            (12, Mode.FEED_IN, None),
                        )
                    ),
                ),
            ),
        ],
    )
    def test_with_limits_and_wishes_of_all_kinds(
        self, house: object, soc_kwh: float, wishes: Wishes
    ) -> None:
        house = house if isinstance(house, House) else a_house(house)
        rng = np.random.default_rng(5)
        rates = rng.uniform(8, 40, 16)
        outlook = an_outlook(
            rates, rates - rng.uniform(1, 8, 16), rng.uniform(0, 1.5, 16), rng.uniform(0, 2, 16),
            end_value=14,
        )  # fmt: skip
        linear = a_planner().optimum(house, outlook, soc_kwh, wishes)
        assert linear.report.n_doubtful == 0
        schedule, _ = exactly(house, outlook, soc_kwh, wishes)
        found = linear.schedule
        assert schedule.objective_p == pytest.approx(found.objective_p, abs=1e-3)
        assert schedule.shortfall_kwh == pytest.approx(found.shortfall_kwh, abs=WATT_HOUR)
        assert schedule.cost_p == pytest.approx(found.cost_p, abs=0.05)
        # Told is what a kWh more saves: the least of all that a dual may be, but where it is full.
        more = schedule.soc_kwh[1:] < house.battery.ceiling_kwh - WATT_HOUR
        dual = found.energy_value_p_per_kwh
        if not house.battery.charge_taper:  # the dual counts what it slows in the same slot
            assert (schedule.energy_value_p_per_kwh <= dual + 0.01)[more].all()


@pytest.mark.parametrize("seed", range(8))
def test_at_odd_rates_it_finds_what_a_search_with_binaries_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    house = a_house(a_usual_battery(wear_p_per_kwh=0.3), can_curtail=True, export_limit_kw=2.5)
    outlook = an_outlook(
        rng.uniform(-8, 15, 16), rng.uniform(-4, 15, 16), rng.uniform(0, 1.5, 16),
        rng.uniform(0, 2, 16), end_value=5,
    )  # fmt: skip
    soc_kwh = 10.0 if seed % 2 else 4.0
    inputs = program_inputs(house, outlook, soc_kwh)
    found = BareProgram(house.battery, inputs, exclusive=True).solve()
    schedule, gap_p = exactly(house, outlook, soc_kwh)
    assert schedule.objective_p == pytest.approx(found.objective_p, abs=1e-3)
    assert gap_p < 1e-3


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 6))
def test_the_value_of_stored_energy_is_what_a_wh_more_would_save(world: World, slot: int) -> None:
    inputs = program_inputs(world.house, world.outlook, world.soc_kwh)
    standby = inputs.standby_kwh.copy()
    standby[slot + 1] -= WATT_HOUR
    schedule, _ = ExactProgram(world.house.battery, inputs).solve()
    assume(schedule.soc_kwh[slot + 1] < world.house.battery.ceiling_kwh - 2 * WATT_HOUR)
    given_more = ExactProgram(world.house.battery, replace(inputs, standby_kwh=standby))
    saved_p = schedule.objective_p - given_more.solve()[0].objective_p
    # With more to come it may be better still to arrive with less.
    assert saved_p >= schedule.energy_value_p_per_kwh[slot] * WATT_HOUR - 1e-4


def test_a_kwh_more_need_not_be_bought_and_after_that_could_not_be_sold() -> None:
    # Of 5 kWh and 1 bought at 10 p three slots sell 2 each at 15 p: late, after two of them.
    schedule, _ = exactly(a_house(), an_outlook([10] * 4, 15), 5.0)
    assert schedule.charge_kwh == pytest.approx([0, 0, 1, 0], abs=WATT_HOUR)
    assert schedule.cost_p == pytest.approx(10 - 6 * 15)
    assert schedule.energy_value_p_per_kwh == pytest.approx([10, 10, 0, 0], abs=0.02)


ALL_DAY = {
    "paid 2 p": (-2.0, 0.0, a_house(a_usual_battery())),
    "paid 20 p": (-20.0, 0.0, a_house(a_usual_battery())),
    "paid 2 p, no export": (-2.0, 0.0, a_house(a_usual_battery(), export_limit_kw=0)),
    "paid 20 p, no export": (-20.0, 15.0, a_house(a_usual_battery(), export_limit_kw=0)),
    "paid 5 p, little charge": (-5.0, -1.0, a_house(a_usual_battery(max_charge_kw=0.5))),
    "paid 5 p, no charge": (-5.0, -1.0, a_house(a_usual_battery(max_charge_kw=0))),
    "paid 5 p, a rating": (-5.0, 15.0, a_house(a_usual_battery(), ac_limit_kw=2)),
    "paid 5 p, tapers": (
        -5.0,
        15.0,
        a_house(
            a_usual_battery(
                charge_taper=((0.8, 1), (1, 0.2)), discharge_taper=((0.1, 0.3), (0.3, 1))
            )
        ),
    ),
    "export 15 p above import 10 p": (10.0, 15.0, a_house(a_usual_battery())),
    "export just above": (10.0, 10.01, a_house(a_usual_battery())),
    "export above, with wear": (10.0, 15.0, a_house(a_usual_battery(wear_p_per_kwh=1))),
    "export above, without losses": (10.0, 15.0, a_house(a_usual_battery(efficiency=1))),
    "export above, a fuse": (10.0, 15.0, a_house(a_usual_battery(), import_limit_kw=3)),
}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["empty", "half", "full"])
@pytest.mark.parametrize("name", ALL_DAY)
def test_two_days_of_one_odd_rate_have_a_proven_plan(name: str, share: float) -> None:
    """Where all slots are alike a search over their directions never ends."""
    import_rate, export_rate, house = ALL_DAY[name]
    battery = house.battery
    soc_kwh = battery.reserve_kwh + share * (battery.ceiling_kwh - battery.reserve_kwh)
    outlook = two_days(import_rate, export_rate)
    optimum = solved(house, outlook, soc_kwh)
    assert optimum.report.status == "optimal"
    assert optimum.report.gap_p <= GAP_P
    assert optimum.report.n_doubtful == DAYS
    check(house, outlook, optimum.schedule)


def test_where_thousands_of_sums_differ_the_gap_is_told_and_small() -> None:
    """Turned down, with a narrow meter, and paid either way: no two slots give the same."""
    house = a_house(a_usual_battery(), can_curtail=True, export_limit_kw=1)
    optimum = solved(house, two_days(-5, -3), 5.0)
    assert optimum.report.status == "optimal"
    assert 0 < optimum.report.gap_p < 0.2
    check(house, two_days(-5, -3), optimum.schedule)


class TestOutOfTime:
    HOUSE = a_house(a_usual_battery(), export_limit_kw=2)

    @pytest.mark.parametrize(("import_rate", "export_rate"), [(-20, 0), (-2, 15), (10, 15)])
    def test_there_is_a_plan_all_the_same_and_how_far_it_is_proven(
        self, import_rate: float, export_rate: float
    ) -> None:
        outlook = two_days(import_rate, export_rate)
        inputs = program_inputs(self.HOUSE, outlook, 5.0)
        hurried = ExactSolver(time_limit_s=0.0, max_gap_p=1e6).solve(self.HOUSE.battery, inputs)
        best = solved(self.HOUSE, outlook, 5.0).schedule
        assert hurried.report.status == "time limit"
        lost_p = hurried.schedule.objective_p - best.objective_p
        assert 0 <= lost_p <= hurried.report.gap_p
        check(self.HOUSE, outlook, hurried.schedule)
        assert hurried.schedule.energy_value_p_per_kwh.any()

    def test_a_whole_plan_is_made_of_it(self) -> None:
        outlook = two_days(-20, 0)
        planner = a_planner(PlannerSettings(max_gap_p=10000.0))
        planner._solver._time_limit_s = 0.0
        plan = planner.plan(self.HOUSE, outlook, 5.0)
        assert plan.solve.status == "time limit"
        assert len(plan.slots) == DAYS

    def test_self_use_is_what_a_house_in_self_use_does(self) -> None:
        battery = a_usual_battery(
            standby_kw=0.03, charge_taper=((0.8, 1), (1, 0.2)), max_discharge_kw=0.8
        )
        house = a_house(battery, ac_limit_kw=2.4, export_limit_kw=0.9)
        outlook = two_days(20, 5)
        schedule = ExactProgram(battery, program_inputs(house, outlook, 1.1)).self_use()
        soc_kwh = 1.1
        for t in range(DAYS):
            given_ = flows_under(house, InverterCommand(mode=Mode.SELF_USE), outlook, t, soc_kwh)
            soc_kwh -= battery.standby_kw * 0.5
            soc_kwh = battery.soc_after(soc_kwh, given_.charge_kwh, given_.discharge_kwh)
            # The own draw of a slot comes before its flows, or after them.
            assert schedule.soc_kwh[t + 1] == pytest.approx(soc_kwh, abs=0.03)
            assert schedule.grid_import_kwh[t] == pytest.approx(given_.grid_import_kwh, abs=0.03)


class TestASolverThatReturnsNothing:
    def test_has_an_exact_plan_all_the_same(self) -> None:
        house, outlook = a_house(a_usual_battery()), two_days(np.where(OF_DAY < 10, 8, 30), 5)
        inputs = program_inputs(house, outlook, 5.0)
        solver = ExactSolver(time_limit_s=60)
        expected = solver.solve(house.battery, inputs)
        for compiled in solver._programs.values():
            compiled.problem._highs.setOptionValue("simplex_iteration_limit", 0)
        found = solver.solve(house.battery, inputs)
        assert found.report.status == "optimal"
        assert found.schedule.objective_p == pytest.approx(expected.schedule.objective_p, abs=GAP_P)
        # Nor is time left: then nothing is proven at all.
        hurried = ExactSolver(time_limit_s=0.0)
        hurried._programs = solver._programs
        with pytest.raises(Exception, match="proven only within inf p"):
            hurried.solve(house.battery, inputs)


class TestOtherFirstSlots:
    HOUSE = a_house(a_usual_battery(), can_curtail=True)
    OUTLOOK = an_outlook([10, -5, 8, 30], [15, 14, -3, 20], 0.5, [0, 1, 2, 0], end_value=11)

    def costs(self, soc_kwh: float) -> dict[Mode, float]:
        optimum = a_planner().optimum(self.HOUSE, self.OUTLOOK, soc_kwh)
        assert optimum.report.n_doubtful
        commands = [
            InverterCommand(mode=mode, power_kw=3.0 if mode.is_forced else None) for mode in Mode
        ]
        costs = {}
        for each in commands:
            first = flows_under(self.HOUSE, each, self.OUTLOOK, 0, soc_kwh)
            found = optimum.schedule_if(first)
            assert found is not None
            check(self.HOUSE, self.OUTLOOK, found)
            assert found.charge_kwh[0] == pytest.approx(first.charge_kwh)
            assert found.grid_export_kwh[0] == pytest.approx(first.grid_export_kwh)
            costs[each.mode] = found.objective_p - optimum.schedule.objective_p
        return costs

    def test_cost_what_the_rest_then_costs_at_best(self) -> None:
        costs = self.costs(5.0)
        assert min(costs.values()) > -1e-6
        # Held, 0.5 kWh are bought at 10 p; the rest is planned anew from the same energy.
        later = an_outlook([-5, 8, 30], [14, -3, 20], 0.5, [1, 2, 0], end_value=11)
        rest = a_planner().optimum(self.HOUSE, later, 5.0).schedule
        best = a_planner().optimum(self.HOUSE, self.OUTLOOK, 5.0).schedule
        assert costs[Mode.HOLD] == pytest.approx(5 + rest.objective_p - best.objective_p, abs=GAP_P)

    def test_from_which_nothing_can_follow_are_none(self) -> None:
        house = a_house(a_usual_battery())
        optimum = a_planner().optimum(house, self.OUTLOOK, 2.0)
        taken = flows_under(
            house, InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=4), self.OUTLOOK, 0, 9.0
        )
        assert optimum.schedule_if(taken) is None


class TestLostSun:
    """Where it cannot be turned down, sun is lost that nothing takes, and no more: C14."""

    def test_what_is_charged_at_the_export_limit_is_not_lost_besides(self) -> None:
        # 3 kWh of sun, 1 kWh of room, 1 kWh through the meter at a price: 1 kWh is lost.
        house = a_house(export_limit_kw=2)
        schedule = schedule_for(10, -5, 0, 3, soc_kwh=9, n_slots=1, end_value=20, house=house)
        assert schedule.charge_kwh == pytest.approx([1], abs=WATT_HOUR)
        assert schedule.grid_export_kwh == pytest.approx([1], abs=WATT_HOUR)
        assert schedule.curtailed_kwh == pytest.approx([1], abs=WATT_HOUR)
        assert schedule.cost_p == pytest.approx(5, abs=0.01)

    def test_nor_is_what_is_charged_above_the_rating_while_the_house_buys(self) -> None:
        # 4 kWh of sun, 1 above the rating; 2 are charged, 3 drawn: 1 is bought, while paid 5 p.
        house = a_house(ac_limit_kw=6)
        schedule = schedule_for(-5, -5, 3, 4, soc_kwh=5, n_slots=1, end_value=20, house=house)
        assert schedule.charge_kwh == pytest.approx([2], abs=WATT_HOUR)
        assert schedule.curtailed_kwh == pytest.approx([0], abs=WATT_HOUR)
        assert schedule.cost_p == pytest.approx(-5, abs=0.01)

    def test_the_battery_waits_with_what_it_could_charge_for_where_selling_costs_most(self) -> None:
        # At the limit charging spares nothing: 2 of 3 kWh are lost either way, or 1 and 1.
        house = a_house(export_limit_kw=2)
        schedule = schedule_for([10] * 2, [-5, -9], 0, [3, 1], soc_kwh=9, house=house)
        assert schedule.charge_kwh == pytest.approx([0, 1], abs=WATT_HOUR)
        assert schedule.curtailed_kwh == pytest.approx([2, 0], abs=WATT_HOUR)
        assert schedule.cost_p == pytest.approx(5, abs=0.01)

    @settings(max_examples=60, deadline=None)
    @given(worlds(), st.sampled_from((1.5, 3.0, 1000.0)))
    def test_it_is_what_the_house_itself_would_lose(self, world: World, limit_kw: float) -> None:
        house = replace(
            world.house,
            inverter=replace(world.house.inverter, can_curtail=False),
            grid=replace(world.house.grid, export_limit_kw=limit_kw),
        )
        schedule = a_planner().optimum(house, world.outlook, world.soc_kwh).schedule
        hours = world.outlook.horizon.hours
        passes = np.minimum(
            house.inverter.ac_limit_kw * hours, world.outlook.load_kwh + limit_kw * hours
        )
        moved = schedule.charge_kwh - schedule.discharge_kwh
        lost = np.maximum(world.outlook.solar_kwh - passes - moved, 0.0)
        assert schedule.curtailed_kwh == pytest.approx(lost, abs=2e-5)

    def test_a_house_that_draws_past_the_fuse_while_its_sun_is_clipped_is_planned_for(self) -> None:
        # 1 of 3 kWh of sun comes through, of 4 drawn: 3 are bought, and the fuse is for 1.5.
        house = a_house(a_battery(max_charge_kw=0), ac_limit_kw=2, import_limit_kw=3)
        optimum = optimum_for([20, 20], 5, 4, 3, house=house)
        assert optimum.report.n_doubtful == 0
        assert optimum.schedule.grid_import_kwh == pytest.approx([3, 3])
        assert optimum.schedule.shortfall_kwh == pytest.approx(1.5, abs=WATT_HOUR)
