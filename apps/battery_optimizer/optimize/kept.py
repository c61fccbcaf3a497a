"""What one more stored kWh would save, by a schedule as it is done.

The program's own dual says the same, but for slots in which the battery is full, or empty and
idle: there it has a range of prices, and what one kWh less would cost is of no use to say.
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
    return found


def _marginal_p(terminal: TerminalValue, soc_kwh: float) -> float:
    lines_p = terminal.intercept_p + terminal.slope_p_per_kwh * (soc_kwh + _SOME_KWH)
    return float(terminal.slope_p_per_kwh[lines_p.argmin()])
