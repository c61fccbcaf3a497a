"""Piecewise linear functions, and one step of dynamic programming against trying it all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_optimizer.optimize.piecewise import NO_LIMITS, Curve, Limits, Line, least_before

LOW, HIGH = 0.0, 4.0


def a_curve(*points: tuple[float, float]) -> Curve:
    x, y = zip(*points, strict=True)
    return Curve(np.array(x, float), np.array(y, float))


def tried(after: Curve, moves: Curve, limits: Limits, x: float) -> float:
    """The least over all steps to a point of either function, or to a limit: it is one of them."""
    most = min((max(0.0, line.at_zero + line.slope * x) for line in limits.up), default=9.0)
    least = -min((max(0.0, line.at_zero + line.slope * x) for line in limits.down), default=9.0)
    least = max(least, moves.x[0], after.x[0] - x)
    most = min(most, moves.x[-1], after.x[-1] - x)
    steps = np.clip(np.concatenate((moves.x, after.x - x)), least, most)
    return float((moves.at(steps) + after.at(x + steps)).min())


def halves(least: int, most: int) -> st.SearchStrategy[float]:
    return st.integers(2 * least, 2 * most).map(lambda count: count / 2)


@st.composite
def curves(draw: st.DrawFn, low: float, high: float) -> Curve:
    inner = draw(st.lists(st.integers(1, 15), max_size=4, unique=True))
    shares = np.array([0, *sorted(inner), 16]) / 16
    y = draw(st.lists(halves(-10, 10), min_size=len(shares), max_size=len(shares)))
    return Curve(low + shares * (high - low), np.array(y))


LINES = st.builds(Line, halves(0, 4), st.sampled_from((-2.5, -1.0, -0.5, 0.0, 0.5, 3.0)))
SOME = st.lists(LINES, max_size=2).map(tuple)


@settings(max_examples=300, deadline=None)
@given(curves(LOW, HIGH), curves(-1.5, 1.0), st.builds(Limits, SOME, SOME))
def test_the_least_is_what_trying_finds_whatever_the_shape(
    after: Curve, moves: Curve, limits: Limits
) -> None:
    found = least_before(after, moves, limits, LOW, HIGH)
    assert found.x[0] == LOW
    assert found.x[-1] == HIGH
    for x in (*np.linspace(LOW, HIGH, 33), *found.x):
        assert found.at(x) == pytest.approx(tried(after, moves, limits, float(x)), abs=1e-6)


def test_of_convex_functions_it_is_the_same_by_their_slopes_as_by_trying() -> None:
    after = a_curve((0, 0), (1, -30), (2, -40), (4, -41))
    moves = a_curve((-2, -20), (0, 0), (1, 15), (2, 50))
    assert after.is_convex
    assert moves.is_convex
    found = least_before(after, moves, NO_LIMITS, LOW, HIGH)
    assert found.is_convex
    by_all = least_before(after, moves, Limits(up=(Line(9, 0),)), LOW, HIGH)
    for x in np.linspace(LOW, HIGH, 17):
        assert found.at(x) == pytest.approx(tried(after, moves, NO_LIMITS, float(x)))
        assert found.at(x) == pytest.approx(float(by_all.at(x)))


def test_two_ways_that_cross_between_points_meet_where_they_cross() -> None:
    # From 0, one step up costs 1 and gains 3, none gains nothing: worth it where it fits.
    after = a_curve((0, 0), (1, 0), (2, -3), (4, -3))
    moves = a_curve((0, 0), (0.5, 1), (1, 1))
    found = least_before(after, moves, NO_LIMITS, 0, 4)
    assert found.at(np.array([0.0, 1.0, 2.0])) == pytest.approx([0, -2, -3])
    assert found.at(np.array(1 / 3)) == pytest.approx(0, abs=1e-9)


def test_where_one_cannot_move_all_stays() -> None:
    after = a_curve((0, 5), (1, 3), (4, 9))
    found = least_before(after, a_curve((0, 2)), NO_LIMITS, 0, 4)
    assert found.at(after.x) == pytest.approx(after.y + 2)


def test_a_single_place_has_a_single_point() -> None:
    after = a_curve((0, 5), (1, 3), (4, 9))
    found = least_before(after, a_curve((-1, 2), (0, 0), (0.5, 3)), NO_LIMITS, 2, 2)
    assert found.x == pytest.approx([2])
    assert found.y == pytest.approx([5])


class TestSimplified:
    def test_points_on_a_line_go(self) -> None:
        simple, off = a_curve((0, 0), (1, 1), (2, 2), (3, 3), (4, 0)).simplified(1e-9)
        assert simple.x == pytest.approx([0, 3, 4])
        assert off == pytest.approx(0)

    def test_a_sharp_bend_made_of_two_close_ones_stays(self) -> None:
        bend = a_curve((0, 0), (1, 0), (1 + 3e-9, 3e-8), (2, 20))
        simple, off = bend.simplified(1e-6)
        assert len(simple.x) == 3
        assert off < 1e-6

    def test_it_says_how_far_off_it_is(self) -> None:
        curve = a_curve((0, 0), (1, 0.1), (2, 0))
        simple, off = curve.simplified(0.2)
        assert simple.x == pytest.approx([0, 2])
        assert off == pytest.approx(0.1)


def test_a_part_has_points_at_its_ends_and_at_the_kinks_asked_for() -> None:
    part = a_curve((0, 0), (2, 4), (4, 0)).within(1, 3, (2.5, 9))
    assert part.x == pytest.approx([1, 2, 2.5, 3])
    assert part.y == pytest.approx([2, 4, 3, 2])
