"""What the inverter cannot be told is neither planned nor chosen, and the figures are true."""

from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Override, Wishes
from battery_optimizer.optimize.mapping import can_be_told
from builders import MIDNIGHT, a_battery, a_house, plan_for


def without(*modes: Mode) -> House:
    return replace(a_house(a_battery()), abilities=Abilities(modes=frozenset(Mode) - set(modes)))


def modes_of(plan: Plan) -> set[Mode]:
    named = {each.command.mode for each in plan.alternatives}
    return named | {slot.mode for slot in plan.slots}


def test_without_force_discharge_only_the_load_is_served() -> None:
    plan = plan_for(10, [5, 50], 0.5, soc_kwh=5, house=without(Mode.FORCE_DISCHARGE), n_slots=2)
    assert Mode.FORCE_DISCHARGE not in modes_of(plan)
    assert [slot.discharge_kwh for slot in plan.slots] == pytest.approx([0.5, 0.5], abs=0.01)
    assert sum(slot.grid_export_kwh for slot in plan.slots) == 0


def test_without_force_charge_only_the_sun_is_stored() -> None:
    plan = plan_for([1, 50], 0, [0.2, 1], [0.7, 0], house=without(Mode.FORCE_CHARGE))
    assert Mode.FORCE_CHARGE not in modes_of(plan)
    assert plan.slots[0].charge_kwh == pytest.approx(0.5)
    assert plan.slots[0].grid_import_kwh == 0


def test_without_hold_the_plan_tells_what_self_use_will_really_do() -> None:
    """It would rather wait for the dear slot, and cannot."""
    house = without(Mode.HOLD)
    house = replace(house, abilities=replace(house.abilities, sets_powers=False))
    plan = plan_for([10, 30], 0, 1, soc_kwh=1, house=house)
    assert Mode.HOLD not in modes_of(plan)
    assert plan.slots[0].command == SELF_USE
    assert plan.slots[0].discharge_kwh == pytest.approx(1)
    assert plan.cost_p == pytest.approx(30)


def test_without_hold_a_charge_at_no_power_holds() -> None:
    plan = plan_for([10, 30], 0, 1, soc_kwh=1, house=without(Mode.HOLD))
    assert plan.slots[0].command == InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=0.0)
    assert plan.cost_p == pytest.approx(10)


def test_with_nothing_but_self_use_it_is_self_use_throughout() -> None:
    only = without(*(mode for mode in Mode if mode is not Mode.SELF_USE))
    plan = plan_for(
        np.array([1.0, 40, -5, 40]), np.array([0.0, 50, 0, 2]), 0.5, [0, 2, 0, 0], house=only
    )
    assert modes_of(plan) == {Mode.SELF_USE}
    assert all(slot.command == SELF_USE for slot in plan.slots)


def test_an_order_that_cannot_be_told_is_not_planned_with() -> None:
    order = Override(
        start=MIDNIGHT,
        end=MIDNIGHT + SLOT,
        command=InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=4.0),
    )
    house = without(Mode.FORCE_DISCHARGE)
    plan = plan_for([10, 10], 0, 0.5, soc_kwh=5, house=house, wishes=Wishes(overrides=(order,)))
    assert plan.slots[0].mode is not Mode.FORCE_DISCHARGE
    assert plan.slots[0].grid_export_kwh == 0


def test_a_floor_needs_hold_and_a_ceiling_feed_in_to_end_there() -> None:
    floor, ceiling = replace(SELF_USE, floor_kwh=3.0), replace(SELF_USE, ceiling_kwh=3.0)
    assert can_be_told(without(Mode.FEED_IN), floor)
    assert not can_be_told(without(Mode.HOLD), floor)
    assert can_be_told(without(Mode.HOLD), ceiling)
    assert not can_be_told(without(Mode.FEED_IN), ceiling)
