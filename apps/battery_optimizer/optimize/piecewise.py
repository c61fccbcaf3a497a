"""Continuous piecewise linear functions, and one step of dynamic programming with them.

They need not be convex. So the least cost of all slots to come, as a function of the energy stored
now, is found exactly, whatever the rates: no grid of stored energy, and no search over directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np

from battery_optimizer.model.slots import Bools, Floats

_SAME_X: Final = 1e-9
_SAME_Y: Final = 1e-10
_SAME_SLOPE: Final = 1e-9
_MOST_PIECES: Final = 30
"""More lines never cross within one piece: it ends what rounding might keep going."""


class Line(NamedTuple):
    """A straight line: value = at_zero + slope * x."""

    at_zero: float
    slope: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A function by its points, `x` increasing; between them it is linear."""

    x: Floats
    y: Floats

    def at(self, x: Floats) -> Floats:
        """Its values; beyond its ends those at the ends."""
        return np.interp(x, self.x, self.y)

    @property
    def is_convex(self) -> bool:
        """Whether its slope never falls."""
        return bool((np.diff(np.diff(self.y) / np.diff(self.x)) >= -_SAME_SLOPE).all())

    def within(self, low: float, high: float, kinks: Sequence[float] = ()) -> Self:
        """The part from `low` to `high`, with points also at these kinks."""
        inner = self.x[(self.x > low + _SAME_X) & (self.x < high - _SAME_X)]
        more = [kink for kink in kinks if low + _SAME_X < kink < high - _SAME_X]
        x = _apart(np.sort(np.concatenate((inner, more, [low, high]))))
        return type(self)(x, self.at(x))

    def simplified(self, tolerance: float) -> tuple[Self, float]:
        """With fewer points where they change next to nothing, and how far off that is at most."""
        x, y = self.x, self.y
        while len(x) > 2:  # noqa: PLR2004 (the two ends)
            steps = np.diff(x)
            bends = np.abs(np.diff(np.diff(y) / steps))
            flat = bends * steps[:-1] * steps[1:] < tolerance * (steps[:-1] + steps[1:])
            if not flat.any():
                break
            # Of two neighbours one at a time: without the one, the other may be a bend.
            kept = np.ones(len(x), bool)
            kept[1:-1:2] = ~flat[::2]
            if kept.all():
                kept[2:-1:2] = ~flat[1::2]
            x, y = x[kept], y[kept]
        simple = type(self)(x, y)
        return simple, float(np.abs(simple.at(self.x) - self.y).max())


class Limits(NamedTuple):
    """How far one can move up, and down, from where one is: the least of these lines, each."""

    up: tuple[Line, ...] = ()
    down: tuple[Line, ...] = ()


NO_LIMITS: Final = Limits()


def least_before(after: Curve, moves: Curve, limits: Limits, low: float, high: float) -> Curve:
    """The least of `moves(step) + after(x + step)` over all steps, for x from `low` to `high`.

    To stay where one is must be allowed, and the whole of `low` to `high` be in `after`.
    """
    if limits == NO_LIMITS and after.is_convex and moves.is_convex:
        return _merged(after, moves).within(low, high)
    x = _apart(np.sort(np.concatenate(_bends(after, moves, limits, low, high))))
    ends = _ends(after, moves, limits, x)
    if len(x) == 1:
        return Curve(x, (moves.at(ends - x) + after.at(ends)).min(axis=0))
    return _least(x, *_candidates(after, moves, x, ends))


def _merged(after: Curve, moves: Curve) -> Curve:
    """The same for convex functions, anywhere: their pieces, in the order of their slopes."""
    steps = np.append(np.diff(after.x), np.diff(moves.x))
    slopes = np.append(np.diff(after.y), -np.diff(moves.y)) / steps
    order = np.argsort(slopes, kind="stable")
    rises = slopes[order] * steps[order]
    return Curve(
        np.cumsum(np.append(after.x[0] - moves.x[-1], steps[order])),
        np.cumsum(np.append(after.y[0] + moves.y[-1], rises)),
    )


def _bends(
    after: Curve, moves: Curve, limits: Limits, low: float, high: float
) -> tuple[Floats, ...]:
    """All x at which a way to move on may change its slope, or be possible no more."""
    # `after.x` itself: where a limit is nothing, all stays.
    bends = [np.subtract.outer(after.x, moves.x).ravel(), after.x]
    for sign, lines in ((1.0, limits.up), (-1.0, limits.down)):
        for line in lines:
            # Where the furthest step ends at a point of `after`, or is one of `moves`.
            if abs(1.0 + sign * line.slope) > _SAME_X:
                bends.append((after.x - sign * line.at_zero) / (1.0 + sign * line.slope))
            if line.slope:
                bends.append((np.append(sign * moves.x, 0.0) - line.at_zero) / line.slope)
            bends += [
                np.array([(other.at_zero - line.at_zero) / (line.slope - other.slope)])
                for other in lines
                if other.slope != line.slope
            ]
    inner = np.concatenate(bends)
    return inner[(inner > low + _SAME_X) & (inner < high - _SAME_X)], np.array([low, high])


