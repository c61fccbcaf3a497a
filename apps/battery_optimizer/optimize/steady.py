"""C20: later slots of a plan without changes of mode that gain less than they cost.

The program knows of no modes, so its schedule may sell a little here and charge a little there for
next to nothing, which would never be done when the time comes: then the price of a change counts.
What is decided for now does not depend on this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Flows, InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.optimize.mapping import flows_under

Played = tuple[InverterCommand, Flows, float]
"""A slot's command, what then flows, and what is stored at its end [kWh]."""

_SAME_KWH: Final = 1e-6
_LONGEST_H: Final = 2.0
"""What is done for longer than this is no flutter."""


def steadied(
    house: House, outlook: Outlook, played: Sequence[Played], price_p: float
) -> list[Played]:
    """The slots with each run of a mode given up that a mode beside it does as well, or nearly.

    Nearly is what the changes saved are worth at `price_p` each. The first slot stays as it is.
    """
    done = list(played)
    first = 1
    while (run := _next_run(done, first)) is not None:
        is_short = float(outlook.horizon.hours[run.start : run.stop].sum()) <= _LONGEST_H
        better = _without(house, outlook, done, run, price_p) if is_short else None
        if better is None:
            first = run.stop
        else:
            done = better
            # What stands before may go on into what comes now.
            first = max(1, run.start - 1)
    return done


def _next_run(played: Sequence[Played], first: int) -> range | None:
    """The next slots of one mode, other than before, that do not reach into slot 0."""
    modes = [command.mode for command, _, _ in played]
    for start in range(first, len(modes)):
        if modes[start] is not modes[start - 1]:
            stop = start + 1
            while stop < len(modes) and modes[stop] is modes[start]:
                stop += 1
            return range(start, stop)
    return None


def _without(
    house: House, outlook: Outlook, played: list[Played], run: range, price_p: float
) -> list[Played] | None:
    """The plan with another mode in these slots, if that is worth it."""
    before = played[run.start - 1][0]
    after = played[run.stop][0] if run.stop < len(played) else before
    saved = 2 if before.mode is after.mode else 1
    ways = [
        _replayed(house, outlook, played, run, command)
        for command in dict.fromkeys(_plain((before, after)))
    ]
    changed, extra_p = min(ways, key=lambda way: way[1], default=(None, 0.0))
    return changed if extra_p <= price_p * saved else None


def _plain(commands: Sequence[InverterCommand]) -> Iterator[InverterCommand]:
    for each in commands:
        if not each.mode.is_forced:
            yield InverterCommand(mode=each.mode, curtail=each.curtail)


def _replayed(
    house: House, outlook: Outlook, played: list[Played], run: range, command: InverterCommand
) -> tuple[list[Played], float]:
    """The plan with this command in a run, and what that costs more in all [p].

    All later slots keep theirs, a forced power lowered to what is then there, or taken.
    """
    battery = house.battery
    done, soc_kwh = list(played), played[run.start - 1][2]
    extra_p = 0.0
    for t in range(run.start, len(played)):
        told = command if t in run else played[t][0]
        given = flows_under(house, told, outlook, t, soc_kwh)
        hours = float(outlook.horizon.hours[t])
        soc_kwh = battery.soc_after(
            soc_kwh - battery.standby_kw * hours, given.charge_kwh, given.discharge_kwh
        )
        if told.mode.is_forced:
            told = replace(told, power_kw=max(given.charge_kwh, given.discharge_kwh) / hours)
        done[t] = (told, given, soc_kwh)
        extra_p += _cost_p(house, outlook, t, given) - _cost_p(house, outlook, t, played[t][1])
        if t not in run and abs(soc_kwh - played[t][2]) < _SAME_KWH:
            return done, extra_p
    left = outlook.terminal_value
    return done, extra_p + left.of(played[-1][2]) - left.of(soc_kwh)


def _cost_p(house: House, outlook: Outlook, slot: int, given: Flows) -> float:
    return (
        float(outlook.import_rate[slot]) * given.grid_import_kwh
        - float(outlook.export_rate[slot]) * given.grid_export_kwh
        + house.battery.wear_p_per_kwh * given.discharge_kwh
    )
