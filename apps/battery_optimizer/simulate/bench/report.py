"""What the benchmark found, as tables to read, charts to look at and JSON to compare."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np

from battery_optimizer.simulate.bench.measure import (
    HORIZONS,
    STEPS,
    CaseFigures,
    GrowthFigures,
    MemoryFigures,
    Times,
    cases_figures,
    growth,
    memory,
)
from battery_optimizer.simulate.report.charts import STYLE, Axes, Series, line_chart
from battery_optimizer.simulate.report.page import page, section

_LINES: tuple[tuple[str, Callable[[Times], float]], ...] = (
    ("first schedule", lambda times: times.first_s),
    ("warm schedule", lambda times: times.warm_s),
    ("whole plan, warm", lambda times: times.plan_s),
    ("bare HiGHS", lambda times: times.bare_s),
)


_NO_SCALE = "they stand evenly apart, though they are not."


def benchmark(folder: Path, out: Path, *, n_plans: int, repeats: int) -> Iterator[str]:
    """Run it all; yields each part's text as soon as it is there, and writes files to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    cases: list[CaseFigures] = []
    if (folder / "cases").is_dir():
        cases = list(cases_figures(folder, repeats))
        yield cases_text(cases)
    else:
        yield f"No cases: {folder / 'cases'} is not there. What follows is a made-up world's."
    by_horizon = list(growth(HORIZONS, repeats))
    by_step = list(growth(STEPS, repeats))
    yield growth_text(by_horizon, by_step)
    held = memory(n_plans)
    yield memory_text(held)
    written = [
        _write(out / "bench.html", growth_page(by_horizon, by_step)),
        _write(out / "bench.json", as_json(cases, [*by_horizon, *by_step[1:]], held)),
    ]
    yield "Written: " + ", ".join(str(path) for path in written)


def cases_text(cases: Sequence[CaseFigures]) -> str:
    """Costs, then times, of every case, with their medians and worst."""
    if not cases:
        return "No cases: the folder is empty."
    return "\n\n".join([_costs_table(cases), _times_table(cases), _conclusion(cases)])


def growth_text(by_horizon: Sequence[GrowthFigures], by_step: Sequence[GrowthFigures]) -> str:
    """How time and memory grow."""
    header = (
        "hours", "step min", "slots", "first ms", "warm ms", "bare ms", "warm/bare", "plan ms",
        "memory MB",
    )  # fmt: skip
    rows = [
        (
            f"{size.hours}", f"{size.step_minutes}", f"{size.n_slots}",
            *_times_cells(size.times)[:-1], f"{size.grown_mb:.1f}",
        )
        for size in (*by_horizon, *by_step)
    ]  # fmt: skip
    return (
        "How it grows (memory: by how much the first plan raises a fresh process' peak)\n"
        + table(header, rows)
    )


def growth_page(by_horizon: Sequence[GrowthFigures], by_step: Sequence[GrowthFigures]) -> str:
    """The same to look at: one HTML file that opens by itself."""
    horizons = [f"{size.hours} h" for size in by_horizon]
    steps = [f"{size.n_slots}" for size in by_step]
    body = (
        "<h1>How it grows</h1>"
        + section("With the horizon", f"Of half hours; {_NO_SCALE}", _charts(horizons, by_horizon))
        + section("With the steps", f"Steps of 48 hours; {_NO_SCALE}", _charts(steps, by_step))
    )
    return page("Benchmark", STYLE, body)


def _charts(labels: Sequence[str], sizes: Sequence[GrowthFigures]) -> list[str]:
    times = [
        Series(name=name, values=np.array([1e3 * read(each.times) for each in sizes]), colour=place)
        for place, (name, read) in enumerate(_LINES)
    ]
    grown = np.array([each.grown_mb for each in sizes])
    added = Series(name="added by the first plan", values=grown, colour=0)
    return [
        line_chart(Axes(title="Time to plan", unit="ms", labels=labels), times),
        line_chart(Axes(title="Memory", unit="MB", labels=labels), [added]),
    ]


