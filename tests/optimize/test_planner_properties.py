"""What holds in every world, whatever the rates, the sun and the house."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.outlook import TerminalValue
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.mapping import flows_under
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.relaxation import GAP_P, ExactSolver
from builders import PENCE, a_battery, a_house, a_planner
from worlds import N_SLOTS, World, amounts, worlds

KWH = 1e-5
some = settings(max_examples=40, deadline=None)


@some
@given(worlds())
def test_every_kwh_goes_somewhere(world: World) -> None:
    schedule = world.optimum().schedule
    made = world.outlook.solar_kwh - schedule.curtailed_kwh
    assert world.outlook.load_kwh + schedule.charge_kwh + schedule.grid_export_kwh == pytest.approx(
        made + schedule.discharge_kwh + schedule.grid_import_kwh, abs=KWH
    )
    battery = world.house.battery
    assert schedule.soc_kwh[0] == pytest.approx(world.soc_kwh, abs=KWH)
    assert schedule.soc_kwh[1:] == pytest.approx(
        battery.soc_after(schedule.soc_kwh[:-1], schedule.charge_kwh, schedule.discharge_kwh),
        abs=KWH,
    )


@some
@given(worlds())
def test_every_limit_is_kept(world: World) -> None:
    schedule = world.optimum().schedule
    house, hours = world.house, world.outlook.horizon.hours
    battery = house.battery
    for flow in (
        schedule.charge_kwh,
        schedule.discharge_kwh,
        schedule.grid_import_kwh,
        schedule.grid_export_kwh,
        schedule.curtailed_kwh,
    ):
        assert (flow >= 0).all()
    assert (schedule.soc_kwh >= battery.reserve_kwh - KWH).all()
    assert (schedule.soc_kwh <= battery.ceiling_kwh + KWH).all()
    for t, soc_kwh in enumerate(schedule.soc_kwh[:-1]):
        assert schedule.charge_kwh[t] <= battery.most_charge_kwh(soc_kwh, hours[t]) + KWH
        assert schedule.discharge_kwh[t] <= battery.most_discharge_kwh(soc_kwh, hours[t]) + KWH
    assert (schedule.grid_export_kwh <= house.grid.export_limit_kw * hours + KWH).all()
    through = world.outlook.solar_kwh - schedule.curtailed_kwh + schedule.discharge_kwh
    rating = house.inverter.ac_limit_kw * hours
    assert (through - schedule.charge_kwh <= rating + KWH).all()


@some
@given(worlds())
def test_never_two_directions_at_once_and_the_optimum_is_proven(world: World) -> None:
    optimum = world.optimum()
    schedule = optimum.schedule
    assert (np.minimum(schedule.grid_import_kwh, schedule.grid_export_kwh) == 0).all()
    assert (np.minimum(schedule.charge_kwh, schedule.discharge_kwh) == 0).all()
    assert optimum.report.gap_p <= 2 * GAP_P


@some
@given(worlds())
def test_never_dearer_than_self_use(world: World) -> None:
    house, outlook, battery = world.house, world.outlook, world.house.battery
    soc_kwh, cost_p = world.soc_kwh, 0.0
    for t in range(outlook.horizon.n_slots):
        given_ = flows_under(house, SELF_USE, outlook, t, soc_kwh)
        soc_kwh = battery.soc_after(soc_kwh, given_.charge_kwh, given_.discharge_kwh)
        cost_p += (
            outlook.import_rate[t] * given_.grid_import_kwh
            - outlook.export_rate[t] * given_.grid_export_kwh
            + battery.wear_p_per_kwh * given_.discharge_kwh
        )
    cost_p -= outlook.terminal_value.of(soc_kwh)
    assert world.value(world.optimum().schedule) <= cost_p + PENCE


@some
@given(worlds(), st.sampled_from((1.1, 1.5, 3.0)))
def test_more_capacity_is_never_dearer(world: World, factor: float) -> None:
    plain = replace(world.house.battery, charge_taper=(), discharge_taper=(), maximum_kwh=None)
    larger = replace(plain, capacity_kwh=plain.capacity_kwh * factor)
    costs = [
        World(replace(world.house, battery=battery), world.outlook, world.soc_kwh)
        .optimum()
        .schedule.objective_p
        for battery in (plain, larger)
    ]
    assert costs[1] <= costs[0] + GAP_P


@some
@given(worlds(), amounts(0, 20))
def test_a_lower_import_rate_is_never_dearer(world: World, less: Floats) -> None:
    before = world.value(world.optimum().schedule)
    after = world.optimum(import_rate=world.outlook.import_rate - less).schedule
    assert world.value(after) <= before + 2 * PENCE


@some
@given(worlds(least_import=3, least_export=0), st.sampled_from((-2.0, 5.0, 40.0)))
def test_without_losses_a_constant_on_all_rates_changes_only_the_bill(
    world: World, more: float
) -> None:
    """What the house takes over the horizon is then fixed, but for what is stored at its end."""
    house = a_house(a_battery(reserve_kwh=1.0))
    rates = world.outlook.import_rate + 2.0
    outlook = replace(
        world.outlook,
        import_rate=rates,
        export_rate=np.minimum(world.outlook.export_rate + 2.0, rates - 0.1),
        terminal_value=TerminalValue.flat(12.0),
    )
    dearer = replace(
        outlook,
        import_rate=outlook.import_rate + more,
        export_rate=outlook.export_rate + more,
        terminal_value=TerminalValue.flat(12.0 + more),
    )
    first, second = (a_planner().optimum(house, each, 4.0).schedule for each in (outlook, dearer))
    change = more * (float(outlook.net_kwh.sum()) - 4.0)
    assert second.objective_p - first.objective_p == pytest.approx(change, abs=GAP_P)
    # The plan for the one is as good for the other, whichever of several equal ones it is.
    moved = dearer.import_rate @ first.grid_import_kwh - dearer.export_rate @ first.grid_export_kwh
    moved -= dearer.terminal_value.of(first.soc_kwh[-1])
    at_dearer = second.cost_p - dearer.terminal_value.of(second.soc_kwh[-1])
    assert moved == pytest.approx(at_dearer, abs=PENCE)


@some
@given(worlds(least_import=3, least_export=0), st.integers(0, N_SLOTS - 1))
def test_the_value_of_stored_energy_is_what_a_gift_of_10_wh_would_save(
    world: World, slot: int
) -> None:
    gift_kwh = 0.01
    # A full battery takes no gift, and an empty one gives none.
    battery = world.house.battery
    assume(battery.reserve_kwh < world.soc_kwh < battery.ceiling_kwh)
    outlook = replace(
        world.outlook, export_rate=np.minimum(world.outlook.export_rate, world.outlook.import_rate)
    )
    inputs = program_inputs(world.house, outlook, world.soc_kwh)
    solver = ExactSolver()

    def objective(gift: float) -> float:
        standby = inputs.standby_kwh.copy()
        standby[slot] -= gift
        changed = replace(inputs, standby_kwh=standby)
        return solver.solve(battery, changed).schedule.objective_p

    value = solver.solve(battery, inputs).schedule.energy_value_p_per_kwh[slot]
    saved = (objective(0) - objective(gift_kwh)) / gift_kwh
    lost = (objective(-gift_kwh) - objective(0)) / gift_kwh
    assert saved - 0.01 <= value <= lost + 0.01


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_a_plan_does_not_depend_on_the_plans_before_it(world: World) -> None:
    """Else a decision could not be made again from what was known (replay)."""
    used, fresh = a_planner(), Planner(PlannerSettings(switching_price_p=0.0))
    one, other = (
        planner.plan(world.house, world.outlook, world.soc_kwh) for planner in (used, fresh)
    )
    assert one.slots == other.slots
    assert one.alternatives == other.alternatives
    assert (one.cost_p, one.objective_p) == (other.cost_p, other.objective_p)
