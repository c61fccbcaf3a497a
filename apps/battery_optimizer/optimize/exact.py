"""C17, C18 and all the others, exactly and at any rates: dynamic programming over stored energy.

What the slots to come cost at least is a piecewise linear function of the energy stored, and that
of one slot more follows from it (`piecewise`). It takes some tens of milliseconds for two days,
always the same; a search over the directions of the doubtful slots took up to seconds where many
are alike, as where export pays more than import all day long.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Final

import numpy as np

from battery_optimizer.errors import SolverFailed
from battery_optimizer.model.flows import Flows
from battery_optimizer.model.house import Battery, PowerLine
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.piecewise import Curve, Limits, Line, least_before
from battery_optimizer.optimize.reading import DUST_KWH
from battery_optimizer.optimize.slot_costs import SlotCosts

_TOLERANCE_P: Final = 1e-6
"""What a curve may be off for having fewer points, each time;"""
_MOST_POINTS: Final = 300
"""more where it has more than these else."""
_GIFT_KWH: Final = 1e-3
"""What a kWh more is worth is told by so much more."""
_SAME_KWH: Final = 1e-12
_NONE: Final = np.empty(0)


class ExactProgram:
    """The least cost of what is to come, by the energy stored at the end of each slot."""

    def __init__(self, battery: Battery, inputs: ProgramInputs) -> None:
        """What each slot costs; nothing is solved yet."""
        self._battery, self._inputs = battery, inputs
        self._slots = SlotCosts(battery, inputs)
        self._curves = self._slots.curves()
        self._low, self._high = self._reach()
        self._after: list[Curve] = []
        self._best: list[float] = []
        """What the best schedule stores: where another comes to the same, it goes on like it."""
        self._off_p = 0.0

    def solve(self, deadline: float = np.inf) -> tuple[Schedule, float]:
        """The best schedule, and its proven distance from the optimum [p].

        SolverFailed where that takes until `deadline`.
        """
        inputs = self._inputs
        after = _at_the_end(inputs).within(self._low[-1], self._high[-1])
        self._after, self._best, self._off_p = [after] * len(inputs.hours), [], 0.0
        for t in reversed(range(len(inputs.hours))):
            after = self._after[t] = self._with_wishes(t, after)
            if t == 0:
                break
            if perf_counter() > deadline:
                raise SolverFailed("out of time")
            drawn = float(inputs.standby_kwh[t])
            low, high = float(self._low[t]) - drawn, float(self._high[t]) - drawn
            before = least_before(after, self._curves[t], self._limits(t), low, high)
            before, off_p = _simplified(before)
            self._off_p += off_p
            after = Curve(before.x + drawn, before.y)
        start = float(inputs.start_soc_kwh[0])
        _, bound_p = self._best_step(0, start)
        stored = self._stored([start])
        self._best = stored.tolist()
        schedule = self._onward(stored)
        return schedule, max(0.0, schedule.objective_p - bound_p + self._off_p)

    def best_after(self, first: Flows) -> Schedule | None:
        """The best schedule whose first slot's flows are these; None where none can follow.

        To be asked once it is solved.
        """
        start = float(self._inputs.start_soc_kwh[0]) - float(self._inputs.standby_kwh[0])
        moved = np.array([first.battery_kwh])
        left = start + float(self._slots.stored_kwh(moved)[0])
        if not self._low[1] - DUST_KWH <= left <= self._high[1] + DUST_KWH:
            return None
        start_kwh = float(self._inputs.start_soc_kwh[0])
        return self._onward(self._stored([start_kwh, left]), moved, np.array([first.lost_kwh]))

    def self_use(self) -> Schedule:
        """What plain self-use does, which is always possible; solved or not."""
        start = float(self._inputs.start_soc_kwh[0])
        wanted = self._slots.stored_kwh(self._inputs.solar_kwh - self._inputs.load_kwh)
        stored = [start]
        for t, gain in enumerate(wanted.tolist()):
            start -= float(self._inputs.standby_kwh[t])
            least, most = self._steps(t, start)
            to_reserve = min(0.0, float(self._inputs.reserve_kwh[t]) - start)
            start += min(max(gain, least, to_reserve), most)
            stored.append(start)
        return self._onward(np.array(stored))

    def _reach(self) -> tuple[Floats, Floats]:
        """Least and most that can be stored at each boundary, shape (n_slots + 1,)."""
        inputs = self._inputs
        floor = inputs.reserve_kwh - inputs.reserve_excess_kwh  # C4
        low, high = np.empty(len(floor) + 1), np.empty(len(floor) + 1)
        low[0] = high[0] = inputs.start_soc_kwh[0]  # C3
        for t, curve in enumerate(self._curves):
            drawn = inputs.standby_kwh[t]
            low[t + 1] = max(floor[t], low[t] - drawn + curve.x[0])
            high[t + 1] = min(inputs.ceiling_kwh[t], high[t] - drawn + curve.x[-1])  # C5
        return low, np.maximum(low, high)

    def _with_wishes(self, slot: int, after: Curve) -> Curve:
        """With what is missing of the reserve and of a target at the slot's end (C4, C22)."""
        inputs = self._inputs
        reserve, target = float(inputs.reserve_kwh[slot]), float(inputs.target_kwh[slot])
        low, high = float(self._low[slot + 1]), float(self._high[slot + 1])
        curve = after.within(low, high, (reserve, target))
        return Curve(curve.x, curve.y + self._missing_p(slot, curve.x))

    def _missing_p(self, slot: int, stored_kwh: Floats) -> Floats:
        inputs = self._inputs
        below_reserve = np.maximum(inputs.reserve_kwh[slot] - stored_kwh, 0.0)
        below_target = np.maximum(inputs.target_kwh[slot] - stored_kwh, 0.0)
        return np.asarray(
            inputs.reserve_price[slot] * below_reserve + inputs.target_price[slot] * below_target
        )

    def _limits(self, slot: int) -> Limits:
        """C8, C9 by what is stored at the slot's start, its own draw taken off."""
        battery = self._battery
        hours, drawn = float(self._inputs.hours[slot]), float(self._inputs.standby_kwh[slot])
        gain, loss = battery.charge_efficiency, 1 / battery.discharge_efficiency

        def line(power: PowerLine, stored_per_kwh: float, sign: float) -> Line:
            # Holds at the middle of the slot: see Battery.most_charge_kwh.
            slope = power.slope_per_hour
            scale = hours * stored_per_kwh / (1 - sign * hours * slope * stored_per_kwh / 2)
            return Line(scale * (power.at_empty_kw + slope * drawn / 2), scale * slope)

        return Limits(
            up=tuple(line(power, gain, 1.0) for power in battery.charge_lines()),
            down=tuple(line(power, loss, -1.0) for power in battery.discharge_lines()),
        )

    def _steps(self, slot: int, start_kwh: float) -> tuple[float, float]:
        """Least and most that stored energy may gain in a slot, its own draw apart."""
        limits, moves = self._limits(slot), self._curves[slot]
        up = [max(0.0, line.at_zero + line.slope * start_kwh) for line in limits.up]
        down = [max(0.0, line.at_zero + line.slope * start_kwh) for line in limits.down]
        least = max(
            float(self._low[slot + 1]) - start_kwh, float(moves.x[0]), -min(down, default=np.inf)
        )
        most = min(
            float(self._high[slot + 1]) - start_kwh, float(moves.x[-1]), min(up, default=np.inf)
        )
        return least, most

    def _best_step(self, slot: int, stored_kwh: float) -> tuple[float, float]:
        """What is best stored by a slot's end, and what all then costs from its start on [p]."""
        after, moves = self._after[slot], self._curves[slot]
        start = stored_kwh - float(self._inputs.standby_kwh[slot])
        least, most = self._steps(slot, start)
        steps = np.minimum(np.maximum(np.append(moves.x, after.x - start), least), most)
        costs = moves.at(steps) + after.at(start + steps)
        best = int(np.argmin(costs))
        return start + float(steps[best]), float(costs[best])

    def _stored(self, first: Sequence[float]) -> Floats:
        """What is best stored at each boundary after these."""
        stored = list(first)
        for t in range(len(first) - 1, len(self._curves)):
            if self._best and abs(stored[-1] - self._best[t]) < _SAME_KWH:
                return np.array(stored[:-1] + self._best[t:])
            stored.append(self._best_step(t, stored[-1])[0])
        return np.array(stored)

    def _onward(self, stored: Floats, moved: Floats = _NONE, lost: Floats = _NONE) -> Schedule:
        """The schedule that stores these energies; what is moved and lost first may be given."""
        gained = np.diff(stored) + self._inputs.standby_kwh
        every_moved = self._slots.moved_kwh(gained)
        every_moved[np.abs(every_moved) < DUST_KWH] = 0.0
        every_moved[: len(moved)] = moved
        every_lost = self._slots.lost_kwh(every_moved)
        every_lost[: len(lost)] = lost
        return self._schedule(every_moved, every_lost, stored)

    def _schedule(self, moved: Floats, lost: Floats, stored: Floats) -> Schedule:
        inputs, flows = self._inputs, self._slots.flows(moved, lost)
        missing = [self._missing_p(t, stored[t + 1]) for t in range(len(moved))]
        short = np.maximum(inputs.reserve_kwh, inputs.target_kwh) - stored[1:]
        at_end = _at_the_end_p(inputs, stored[-1:])
        return Schedule(
            charge_kwh=flows.charge_kwh,
            discharge_kwh=flows.discharge_kwh,
            grid_import_kwh=flows.bought_kwh,
            grid_export_kwh=flows.sold_kwh,
            curtailed_kwh=flows.lost_kwh,
            soc_kwh=stored,
            energy_value_p_per_kwh=self._values(stored[1:])
            if self._after
            else np.zeros_like(moved),
            cost_p=float(flows.bill_p.sum()),
            objective_p=float(flows.cost_p.sum() + np.sum(missing) + at_end[0]),
            shortfall_kwh=float(max(flows.missed_kwh.max(), short.max(), 0.0)),
        )

    def _values(self, stored: Floats) -> Floats:
        """What a kWh more stored at each slot's end would save; at the brim, one less costs."""
        low = np.clip(stored, self._low[1:], self._high[1:])
        high = np.minimum(low + _GIFT_KWH, self._high[1:])
        is_full = high - low < _GIFT_KWH / 2
        low = np.where(is_full, np.maximum(high - _GIFT_KWH, self._low[1:]), low)
        costs = [
            curve.at(ends)
            for curve, ends in zip(self._after, np.stack((low, high), 1), strict=True)
        ]
        saved = np.array([before - after for before, after in costs])
        return np.asarray(saved / np.where(high > low, high - low, np.inf))


