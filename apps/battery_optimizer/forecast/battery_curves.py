"""Concave falling curves: through points, with few of them, and read again.

A point is (how far along, share of full power), a curve a tuple of them in rising order.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

MOST_POINTS: Final = 5
HARDLY: Final = 0.02
"""A share this small makes no difference."""

_IN_EARNEST: Final = 0.4
"""Loses 2 % of the power in 5 % of the way."""

Point = tuple[float, float]
Curve = tuple[Point, ...]


def concave(points: Sequence[Point]) -> Curve:
    """The upper hull: no piece rises more steeply than the one before."""
    hull: list[Point] = []
    for point in points:
        if hull and point[0] <= hull[-1][0]:
            continue
        while len(hull) > 1 and slope(hull[-1], point) >= slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(point)
    return tuple(hull)


def with_corner(hull: Curve) -> Curve:
    """With the point where the first falling line, taken back, meets full power."""
    first = next((t for t, (_, share) in enumerate(hull) if share < 1), 0)
    if first == 0 or first + 1 == len(hull):
        return hull
    x, y = hull[first]
    corner = (x + (1 - y) / slope(hull[first], hull[first + 1]), 1.0)
    return concave([*hull[: first - 1], (hull[first - 1][0], 1.0), corner, *hull[first:]])


def simple(hull: Curve) -> Curve:
    """With fewer points, as long as that hardly matters: each is a row in every slot's program."""
    points = list(hull)
    while len(points) > 2:  # noqa: PLR2004 (a line's)
        losses = [
            at[1] - (before[1] + slope(before, after) * (at[0] - before[0]))
            for before, at, after in zip(points, points[1:], points[2:], strict=False)
        ]
        least = int(np.argmin(losses))
        if losses[least] > HARDLY and len(points) <= MOST_POINTS:
            break
        del points[least + 1]
    return tuple(points)


def slope(one: Point, other: Point) -> float:
    """How steeply it rises from one to the other."""
    return (other[1] - one[1]) / (other[0] - one[0])


def knee(curve: Sequence[Point]) -> tuple[float | None, float]:
    """Where a falling curve begins to fall in earnest, if it does, and its height before."""
    for one, other in pairwise(curve):
        if -slope(one, other) > _IN_EARNEST:
            return one[0], one[1]
    return None, curve[0][1]


def along(curve: Curve, x: float) -> float:
    """The share at x."""
    return float(np.interp(x, [at for at, _ in curve], [share for _, share in curve]))
