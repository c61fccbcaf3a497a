"""What a comparison found: a table for the terminal, and one HTML file that opens by itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Final

import numpy as np

from battery_optimizer.simulate.compare.run import Outcome
from battery_optimizer.simulate.report.charts import (
    N_COLOURS,
    STYLE,
    Axes,
    Series,
    bar_chart,
    line_chart,
)
from battery_optimizer.simulate.report.page import folded, page, section, table

_A_YEAR: Final = 365.25
FEWEST_DAYS: Final = 14
"""From which a year is told."""
DAILY_UP_TO: Final = 62
"""Days; longer runs are drawn by month."""

_COLUMNS: Final[tuple[tuple[str, Callable[[Outcome, Outcome], str]], ...]] = (
    ("GBP in all", lambda each, _: f"{each.total_p / 100:.2f}"),
    ("p a day", lambda each, _: f"{each.p_a_day:.1f}"),
    ("saved p a day", lambda each, first: f"{_saved_p(each, first):.1f}"),
    ("saved GBP a year", lambda each, first: _of_a_year(each, first) or "-"),
    ("bought kWh a day", lambda each, _: f"{_a_day(each, 'import_kwh'):.2f}"),
    ("sold kWh a day", lambda each, _: f"{_a_day(each, 'export_kwh'):.2f}"),
    ("battery cycles a day", lambda each, _: _cycles(each)),
    ("kWh stored, start to end", lambda each, _: _stored(each)),
    ("worth GBP", lambda each, _: f"{each.left_p / 100:+.2f}"),
)
"""Of each variant, beside the first one of its home."""

WORDS: Final = (
    "Each variant lives through the same days in closed loop by the same physics, and knows at "
    "each moment only what was known then. Standing charges are included, exports taken off. "
    "Saved is against the first line, below zero it costs more; what the battery holds more or "
    "less at the end counts at its worth there, the mean of what it cost to store a kWh and of "
    "what a stored one saved. A year is 365.25 days like these, whatever their season; less than "
    f"{FEWEST_DAYS} days say nothing of it. What a battery, panels or another tariff cost to get "
    "is not in it."
)


def terminal_table(outcomes: Sequence[Outcome]) -> str:
    """A table of all variants for each home, as text."""
    parts = []
    for home, found in by_home(outcomes).items():
        rows = [("variant", *(name for name, _ in _COLUMNS))]
        rows += [(each.variant, *_cells(each, found[0])) for each in found]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        parts.append("\n".join([f"{home}, {_span(found[0])}", *lines, in_words(found)]))
    return "\n\n".join(parts)


def by_home(outcomes: Sequence[Outcome]) -> Mapping[str, list[Outcome]]:
    """The outcomes of each home, in their order."""
    homes: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        homes.setdefault(outcome.home, []).append(outcome)
    return homes


def report(outcomes: Sequence[Outcome], notices: Sequence[str]) -> str:
    """The whole page."""
    title = "What if: other tariffs, batteries, panels and policies"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(WORDS)}</p>"]
    body += [f"<p><strong>{escape(notice)}</strong></p>" for notice in notices]
    for home, found in by_home(outcomes).items():
        body += _of_home(home, found)
    return page(title, STYLE, "".join(body))


def _of_home(home: str, found: Sequence[Outcome]) -> list[str]:
    names = [name for name, _ in _COLUMNS]
    rows = [(each.variant, _cells(each, found[0])) for each in found]
    charts = [_bills(found), _over_time(found)]
    return [
        section(f"{home}, {_span(found[0])}", in_words(found), charts),
        table("All variants", ("variant", *names), rows),
        folded("Day by day", _day_by_day(found)),
    ]


def in_words(found: Sequence[Outcome]) -> str:
    """What came out, in a sentence: the cheapest of a home's variants beside the first."""
    first = found[0]
    best = min(found, key=lambda each: each.net_p_a_day)
    if best is first:
        return f"Nothing is cheaper than '{first.variant}': it {_a_bill(first)} a day."
    a_year = _of_a_year(best, first)
    saved = f"{_saved_p(best, first):.1f} p a day"
    return (
        f"The cheapest is '{best.variant}': it {_a_bill(best)} a day, where '{first.variant}' "
        f"{_a_bill(first)}; with what the battery holds at the end that saves {saved}"
        + (f", in a year of such days GBP {a_year}." if a_year else ".")
    )


