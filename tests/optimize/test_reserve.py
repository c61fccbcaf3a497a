"""C4: a battery below its reserve, which was raised, say, is filled up; not at any price."""

from dataclasses import replace

import pytest

from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.plan import Plan
from builders import a_battery, a_house, a_planner, an_outlook

DEAR_THEN_CHEAP = [30.0] * 12 + [10.0] * 12 + [30.0] * 72


def planned(reserve_kwh: float, import_rate: list[float], soc_kwh: float = 3.0) -> Plan:
    """In doubt, as every house is."""
    outlook = an_outlook(import_rate, 5.0, load_kwh=0.25)
    future = Future(weight=1.0, load_kwh=outlook.load_kwh, solar_kwh=outlook.solar_kwh)
    house = a_house(a_battery(efficiency=0.95, reserve_kwh=reserve_kwh))
    return a_planner().plan(house, replace(outlook, futures=(future,)), soc_kwh)


@pytest.mark.parametrize("reserve_kwh", [8.0, 10.0])
def test_at_a_rate_that_is_always_the_same_at_once(reserve_kwh: float) -> None:
    now = planned(reserve_kwh, [25.0] * 96).slots[0]
    assert now.mode is Mode.FORCE_CHARGE
    assert now.charge_kwh == pytest.approx(2.0)
    assert now.reason == "Charging from the grid at 25 p, to fill the battery up to its reserve."


@pytest.mark.parametrize("reserve_kwh", [8.0, 10.0])
def test_in_hours_no_dearer_than_the_day(reserve_kwh: float) -> None:
    assert planned(reserve_kwh, DEAR_THEN_CHEAP).slots[0].charge_kwh == pytest.approx(0.0)
    assert planned(reserve_kwh, DEAR_THEN_CHEAP[12:]).slots[0].charge_kwh == pytest.approx(2.0)


def test_at_the_reserve_nothing_is_bought_for_it() -> None:
    assert planned(3.0, [25.0] * 96).slots[0].charge_kwh == pytest.approx(0.0)
