"""The report of a backtest: one HTML file, readable without a network, on a phone, in the dark."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from typing import Final

import numpy as np

from battery_optimizer.hindsight.accuracy import Expected
from battery_optimizer.hindsight.lived import Actual
from battery_optimizer.model.loss import Split
from battery_optimizer.model.slots import DAY, HOUR, Floats, local_day
from battery_optimizer.simulate.backtest import Policy, Run, Step, end_soc_kwh, play
from battery_optimizer.simulate.diary import Diary
from battery_optimizer.simulate.report.charts import (
    STYLE,
    Axes,
    Series,
    bar_chart,
    line_chart,
)
from battery_optimizer.simulate.report.forecasts import forecast_sections
from battery_optimizer.simulate.report.page import folded, page, section, table

WEEKLY_ABOVE_DAYS: Final = 45
"""Longer runs are drawn week by week: a line of hundreds of days is noise."""
_WEEK: Final = 7
_SHORTEST_DAY_HOURS: Final = 23
"""When the clocks go forward."""


_OF_THE_SPLIT: Final = (
    "The best in hindsight knows all rates, load and sun; energy left in the battery at the end of "
    "a day counts as what it was worth later. Each part is what the day would have saved had that "
    "input been known, as the mean over two orders of making them known (load, solar, rates and "
    "back); execution is what modes lose against powers followed to the letter, optimizer the "
    "rest. The parts add up to the distance."
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report is made from.

    `baselines` are the same days under other policies, by name; `splits` is empty where the loss
    was not split; `expected` where no forecasts were used.
    """

    run: Run
    figures: Mapping[str, object]
    steps: Sequence[Step]
    baselines: Mapping[str, Sequence[Step]]
    actual: Actual
    splits: Sequence[Split] = ()
    expected: Sequence[Expected] = ()

    def html(self) -> str:
        """The whole page."""
        days = self._days
        title = f"Backtest {days[0]:%d %b %Y} to {days[-1]:%d %b %Y}"
        body = [
            f"<h1>{escape(title)}</h1>",
            self._headline(),
            self._money(),
            self._split(),
            forecast_sections(self.expected, self.actual),
            self._conduct(),
            self._day_by_day(),
        ]
        return page(title, STYLE, "".join(body))

    @property
    def _n_days(self) -> float:
        return len(self.steps) * self.run.step / DAY

    @property
    def _days(self) -> list[date]:
        """Those that were lived through whole, or all if there are none: what is drawn."""
        hours = _daily(self.steps, lambda _: self.run.step / HOUR)
        return [day for day in hours if hours[day] >= _SHORTEST_DAY_HOURS] or list(hours)

    def _headline(self) -> str:
        n_days = self._n_days
        facts = {"Policy": str(self.run.policy), "Forecasts": str(self.run.forecast)}
        facts |= self._bill("", self.steps)
        for name, steps in self.baselines.items():
            facts |= self._bill(f", {name}", steps)
        if self.splits:
            distance_p = sum(split.distance_p for split in self.splits)
            facts["Short of the best a day"] = _pence(distance_p / n_days)
        facts["Mode changes a day"] = f"{self.figures['mode_changes_per_day']}"
        facts["One decision, median"] = f"{self.figures['cycle_ms_median']} ms"
        facts["One decision, 99 %"] = f"{self.figures['cycle_ms_p99']} ms"
        tiles = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
            for name, value in facts.items()
        )
        return f"<dl>{tiles}</dl>"

    def _bill(self, whose: str, steps: Sequence[Step]) -> dict[str, str]:
        """With what the battery held, since a bill is the less for energy that it gave away."""
        left_kwh = end_soc_kwh(self.run, steps[-1])
        return {
            f"Bill a day{whose}": _pence(sum(map(_cost, steps)) / self._n_days),
            f"Stored, start to end{whose}": f"{self.run.start_soc_kwh:.1f} to {left_kwh:.1f} kWh",
        }

    def _money(self) -> str:
        days = self._days
        ours = _per_day(self.steps, _cost, days)
        lines = [Series(name=str(self.run.policy), values=ours, colour=0)]
        savings = []
        for colour, (name, steps) in enumerate(self.baselines.items(), start=1):
            bills = _per_day(steps, _cost, days)
            lines.append(Series(name=name, values=bills, colour=colour))
            savings.append(
                Series(name=f"against {name}", values=np.cumsum(bills - ours) / 100, colour=colour)
            )
        if self.splits:
            best = {local_day(split.start): split.best_p for split in self.splits}
            values = np.array([best.get(day, np.nan) for day in days])
            lines.append(Series(name="best in hindsight", values=values, colour=5))
        grouped, labels, each = _by_period(lines, days)
        charts = [line_chart(Axes(title=f"Bill, {each}", unit="p a day", labels=labels), grouped)]
        if savings:
            names = [f"{day:%d %b}" for day in days]
            charts.append(
                line_chart(Axes(title="Saved since the start", unit="GBP", labels=names), savings)
            )
        return section("Money", "", charts)

    def _split(self) -> str:
        if not self.splits:
            return ""
        splits = {local_day(split.start): split for split in self.splits}
        days = [day for day in self._days if day in splits]
        names = list(self.splits[0].parts)
        stacks = [
            Series(
                name=name,
                values=np.array([splits[day].parts[name] for day in days]),
                colour=colour,
            )
            for colour, name in enumerate(names)
        ]
        grouped, labels, each = _by_period(stacks, days)
        # Rounded, and never -0.0: what is nothing must not stretch the axis below zero.
        totals = [
            round(sum(split.parts[name] for split in self.splits) / self._n_days, 3) + 0.0
            for name in names
        ]
        title = f"Distance from the best in hindsight, {each}"
        charts = [
            bar_chart(Axes(title=title, unit="p a day", labels=labels), grouped),
            bar_chart(
                Axes(title="In all", unit="p a day", labels=[name.split()[0] for name in names]),
                [
                    Series(
                        name=name,
                        values=np.where(np.arange(len(names)) == place, totals, np.nan),
                        colour=place,
                    )
                    for place, name in enumerate(names)
                ],
            ),
        ]
        rows = [(name, [f"{total:.2f}"]) for name, total in zip(names, totals, strict=True)]
        rows.append(("distance", [f"{sum(totals):.2f}"]))
        found = table("What was lost, by cause", ("cause", "p a day"), rows)
        return section("Where the money went", _OF_THE_SPLIT, charts) + found

    def _conduct(self) -> str:
        days = self._days
        changes = dict.fromkeys(_daily(self.steps, _cost), 0.0)
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            changes[local_day(step.time)] += before.command.mode is not step.command.mode
        counts = Series(name="changes", values=np.array([changes[day] for day in days]), colour=0)
        grouped, labels, each = _by_period([counts], days)
        times = 1000 * np.array([step.decide_s for step in self.steps])
        edges = np.geomspace(max(0.01, float(times.min())), float(times.max()) + 0.01, 16)
        found, _ = np.histogram(times, edges)
        charts = [
            bar_chart(Axes(title=f"Mode changes, {each}", unit="a day", labels=labels), grouped),
            bar_chart(
                Axes(
                    title="Time of a decision, up to ms",
                    unit="decisions",
                    labels=[f"{edge:.3g}" for edge in edges[1:]],
                ),
                [Series(name="decisions", values=found.astype(float), colour=2)],
            ),
        ]
        return section("Conduct", "", charts)

    def _day_by_day(self) -> str:
        days = list(_daily(self.steps, _cost))
        bills = {str(self.run.policy): _daily(self.steps, _cost)}
        bills |= {name: _daily(steps, _cost) for name, steps in self.baselines.items()}
        splits = {local_day(split.start): split for split in self.splits}
        parts = list(self.splits[0].parts) if self.splits else []
        rows = []
        for day in days:
            cells = [_figure(bill[day]) for bill in bills.values()]
            if parts:
                split = splits.get(day)
                cells.append("" if split is None else _figure(split.best_p))
                cells += ["" if split is None else _figure(split.parts[name]) for name in parts]
            rows.append((day.isoformat(), cells))
        columns = ("day", *bills, *(("best in hindsight", *parts) if parts else ()))
        return folded("Day by day", table("Bills and what was lost [p]", columns, rows))