def _a_bill(each: Outcome) -> str:
    return f"{'earns' if each.p_a_day < 0 else 'costs'} {abs(each.p_a_day):.0f} p"


def _bills(found: Sequence[Outcome]) -> str:
    places = np.arange(len(found))
    stacks = [
        Series(
            name=f"{place + 1} {each.variant}",
            values=np.where(places == place, each.p_a_day, np.nan),
            colour=place % N_COLOURS,
        )
        for place, each in enumerate(found)
    ]
    labels = [str(place + 1) for place in range(len(found))]
    return bar_chart(Axes(title="Bill", unit="p a day", labels=labels), stacks)


def _over_time(found: Sequence[Outcome]) -> str:
    """Mean bills by month, or by day where there are few; as many as a chart's colours tell."""
    days = found[0].whole_days
    groups = _groups(days)
    lines = [
        Series(
            name=each.variant,
            values=np.array(
                [np.mean([each.bill_p(day) for day in group]) for group in groups.values()]
            ),
            colour=place,
        )
        for place, each in enumerate(found[:N_COLOURS])
    ]
    each = "day by day" if len(groups) == len(days) else "month by month"
    cut = f", the first {N_COLOURS} variants" if len(found) > N_COLOURS else ""
    title = f"Bill, {each}{cut}"
    return line_chart(Axes(title=title, unit="p a day", labels=list(groups)), lines)


def _groups(days: Sequence[date]) -> Mapping[str, list[date]]:
    """The days of each point of a line, under its label."""
    groups: dict[str, list[date]] = {}
    for day in days:
        label = f"{day:%d %b}" if len(days) <= DAILY_UP_TO else f"{day:%b %Y}"
        groups.setdefault(label, []).append(day)
    return groups


def _cells(each: Outcome, first: Outcome) -> list[str]:
    return [read(each, first) for _, read in _COLUMNS]


def _saved_p(each: Outcome, first: Outcome) -> float:
    # Rounded as it is shown, and never -0.0.
    return round(first.net_p_a_day - each.net_p_a_day, 1) + 0.0


def _of_a_year(each: Outcome, first: Outcome) -> str:
    """What is saved in a year [GBP]; nothing where too few days were played to tell."""
    saved_p = (first.net_p_a_day - each.net_p_a_day) * _A_YEAR
    return "" if each.n_days < FEWEST_DAYS else f"{round(saved_p / 100) + 0:d}"


def _stored(each: Outcome) -> str:
    if each.capacity_kwh == 0:
        return "-"
    return f"{each.start_soc_kwh:.1f} to {each.end_soc_kwh:.1f}"


def _a_day(each: Outcome, flow: str) -> float:
    total = sum(getattr(day, flow) for day in each.days.values())
    return float(total) / each.n_days


def _cycles(each: Outcome) -> str:
    if each.capacity_kwh == 0:
        return "-"
    return f"{_a_day(each, 'discharge_kwh') / each.capacity_kwh:.2f}"


def _span(each: Outcome) -> str:
    days = each.whole_days
    return f"{days[0]:%d %b %Y} to {days[-1]:%d %b %Y}"


def _day_by_day(found: Sequence[Outcome]) -> str:
    rows = [
        (day.isoformat(), [f"{each.bill_p(day):.1f}" for each in found]) for day in found[0].days
    ]
    return table("Bills [p]", ("day", *(each.variant for each in found)), rows)
