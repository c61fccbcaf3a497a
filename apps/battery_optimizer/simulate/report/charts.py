"""Charts inside a page, as HTML figures with SVG: they follow the page's colours, light or dark.

Small on purpose (400 wide): on a phone they keep their size, so that their words can be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

import numpy as np

from battery_optimizer.model.slots import Floats

_WIDTH, _HEIGHT = 400, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 10, 24
_MOST_LABELS = 6
_TICKS = 6
N_COLOURS: Final = 6

STYLE: Final = """
:root { --c0: #0072b2; --c1: #c05000; --c2: #008060; --c3: #b0508c; --c4: #8a6d00; --c5: #666; }
@media (prefers-color-scheme: dark) {
  :root { --c0: #5cb8f0; --c1: #ff9a52; --c2: #3fd0a0; --c3: #f0a0cc; --c4: #e8c44a; --c5: #aaa; }
}
figure { margin: 0 0 1.5rem; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
figure svg { width: 100%; height: auto; max-width: 640px; display: block; font: 11px sans-serif; }
figure svg text { fill: var(--ink); }
.grid { stroke: var(--rule); } .axis { stroke: var(--ink); }
.l5 { stroke-dasharray: 4 3; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .85rem; margin: .1rem 0; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
""" + "".join(
    f".l{n} {{ stroke: var(--c{n}); fill: none; stroke-width: 1.6; }} "
    f".f{n} {{ fill: var(--c{n}); background: var(--c{n}); }}\n"
    for n in range(N_COLOURS)
)
"""What the charts need of the page's style sheet; `--ink` and `--rule` are the page's own."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Values in a row, NaN where there is a gap, with their name and one of the colours."""

    name: str
    values: Floats
    colour: int


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The words around a chart: `labels` belong to the places along the bottom."""

    title: str
    unit: str
    labels: Sequence[str]


def line_chart(
    axes: Axes, lines: Sequence[Series], band: tuple[Floats, Floats] | None = None
) -> str:
    """Lines over common places; the band, if any, is drawn grey behind the first."""
    every = [line.values for line in lines] + list(band or ())
    frame = _Frame.around(np.concatenate(every), len(axes.labels))
    marks = []
    if band is not None:
        low, high = band
        there = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        edge = [frame.point(i, high[i]) for i in there.tolist()]
        edge += [frame.point(i, low[i]) for i in there[::-1].tolist()]
        marks.append(f'<polygon points="{" ".join(edge)}" class="f5" opacity=".25"/>')
    for line in lines:
        marks += [
            f'<polyline points="{" ".join(frame.point(i, line.values[i]) for i in run)}" '
            f'class="l{line.colour}"/>'
            for run in _runs(line.values)
        ]
    return _figure(axes, _legend(lines), [*frame.axes(axes), *marks])


def bar_chart(axes: Axes, stacks: Sequence[Series]) -> str:
    """Bars on common places, stacked upwards where above zero, downwards where below."""
    values = np.stack([np.nan_to_num(series.values) for series in stacks])
    tops, floors = np.maximum(values, 0).sum(axis=0), np.minimum(values, 0).sum(axis=0)
    frame = _Frame.around(np.concatenate([tops, floors]), len(axes.labels), is_bars=True)
    up, down = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    marks = []
    for series, row in zip(stacks, values, strict=True):
        for i, value in enumerate(row.tolist()):
            if value == 0:
                continue
            base = up if value > 0 else down
            marks.append(frame.bar(i, float(base[i]), float(base[i]) + value, series))
            base[i] += value
    # A single row of bars needs no key: the title says what it is.
    return _figure(axes, _legend(stacks) if len(stacks) > 1 else "", [*frame.axes(axes), *marks])


def scatter_chart(axes: Axes, x: Floats, y: Floats, colour: int) -> str:
    """Dots with the line on which x and y are equal; `labels` are the names of x and y."""
    both = np.concatenate([x, y])
    y_ticks = ticks(min(0.0, float(both.min())), float(both.max()))
    low, high = y_ticks[0], y_ticks[-1]
    frame = _Frame(n_places=1, marks=y_ticks)
    span = _WIDTH - _LEFT - _RIGHT

    def across(value: float) -> float:
        return round(_LEFT + span * (value - low) / (high - low), 1)

    x_name, y_name = axes.labels
    marks = [
        f'<path d="M{across(low)} {frame.y(low)}L{across(high)} {frame.y(high)}" class="grid"/>',
        *(
            f'<circle cx="{across(a)}" cy="{frame.y(b)}" r="2.6" class="f{colour}" opacity=".6"/>'
            for a, b in zip(x.tolist(), y.tolist(), strict=True)
        ),
        *(
            f'<text x="{across(value)}" y="{_HEIGHT - 9}" text-anchor="middle">{value:g}</text>'
            for value in y_ticks
        ),
    ]
    words = f'<p class="legend">across: {escape(x_name)}; up: {escape(y_name)}</p>'
    return _figure(axes, words, [*frame.axes(Axes(title="", unit="", labels=())), *marks])


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Where a value stands in the picture; bars have their places between the edges."""

    n_places: int
    marks: Sequence[float]
    """The round numbers at the left, from the bottom to the top."""
    is_bars: bool = False

    @classmethod
    def around(cls, values: Floats, n_places: int, *, is_bars: bool = False) -> "_Frame":
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        found = ticks(min(0.0, low), max(0.0, high))
        return cls(n_places=n_places, marks=found, is_bars=is_bars)

    def x(self, place: float) -> float:
        span = _WIDTH - _LEFT - _RIGHT
        if self.is_bars:
            return round(_LEFT + span * (place + 0.5) / self.n_places, 1)
        return round(_LEFT + span * place / max(1, self.n_places - 1), 1)

    def y(self, value: float) -> float:
        share = (value - self.marks[0]) / (self.marks[-1] - self.marks[0])
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    def point(self, place: int, value: float) -> str:
        return f"{self.x(place)},{self.y(value)}"

    def bar(self, place: int, start: float, end: float, series: Series) -> str:
        width = round(0.8 * (_WIDTH - _LEFT - _RIGHT) / self.n_places, 2)
        top, bottom = self.y(max(start, end)), self.y(min(start, end))
        return (
            f'<rect x="{self.x(place) - width / 2:.1f}" y="{top}" width="{width}" '
            f'height="{bottom - top:.1f}" class="f{series.colour}"/>'
        )

    def axes(self, axes: Axes) -> list[str]:
        right = _WIDTH - _RIGHT
        marks = []
        for value in self.marks:
            y = self.y(value)
            marks.append(f'<path d="M{_LEFT} {y}H{right}" class="grid"/>')
            marks.append(f'<text x="{_LEFT - 5}" y="{y + 4}" text-anchor="end">{value:g}</text>')
        marks.append(f'<path d="M{_LEFT} {self.y(0)}H{right}" class="axis"/>')
        step = max(1, -(-len(axes.labels) // _MOST_LABELS))
        for place in range(0, len(axes.labels), step):
            words = escape(axes.labels[place])
            middle = self.x(place)
            side = "start" if middle <= _LEFT else "end" if middle >= right - 15 else "middle"
            marks.append(
                f'<text x="{middle}" y="{_HEIGHT - 9}" text-anchor="{side}">{words}</text>'
            )
        return marks


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


def _runs(values: Floats) -> list[list[int]]:
    """Indices of the stretches without gaps."""
    known = np.flatnonzero(np.isfinite(values))
    cuts = np.flatnonzero(np.diff(known) > 1) + 1
    return [run.tolist() for run in np.split(known, cuts) if run.size]


def _legend(series: Sequence[Series]) -> str:
    keys = "".join(
        f'<span><i class="f{each.colour}"></i>{escape(each.name)}</span>' for each in series
    )
    return f'<div class="legend">{keys}</div>'


def _figure(axes: Axes, legend: str, marks: Sequence[str]) -> str:
    unit = f" [{escape(axes.unit)}]" if axes.unit else ""
    return (
        f"<figure><figcaption>{escape(axes.title)}{unit}</figcaption>{legend}"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(axes.title)}">'
        f"{''.join(marks)}</svg></figure>"
    )
