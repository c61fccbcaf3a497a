"""Whether the panels gave all they could, by what was read: else it says little of the sun."""

from typing import Final

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry

_NEAR: Final = 0.97
"""Of a limit; an inverter stays a little below it."""
_NEARLY_FULL: Final = 0.98
_SOME_KW: Final = 0.1


def is_held_back(house: House, in_force: InverterCommand | None, seen: Telemetry) -> bool:
    """Whether the sun may have been turned down: by us, or at a limit with nowhere else to go."""
    if in_force is not None and in_force.curtail:
        return True
    if seen.solar_kw is None:
        return False
    mode = None if in_force is None else in_force.mode
    charge_kw = -(seen.battery_kw or 0.0)
    takes_more = not _takes_all_it_can(house.battery, seen.soc_kwh, charge_kw)
    if mode is Mode.FEED_IN and charge_kw > _SOME_KW and takes_more:
        return False  # what may not be sold goes into the battery
    limit_kw = house.grid.export_limit_kw
    if limit_kw <= _SOME_KW:
        # Nothing may be sold: the meter stands still whether or not there would be more sun.
        return seen.grid_kw is not None and seen.grid_kw < _SOME_KW and not takes_more
    output_kw = _output_kw(seen)
    return (seen.grid_kw is not None and -seen.grid_kw >= _NEAR * limit_kw) or (
        output_kw is not None and output_kw >= _NEAR * house.inverter.ac_limit_kw
    )


def _takes_all_it_can(battery: Battery, soc_kwh: float, charge_kw: float) -> bool:
    if charge_kw < -_SOME_KW:
        return False
    is_full = soc_kwh >= _NEARLY_FULL * battery.ceiling_kwh
    return is_full or charge_kw >= _NEAR * battery.most_charge_kwh(soc_kwh, hours=1 / 60) * 60


def _output_kw(seen: Telemetry) -> float | None:
    """What the inverter gives to house and grid."""
    if seen.battery_kw is not None and seen.solar_kw is not None:
        return seen.solar_kw + seen.battery_kw
    return None if seen.load_kw is None or seen.grid_kw is None else seen.load_kw - seen.grid_kw
