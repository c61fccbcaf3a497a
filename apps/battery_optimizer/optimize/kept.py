"""What one more stored kWh would save, by a schedule as it is done.

The program's own dual says so, too, but where a slot empties the battery, or it stays empty: there
the dual is what one kWh less would cost, or what it brings in that very slot. What is done, in
turn, may have room for a part of a kWh alone at some price. So the lesser of both is told.
"""

from battery_optimizer.model.house import House
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.plan import Schedule

_SOME_KWH = 0.01


def kept_p(house: House, outlook: Outlook, schedule: Schedule) -> list[float]:
    """For each slot what a kWh more, stored at its end, would save later [p]."""
    battery = house.battery
    hours = outlook.horizon.hours.tolist()
    imports, exports = outlook.import_rate.tolist(), outlook.export_rate.tolist()
    bought, sold = schedule.grid_import_kwh.tolist(), schedule.grid_export_kwh.tolist()
    charge, discharge = schedule.charge_kwh.tolist(), schedule.discharge_kwh.tolist()
    soc = schedule.soc_kwh.tolist()
    worth = _marginal_p(outlook.terminal_value, soc[-1])
    found = [worth] * len(hours)
    for t in reversed(range(1, len(hours))):
        ways = [] if soc[t + 1] >= battery.ceiling_kwh - _SOME_KWH else [worth]
        if charge[t] > _SOME_KWH:  # less of it would do
            rate = imports[t] if bought[t] > _SOME_KWH else exports[t]
            ways.append(rate / battery.charge_efficiency)
        elif discharge[t] < battery.max_discharge_kw * hours[t] - _SOME_KWH:
            is_needed = bought[t] > _SOME_KWH
            can_be_sold = sold[t] < house.grid.export_limit_kw * hours[t] - _SOME_KWH
            if is_needed or (discharge[t] > _SOME_KWH and can_be_sold):
                rate = imports[t] if is_needed else exports[t]
                ways.append((rate - battery.wear_p_per_kwh) * battery.discharge_efficiency)
        worth = max(ways, default=0.0)
        found[t - 1] = worth
    duals_p = schedule.energy_value_p_per_kwh.tolist()
    return [min(pair) for pair in zip(found, [*duals_p[1:], found[-1]], strict=True)]


def _marginal_p(terminal: TerminalValue, soc_kwh: float) -> float:
    lines_p = terminal.intercept_p + terminal.slope_p_per_kwh * (soc_kwh + _SOME_KWH)
    return float(terminal.slope_p_per_kwh[lines_p.argmin()])
