"""C20: later slots of a plan without changes of mode that gain less than they cost.

The program knows of no modes, so its schedule may sell a little here and charge a little there for
next to nothing, which would never be done when the time comes: then the price of a change counts.
What is decided for now does not depend on this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from battery_optimizer.model.flows import Flows, flows, stored_after
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook

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
    ahead, done = _Ahead(house, outlook), list(played)
    first = 1
    while (run := _next_run(done, first)) is not None:
        is_short = sum(ahead.hours[run.start : run.stop]) <= _LONGEST_H
        better = _without(ahead, done, run, price_p) if is_short else None
        if better is None:
            first = run.stop
        else:
            done = better
            # What stands before may go on into what comes now.
            first = max(1, run.start - 1)
    return done


class _Ahead:
    """What is expected, slot by slot: lists, where an array is slow."""

    def __init__(self, house: House, outlook: Outlook) -> None:
        self.house = house
        self.value = outlook.terminal_value
        self.hours: list[float] = outlook.horizon.hours.tolist()
        self._load_kwh: list[float] = outlook.load_kwh.tolist()
        self._solar_kwh: list[float] = outlook.solar_kwh.tolist()
        self._import_rate: list[float] = outlook.import_rate.tolist()
        self._export_rate: list[float] = outlook.export_rate.tolist()

    def play(self, command: InverterCommand, slot: int, soc_kwh: float) -> Played:
        """What a command gives in a slot, its forced power lowered to what there is, or room."""
        hours = self.hours[slot]
        given = flows(
            self.house,
            command,
            soc_kwh=soc_kwh,
            load_kwh=self._load_kwh[slot],
            solar_kwh=self._solar_kwh[slot],
            hours=hours,
        )
        if command.mode.is_forced:
            power_kw = max(given.charge_kwh, given.discharge_kwh) / hours
            command = replace(command, power_kw=power_kw)
        return command, given, stored_after(self.house.battery, soc_kwh, given, hours)

    def cost_p(self, given: Flows, slot: int) -> float:
        """What these flows cost, wear included [p]."""
        bill_p = given.bill_p(self._import_rate[slot], self._export_rate[slot])
        return bill_p + self.house.battery.wear_p_per_kwh * given.discharge_kwh


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
    ahead: _Ahead, played: list[Played], run: range, price_p: float
) -> list[Played] | None:
    """The plan with another mode in these slots, if that is worth it."""
    before = played[run.start - 1][0]
    after = played[run.stop][0] if run.stop < len(played) else before
    saved = 2 if before.mode is after.mode else 1
    ways = [
        _replayed(ahead, played, run, command) for command in dict.fromkeys(_plain((before, after)))
    ]
    changed, extra_p = min(ways, key=lambda way: way[1], default=(None, 0.0))
    return changed if extra_p <= price_p * saved else None


def _plain(commands: Sequence[InverterCommand]) -> Iterator[InverterCommand]:
    for each in commands:
        if not each.mode.is_forced:
            yield InverterCommand(mode=each.mode, curtail=each.curtail)


def _replayed(
    ahead: _Ahead, played: list[Played], run: range, command: InverterCommand
) -> tuple[list[Played], float]:
    """The plan with this command in a run, all later slots as told, and what it costs more [p]."""
    done, soc_kwh = list(played), played[run.start - 1][2]
    extra_p = 0.0
    for t in range(run.start, len(played)):
        told, was, was_kwh = played[t]
        done[t] = ahead.play(command if t in run else told, t, soc_kwh)
        _, given, soc_kwh = done[t]
        extra_p += ahead.cost_p(given, t) - ahead.cost_p(was, t)
        if t not in run and abs(soc_kwh - was_kwh) < _SAME_KWH:
            return done, extra_p
    return done, extra_p + ahead.value.of(played[-1][2]) - ahead.value.of(soc_kwh)
