"""From a schedule's energies to the modes that give just these: following the plan is the plan."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from battery_optimizer.model.flows import Flows, flows
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import NO_POWER_KW, SELF_USE, InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.optimize.situation import Situation

MATCH_KWH = 2e-3
"""Two energies this close are the same: less than an inverter's own metering error."""
PAUSE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=0.0)
"""Charging pauses until it goes on, rather than by a change of mode there and back (C20).

Only without sun, which another mode would follow; then it is the same as to hold.
"""
_NATURAL = tuple(InverterCommand(mode=mode) for mode in (Mode.SELF_USE, Mode.HOLD, Mode.FEED_IN))
_EVERY_MODE = frozenset(Mode)


def flows_under(
    house: House, command: InverterCommand, outlook: Outlook, slot: int, soc_kwh: float
) -> Flows:
    """What flows in a slot of the outlook under a command, from this stored energy [kWh]."""
    return flows(
        house,
        command,
        soc_kwh=soc_kwh,
        load_kwh=float(outlook.load_kwh[slot]),
        solar_kwh=float(outlook.solar_kwh[slot]),
        hours=float(outlook.horizon.hours[slot]),
    )


def apart_kwh(schedule: Schedule, slot: int, given: Flows) -> float:
    """How far from the schedule's what flows in a slot moves the battery."""
    return max(
        abs(given.charge_kwh - float(schedule.charge_kwh[slot])),
        abs(given.discharge_kwh - float(schedule.discharge_kwh[slot])),
    )


def following(
    now: Situation,
    schedule: Schedule,
    slot: int,
    soc_kwh: float,
    *,
    before: InverterCommand | None = None,
) -> tuple[InverterCommand, Flows]:
    """The command whose physics gives the schedule's energies in this slot, and what then flows.

    A mode that follows the load is taken wherever it does, since it also follows what nobody
    foresaw; a floor or ceiling ends it at the planned energy; a forced power is the last resort.
    Never is a discharge capped at the forecast load: where the battery is to cover all of it,
    there is no floor. The mode of the slot `before` goes on where it does as well (C20). What a
    person ordered comes first (C25), unless the schedule could not follow it.
    """
    house, outlook = now.house, now.outlook
    candidates = partial(_candidates, now, schedule, slot, before)
    command, given = _first_that_fits(now, schedule, slot, soc_kwh, candidates())
    if not house.inverter.can_curtail or schedule.curtailed_kwh[slot] <= MATCH_KWH:
        return command, given
    # The sun can only be turned off altogether: worth it where that costs less than none of it.
    dark_candidates = (replace(each, curtail=True) for each in candidates())
    dark_command, dark = _first_that_fits(now, schedule, slot, soc_kwh, dark_candidates)
    most_import_kwh = max(
        house.grid.import_limit_kw * float(outlook.horizon.hours[slot]), given.grid_import_kwh
    )
    is_better = (
        _cost_p(outlook, slot, dark) < _cost_p(outlook, slot, given)
        and dark.grid_import_kwh <= most_import_kwh + MATCH_KWH
    )
    return (dark_command, dark) if is_better else (command, given)


def _candidates(
    now: Situation, schedule: Schedule, slot: int, before: InverterCommand | None
) -> Iterator[InverterCommand]:
    """What could follow the schedule, best first; made one by one, since the first mostly does."""
    outlook = now.outlook
    ordered = now.wishes.order_at(outlook.horizon.starts[slot])
    if ordered is not None:
        yield ordered
    carried = None if before is None else carried_on(outlook, schedule, slot, before.mode)
    if carried is not None:
        yield carried
    yield from _natural(None if before is None else before.mode)
    yield from _ending_as(now.house, outlook, schedule, slot)


@cache
def _natural(before: Mode | None) -> tuple[InverterCommand, ...]:
    """The modes that follow the load, the one before first."""
    return tuple(sorted(_NATURAL, key=lambda each: before is None or each.mode is not before))


def can_be_told(house: House, command: InverterCommand) -> bool:
    """Whether the inverter knows the mode, and what ends it at a floor or ceiling (dispatch).

    A forced mode is no way to do nothing where it always runs at full power.
    """
    if command.power_kw is not None and command.power_kw < NO_POWER_KW and not house.sets_powers:
        return False
    return (
        command.mode in house.modes
        and (command.floor_kwh is None or Mode.HOLD in house.modes)
        and (command.ceiling_kwh is None or Mode.FEED_IN in house.modes)
    )


def carried_on(
    outlook: Outlook, schedule: Schedule, slot: int, mode: Mode
) -> InverterCommand | None:
    """A forced mode that goes on, at the power that the schedule now wants; None where it cannot.

    Charging, or selling, pauses at no power rather than by a change of mode, but not while there
    is sun that another mode would follow. Covering the load is never left to a forced power.
    """
    if not mode.is_forced:
        return None
    charge, discharge = float(schedule.charge_kwh[slot]), float(schedule.discharge_kwh[slot])
    hours = float(outlook.horizon.hours[slot])
    net = float(outlook.load_kwh[slot] - outlook.solar_kwh[slot])
    pauses = max(charge, discharge) <= MATCH_KWH and outlook.solar_kwh[slot] <= MATCH_KWH
    if mode is Mode.FORCE_CHARGE and (pauses or charge > max(-net, 0.0) + MATCH_KWH):
        return InverterCommand(mode=mode, power_kw=charge / hours)
    if mode is Mode.FORCE_DISCHARGE and (pauses or discharge > max(net, 0.0) + MATCH_KWH):
        return InverterCommand(mode=mode, power_kw=discharge / hours)
    return None


def _ending_as(
    house: House, outlook: Outlook, schedule: Schedule, slot: int
) -> tuple[InverterCommand, ...]:
    """Commands that end at the schedule's energy, or force it."""
    charge, discharge = float(schedule.charge_kwh[slot]), float(schedule.discharge_kwh[slot])
    hours = float(outlook.horizon.hours[slot])
    # What the battery's own electronics draw is not what a floor or ceiling sees.
    end_kwh = float(schedule.soc_kwh[slot + 1]) + house.battery.standby_kw * hours
    if discharge > charge:
        return (
            InverterCommand(mode=Mode.SELF_USE, floor_kwh=end_kwh),
            InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=discharge / hours),
        )
    return (
        InverterCommand(mode=Mode.SELF_USE, ceiling_kwh=end_kwh),
        InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=charge / hours),
    )


def _first_that_fits(
    now: Situation,
    schedule: Schedule,
    slot: int,
    soc_kwh: float,
    candidates: Iterable[InverterCommand],
) -> tuple[InverterCommand, Flows]:
    """The first command that moves the battery as the schedule does, else the last of them.

    Where the inverter lacks a mode, else what comes nearest.
    """
    house, outlook = now.house, now.outlook
    tried = []
    for command in candidates:
        if not can_be_told(house, command):
            continue
        given = flows_under(house, command, outlook, slot, soc_kwh)
        apart = apart_kwh(schedule, slot, given)
        if apart <= MATCH_KWH:
            return command, given
        tried.append((apart, command, given))
    if not tried:
        return SELF_USE, flows_under(house, SELF_USE, outlook, slot, soc_kwh)
    has_all = house.modes == _EVERY_MODE
    _, command, given = tried[-1] if has_all else min(tried, key=lambda each: each[0])
    return command, given


def _cost_p(outlook: Outlook, slot: int, given: Flows) -> float:
    return given.bill_p(float(outlook.import_rate[slot]), float(outlook.export_rate[slot]))
