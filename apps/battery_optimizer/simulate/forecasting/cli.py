"""`simulate forecasts`: how far forecasts of load and sun were off, method by method."""

import argparse
import json
from collections import deque
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Final

from battery_optimizer.errors import DataError
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.forecasting.scores import (
    OURS,
    Score,
    Scores,
    later_half,
    origins,
    scored,
)
from battery_optimizer.simulate.home_file import read_home
from battery_optimizer.simulate.options import (
    Commands,
    add_days_and_home,
    add_span,
    require_writable,
)
from battery_optimizer.simulate.progress import with_progress

_LINE: Final = "{:<26}{:>10}{:>12}{:>15}{:>18}"


def add_forecasts_command(commands: Commands) -> None:
    """Add the command `forecasts`."""
    command = commands.add_parser("forecasts", help=_forecasts.__doc__)
    command.set_defaults(command=_forecasts)
    add_days_and_home(command)
    add_span(
        command, start="first forecast; rows before it are history; else the file's later half"
    )
    command.add_argument("--json", type=Path, help="the figures as a file")


def _forecasts(options: argparse.Namespace) -> None:
    """Score forecasts of load and sun for two days, ours and others, every twelve hours."""
    require_writable(options.json)
    pv_kwp = read_home(options.home).pv_kwp
    days = RecordedDays.read(options.data, pv_kwp=pv_kwp, start=options.start, days=options.days)
    if options.start is None and options.days is None:
        days = later_half(days)
    scores = Scores()
    made = with_progress(
        scored(days, scores), len(origins(days)), lambda now: f"{now:%Y-%m-%d}", every=4
    )
    deque(made, maxlen=0)
    if not scores.made_at:
        raise DataError(f"{options.data}: too little of the load is metered for any forecast")
    first, last = scores.made_at[0], scores.made_at[-1]
    print(
        f"{len(scores.made_at)} forecasts from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    )
    print(_table("Load, kW", scores.mean_load(), 1.0))
    if scores.solar:
        print(_table("Sun, kW per kWp", scores.mean_solar(), pv_kwp))
    if options.json:
        options.json.write_text(json.dumps(_figures(scores, pv_kwp), indent=1) + "\n")


def _table(title: str, means: Mapping[str, Score], unit_kw: float) -> str:
    """The best first, and how much ours is under each."""
    lines = [_LINE.format(title, "pinball", "ours under", "mean absolute", "root mean square")]
    ours = means[OURS].pinball_kw
    for name, each in means.items():
        under = "" if name == OURS else f"{1 - ours / each.pinball_kw:.1%}"
        told = (each.pinball_kw, each.absolute_kw, sqrt(each.squared_kw2))
        figures = [f"{value / unit_kw:.4f}" for value in told]
        lines.append(_LINE.format(name, figures[0], under, *figures[1:]))
    return "\n".join(("", *lines))


def _figures(scores: Scores, pv_kwp: float) -> dict[str, object]:
    return {
        "forecasts": len(scores.made_at),
        "load_kw": {name: _rounded(each, 1.0) for name, each in scores.mean_load().items()},
        "solar_kw_per_kwp": {
            name: _rounded(each, pv_kwp) for name, each in scores.mean_solar().items()
        },
    }


def _rounded(score: Score, unit_kw: float) -> dict[str, float]:
    return {
        "pinball": round(score.pinball_kw / unit_kw, 5),
        "mean_absolute": round(score.absolute_kw / unit_kw, 5),
        "root_mean_square": round(sqrt(score.squared_kw2) / unit_kw, 5),
    }
