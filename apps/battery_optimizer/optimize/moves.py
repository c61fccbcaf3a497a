"""What each choice moves, costs and leaves stored in stages of one length, for `worth`."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import Bools, Floats
from battery_optimizer.optimize.inputs import ORDER_P_PER_KWH
from battery_optimizer.optimize.stages import Choice, Choices, Stages

Indices = npt.NDArray[np.intp]

_N_SOC: Final = 40
"""Points of the grid of stored energy."""
_N_AXES: Final = 5
"""As in `Moves`."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Between which points of the grid something ends: the lower one, and the part beyond it."""

    cell: Indices
    part: Floats

    def shifted(self, cells: Indices) -> Self:
        """The same in a table, whose rows begin at these cells."""
        return type(self)(self.cell + cells, self.part)

    def of_stage(self, stage: int) -> Self:
        """Those of one stage."""
        is_same_in_all = self.cell.ndim < _N_AXES
        return self if is_same_in_all else type(self)(self.cell[stage], self.part[stage])


class Moves:
    """What may be done in some stages of equal length, all of `Choices`.

    Shapes are (n_stages, n_bursts, n_levels, n_choices, n_soc). Energies that the battery moves
    are of its AC side, discharge negative.
    """

    def __init__(self, house: House, stages: Stages, choices: Choices) -> None:
        self._house, self._stages = house, stages
        self.hours = float(stages.hours[0])
        """Length of each stage [h]."""
        self._load_kwh = stages.load_kwh[..., None, None]
        self._sun_kwh = stages.solar_kwh[:, None, :, None, None]
        self._rating_kwh = house.inverter.ac_limit_kw * self.hours
        following = choices.every[: choices.n_following]
        forced = choices.every[choices.n_following :]
        followed_kwh, forced_kwh = self._followed_kwh(following), self._forced_kwh(forced)
        sellable_kwh = self._load_kwh + house.grid.export_limit_kw * self.hours
        is_held_back = bool(forced_kwh.size) and forced_kwh.min() < -sellable_kwh.min()
        if is_held_back:  # as `flows` does: what the meter does not pass stays in the battery
            forced_kwh = np.maximum(forced_kwh, -sellable_kwh)
        forced_bills_p = self._bills_p if is_held_back else self._forced_bills_p
        bills_p = (
            self._bills_p(followed_kwh, _darkness(following)),
            forced_bills_p(forced_kwh, _darkness(forced)),
        )
        ends_kwh = self._end_kwh(followed_kwh), self._end_kwh(forced_kwh)
        if stages.target_price.any():
            bills_p = (
                bills_p[0] + self._missed_p(ends_kwh[0]),
                bills_p[1] + self._missed_p(ends_kwh[1]),
            )
        self.bills_p = np.concatenate(bills_p, axis=2)
        """What each costs in itself on average over the bursts [p], without n_bursts."""
        self.followed = self._ends(ends_kwh[0])
        """Where what follows the load ends."""
        self.forced = self._ends(ends_kwh[1])
        """Where what is forced does; the same in all stages, bursts and levels, and then without
        these, unless an export limit may hold a discharge back."""

    def _followed_kwh(self, following: tuple[Choice, ...]) -> Floats:
        """What the battery takes in the modes that follow the load."""
        most_charge, most_discharge = _most_kwh(self._house.battery, self.hours)
        load, sun = self._load_kwh[..., 0], self._sun_kwh[..., 0]
        moved: dict[tuple[Mode, bool], Floats] = {}
        for is_dark in {each.dark for each in following}:
            solar = np.zeros_like(sun) if is_dark else sun
            net = load - solar
            gives = np.minimum(most_discharge, np.maximum(self._rating_kwh - solar, 0.0))
            served = np.minimum(np.maximum(net, 0.0), gives)
            stored = np.minimum(np.maximum(-net, 0.0), most_charge)
            moved |= {
                (Mode.SELF_USE, is_dark): stored - served,
                (Mode.HOLD, is_dark): stored,
                (Mode.FEED_IN, is_dark): -served,
            }
        return np.stack([moved[each.mode, each.dark] for each in following], axis=3)

    def _forced_kwh(self, forced: tuple[Choice, ...]) -> Floats:
        """The same in the forced modes, shape (n_choices, n_soc)."""
        most_charge, most_discharge = _most_kwh(self._house.battery, self.hours)
        gives = np.minimum(most_discharge, self._rating_kwh)
        powers = np.array([each.power_kw for each in forced], dtype=float)[:, None]
        return np.minimum(np.maximum(powers * self.hours, -gives), most_charge)

    def _forced_bills_p(self, moved_kwh: Floats, is_dark: Bools) -> Floats:
        """As `_bills_p`: of few energies, for a power is only cut near the battery's ends."""
        energies, which = np.unique(moved_kwh, return_inverse=True)
        darkness = np.unique(is_dark)
        bills_p = self._bills_p(energies, darkness)
        which = which.reshape(moved_kwh.shape)
        which += len(energies) * np.searchsorted(darkness, is_dark)[:, None]
        n_stages, n_levels, *others = bills_p.shape
        return bills_p.reshape(n_stages, n_levels, prod(others)).take(which, axis=2)

    def _bills_p(self, moved_kwh: Floats, is_dark: Bools) -> Floats:
        """What moving so much costs on average over the bursts [p], a missed target apart."""
        grid, stages = self._house.grid, self._stages
        solar = self._sun_kwh * ~is_dark[:, None]
        at_meter = moved_kwh - np.minimum(solar, self._rating_kwh + moved_kwh) + self._load_kwh
        # All at the export rate, which sells no more than the limit, and what is bought dearer.
        dearer = _by_stage(stages.import_rate - stages.export_rate)
        cost_p = dearer * mean(np.maximum(at_meter, 0.0))
        fuse_kwh = grid.import_limit_kw * self.hours
        if at_meter.size and at_meter.max() > fuse_kwh:
            over_kwh = np.maximum(at_meter - np.maximum(self._load_kwh, fuse_kwh), 0.0)
            cost_p += _by_stage(stages.fuse_price) * mean(over_kwh)
        np.maximum(at_meter, -grid.export_limit_kw * self.hours, out=at_meter)
        cost_p += _by_stage(stages.export_rate) * mean(at_meter)
        cost_p -= wear_p_per_kwh(self._house.battery) * mean(np.minimum(moved_kwh, 0.0))
        return cost_p

    def _missed_p(self, end_kwh: Floats) -> Floats:
        """C22: what a missed target costs where a stage ends so [p]."""
        target_kwh = _by_stage(self._stages.target_kwh)[..., None]
        missed_kwh = mean(np.maximum(target_kwh - end_kwh, 0.0))
        return np.asarray(_by_stage(self._stages.target_price) * missed_kwh)

    def _end_kwh(self, moved_kwh: Floats) -> Floats:
        """What is stored at the end of each stage."""
        battery = self._house.battery
        end_kwh = np.minimum(
            battery.charge_efficiency * moved_kwh, moved_kwh / battery.discharge_efficiency
        )
        end_kwh += soc_grid_kwh(battery) - battery.standby_kw * self.hours
        return end_kwh

    def _ends(self, end_kwh: Floats) -> Ends:
        soc_kwh = soc_grid_kwh(self._house.battery)
        position = end_kwh - soc_kwh[0]
        position /= cell_kwh(soc_kwh)
        np.maximum(position, 0.0, out=position)
        np.minimum(position, len(soc_kwh) - 1.0, out=position)
        cell = position.astype(np.intp)
        position -= cell
        return Ends(cell, position)