def _ends(after: Curve, moves: Curve, limits: Limits, x: Floats) -> Floats:
    """Where each of the moves' points leads, as far as that is allowed, shape (n_moves, n_x)."""
    highest, lowest = np.full_like(x, after.x[-1]), np.full_like(x, after.x[0])
    for line in limits.up:
        highest = np.minimum(highest, x + np.maximum(line.at_zero + line.slope * x, 0.0))
    for line in limits.down:
        lowest = np.maximum(lowest, x - np.maximum(line.at_zero + line.slope * x, 0.0))
    return np.minimum(np.maximum(x + moves.x[:, None], lowest), highest)


def _candidates(after: Curve, moves: Curve, x: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """Lines of which the least is sought, by their values at each piece's two ends.

    The least of a sum of two such functions is at a point of one of them: at a point of the moves,
    or where `after`, less what moving on along a piece costs, has a local minimum within it.
    """
    at_points = moves.at(ends - x) + after.at(ends)
    left, right = [at_points[:, :-1]], [at_points[:, 1:]]
    middle = (ends[:, :-1] + ends[:, 1:]) / 2
    slopes = np.diff(moves.y) / np.diff(moves.x)
    tilted = after.y + slopes[:, None] * after.x
    inner = tilted[:, 1:-1]
    is_least = (inner <= tilted[:, :-2]) & (inner <= tilted[:, 2:])
    for piece, slope in enumerate(slopes.tolist()):
        least = np.flatnonzero(is_least[piece]) + 1
        if not len(least):
            continue
        points = after.x[least, None]
        is_reached = (middle[piece] < points) & (points < middle[piece + 1])
        value = np.where(is_reached, tilted[piece, least, None], np.inf).min(axis=0)
        value += moves.y[piece] - slope * moves.x[piece]
        left.append((value - slope * x[:-1])[None])
        right.append((value - slope * x[1:])[None])
    return np.concatenate(left), np.concatenate(right)


def _least(x: Floats, left: Floats, right: Floats) -> Curve:
    """The least of lines, given by their values at both ends of each piece of `x`."""
    y = np.full(len(x), np.inf)
    y[:-1] = left.min(axis=0)
    np.minimum(y[1:], right.min(axis=0), out=y[1:])
    every_x, every_y = [x], [y]
    start, end = x[:-1], x[1:]
    for _ in range(_MOST_PIECES):
        # Where one line is the least at both ends, it is so between them.
        column = np.arange(len(start))
        first, last = left.argmin(axis=0), right.argmin(axis=0)
        above_first = left[last, column] - left[first, column]
        above_last = right[first, column] - right[last, column]
        cross = (above_first > _SAME_Y) & (above_last > _SAME_Y)
        if not cross.any():
            break
        part = above_first[cross] / (above_first[cross] + above_last[cross])
        start, end, left, right = start[cross], end[cross], left[:, cross], right[:, cross]
        there = _between(left, right, part)
        y = there.min(axis=0)
        every_x.append(start + part * (end - start))
        every_y.append(y)
        # A third line may be less where these two cross.
        more = y < there[first[cross], np.arange(len(part))] - _SAME_Y
        halves = every_x[-1][more]
        start, end = np.append(start[more], halves), np.append(halves, end[more])
        left, right = (
            np.append(left[:, more], there[:, more], axis=1),
            np.append(there[:, more], right[:, more], axis=1),
        )
    x, y = np.concatenate(every_x), np.concatenate(every_y)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    kept = _is_apart(x)
    return Curve(x[kept], y[kept])


def _between(left: Floats, right: Floats, part: Floats) -> Floats:
    """Values a part of the way from left to right; infinite where a line is not there."""
    known = np.isfinite(left)
    base = np.where(known, left, 0.0)
    return np.where(known, base + part * (np.where(known, right, 0.0) - base), np.inf)


def _apart(x: Floats) -> Floats:
    """Without points that are as good as the next."""
    return x[_is_apart(x)]


def _is_apart(x: Floats) -> Bools:
    return np.append(np.diff(x) > _SAME_X, True)
