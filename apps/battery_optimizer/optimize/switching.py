"""C20: few changes of mode. What each mode would cost in each slot, and the steadiest good run.

A schedule says what energy to move; often several modes move nearly the same. What a mode costs in
a later slot is judged at the schedule's own price of stored energy: its bill, less what the energy
it leaves is worth. Then a shortest path through the slots trades these costs against a price for
each change of mode (Viterbi's algorithm).
"""

from typing import Final

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.mapping import carried_on

MODES: Final = tuple(Mode)
_NEVER_P: Final = 1e6


def mode_costs(house: House, outlook: Outlook, schedule: Schedule) -> Floats:
    """What each mode costs more than the schedule in each slot [p], shape (n_slots, n_modes).

    Columns as in `MODES`. The forced modes move what the schedule moves, so they cost nothing
    where `mapping.carried_on` would go on with them, and are out of the question elsewhere.
    """
    battery = house.battery
    net = outlook.net_kwh
    hours, soc = outlook.horizon.hours, schedule.soc_kwh[:-1]
    room = np.maximum(battery.ceiling_kwh - soc, 0.0) / battery.charge_efficiency
    stored = np.maximum(soc - battery.reserve_kwh, 0.0) * battery.discharge_efficiency
    surplus = np.minimum(np.maximum(-net, 0.0), np.minimum(room, battery.max_charge_kw * hours))
    deficit = np.minimum(np.maximum(net, 0.0), np.minimum(stored, battery.max_discharge_kw * hours))
    nothing = np.zeros_like(net)
    planned = _cost(house, outlook, schedule, schedule.charge_kwh, schedule.discharge_kwh)
    moved = {
        Mode.SELF_USE: (surplus, deficit),
        Mode.HOLD: (surplus, nothing),
        Mode.FEED_IN: (nothing, deficit),
    }
    costs = np.full((len(net), len(MODES)), _NEVER_P)
    for mode, (charge, discharge) in moved.items():
        extra = _cost(house, outlook, schedule, charge, discharge) - planned
        costs[:, MODES.index(mode)] = np.maximum(extra, 0.0)
    for mode in (Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE):
        goes_on = [
            carried_on(outlook, schedule, slot, mode) is not None for slot in range(len(net))
        ]
        costs[goes_on, MODES.index(mode)] = 0.0
    lacking = [mode not in house.modes | {Mode.SELF_USE} for mode in MODES]
    costs[:, lacking] = _NEVER_P
    return costs


def steadiest(costs: Floats, switching_price_p: float) -> Floats:
    """Least cost from each slot on if it runs in each mode [p], shape (n_slots, n_modes).

    Counts the slot's own cost and a price for each change of mode after it.
    """
    to_go = costs.copy()
    for t in range(len(costs) - 2, -1, -1):
        after = to_go[t + 1]
        to_go[t] += np.minimum(after, after.min() + switching_price_p)
    return to_go


def _cost(
    house: House, outlook: Outlook, schedule: Schedule, charge: Floats, discharge: Floats
) -> Floats:
    """Bill of each slot less the worth of the energy it leaves [p], shape (n_slots,)."""
    at_meter = outlook.net_kwh + charge - discharge + schedule.curtailed_kwh
    sold = np.clip(-at_meter, 0.0, house.grid.export_limit_kw * outlook.horizon.hours)
    left = house.battery.soc_after(np.zeros_like(charge), charge, discharge)
    return (
        outlook.import_rate * np.maximum(at_meter, 0.0)
        - outlook.export_rate * sold
        + house.battery.wear_p_per_kwh * discharge
        - schedule.energy_value_p_per_kwh * left
    )
