"""Random worlds for the property tests: a house, a day of rates, load and sun."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from battery_optimizer.model.house import House
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.relaxation import Optimum
from builders import a_battery, a_house, a_planner, an_outlook

N_SLOTS = 8
BATTERIES = (
    a_battery(efficiency=0.95, capacity_kwh=10.4, reserve_kwh=1.0),
    a_battery(efficiency=0.9, capacity_kwh=5.0, max_charge_kw=2.5, wear_p_per_kwh=2.0),
    a_battery(
        efficiency=0.95,
        capacity_kwh=8.0,
        reserve_kwh=1.0,
        maximum_kwh=7.5,
        charge_taper=((0.7, 1.0), (1.0, 0.2)),
        discharge_taper=((0.1, 0.3), (0.3, 1.0)),
    ),
)
"""Few, since each makes a program of its own."""


@dataclass(frozen=True)
class World:
    """All that a plan is made from."""

    house: House
    outlook: Outlook
    soc_kwh: float

    def optimum(self, **changes: object) -> Optimum:
        """The best schedule, the outlook changed in some ways."""
        return a_planner().optimum(self.house, replace(self.outlook, **changes), self.soc_kwh)

    def value(self, schedule: Schedule) -> float:
        """What a schedule costs: bill and wear, less what it leaves [p]."""
        wear = self.house.battery.wear_p_per_kwh * float(schedule.discharge_kwh.sum())
        return schedule.cost_p + wear - self.outlook.terminal_value.of(schedule.soc_kwh[-1])


def amounts(least: float, greatest: float, n_slots: int = N_SLOTS) -> st.SearchStrategy[Floats]:
    """One number per slot, to a tenth."""
    tenths = st.integers(round(least * 10), round(greatest * 10))
    return st.lists(tenths, min_size=n_slots, max_size=n_slots).map(lambda v: np.array(v) / 10)


@st.composite
def worlds(
    draw: st.DrawFn, *, least_import: float = -12, least_export: float = -4, n_slots: int = N_SLOTS
) -> World:
    """A house and some slots: rates of all kinds, limits that bind and limits that do not."""
    battery = draw(st.sampled_from(BATTERIES))
    house = a_house(
        battery,
        export_limit_kw=draw(st.sampled_from((1000.0, 3.68, 1.0, 0.0))),
        ac_limit_kw=draw(st.sampled_from((1000.0, 5.0))),
        can_curtail=draw(st.booleans()),
    )
    outlook = an_outlook(
        draw(amounts(least_import, 40, n_slots)),
        draw(amounts(least_export, 30, n_slots)),
        draw(amounts(0, 2, n_slots)),
        draw(amounts(0, 2.5, n_slots)),
        end_value=draw(st.sampled_from((0.0, 10.0, 25.0))),
    )
    share = draw(st.sampled_from((0.0, 0.3, 0.5, 1.0)))
    room = battery.ceiling_kwh - battery.reserve_kwh
    return World(house, outlook, battery.reserve_kwh + share * room)