def _simplified(curve: Curve) -> tuple[Curve, float]:
    """A curve of not too many points, and how far off it is at most [p]."""
    tolerance_p = _TOLERANCE_P
    simple, off_p = curve.simplified(tolerance_p)
    while len(simple.x) > _MOST_POINTS:
        tolerance_p *= 4
        simple, off_p = curve.simplified(tolerance_p)
    return simple, off_p


def _at_the_end(inputs: ProgramInputs) -> Curve:
    """C21, negative: what stored energy is worth at the end, anywhere."""
    intercepts, slopes = inputs.terminal_intercept_p, inputs.terminal_slope_p_per_kwh
    apart = np.subtract.outer(slopes, slopes)
    meet = np.subtract.outer(intercepts, intercepts).T[apart != 0] / apart[apart != 0]
    most = 2 * float(inputs.ceiling_kwh.max()) + 1.0
    x = np.unique(np.concatenate((meet[(meet > -most) & (meet < most)], [-most, most])))
    return Curve(x, _at_the_end_p(inputs, x))


def _at_the_end_p(inputs: ProgramInputs, stored_kwh: Floats) -> Floats:
    lines = inputs.terminal_intercept_p + np.multiply.outer(
        stored_kwh, inputs.terminal_slope_p_per_kwh
    )
    return np.asarray(-lines.min(axis=1))
