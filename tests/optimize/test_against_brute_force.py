"""The optimum against brute force: every move of stored energy from every level, slot by slot.

With all energies multiples of half a kWh and an efficiency of 1 or 1/2, some optimum moves between
levels a quarter of a kWh apart, so the two must be equal and not only near.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_optimizer.model.house import House
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.optimize.relaxation import GAP_P
from builders import PENCE, a_battery, a_house, an_outlook
from worlds import World

N_SLOTS = 5
LEVEL_KWH = 0.25


def least_cost(house: House, outlook: Outlook, soc_kwh: float) -> float:
    """The least bill and wear, less what is left at the end [p], by dynamic programming."""
    battery = house.battery
    levels = np.arange(0, battery.capacity_kwh + LEVEL_KWH / 2, LEVEL_KWH)
    worth = [-outlook.terminal_value.of(level) for level in levels]
    for t in reversed(range(outlook.horizon.n_slots)):
        worth = [
            min(
                slot_cost(house, outlook, t, after - before) + later
                for after, later in zip(levels, worth, strict=True)
            )
            for before in levels
        ]
    return worth[round(soc_kwh / LEVEL_KWH)]


def slot_cost(house: House, outlook: Outlook, t: int, stored_kwh: float) -> float:
    """The least cost of storing this much more (or less) in a slot [p]; infinite if it cannot."""
    battery, hours = house.battery, outlook.horizon.hours[t]
    charge = max(stored_kwh, 0) / battery.charge_efficiency
    discharge = max(-stored_kwh, 0) * battery.discharge_efficiency
    if charge > battery.max_charge_kw * hours or discharge > battery.max_discharge_kw * hours:
        return np.inf
    solar, load = outlook.solar_kwh[t], outlook.load_kwh[t]
    limit, rating = house.grid.export_limit_kw * hours, house.inverter.ac_limit_kw * hours
    at_meter = load + charge - discharge - solar
    least_lost = max(0.0, -at_meter - limit, solar + discharge - charge - rating)
    if not house.inverter.can_curtail and least_lost > max(
        0.0, solar - load - limit, solar - rating
    ):
        return np.inf  # no discharge makes sun be lost
    # The bill has a kink only where the meter stands still, or all of the sun is lost.
    lost_kwh = {least_lost} | ({solar, -at_meter} if house.inverter.can_curtail else set())
    return min(
        (
            outlook.import_rate[t] * max(at_meter + lost, 0)
            - outlook.export_rate[t] * max(-at_meter - lost, 0)
            + battery.wear_p_per_kwh * discharge
            for lost in lost_kwh
            if least_lost <= lost <= solar
        ),
        default=np.inf,
    )


def halves(least: int, greatest: int) -> st.SearchStrategy[list[float]]:
    half = st.integers(least, greatest).map(lambda count: count / 2)
    return st.lists(half, min_size=N_SLOTS, max_size=N_SLOTS)


BATTERIES = [
    a_battery(efficiency=efficiency, capacity_kwh=capacity, wear_p_per_kwh=wear)
    for efficiency, capacity, wear in product((1.0, 0.5), (2.0, 4.0), (0.0, 3.0))
]


@st.composite
def small_worlds(draw: st.DrawFn) -> World:
    house = a_house(
        draw(st.sampled_from(BATTERIES)),
        export_limit_kw=draw(st.sampled_from((1000.0, 2.0, 0.0))),
        ac_limit_kw=draw(st.sampled_from((1000.0, 5.0))),
        can_curtail=draw(st.booleans()),
    )
    outlook = an_outlook(
        draw(halves(-30, 80)),
        draw(halves(-20, 60)),
        draw(halves(0, 4)),
        draw(halves(0, 5)),
        end_value=draw(st.sampled_from((0.0, 10.0, 25.0))),
    )
    return World(house, outlook, draw(st.sampled_from((0.0, 1.0, 1.5, 2.0))))


@settings(max_examples=120, deadline=None)
@given(small_worlds())
def test_no_schedule_on_the_grid_is_cheaper_and_the_best_of_them_is_as_cheap(world: World) -> None:
    optimum = world.optimum()
    expected = least_cost(world.house, world.outlook, world.soc_kwh)
    assert world.value(optimum.schedule) == pytest.approx(expected, abs=PENCE + GAP_P)


def test_brute_force_finds_a_hand_solved_answer() -> None:
    # 2 kWh bought at 5 p, 2 served at 30 p.
    outlook = an_outlook([5, 30], 0, [0, 2])
    assert least_cost(a_house(), outlook, 0) == pytest.approx(10)
