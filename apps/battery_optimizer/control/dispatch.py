"""From a plan's slot and what the house does now to the one command that is sent."""

from collections.abc import Collection
from dataclasses import replace

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import as_set
from battery_optimizer.model.modes import NO_POWER_KW, REACHED_KWH, SELF_USE, InverterCommand, Mode

_SAME_KW = 0.05
_ALL = 0.97


def dispatch(planned: InverterCommand, *, house: House, soc_kwh: float) -> InverterCommand:
    """The command for now, as this house's inverter can be told it (`House.abilities`).

    For a mode that it lacks it is told self-use. One that does not stop at a floor or ceiling is
    told a mode that does so itself once it is reached: the next cycle comes soon enough. One that
    keeps to no power is told the battery's greatest.

    A full battery is not forced to charge, an empty one not to discharge: some inverters misbehave
    when they are (facts: Force Charge at max SoC).
    """
    battery, can = house.battery, house.abilities
    floor = max(battery.reserve_kwh, planned.floor_kwh or 0.0)
    ceiling = battery.ceiling_kwh
    if planned.ceiling_kwh is not None:
        ceiling = min(ceiling, planned.ceiling_kwh)
    emptied, filled = soc_kwh <= floor + REACHED_KWH, soc_kwh >= ceiling - REACHED_KWH
    command = planned
    if emptied and (planned.mode is Mode.FORCE_DISCHARGE or planned.floor_kwh is not None):
        command = _no_force(planned, Mode.HOLD)
    elif filled and (planned.mode is Mode.FORCE_CHARGE or planned.ceiling_kwh is not None):
        # At the top Hold neither charges nor gives; a ceiling below it means: sell the sun.
        full = ceiling >= battery.ceiling_kwh - REACHED_KWH
        command = _no_force(planned, Mode.HOLD if full else Mode.FEED_IN)
    if command.mode not in can.modes:
        command = _no_force(planned, Mode.SELF_USE)
    if command.mode.is_forced and not can.sets_powers:
        if (command.power_kw or 0.0) < NO_POWER_KW:
            return _no_force(planned, Mode.HOLD if Mode.HOLD in can.modes else Mode.SELF_USE)
        is_charge = command.mode is Mode.FORCE_CHARGE
        most_kw = battery.max_charge_kw if is_charge else battery.max_discharge_kw
        command = replace(command, power_kw=most_kw)
    return command if can.keeps_limits else without_limits(command)


def without_limits(command: InverterCommand) -> InverterCommand:
    """The command as an inverter hears it that is not told floors and ceilings."""
    return replace(command, floor_kwh=None, ceiling_kwh=None)


def all_that_it_takes(
    planned: InverterCommand,
    *,
    battery: Battery,
    learned: Collection[str],
    soc_kwh: float,
    celsius: float | None,
    hours: float,
) -> InverterCommand:
    """A forced mode that is to move all that learned limits let through, told without them.

    The battery keeps to its limits by itself. So no more is moved than planned, the limits go on
    being seen, and one that is no more, or never was, is noticed.
    """
    if not planned.mode.is_forced or not learned:
        return planned
    now_kw, set_kw = (
        _most_kw(each.at_temperature(celsius), planned.mode, soc_kwh, hours)
        for each in (battery, as_set(battery, learned))
    )
    if set_kw <= now_kw or (planned.power_kw or 0.0) < _ALL * now_kw:
        return planned
    return replace(planned, power_kw=set_kw)


def _most_kw(battery: Battery, mode: Mode, soc_kwh: float, hours: float) -> float:
    is_charge = mode is Mode.FORCE_CHARGE
    most = battery.most_charge_kwh if is_charge else battery.most_discharge_kwh
    return most(soc_kwh, hours) / hours


def same(one: InverterCommand, other: InverterCommand) -> bool:
    """Whether two commands tell the inverter the same, small differences of power apart."""
    return (
        replace(one, power_kw=None if not one.mode.is_forced else 0.0)
        == replace(other, power_kw=None if not other.mode.is_forced else 0.0)
        and abs((one.power_kw or 0.0) - (other.power_kw or 0.0)) <= _SAME_KW
    )


def _no_force(planned: InverterCommand, mode: Mode) -> InverterCommand:
    return replace(SELF_USE, mode=mode, curtail=planned.curtail)
