"""The forecasts in the report: against what came, and their errors by hour and by lead time."""

from collections.abc import Sequence

import numpy as np

from battery_optimizer.hindsight.accuracy import (
    HOURS,
    DayAhead,
    Errors,
    Expected,
    Read,
    day_ahead,
    errors_by_hour,
    errors_by_lead,
    profile_by_hour,
)
from battery_optimizer.hindsight.lived import Actual
from battery_optimizer.model.slots import Floats, SlotSeries
from battery_optimizer.simulate.report.charts import Axes, Series, line_chart, scatter_chart
from battery_optimizer.simulate.report.page import folded, section, table


def forecast_sections(expected: Sequence[Expected], actual: Actual) -> str:
    """Load, then solar; nothing where no forecasts were used."""
    if not expected:
        return ""
    return _forecast("Load", expected, lambda each: each.load_kw, actual.load_kw, 0) + (
        _forecast("Solar", expected, lambda each: each.solar_kw, actual.solar_kw, 4)
    )


def _forecast(
    name: str, expected: Sequence[Expected], read: Read, metered: SlotSeries, colour: int
) -> str:
    leads = errors_by_lead(expected, read, metered)
    hours = errors_by_hour(expected, read, metered)
    clock, ahead = _clock(), [f"{lead} h" for lead in range(len(leads.absolute_kw))]
    charts = [
        *_each_day(name, day_ahead(expected, read, metered), colour),
        _profile(name, profile_by_hour(expected, read, metered), colour),
        _errors(f"{name}: error by hour of the day", clock, hours, colour),
        _errors(f"{name}: error by lead time", ahead, leads, colour),
    ]
    rows = [
        (f"{lead} h", [f"{leads.absolute_kw[lead]:.3f}", f"{leads.bias_kw[lead]:+.3f}"])
        for lead in range(0, len(leads.absolute_kw), 3)
    ]
    columns = ("lead time", "mean absolute error", "bias")
    found = table(f"{name}: error by lead time [kW]", columns, rows)
    return section(f"{name} forecast", "", charts) + folded("As a table", found)


def _each_day(name: str, days: Sequence[DayAhead], colour: int) -> list[str]:
    """A dot for each day, if there is any."""
    if not days:
        return []
    across = np.array([each.expected_kwh for each in days])
    up = np.array([each.metered_kwh for each in days])
    axes = Axes(title=f"{name}: each day", unit="kWh", labels=("expected at midnight", "metered"))
    return [scatter_chart(axes, across, up, colour)]


def _profile(name: str, by_hour: Floats, colour: int) -> str:
    """What was expected, and came, at each hour of the day: see `profile_by_hour`."""
    wanted, came, low, high = by_hour
    title = f"{name} by hour of the day; grey: 8 days in 10"
    lines = [
        Series(name="expected at midnight", values=wanted, colour=colour),
        Series(name="metered", values=came, colour=5),
    ]
    return line_chart(Axes(title=title, unit="kW", labels=_clock()), lines, (low, high))


def _errors(title: str, labels: Sequence[str], errors: Errors, colour: int) -> str:
    lines = [
        Series(name="mean absolute error", values=errors.absolute_kw, colour=colour),
        Series(name="bias (expected less metered)", values=errors.bias_kw, colour=5),
    ]
    return line_chart(Axes(title=title, unit="kW", labels=labels), lines)


def _clock() -> list[str]:
    return [f"{hour}:00" for hour in range(HOURS)]
