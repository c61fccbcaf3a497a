"""A line chart as SVG text, for reports: no library, no script, readable where it is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 76, 52
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by the colour-blind too (Okabe and Ito)."""
_TICKS = 6


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a chart: its name and its points (x, y), x rising."""

    name: str
    points: Sequence[tuple[float, float]]


def line_chart(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> str:
    """The chart as a whole SVG file; the y axis begins at zero, the x axis where the data do."""
    points = [point for line in lines for point in line.points]
    if not points:
        raise ValueError("a chart needs at least one point")
    x_low, x_high = min(x for x, _ in points), max(x for x, _ in points)
    y_ticks = ticks(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    frame = _Frame(x_low, x_high if x_high > x_low else x_low + 1, y_ticks[0], y_ticks[-1])
    x_ticks = sorted({x for x, _ in points})
    return "\n".join(
        [
            _head(),
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
            f'<text x="{_LEFT}" y="24" font-size="16">{escape(title)}</text>',
            *_legend([line.name for line in lines]),
            *_axes(frame, x_ticks, y_ticks, x_label, y_label),
            *(
                mark
                for line, colour in zip(lines, _colours(len(lines)), strict=True)
                for mark in _drawn(frame, line, colour)
            ),
            "</svg>",
            "",
        ]
    )


def _head() -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">'
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers, evenly apart, from at most `low` to at least `high`."""
    span = high - low
    if span <= 0:
        return [low, low + 1]
    magnitude = 10.0 ** floor(log10(span / _TICKS))
    step = next(
        factor * magnitude for factor in (1, 2, 5, 10) if span / (factor * magnitude) <= _TICKS
    )
    return [number * step for number in range(floor(low / step), ceil(high / step) + 1)]


@dataclass(frozen=True)
class _Frame:
    """Where a value stands on the page."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _colours(count: int) -> list[str]:
    return [_COLOURS[index % len(_COLOURS)] for index in range(count)]


def _axes(
    frame: _Frame, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, y_label: str
) -> list[str]:
    bottom = _HEIGHT - _BOTTOM
    across, down = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + bottom) / 2
    turned = f'transform="rotate(-90 18 {down})" x="18" y="{down}" text-anchor="middle"'
    marks = []
    for value in y_ticks:
        y = frame.y(value)
        marks.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        marks.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g}</text>')
    for value in _apart(frame, x_ticks):
        x = frame.x(value)
        marks.append(f'<path d="M{x} {bottom}v5" stroke="#444"/>')
        marks.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{value:g}</text>')
    marks += [
        f'<path d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}" stroke="#444"/>',
        f'<text x="{across}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
        f"<text {turned}>{escape(y_label)}</text>",
    ]
    return marks


def _apart(frame: _Frame, x_ticks: Sequence[float]) -> list[float]:
    """Those of the rising ticks whose labels do not run into each other."""
    kept = [x_ticks[0]]
    for value in x_ticks[1:]:
        if frame.x(value) - frame.x(kept[-1]) >= 36:  # noqa: PLR2004 (a label of four digits)
            kept.append(value)
    return kept


def _legend(names: Sequence[str]) -> list[str]:
    marks, x = [], _LEFT
    for name, colour in zip(names, _colours(len(names)), strict=True):
        marks.append(f'<path d="M{x} 47h18" stroke="{colour}" stroke-width="3"/>')
        marks.append(f'<text x="{x + 24}" y="52">{escape(name)}</text>')
        x += 44 + 7 * len(name)
    return marks


def _drawn(frame: _Frame, line: Line, colour: str) -> list[str]:
    places = [(frame.x(x), frame.y(y)) for x, y in line.points]
    path = "".join(f"M{x0} {y0}L{x1} {y1}" for (x0, y0), (x1, y1) in pairwise(places))
    dots = [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in places]
    return [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]
