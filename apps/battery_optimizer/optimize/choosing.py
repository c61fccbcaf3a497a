"""What to do now: every command priced, and the steadiest of the good ones.

An order is followed. Else, where load and sun may turn out in several ways, a command is priced by
what it costs on average over them (`worth`); where all is certain, by the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import REACHED_KWH, InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Alternative, Schedule
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.mapping import (
    MATCH_KWH,
    PAUSE,
    apart_kwh,
    can_be_told,
    carried_on,
    flows_under,
    following,
)
from battery_optimizer.optimize.relaxation import Optimum
from battery_optimizer.optimize.situation import Situation
from battery_optimizer.optimize.stages import part_powers
from battery_optimizer.optimize.worth import Worth

_EVEN_P = 0.01
"""Costs this close are even [p]: then what follows the load wins."""
_POWER_SHARE = 0.5
"""What another power is to save, of what another mode is: it is one write instead of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is done now, and what follows from it."""

    command: InverterCommand
    schedule: Schedule
    """The best that can follow the command."""
    alternatives: tuple[Alternative, ...]
    """All that was priced, cheapest first."""
    is_kept: bool
    """Whether the mode in force goes on only because a change would cost more than it gains."""


def choose(now: Situation, inputs: ProgramInputs, optimum: Optimum) -> Chosen:
    """The command for the first slot; `optimum` is of these inputs, the program solved last."""
    schedule = optimum.schedule
    planned, _ = following(now, schedule, 0, now.soc_kwh)
    commands = candidates(now, schedule, planned)
    if now.order is not None:
        chosen = _as_ordered(now, optimum, planned, commands)
    elif now.outlook.futures:
        chosen = _in_doubt(now, inputs, optimum, commands)
    else:
        chosen = _in_certainty(now, inputs, optimum, planned, commands)
    # With its first slot settled a program knows less well what energy is worth.
    values_p = schedule.energy_value_p_per_kwh
    return replace(chosen, schedule=replace(chosen.schedule, energy_value_p_per_kwh=values_p))


def _as_ordered(
    now: Situation,
    optimum: Optimum,
    planned: InverterCommand,
    commands: Sequence[InverterCommand],
) -> Chosen:
    """C25: what is planned already obeys the order, as far as the inverter can."""
    after = _schedules_after_all(now, optimum, planned, commands)
    return Chosen(
        command=planned,
        schedule=after[planned],
        alternatives=priced({each: found.objective_p for each, found in after.items()}),
        is_kept=False,
    )


def _in_doubt(
    now: Situation,
    inputs: ProgramInputs,
    optimum: Optimum,
    commands: Sequence[InverterCommand],
) -> Chosen:
    """C28: what costs least on average over the futures, and what the program puts after it."""
    worth = Worth(now.house, now.outlook, inputs, now.switching_price_p, now.wishes)
    parts = part_powers(now.house, now.wishes, float(now.outlook.import_rate[0]))
    as_it_is = [] if now.in_force is None or not now.in_force.mode.is_forced else [now.in_force]
    possible = [each for each in (*commands, *parts, *as_it_is) if _can_be_done(now, each)]
    alternatives = _on_average(now, worth, possible)
    command = steadiest(alternatives, now.in_force, now.switching_price_p).command
    given = flows_under(now.house, command, now.outlook, 0, now.soc_kwh)
    is_as_planned = apart_kwh(optimum.schedule, 0, given) <= MATCH_KWH
    found = None if is_as_planned else optimum.schedule_if(given)
    return Chosen(
        command=command,
        schedule=found or optimum.schedule,
        alternatives=alternatives,
        is_kept=_is_kept(alternatives, command, now.in_force),
    )


def _in_certainty(
    now: Situation,
    inputs: ProgramInputs,
    optimum: Optimum,
    planned: InverterCommand,
    commands: Sequence[InverterCommand],
) -> Chosen:
    """What the program finds cheapest, changes of mode counted."""
    after = _schedules_after_all(now, optimum, planned, commands)
    costs_p = {each: found.objective_p for each, found in after.items()}
    if now.switching_price_p and len(after) > 1:
        changes_p = _changes_to_come_p(now, inputs, tuple(after))
        costs_p = {each: cost_p + changes_p[each] for each, cost_p in costs_p.items()}
    alternatives = priced(costs_p)
    command = steadiest(alternatives, now.in_force, now.switching_price_p).command
    return Chosen(
        command=command,
        schedule=after[command],
        alternatives=alternatives,
        is_kept=_is_kept(alternatives, command, now.in_force),
    )


def candidates(
    now: Situation, schedule: Schedule, planned: InverterCommand
) -> tuple[InverterCommand, ...]:
    """Everything worth pricing for the first slot, each once, what is planned first."""
    house, outlook = now.house, now.outlook
    carried = None if now.in_force is None else carried_on(outlook, schedule, 0, now.in_force.mode)
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
    wished = (each for each in others if not now.wishes.forbid(each.mode, rate))
    every = dict.fromkeys((planned, *wished))
    return tuple(each for each in every if can_be_told(house, each))


def _can_be_done(now: Situation, command: InverterCommand) -> bool:
    """An empty battery is not told to discharge (dispatch), so that sells no sun either."""
    is_empty = now.soc_kwh <= now.house.battery.reserve_kwh + REACHED_KWH
    return not (is_empty and command.mode is Mode.FORCE_DISCHARGE)


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
    now: Situation, optimum: Optimum, commands: Sequence[InverterCommand]
) -> dict[InverterCommand, Schedule]:
    """The best that can follow each command, solved, not estimated; without those that cannot be.

    To be asked before another program is solved.
    """
    found = {
        command: optimum.schedule_if(flows_under(now.house, command, now.outlook, 0, now.soc_kwh))
        for command in commands
    }
    return {command: schedule for command, schedule in found.items() if schedule is not None}


def _schedules_after_all(
    now: Situation,
    optimum: Optimum,
    planned: InverterCommand,
    commands: Sequence[InverterCommand],
) -> dict[InverterCommand, Schedule]:
    """The planned command stands even where rounding made its own program refuse it."""
    after = schedules_after(now, optimum, commands)
    after.setdefault(planned, optimum.schedule)
    return after


def _on_average(
    now: Situation, worth: Worth, commands: Sequence[InverterCommand]
) -> tuple[Alternative, ...]:
    """The best command of each mode, by what it costs on average over the futures [p].

    Another power than the one in force must save something, too.
    """
    costs_p = {each: worth.expected_cost_p(each, now.soc_kwh) for each in dict.fromkeys(commands)}
    price_p = _POWER_SHARE * now.switching_price_p

    def with_change_p(command: InverterCommand) -> float:
        return costs_p[command] + price_p * (command != now.in_force)

    best = {
        (each.mode, each == PAUSE): each
        for each in sorted(costs_p, key=with_change_p, reverse=True)
    }
    return priced({each: costs_p[each] for each in best.values()})


def _changes_to_come_p(
    now: Situation, inputs: ProgramInputs, commands: Sequence[InverterCommand]
) -> dict[InverterCommand, float]:
    """C20: what later changes of mode cost after each command where all is certain [p].

    The program knows of no modes, and the grid of `worth` is coarse: so only what the price
    of changing adds there is taken from it.
    """
    outlook = now.outlook
    certain = Future(weight=1.0, load_kwh=outlook.load_kwh, solar_kwh=outlook.solar_kwh)
    world = replace(outlook, futures=(certain,))
    with_price, without = (
        Worth(now.house, world, inputs, price_p, now.wishes)
        for price_p in (now.switching_price_p, 0.0)
    )
    soc_kwh = float(inputs.start_soc_kwh[0])
    return {
        each: with_price.expected_cost_p(each, soc_kwh) - without.expected_cost_p(each, soc_kwh)
        for each in commands
    }


def priced(costs_p: Mapping[InverterCommand, float]) -> tuple[Alternative, ...]:
    """Commands with what each costs more than the best of them [p], cheapest first."""
    best_p = min(costs_p.values())
    return tuple(
        Alternative(command=command, extra_cost_p=cost_p - best_p)
        for command, cost_p in sorted(costs_p.items(), key=lambda item: item[1])
    )


def steadiest(
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
        if total <= min(totals) + _EVEN_P
    ]
    return min(even, key=lambda alternative: _PREFERENCE.index(alternative.command.mode))


def _is_kept(
    alternatives: Sequence[Alternative], chosen: InverterCommand, in_force: InverterCommand | None
) -> bool:
    """Whether the mode in force goes on only because a change would cost more than it gains."""
    if in_force is None or chosen.mode is not in_force.mode:
        return False
    return any(each.command == chosen and each.extra_cost_p > _EVEN_P for each in alternatives)


_PREFERENCE = (
    Mode.SELF_USE,
    Mode.HOLD,
    Mode.FEED_IN,
    Mode.FORCE_CHARGE,
    Mode.FORCE_DISCHARGE,
)
