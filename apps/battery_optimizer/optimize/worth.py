"""C28: what each command would cost on average over the ways that load and sun may turn out.

A plan knows what will come in its future; a house does not, and what it sells too early it buys
back at the evening's price. So here each later slot's mode is chosen knowing only its past:
dynamic programming, backward over the slots, on a grid of stored energy.

The state between two slots is the energy stored, the mode in force (a change has its price, C20)
and the level: whether load and sun run as in the short, the usual or the ample future. A level
lasts for some hours and then gives way to any of them by their weights. Within a slot the load
comes in bursts besides, which the modes that follow the load meet as they come.
"""

from functools import cache, partial
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import Flows, InverterCommand, Mode, flows
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.inputs import ORDER_P_PER_KWH, ProgramInputs
from battery_optimizer.optimize.stages import (
    BURST_WEIGHTS,
    MODES,
    Choice,
    Stages,
    choices,
    levels,
)

Indices = npt.NDArray[np.intp]

_N_SOC: Final = 40
"""Points of the grid of stored energy."""

_LEVEL_HOURS: Final = 4.0
"""In so many hours all but 1/e of the levels have given way."""

_BLOCK: Final = 8
"""Slots prepared together: few calls, and arrays that a small processor's cache holds."""

_NEVER_P: Final = 1e6


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
        self._house, self._outlook, self._inputs = house, outlook, inputs
        self._wear_p_per_kwh = battery.wear_p_per_kwh + ORDER_P_PER_KWH
        self._weights = np.array([future.weight for future in outlook.futures])
        self._soc_kwh = np.linspace(battery.reserve_kwh, battery.ceiling_kwh, _N_SOC)
        self._cell_kwh = max(float(self._soc_kwh[1] - self._soc_kwh[0]), 1e-9)
        self._limits = cache(partial(_limits, battery, self._soc_kwh))
        to_go = np.empty((len(MODES), len(self._weights), _N_SOC))
        to_go[...] = [-outlook.terminal_value.of(soc) for soc in self._soc_kwh]
        stages = Stages.of(outlook, inputs, wishes)
        if len(stages.hours):
            to_go = self._back_from(to_go, stages, wishes, switching_price_p)
        self._to_go = to_go
        self._load_kwh, self._solar_kwh = levels(outlook)
        # A forecast starts from what is usual now.
        usual = self._weights * [outlook.expects(each) for each in outlook.futures]
        start = usual / usual.sum() if usual.any() else self._weights
        self._chances_now = start @ self._chances(float(outlook.horizon.hours[0]))

    def expected_cost_p(self, command: InverterCommand, soc_kwh: float) -> float:
        """What follows from a command in the first slot, from this stored energy [kWh], on average.

        The bill, less what is left at the end, and later changes of mode; not a change now.
        """
        battery = self._house.battery
        hours = float(self._outlook.horizon.hours[0])
        to_go = self._to_go[MODES.index(command.mode)]
        total_p = 0.0
        for level, chance in enumerate(self._chances_now.tolist()):
            for burst, weight in enumerate(BURST_WEIGHTS.tolist()):
                given = flows(
                    self._house,
                    command,
                    soc_kwh=soc_kwh,
                    load_kwh=float(self._load_kwh[level, burst, 0]),
                    solar_kwh=float(self._solar_kwh[level, 0]),
                    hours=hours,
                )
                left_kwh = battery.soc_after(
                    soc_kwh - battery.standby_kw * hours, given.charge_kwh, given.discharge_kwh
                )
                later_p = self._interpolated(to_go[level], left_kwh)
                total_p += chance * weight * (self._now_p(given, left_kwh) + later_p)
        return total_p

    def _now_p(self, given: Flows, left_kwh: float) -> float:
        """What the first slot costs in itself [p]."""
        outlook, inputs = self._outlook, self._inputs
        house_kwh = given.grid_import_kwh - given.charge_kwh
        over_kwh = given.grid_import_kwh - max(house_kwh, float(inputs.import_limit_kwh[0]))
        return (
            float(outlook.import_rate[0]) * given.grid_import_kwh
            - float(outlook.export_rate[0]) * given.grid_export_kwh
            + self._wear_p_per_kwh * given.discharge_kwh
            + float(inputs.fuse_price[0]) * max(over_kwh, 0.0)
            + float(inputs.target_price[0]) * max(float(inputs.target_kwh[0]) - left_kwh, 0.0)
        )

    def _back_from(
        self, to_go: Floats, stages: Stages, wishes: Wishes, switching_price_p: float
    ) -> Floats:
        """Least expected cost from the first stage on [p], from that after the last.

        Shape (n_modes, n_levels, n_soc); the mode is the one in force before.
        """
        options, allowed = choices(self._house, stages, wishes)
        rows = np.array([option.row for option in options])
        present, first = np.unique(rows, return_index=True)
        table = rows[:, None] * len(self._weights) + np.arange(len(self._weights))
        first_cell = _N_SOC * table[:, :, None, None]
        # What follows the load comes first; what is forced moves the same on any level and burst.
        n_following = sum(option.power_kw is None for option in options)
        groups = slice(n_following), slice(n_following, None)
        chances = cache(self._chances)
        best, steps = np.full_like(to_go, _NEVER_P), np.zeros_like(to_go)
        for start in reversed(range(0, len(stages.hours), _BLOCK)):
            block = stages.between(start, start + _BLOCK)
            moved_kwh = (
                self._followed_kwh(block, options[:n_following]),
                self._forced_kwh(block, options[n_following:]),
            )
            bills_p = [
                self._bills_p(block, options[group], moved)
                for group, moved in zip(groups, moved_kwh, strict=True)
            ]
            now_p = np.concatenate(bills_p, axis=1)
            now_p += np.where(allowed[start : start + _BLOCK], 0.0, _NEVER_P)[:, :, None, None]
            ends = [self._cells(block, moved) for moved in moved_kwh]
            cells = [
                cell + first_cell[group] for group, (cell, _) in zip(groups, ends, strict=True)
            ]
            parts = [part for _, part in ends]
            for stage in reversed(range(len(block.hours))):
                np.subtract(to_go[..., 1:], to_go[..., :-1], out=steps[..., :-1])
                later_p = [
                    to_go.take(cell[stage]) + part[stage] * steps.take(cell[stage])
                    for cell, part in zip(cells, parts, strict=True)
                ]
                mean_p = np.concatenate((BURST_WEIGHTS @ later_p[0], later_p[1][:, :, 0]))
                cost_p = chances(block.hours[stage]) @ (now_p[stage] + mean_p)
                best[present] = np.minimum.reduceat(cost_p, first)
                to_go = np.minimum(best, best.min(axis=0) + switching_price_p)
        return to_go

    def _followed_kwh(self, stages: Stages, options: tuple[Choice, ...]) -> Floats:
        """What the battery takes in the modes that follow the load, AC side, discharge negative.

        Shape (n_stages, n_choices, n_levels, n_bursts, n_soc), as of all that follows.
        """
        most_charge, most_discharge, rating = self._most(stages)
        load, sun = stages.load_kwh[..., None], stages.solar_kwh[:, :, None, None]
        moved: dict[tuple[Mode, bool], Floats] = {}
        for is_dark in {option.dark for option in options}:
            solar = np.zeros_like(sun) if is_dark else sun
            net = load - solar
            gives = np.minimum(most_discharge, np.maximum(rating - solar, 0.0))
            served = np.minimum(np.maximum(net, 0.0), gives)
            stored = np.minimum(np.maximum(-net, 0.0), most_charge)
            moved |= {
                (Mode.SELF_USE, is_dark): stored - served,
                (Mode.HOLD, is_dark): stored,
                (Mode.FEED_IN, is_dark): -served,
            }
        return np.stack([moved[option.mode, option.dark] for option in options], axis=1)

    def _forced_kwh(self, stages: Stages, options: tuple[Choice, ...]) -> Floats:
        """The same in the forced modes; n_levels and n_bursts are 1."""
        most_charge, most_discharge, rating = self._most(stages)
        powers = np.array([option.power_kw for option in options], dtype=float)
        wanted = (powers * stages.hours[:, None])[:, :, None, None, None]
        gives = np.minimum(most_discharge, rating)[:, None]
        return np.minimum(np.maximum(wanted, -gives), most_charge[:, None])

    def _most(self, stages: Stages) -> tuple[Floats, Floats, Floats]:
        """Most charge, most discharge, and the inverter's rating [kWh].

        Shape (n_stages, 1, 1, n_soc), the rating's n_soc is 1.
        """
        most = np.array([self._limits(hours) for hours in stages.hours.tolist()])[:, :, None, None]
        rating = (self._house.inverter.ac_limit_kw * stages.hours)[:, None, None, None]
        return most[:, 0], most[:, 1], rating

    def _bills_p(self, stages: Stages, options: tuple[Choice, ...], moved_kwh: Floats) -> Floats:
        """What each stage costs in itself on average over the bursts [p], without n_bursts."""
        grid, inverter = self._house.grid, self._house.inverter

        def by_stage(values: Floats) -> Floats:
            return values[:, None, None, None, None]

        lit = np.array([float(not option.dark) for option in options])
        sun = (stages.solar_kwh[:, None, :] * lit[:, None])[..., None, None]
        load = stages.load_kwh[:, None, :, :, None]
        passed = np.minimum(sun, by_stage(inverter.ac_limit_kw * stages.hours) + moved_kwh)
        at_meter = load + (moved_kwh - passed)
        # All at the export rate, which sells no more than the limit, and what is bought dearer.
        cost_p = np.maximum(at_meter, by_stage(-grid.export_limit_kw * stages.hours))
        cost_p *= by_stage(stages.export_rate)
        dearer = stages.import_rate - stages.export_rate
        cost_p += by_stage(dearer) * np.maximum(at_meter, 0.0)
        cost_p -= self._wear_p_per_kwh * np.minimum(moved_kwh, 0.0)
        fuse_kwh = by_stage(grid.import_limit_kw * stages.hours)
        if at_meter.size and at_meter.max() > fuse_kwh.min():
            over_kwh = np.maximum(at_meter - np.maximum(load, fuse_kwh), 0.0)
            cost_p += by_stage(stages.fuse_price) * over_kwh
        if stages.target_price.any():
            missing_kwh = by_stage(stages.target_kwh) - self._end_kwh(stages, moved_kwh)
            cost_p += by_stage(stages.target_price) * np.maximum(missing_kwh, 0.0)
        return np.asarray(BURST_WEIGHTS @ cost_p)

    def _cells(self, stages: Stages, moved_kwh: Floats) -> tuple[Indices, Floats]:
        """Between which points of the grid a stage ends: the lower one, and the part beyond it."""
        position = (self._end_kwh(stages, moved_kwh) - self._soc_kwh[0]) / self._cell_kwh
        np.clip(position, 0.0, _N_SOC - 1.0, out=position)
        cell = position.astype(np.intp)
        position -= cell
        return cell, position

    def _end_kwh(self, stages: Stages, moved_kwh: Floats) -> Floats:
        battery = self._house.battery
        stored = np.minimum(
            battery.charge_efficiency * moved_kwh, moved_kwh / battery.discharge_efficiency
        )
        lost = battery.standby_kw * stages.hours
        return np.asarray(stored + (self._soc_kwh - lost[:, None])[:, None, None, None, :])

    def _chances(self, hours: float) -> Floats:
        """How likely each level (column) is to run in a slot, by the level before it (row)."""
        stays = np.exp(-hours / _LEVEL_HOURS)
        return np.asarray(stays * np.eye(len(self._weights)) + (1 - stays) * self._weights)

    def _interpolated(self, to_go: Floats, soc_kwh: float) -> float:
        """`to_go` of one mode and level at this stored energy; beyond the grid as at its ends."""
        cell = (soc_kwh - float(self._soc_kwh[0])) / self._cell_kwh
        first = min(max(int(cell), 0), _N_SOC - 2)
        return float(to_go[first] + (cell - first) * (to_go[first + 1] - to_go[first]))


def _limits(battery: Battery, soc_kwh: Floats, hours: float) -> tuple[Floats, Floats]:
    """Most that the battery can take, and give, in so long [kWh], AC side, shape (n_soc,) each."""
    room = np.maximum(battery.ceiling_kwh - soc_kwh, 0.0) / battery.charge_efficiency
    stored = (soc_kwh - battery.reserve_kwh) * battery.discharge_efficiency
    return (
        np.minimum([battery.most_charge_kwh(soc, hours) for soc in soc_kwh.tolist()], room),
        np.minimum([battery.most_discharge_kwh(soc, hours) for soc in soc_kwh.tolist()], stored),
    )
