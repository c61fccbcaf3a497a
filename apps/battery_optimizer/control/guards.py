"""Limits that always hold: those that the inverter keeps by itself, the reserve, and the fuse."""

from dataclasses import replace
from typing import Final

from battery_optimizer.control.proof import battery_kw
from battery_optimizer.model.house import Battery, House, SocLimits
from battery_optimizer.model.modes import REACHED_KWH, SELF_USE, InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry

_CLEARLY: Final = 0.015
"""States of charge are whole percents: less than one and a half is no difference."""
_LEAST_CHARGE_KW: Final = 0.2
"""Less room than this is not worth charging in."""
_REGAINED: Final = 0.02
"""Share of the capacity above the reserve from which on the battery gives again once it was held:
a sun that comes and goes would else change the mode each few minutes."""


def within_limits(battery: Battery, limits: SocLimits) -> tuple[Battery, tuple[str, ...]]:
    """The battery as the inverter lets it be used, and what to tell of the difference.

    A floor of the inverter above our reserve, or a ceiling below ours, is then no disobedience.
    """
    ceiling_kwh = min(battery.ceiling_kwh, limits.most * battery.capacity_kwh)
    reserve_kwh = min(max(battery.reserve_kwh, limits.least * battery.capacity_kwh), ceiling_kwh)
    notes = []
    if reserve_kwh - battery.reserve_kwh > _CLEARLY * battery.capacity_kwh:
        notes.append(
            f"the inverter's own min SoC, {limits.least:.0%}, is above battery.reserve_kwh: it is "
            f"planned with a reserve of {reserve_kwh:.1f} kWh; lower the one or raise the other"
        )
    if battery.ceiling_kwh - ceiling_kwh > _CLEARLY * battery.capacity_kwh:
        notes.append(
            f"the inverter's own max SoC is {limits.most:.0%}: it is planned with at most "
            f"{ceiling_kwh:.1f} kWh; raise it, or set battery.maximum_kwh"
        )
    if not notes:
        return battery, ()
    limited = replace(battery, reserve_kwh=reserve_kwh, maximum_kwh=ceiling_kwh)
    return limited, tuple(notes)


def within_reserve(
    house: House,
    command: InverterCommand,
    telemetry: Telemetry,
    in_force: InverterCommand | None,
) -> InverterCommand:
    """The command, or Hold where it would take the battery below its reserve.

    In the modes that follow the load an inverter goes on down to its own min SoC, which may be
    lower, or not known.
    """
    battery, can = house.battery, house.abilities
    lower_kwh = battery.reserve_kwh - can.soc_limits.least * battery.capacity_kwh
    is_kept = can.keeps_limits or lower_kwh <= _CLEARLY * battery.capacity_kwh
    follows_load = command.mode in (Mode.SELF_USE, Mode.FEED_IN)
    if is_kept or not follows_load or Mode.HOLD not in can.modes:
        return command
    was_held = in_force is not None and in_force.mode is Mode.HOLD
    near_kwh = _REGAINED * battery.capacity_kwh if was_held else REACHED_KWH
    if telemetry.soc_kwh > battery.reserve_kwh + near_kwh:
        return command
    if command.mode is Mode.FEED_IN and _has_spare_sun(telemetry):
        return command  # sold, and nothing taken
    return replace(SELF_USE, mode=Mode.HOLD, curtail=command.curtail)


def _has_spare_sun(telemetry: Telemetry) -> bool:
    if telemetry.load_kw is None or telemetry.solar_kw is None:
        return False
    return telemetry.solar_kw >= telemetry.load_kw


def within_fuse(house: House, command: InverterCommand, telemetry: Telemetry) -> InverterCommand:
    """The command with no more charging than the fuse leaves room for, as measured now.

    Where there is next to none, or the power cannot be set, self-use: the battery then helps. What
    the house itself draws is never refused.
    """
    drawn_kw = _without_battery_kw(telemetry)
    if command.mode is not Mode.FORCE_CHARGE or drawn_kw is None:
        return command
    room_kw = house.grid.import_limit_kw - drawn_kw
    if (command.power_kw or 0.0) <= room_kw:
        return command
    if not house.sets_powers or room_kw < _LEAST_CHARGE_KW:
        return replace(SELF_USE, curtail=command.curtail)
    return replace(command, power_kw=round(room_kw, 2))


def _without_battery_kw(telemetry: Telemetry) -> float | None:
    """What the house, less its sun, draws by itself [kW]; None where it is not measured.

    By the meter, which sees all, before the sum of two sensors.
    """
    given_kw = battery_kw(telemetry)
    if telemetry.grid_kw is not None and given_kw is not None:
        return telemetry.grid_kw + given_kw
    if telemetry.load_kw is None or telemetry.solar_kw is None:
        return None
    return telemetry.load_kw - telemetry.solar_kw
