"""What a slot costs by how much the battery stores in it: one number settles all that flows.

With that number given, sun that is lost and what meets at the meter follow, so that C17 and C18
hold by themselves: a meter that runs one way, and a battery that charges or discharges.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from battery_optimizer.model.house import Battery
from battery_optimizer.model.slots import Floats
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.piecewise import Curve

_SAME_KWH = 1e-9
_SAME_P = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFlows:
    """What flows in each slot [kWh], AC side, and what that costs [p]; shape (n_slots,)."""

    charge_kwh: Floats
    discharge_kwh: Floats
    bought_kwh: Floats
    sold_kwh: Floats
    lost_kwh: Floats
    bill_p: Floats
    cost_p: Floats
    """The bill, wear, the order of equal prices, and wishes missed, but those for stored energy."""
    missed_kwh: Floats
    """By how much the fuse or an order cannot be kept."""


class SlotCosts:
    """The program's slots, each for itself. Battery energies are net, discharge negative."""

    def __init__(self, battery: Battery, inputs: ProgramInputs) -> None:
        self._battery, self._inputs = battery, inputs
        self._net = inputs.load_kwh - inputs.solar_kwh
        # More than this of the sun less the battery's charge is clipped (C11) or unsold (C13, C23).
        self._passes = np.minimum(inputs.ac_limit_kwh, inputs.load_kwh + inputs.export_limit_kwh)
        at_will = inputs.lost_at_will_kwh > 0
        # Where the sun cannot be turned down, no discharge makes it be lost (C14, C16).
        least = np.where(at_will, -self._passes, np.minimum(inputs.solar_kwh - self._passes, 0.0))
        self._least = np.maximum(-inputs.discharge_limit_kwh, least)  # C7, C10
        free = inputs.import_limit_kwh + inputs.fuse_excess_kwh - self._net
        # C6, C10, C24, and C12: no charge passes the fuse.
        self._most = np.minimum(inputs.charge_limit_kwh, np.maximum(free, 0.0))
        self._may_pay_to_lose = bool(
            (at_will & ((inputs.import_rate < 0) | (inputs.export_rate < 0))).any()
        )

    def curves(self) -> list[Curve]:
        """The least cost of each slot [p] by the energy it adds to what is stored [kWh]."""
        moved = self._points()
        cost = np.min([self._cost_p(moved, lost) for lost in self._choices(moved)], axis=0)
        stored = self.stored_kwh(moved)
        kept = np.diff(stored, axis=1, prepend=-np.inf) > _SAME_KWH
        return [
            Curve(stored[t, kept[t]], cost[t, kept[t]]).simplified(_SAME_P)[0]
            for t in range(len(stored))
        ]

    def stored_kwh(self, moved_kwh: Floats) -> Floats:
        """C2: what stored energy gains by the battery's net energy."""
        charge, discharge = np.maximum(moved_kwh, 0.0), np.maximum(-moved_kwh, 0.0)
        return self._battery.soc_after(np.zeros_like(moved_kwh), charge, discharge)

    def moved_kwh(self, stored_kwh: Floats) -> Floats:
        """The battery's net energy by what stored energy gains."""
        charge = np.maximum(stored_kwh, 0.0) / self._battery.charge_efficiency
        return charge - np.maximum(-stored_kwh, 0.0) * self._battery.discharge_efficiency

    def lost_kwh(self, moved_kwh: Floats) -> Floats:
        """The sun that is best lost in each slot, shape (n_slots,)."""
        column = moved_kwh[:, None]
        choices = self._choices(column)
        best = np.argmin([self._cost_p(column, lost)[:, 0] for lost in choices], axis=0)
        return np.asarray(np.choose(best, [lost[:, 0] for lost in choices]))

    def flows(self, moved_kwh: Floats, lost_kwh: Floats) -> SlotFlows:
        """All that flows, and its cost."""
        inputs = self._inputs
        meter = self._net + moved_kwh + lost_kwh  # C1, and by it C15
        bought, sold = np.maximum(meter, 0.0), np.maximum(-meter, 0.0)
        order_missed = self._order_missed(moved_kwh) * inputs.is_forced
        missed = np.maximum(bought - inputs.import_limit_kwh, order_missed)
        return SlotFlows(
            charge_kwh=np.maximum(moved_kwh, 0.0),
            discharge_kwh=np.maximum(-moved_kwh, 0.0),
            bought_kwh=bought,
            sold_kwh=sold,
            lost_kwh=lost_kwh,
            bill_p=inputs.import_rate * bought - inputs.export_rate * sold,
            cost_p=self._cost_p(moved_kwh[:, None], lost_kwh[:, None])[:, 0],
            missed_kwh=np.maximum(missed, 0.0),
        )

    def _points(self) -> Floats:
        """Net energies between which each slot's cost is linear, shape (n_slots, n_points)."""
        inputs = self._inputs
        bends = [
            self._least,
            self._most,
            np.zeros_like(self._net),
            -self._net,  # the meter stands still
            inputs.solar_kwh - self._passes,  # sun is lost up to here
            inputs.import_limit_kwh - self._net,
            inputs.charge_wanted_kwh,
            -inputs.discharge_wanted_kwh,
        ]
        if self._may_pay_to_lose:
            # The same with all of the sun lost.
            bends += [-inputs.load_kwh, inputs.import_limit_kwh - inputs.load_kwh]
        points = np.clip(np.stack(bends, axis=1), self._least[:, None], self._most[:, None])
        points.sort(axis=1)
        costs = [self._cost_p(points, lost) for lost in self._choices(points)]
        crossings = [_crossings(points, one - other) for one, other in combinations(costs, 2)]
        return np.sort(np.concatenate([points, *crossings], axis=1), axis=1)

    def _lost_range(self, moved: Floats) -> tuple[Floats, Floats]:
        """C14: the least sun that must be lost, and the most that may."""
        inputs = self._inputs
        least = np.maximum((inputs.solar_kwh - self._passes)[:, None] - moved, 0.0)
        # None of it is turned down to buy more than the fuse lets through.
        room = (inputs.import_limit_kwh - self._net)[:, None] - moved
        at_will = np.minimum(inputs.lost_at_will_kwh[:, None], np.maximum(room, 0.0))
        return least, np.maximum(least, at_will)

    def _choices(self, moved: Floats) -> tuple[Floats, ...]:
        """Amounts of sun to lose, one of which is best.

        As little, or as much, as may be; or so much that the meter stands still.
        """
        least, most = self._lost_range(moved)
        if not self._may_pay_to_lose:
            return (least,)
        return least, np.clip(-self._net[:, None] - moved, least, most), most

    def _cost_p(self, moved: Floats, lost: Floats) -> Floats:
        inputs = self._inputs
        meter = self._net[:, None] + moved + lost
        return np.asarray(
            inputs.import_rate[:, None] * np.maximum(meter, 0.0)
            - inputs.export_rate[:, None] * np.maximum(-meter, 0.0)
            + inputs.charge_cost[:, None] * np.maximum(moved, 0.0)
            + inputs.discharge_cost[:, None] * np.maximum(-moved, 0.0)  # C19
            + inputs.fuse_price[:, None]
            * np.maximum(meter - inputs.import_limit_kwh[:, None], 0.0)  # C12
            + inputs.override_price[:, None] * self._order_missed(moved.T).T  # C25
        )

    def _order_missed(self, moved: Floats) -> Floats:
        """C25: how far an order is missed; slots along the last axis."""
        charge = self._inputs.charge_wanted_kwh - np.maximum(moved, 0.0)
        discharge = self._inputs.discharge_wanted_kwh - np.maximum(-moved, 0.0)
        return np.maximum(np.maximum(charge, discharge), 0.0)


def _crossings(points: Floats, apart: Floats) -> Floats:
    """Where a difference is nothing between two points; else the first of the two."""
    start, end = apart[:, :-1], apart[:, 1:]
    crosses = start * end < 0
    part = np.where(crosses, start / np.where(crosses, start - end, 1.0), 0.0)
    return points[:, :-1] + part * np.diff(points, axis=1)
