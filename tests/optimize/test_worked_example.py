"""A half-full battery, hourly rates 10, 8, 3, -2, 5, 15, 25 p, sun from the fourth hour."""

import re

import numpy as np
import pytest

from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import Plan, SlotPlan
from builders import a_battery, a_house, plan_for

HOURLY_RATES = [10, 8, 3, -2, 5, 15, 25]
HOURLY_EXPORT_RATES = [6, 5, 2, 0, 3, 9, 15]
HOURLY_SOLAR_KW = [0, 0, 0, 2, 5, 6, 4]
HOUSES = {
    "large battery": a_battery(capacity_kwh=10.4, max_charge_kw=3.68, max_discharge_kw=3.68),
    "small battery": a_battery(capacity_kwh=5.2, max_charge_kw=2.5, max_discharge_kw=2.5),
    "losses": a_battery(efficiency=0.95, capacity_kwh=10.4, reserve_kwh=1.04),
}


@pytest.fixture(params=HOUSES.values(), ids=HOUSES)
def plan(request: pytest.FixtureRequest) -> Plan:
    battery = request.param
    return plan_for(
        np.repeat(HOURLY_RATES, 2),
        np.repeat(HOURLY_EXPORT_RATES, 2),
        0.25,
        np.repeat(HOURLY_SOLAR_KW, 2) * 0.5,
        house=a_house(battery),
        soc_kwh=battery.capacity_kwh / 2,
    )


def slots_at(plan: Plan, rate: float) -> list[SlotPlan]:
    """The slots at this import rate, of which there must be some."""
    found = [slot for slot in plan.slots if slot.import_rate == rate]
    assert found
    return found


def test_does_not_charge_from_the_grid_at_8_p(plan: Plan) -> None:
    for slot in slots_at(plan, 8) + slots_at(plan, 10):
        assert slot.charge_kwh == 0
        assert slot.mode is not Mode.FORCE_CHARGE


def test_charges_from_the_grid_while_paid_2_p(plan: Plan) -> None:
    slots = slots_at(plan, -2)
    assert any(slot.mode is Mode.FORCE_CHARGE for slot in slots)
    assert sum(slot.grid_import_kwh for slot in slots) > sum(slot.load_kwh for slot in slots)


def test_sells_from_the_battery_at_25_p(plan: Plan) -> None:
    for slot in slots_at(plan, 25):
        assert slot.mode is Mode.FORCE_DISCHARGE
        assert slot.grid_export_kwh > slot.solar_kwh - slot.load_kwh


def test_serves_from_the_battery_at_25_p_where_selling_pays_nothing() -> None:
    plan = plan_for(np.repeat(HOURLY_RATES, 2), 0.0, 0.5, soc_kwh=5.0)
    assert [slot.discharge_kwh for slot in slots_at(plan, 25)] == [0.5, 0.5]
    assert slots_at(plan, 25)[0].reason.startswith(
        "The battery serves the house instead of the grid at 25 p: "
    )


def test_says_so_in_words(plan: Plan) -> None:
    for slot in slots_at(plan, 8):
        # What is given away now comes back for less; "not charging" is said where it waits.
        again = r"is charged again at 0(3:00, when you are paid 2|2:30, when a kWh costs 3) p\.$"
        assert re.search(again, slot.reason), slot.reason
    charging = [slot.reason for slot in slots_at(plan, -2) if slot.mode is Mode.FORCE_CHARGE]
    assert charging
    for reason in charging:
        assert reason.startswith("Charging from the grid while you are paid 2 p a kWh")
    for slot in slots_at(plan, 25):
        assert slot.reason.startswith("Selling from the battery at 15 p: ")


def test_says_why_it_waits_where_the_house_cannot_sell() -> None:
    plan = plan_for(
        np.repeat(HOURLY_RATES, 2),
        0.0,
        0.5,
        np.repeat(HOURLY_SOLAR_KW, 2) * 0.5,
        house=a_battery(reserve_kwh=5.0),
        soc_kwh=5.0,
    )
    assert plan.slots[2].reason == (
        "The battery is at its reserve, and charged at 03:00, when you are paid 2 p. The house "
        "runs on the grid at 8 p."
    )
    assert plan.slots[6].mode is Mode.FORCE_CHARGE