def report_of(
    run: Run, figures: Mapping[str, object], steps: Sequence[Step], diary: Diary
) -> Report:
    """The report of a run that was played; plays the policies that need no planning besides."""
    others = [each for each in (Policy.SELF_USE, Policy.REACTIVE) if each is not run.policy]
    return Report(
        run=run,
        figures=figures,
        steps=steps,
        baselines={_WORDS[each]: list(play(replace(run, policy=each))) for each in others},
        actual=diary.actual,
        splits=diary.splits,
        expected=diary.expected,
    )


_WORDS = {Policy.SELF_USE: "Self Use", Policy.REACTIVE: "reactive rules"}


def _cost(step: Step) -> float:
    return step.cost_p


def _daily(steps: Sequence[Step], read: Callable[[Step], float]) -> dict[date, float]:
    sums: dict[date, float] = {}
    for step in steps:
        day = local_day(step.time)
        sums[day] = sums.get(day, 0.0) + read(step)
    return sums


def _per_day(steps: Sequence[Step], read: Callable[[Step], float], days: Sequence[date]) -> Floats:
    sums = _daily(steps, read)
    return np.array([sums[day] for day in days])


def _by_period(
    series: Sequence[Series], days: Sequence[date]
) -> tuple[list[Series], list[str], str]:
    """The series by day, or as means by week where there are many days; with their labels."""
    if len(days) <= WEEKLY_ABOVE_DAYS:
        return list(series), [f"{day:%d %b}" for day in days], "day by day"
    weeks = [slice(first, first + _WEEK) for first in range(0, len(days), _WEEK)]
    grouped = [
        Series(
            name=each.name,
            values=np.array([_mean(each.values[week]) for week in weeks]),
            colour=each.colour,
        )
        for each in series
    ]
    return grouped, [f"{days[week.start]:%d %b}" for week in weeks], "week by week"


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _figure(amount: float) -> str:
    """Rounded, and no minus before nothing."""
    return f"{round(amount, 1) + 0.0:.1f}"


def _pence(amount: float) -> str:
    return f"{_figure(amount)} p"
