"""C28: what each command would cost on average over the ways that load and sun may turn out.

A plan knows what will come in its future; a house does not, and what it sells too early it buys
back at the evening's price. So here each later slot's mode is chosen knowing only its past:
dynamic programming, backward over the slots, on a grid of stored energy.

The state between two slots is the energy stored, the mode in force (a change has its price, C20)
and the level: whether load and sun run as in the short, the usual or the ample future. A level
lasts for some hours and then gives way to any of them by their weights. Within a slot the load
comes in bursts besides, which the modes that follow the load meet as they come.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

import numpy as np

from battery_optimizer.model.flows import Flows, flows, stored_after
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import BURST_WEIGHTS, Outlook
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.moves import (
    Ends,
    Moves,
    cell_kwh,
    soc_grid_kwh,
    wear_p_per_kwh,
)
from battery_optimizer.optimize.stages import MODES, Choices, Stages, levels

_LEVEL_HOURS: Final = 4.0
"""In so many hours all but 1/e of the levels have given way."""

_NEVER_P: Final = 1e6
_SURELY_P: Final = 0.2
"""More than a change of mode is worth, over what is missing of a reserve."""


class Worth:
    """What commands cost now and, by what they leave stored, later."""

    def __init__(
        self,
        house: House,
        outlook: Outlook,
        inputs: ProgramInputs,
        switching_price_p: float,
        wishes: Wishes = NO_WISHES,
    ) -> None:
        """Go backward from the end of the horizon to the end of its first slot."""
        battery = house.battery
        self._house = house
        self._weights = np.array([future.weight for future in outlook.futures])
        soc_kwh = soc_grid_kwh(battery)
        self._cell_kwh = cell_kwh(soc_kwh)
        to_go = np.empty((len(self._weights), len(MODES), len(soc_kwh)))
        to_go[...] = -outlook.terminal_value.of_each(soc_kwh)
        stages = Stages.of(outlook, inputs, wishes)
        if len(stages.hours):
            to_go = self._back_from(to_go, stages, wishes, switching_price_p)
        self._to_go = to_go.tolist()
        self._missing_p = _missing_p_per_kwh(battery, outlook)
        self._first = _FirstSlot.of(outlook, inputs)
        # A forecast starts from what is usual now.
        usual = self._weights * [outlook.expects(each) for each in outlook.futures]
        start = usual / usual.sum() if usual.any() else self._weights
        chances = (start @ self._chances(self._first.hours)).tolist()
        load_kwh, solar_kwh = levels(outlook)
        self._cases = [
            (level, chances[level] * weight, float(load_kwh[level, burst, 0]), solar)
            for level, solar in enumerate(solar_kwh[:, 0].tolist())
            for burst, weight in enumerate(BURST_WEIGHTS.tolist())
        ]

    def expected_cost_p(self, command: InverterCommand, soc_kwh: float) -> float:
        """What follows from a command in the first slot, from this stored energy [kWh], on average.

        The bill, less what is left at the end, and later changes of mode; not a change now.
        """
        battery, hours = self._house.battery, self._first.hours
        row = MODES.index(command.mode)
        total_p = 0.0
        for level, chance, load_kwh, solar_kwh in self._cases:
            given = flows(
                self._house,
                command,
                soc_kwh=soc_kwh,
                load_kwh=load_kwh,
                solar_kwh=solar_kwh,
                hours=hours,
            )
            left_kwh = stored_after(battery, soc_kwh, given, hours)
            later_p = self._at(self._to_go[level][row], left_kwh)
            total_p += chance * (self._now_p(given, left_kwh) + later_p)
        return total_p

    def _now_p(self, given: Flows, left_kwh: float) -> float:
        """What the first slot costs in itself [p]."""
        first = self._first
        house_kwh = given.grid_import_kwh - given.charge_kwh
        over_kwh = given.grid_import_kwh - max(house_kwh, first.import_limit_kwh)
        return (
            given.bill_p(first.import_rate, first.export_rate)
            + wear_p_per_kwh(self._house.battery) * given.discharge_kwh
            + first.fuse_price * max(over_kwh, 0.0)
            + first.target_price * max(first.target_kwh - left_kwh, 0.0)
        )

    def _back_from(
        self, to_go: Floats, stages: Stages, wishes: Wishes, switching_price_p: float
    ) -> Floats:
        """Least expected cost from the first stage on [p], from that after the last.

        Shape (n_levels, n_modes, n_soc); the mode is the one in force before.
        """
        choices = Choices.of(self._house, stages, wishes)
        to_go = to_go[:, choices.modes]
        for some in stages.alike():
            moves = Moves(self._house, stages.part(some), choices)
            moves.bills_p += np.where(choices.allowed[some], 0.0, _NEVER_P)[:, None, :, None]
            to_go = self._through(moves, choices, to_go, switching_price_p)
        # A mode that the inverter does not know is left for the best other one.
        every = np.repeat(to_go.min(axis=1, keepdims=True) + switching_price_p, len(MODES), axis=1)
        every[:, choices.modes] = to_go
        return every

    def _through(
        self, moves: Moves, choices: Choices, to_go: Floats, switching_price_p: float
    ) -> Floats:
        """Back from the end of stages of equal length to their start [p]."""
        n, heads, rows = choices.n_following, choices.heads, choices.rows
        others = [each for each in range(len(rows)) if not heads.start <= each < heads.stop]
        n_levels, n_modes, n_soc = to_go.shape
        first_cell = n_soc * (n_modes * np.arange(n_levels)[:, None] + rows)[..., None]
        followed = moves.followed.shifted(first_cell[:, :n])
        forced = moves.forced.shifted(first_cell[:, n:])
        chances = self._chances(moves.hours)
        steps = np.zeros_like(to_go)
        for stage in reversed(range(len(moves.bills_p))):
            np.subtract(to_go[..., 1:], to_go[..., :-1], out=steps[..., :-1])
            cost_p = moves.bills_p[stage]
            cost_p[:, :n] += _on_average(to_go, steps, followed.of_stage(stage))
            cost_p[:, n:] += _on_average(to_go, steps, forced.of_stage(stage))
            cost_p = (chances @ cost_p.reshape(n_levels, -1)).reshape(cost_p.shape)
            best = cost_p[:, heads]
            for each in others:
                of_mode = best[:, rows[each]]
                np.minimum(of_mode, cost_p[:, each], out=of_mode)
            to_go = np.minimum(best, best.min(axis=1, keepdims=True) + switching_price_p)
        return to_go

    def _chances(self, hours: float) -> Floats:
        """How likely each level (column) is to run in a slot, by the level before it (row)."""
        stays = np.exp(-hours / _LEVEL_HOURS)
        return np.asarray(stays * np.eye(len(self._weights)) + (1 - stays) * self._weights)

    def _at(self, to_go: list[float], soc_kwh: float) -> float:
        """`to_go` of one mode and level at this stored energy; above the grid as at its end."""
        cell = (soc_kwh - self._house.battery.reserve_kwh) / self._cell_kwh
        first = min(max(int(cell), 0), len(to_go) - 2)
        step_p = to_go[first + 1] - to_go[first]
        if cell < 0:
            step_p = min(step_p, -self._missing_p * self._cell_kwh)
        return to_go[first] + (cell - first) * step_p


def _missing_p_per_kwh(battery: Battery, outlook: Outlook) -> float:
    """What a kWh below the reserve is worth at least: what it costs to buy on average in a day.

    It is never used, so no bill tells its worth. So the reserve is filled up as soon as it costs no
    more than that, at a rate that is always the same at once.
    """
    of_a_day = outlook.import_rate[: round(timedelta(days=1) / outlook.horizon.step)]
    return float(of_a_day.mean()) / battery.charge_efficiency + _SURELY_P


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirstSlot:
    """What the first slot is like; plain numbers, for each command is priced by them."""

    hours: float
    import_rate: float
    export_rate: float
    import_limit_kwh: float
    fuse_price: float
    target_kwh: float
    target_price: float

    @classmethod
    def of(cls, outlook: Outlook, inputs: ProgramInputs) -> Self:
        return cls(
            hours=float(outlook.horizon.hours[0]),
            import_rate=float(outlook.import_rate[0]),
            export_rate=float(outlook.export_rate[0]),
            import_limit_kwh=float(inputs.import_limit_kwh[0]),
            fuse_price=float(inputs.fuse_price[0]),
            target_kwh=float(inputs.target_kwh[0]),
            target_price=float(inputs.target_price[0]),
        )


def _on_average(to_go: Floats, steps: Floats, ends: Ends) -> Floats:
    """`to_go` [p] where a stage ends, by the steps from each point to the next.

    On average over the bursts, the first of all axes, where the end depends on them.
    """
    values = steps.take(ends.cell)
    values *= ends.part
    values += to_go.take(ends.cell)
    if values.ndim == to_go.ndim:
        return values
    mean_p = BURST_WEIGHTS @ values.reshape(len(values), -1)
    return np.asarray(mean_p.reshape(values.shape[1:]))
