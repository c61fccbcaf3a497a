"""Charts in a page: where things stand, gaps, stacks, and words that cannot break the page."""

import re

import numpy as np
import pytest

from battery_optimizer.simulate.report.charts import (
    Axes,
    Series,
    bar_chart,
    line_chart,
    scatter_chart,
    ticks,
)

AXES = Axes(title="Bill <of> the day", unit="p", labels=("Mon", "Tue", "Wed", "Thu"))


def series(*values: float, colour: int = 0, name: str = "bill") -> Series:
    return Series(name=name, values=np.array(values), colour=colour)


def heights(svg: str, colour: int) -> list[float]:
    return [float(found) for found in re.findall(rf'height="([-0-9.]+)" class="f{colour}"', svg)]


def test_a_gap_in_a_line_stays_a_gap() -> None:
    svg = line_chart(AXES, [series(1, 2, np.nan, 4)])
    assert svg.count("<polyline") == 2
    assert "nan" not in svg.lower()


def test_words_are_escaped_and_said_to_those_who_cannot_see() -> None:
    svg = line_chart(AXES, [series(1, 2, 3, 4, name="a & b")])
    assert 'role="img" aria-label="Bill &lt;of&gt; the day"' in svg
    assert "a &amp; b" in svg
    assert "<of>" not in svg


def test_bars_stack_up_above_zero_and_down_below() -> None:
    svg = bar_chart(AXES, [series(2, -1, 0, 1), series(2, -3, 0, -1, colour=1)])
    assert heights(svg, 0)[0] == pytest.approx(heights(svg, 1)[0], abs=0.2)
    assert heights(svg, 1)[1] == pytest.approx(3 * heights(svg, 0)[1], abs=0.4)
    assert len(heights(svg, 0)) == len(heights(svg, 1)) == 3
    assert all(height >= 0 for height in heights(svg, 0) + heights(svg, 1))


def test_a_single_row_of_bars_needs_no_key() -> None:
    assert "legend" not in bar_chart(AXES, [series(1, 2, 3, 4)])
    assert "legend" in bar_chart(AXES, [series(1, 2, 3, 4), series(1, 2, 3, 4, colour=1)])


def test_a_scatter_has_a_dot_a_day() -> None:
    axes = Axes(title="Load", unit="kWh", labels=("expected", "metered"))
    svg = scatter_chart(axes, np.array([1.0, 2.0]), np.array([1.5, 2.5]), 0)
    assert svg.count("<circle") == 2
    assert "across: expected; up: metered" in svg


def test_nothing_known_is_an_empty_frame() -> None:
    svg = line_chart(AXES, [series(*[np.nan] * 4)], (np.full(4, np.nan), np.full(4, np.nan)))
    assert "<polyline" not in svg
    assert "nan" not in svg.lower()


def test_nothing_stands_below_or_above_the_picture() -> None:
    for low in (-0.3, -7.0, 0.0):
        svg = bar_chart(AXES, [series(5.4, low, 1, 2), series(0, 0, 1, 0, colour=1)])
        heights_of_words = [float(y) for y in re.findall(r'<text x="[-0-9.]+" y="([-0-9.]+)"', svg)]
        assert 0 < min(heights_of_words) < max(heights_of_words) < 220


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 147.7, [0, 50, 100, 150]),
        (0, 0.55, pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])),
        (-3, 9, [-4, -2, 0, 2, 4, 6, 8, 10]),
        (0, 0, [0, 1]),
    ],
)
def test_ticks_are_round_and_hold_the_data(low: float, high: float, expected: object) -> None:
    assert ticks(low, high) == expected
