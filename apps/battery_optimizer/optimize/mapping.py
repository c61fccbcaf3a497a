"""From a schedule's energies to the modes that give just these: following the plan is the plan."""

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Flows, InverterCommand, Mode, flows
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule

_MATCH_KWH = 2e-3
"""Two energies this close are the same: less than an inverter's own metering error."""
_FOLLOW_LOAD = (Mode.SELF_USE, Mode.HOLD, Mode.FEED_IN)


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


def command_for(  # noqa: PLR0913 (what came before and what was ordered decide too)
    house: House,
    outlook: Outlook,
    schedule: Schedule,
    slot: int,
    soc_kwh: float,
    *,
    before: InverterCommand | None = None,
    ordered: InverterCommand | None = None,
) -> InverterCommand:
    """The command whose physics gives the schedule's energies in this slot.

    A mode that follows the load is taken wherever it does, since it also follows what nobody
    foresaw; a floor or ceiling ends it at the planned energy; a forced power is the last resort.
    Never is a discharge capped at the forecast load: where the battery is to cover all of it,
    there is no floor. The mode of the slot `before` goes on where it does as well (C20). What a
    person `ordered` comes first (C25), unless the schedule could not follow it.
    """
    charge, discharge = float(schedule.charge_kwh[slot]), float(schedule.discharge_kwh[slot])
    curtail = _is_curtailed(house, outlook, schedule, slot)
    hours = float(outlook.horizon.hours[slot])
    # What the battery's own electronics draw is not what a floor or ceiling sees.
    end_kwh = float(schedule.soc_kwh[slot + 1]) + house.battery.standby_kw * hours
    natural = [
        InverterCommand(mode=mode, curtail=curtail)
        for mode in sorted(_FOLLOW_LOAD, key=lambda mode: before is None or mode != before.mode)
    ]
    if discharge > _MATCH_KWH:
        natural.append(InverterCommand(mode=Mode.SELF_USE, floor_kwh=end_kwh, curtail=curtail))
    elif charge > _MATCH_KWH:
        natural.append(InverterCommand(mode=Mode.SELF_USE, ceiling_kwh=end_kwh, curtail=curtail))
    for command in natural if ordered is None else [ordered, *natural]:
        given = flows_under(house, command, outlook, slot, soc_kwh)
        if (
            abs(given.charge_kwh - charge) <= _MATCH_KWH
            and abs(given.discharge_kwh - discharge) <= _MATCH_KWH
        ):
            return command
    if discharge > charge:
        return InverterCommand(
            mode=Mode.FORCE_DISCHARGE, power_kw=discharge / hours, curtail=curtail
        )
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=charge / hours, curtail=curtail)


def _is_curtailed(house: House, outlook: Outlook, schedule: Schedule, slot: int) -> bool:
    """Whether the plan turns the sun off, rather than losing what nothing could take."""
    solar = float(outlook.solar_kwh[slot])
    return house.inverter.can_curtail and schedule.curtailed_kwh[slot] > max(0.5 * solar, 1e-3)