def memory_text(held: MemoryFigures) -> str:
    """What many plans leave behind."""
    return (
        f"Memory over {held.n_plans} plans: {held.start_mb:.1f} MB before, {held.end_mb:.1f} MB "
        f"after, {held.end_mb - held.start_mb:+.1f} MB."
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]
    return "\n".join(lines)


def as_json(
    cases: Sequence[CaseFigures], sizes: Sequence[GrowthFigures], held: MemoryFigures
) -> str:
    """All figures, to compare runs by."""
    figures = {
        "cases": [asdict(case) for case in cases],
        "growth": [asdict(size) for size in sizes],
        "memory": asdict(held),
    }
    return json.dumps(figures, indent=1) + "\n"


def _costs_table(cases: Sequence[CaseFigures]) -> str:
    peers = _peers(cases)
    rows = [
        (
            case.name,
            f"{case.cost_p:.2f}",
            _number(case.optimum_p, 2),
            _number(case.regret_p, 3),
            f"{case.gap_p:.3f}",
            f"{case.n_doubtful}",
            *(_number(case.peers[peer].gap_p if peer in case.peers else None, 1) for peer in peers),
        )
        for case in cases
    ]
    header = ("case", "ours p", "optimum p", "regret p", "proven gap p", "doubtful", *peers)
    title = "Costs, and how far from the optimum [p]"
    return f"{title}{' (peers: as recorded)' if peers else ''}\n{table(header, rows)}"


def _times_table(cases: Sequence[CaseFigures]) -> str:
    peers = _peers(cases)
    header = ("case", "first ms", "warm ms", "bare ms", "warm/bare", "plan ms", "alternatives ms")
    rows = [
        (
            case.name,
            *_times_cells(case.times),
            *(
                _number(case.peers[peer].seconds if peer in case.peers else None, 2)
                for peer in peers
            ),
        )
        for case in cases
    ]
    title = "Times (bare: HiGHS alone, as it comes, on the same program)"
    return f"{title}\n{table((*header, *(f'{peer} s' for peer in peers)), rows)}"


def _times_cells(times: Times) -> tuple[str, ...]:
    return (
        f"{1e3 * times.first_s:.1f}",
        f"{1e3 * times.warm_s:.1f}",
        f"{1e3 * times.bare_s:.1f}",
        f"{times.warm_s / times.bare_s:.2f}",
        f"{1e3 * times.plan_s:.1f}",
        f"{1e3 * max(0.0, times.plan_s - times.warm_s):.1f}",
    )


def _conclusion(cases: Sequence[CaseFigures]) -> str:
    lines = []
    regrets = [case.regret_p for case in cases if case.regret_p is not None]
    if regrets:
        lines.append(f"Regret: median {median(regrets):.3f} p, worst {max(regrets):.3f} p.")
    lines.append(f"Proven gap: worst {max(case.gap_p for case in cases):.3f} p.")
    worst = max(cases, key=lambda case: case.times.warm_s)
    warm = [case.times.warm_s for case in cases]
    ratios = [case.times.warm_s / case.times.bare_s for case in cases]
    lines.append(
        f"Warm schedule: median {1e3 * median(warm):.1f} ms, {median(ratios):.2f} x bare; "
        f"worst {1e3 * worst.times.warm_s:.0f} ms ({worst.name})."
    )
    for peer in _peers(cases):
        both = [
            (case.times.warm_s, case.peers[peer].gap_p, case.peers[peer].seconds)
            for case in cases
            if peer in case.peers
        ]
        speeds = [seconds / ours for ours, _, seconds in both if seconds is not None]
        times_faster = f", {median(speeds):.0f} x our time" if speeds else ""
        lines.append(
            f"{peer}: {len(both)} cases, median {median(gap for _, gap, _ in both):.1f} p and at "
            f"worst {max(gap for _, gap, _ in both):.1f} p from the optimum{times_faster}."
        )
    return "\n".join(lines)


def _peers(cases: Sequence[CaseFigures]) -> list[str]:
    return list(dict.fromkeys(peer for case in cases for peer in case.peers))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