@lru_cache(maxsize=16)
def soc_grid_kwh(battery: Battery) -> Floats:
    """The stored energies at which costs are known, shape (n_soc,)."""
    return np.linspace(battery.reserve_kwh, battery.ceiling_kwh, _N_SOC)


def cell_kwh(soc_kwh: Floats) -> float:
    """How far the points of the grid are apart."""
    return max(float(soc_kwh[1] - soc_kwh[0]), 1e-9)


def wear_p_per_kwh(battery: Battery) -> float:
    """What giving a kWh costs beside the bill."""
    return battery.wear_p_per_kwh + ORDER_P_PER_KWH


def mean(values: Floats) -> Floats:
    """On average over the bursts, the second of all axes, where all axes are there."""
    if values.ndim < _N_AXES:
        return values
    n_stages, n_bursts, *others = values.shape
    if n_bursts == 1:
        return values[:, 0]
    flat = BURST_WEIGHTS @ values.reshape(n_stages, n_bursts, -1)
    return np.asarray(flat.reshape(n_stages, *others))


def _darkness(choices: tuple[Choice, ...]) -> Bools:
    return np.array([each.dark for each in choices], dtype=bool)


def _by_stage(values: Floats) -> Floats:
    return values[:, None, None, None]


@lru_cache(maxsize=16)
def _most_kwh(battery: Battery, hours: float) -> tuple[Floats, Floats]:
    """Most that the battery can take, and give, in so long [kWh], AC side, shape (n_soc,) each."""
    soc_kwh = soc_grid_kwh(battery)
    room = np.maximum(battery.ceiling_kwh - soc_kwh, 0.0) / battery.charge_efficiency
    stored = (soc_kwh - battery.reserve_kwh) * battery.discharge_efficiency
    return (
        np.minimum([battery.most_charge_kwh(soc, hours) for soc in soc_kwh.tolist()], room),
        np.minimum([battery.most_discharge_kwh(soc, hours) for soc in soc_kwh.tolist()], stored),
    )
