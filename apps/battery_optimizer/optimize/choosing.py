"""What to do now: every command priced, and the steadiest of the good ones."""

from collections.abc import Mapping, Sequence

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Alternative, Schedule
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.mapping import (
    MATCH_KWH,
    PAUSE,
    can_be_told,
    carried_on,
    flows_under,
)
from battery_optimizer.optimize.relaxation import Optimum

EVEN_P = 0.01
"""Costs this close are even [p]: then what follows the load wins."""


def candidates(
    house: House,
    outlook: Outlook,
    schedule: Schedule,
    planned: InverterCommand,
    in_force: InverterCommand | None,
    wishes: Wishes = NO_WISHES,
) -> tuple[InverterCommand, ...]:
    """Everything worth pricing for the first slot, each once, what is planned first."""
    carried = None if in_force is None else carried_on(outlook, schedule, 0, in_force.mode)
    has_sun = outlook.solar_kwh[0] > MATCH_KWH
    others = (
        *([] if carried is None else [carried]),
        InverterCommand(mode=Mode.SELF_USE),
        InverterCommand(mode=Mode.HOLD),
        # Without sun it is self-use at best: some inverters do not serve the house in it.
        InverterCommand(mode=Mode.FEED_IN) if has_sun else PAUSE,
        *_at_full_power(house, outlook, float(schedule.soc_kwh[0])),
    )
    rate = float(outlook.import_rate[0])
    wished = (each for each in others if not wishes.forbid(each.mode, rate))
    every = dict.fromkeys((planned, *wished))
    return tuple(each for each in every if can_be_told(house, each))


def _at_full_power(house: House, outlook: Outlook, soc_kwh: float) -> list[InverterCommand]:
    """The forced modes where they move more than the house's own surplus or deficit.

    Where they only fill or empty the battery as the sun or the load does, these are followed.
    """
    battery, net = house.battery, float(outlook.net_kwh[0])
    charge = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=battery.max_charge_kw)
    discharge = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=battery.max_discharge_kw)
    charged = flows_under(house, charge, outlook, 0, soc_kwh).charge_kwh
    discharged = flows_under(house, discharge, outlook, 0, soc_kwh).discharge_kwh
    return [
        *([charge] if charged > max(-net, 0.0) + MATCH_KWH else []),
        *([discharge] if discharged > max(net, 0.0) + MATCH_KWH else []),
    ]


def schedules_after(
    house: House,
    outlook: Outlook,
    soc_kwh: float,
    optimum: Optimum,
    commands: Sequence[InverterCommand],
) -> dict[InverterCommand, Schedule]:
    """The best that can follow each command, solved, not estimated; without those that cannot be.

    To be asked before another program is solved.
    """
    found = {
        command: optimum.schedule_if(flows_under(house, command, outlook, 0, soc_kwh))
        for command in commands
    }
    return {command: schedule for command, schedule in found.items() if schedule is not None}


def priced(objectives: Mapping[InverterCommand, float]) -> tuple[Alternative, ...]:
    """Commands with what each costs more than the best of them [p], cheapest first."""
    best = min(objectives.values())
    return tuple(
        Alternative(command=command, extra_cost_p=objective - best)
        for command, objective in sorted(objectives.items(), key=lambda item: item[1])
    )


def choose(
    alternatives: Sequence[Alternative],
    in_force: InverterCommand | None,
    switching_price_p: float,
) -> Alternative:
    """C20, C27: the cheapest, a change of mode now counted. Among even ones, what follows the load.

    What changes to come cost is in the alternatives already.
    """

    def total_p(alternative: Alternative) -> float:
        changes = in_force is not None and alternative.command.mode is not in_force.mode
        return alternative.extra_cost_p + switching_price_p * changes

    totals = [total_p(alternative) for alternative in alternatives]
    even = [
        alternative
        for alternative, total in zip(alternatives, totals, strict=True)
        if total <= min(totals) + EVEN_P
    ]
    return min(even, key=lambda alternative: _PREFERENCE.index(alternative.command.mode))


_PREFERENCE = (
    Mode.SELF_USE,
    Mode.HOLD,
    Mode.FEED_IN,
    Mode.FORCE_CHARGE,
    Mode.FORCE_DISCHARGE,
)
