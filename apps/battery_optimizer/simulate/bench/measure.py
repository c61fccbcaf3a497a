"""The benchmark: how good plans are, how long they take and what they cost in memory.

All of it in one run, ours beside a bare HiGHS solve of the same program, since times of different
runs on a shared machine say little. Growth and memory are measured in a process of their own each.
"""

import csv
import multiprocessing
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, TypeVar

import numpy as np

from battery_optimizer.errors import DataError
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.relaxation import GAP_P, Optimum
from battery_optimizer.simulate.bench.case import Case
from battery_optimizer.simulate.bench.directions import BareProgram
from battery_optimizer.simulate.bench.made_up import made_up

HORIZONS: Final = ((24, 30), (48, 30), (96, 30), (168, 30))
"""Hours, minutes a step."""
STEPS: Final = ((48, 30), (48, 15), (48, 5))
_LONG_S = 2.0
"""Enough time spent on measuring one thing [s]; a few measurements are made in any case."""
_FEWEST = 3
_WARM_UP = 50
"""Plans before memory is looked at."""

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds: the first schedule, which compiles; then medians.

    `warm_s` is a schedule, `bare_s` what HiGHS alone needs for the same program, `plan_s` a whole
    plan as a cycle makes it: schedule, modes, alternatives and reasons.
    """

    first_s: float
    warm_s: float
    bare_s: float
    plan_s: float


@dataclass(frozen=True, kw_only=True)
class PeerFigure:
    """What was recorded of another optimizer on a case: its distance from the optimum, its time."""

    gap_p: float
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class CaseFigures:
    """A case planned: `gap_p` is proven by ourselves, `optimum_p` was recorded if anything."""

    name: str
    cost_p: float
    gap_p: float
    n_doubtful: int
    times: Times
    optimum_p: float | None
    peers: Mapping[str, PeerFigure]

    @property
    def regret_p(self) -> float | None:
        """How much dearer than the recorded optimum [p]."""
        return None if self.optimum_p is None else self.cost_p - self.optimum_p


@dataclass(frozen=True, kw_only=True)
class GrowthFigures:
    """A made-up world of this size; `grown_mb`: by how much its first plan raised the peak."""

    hours: int
    step_minutes: int
    times: Times
    grown_mb: float

    @property
    def n_slots(self) -> int:
        """Steps planned."""
        return self.hours * 60 // self.step_minutes


@dataclass(frozen=True, kw_only=True)
class MemoryFigures:
    """Memory of one process before and after many plans [MB]."""

    n_plans: int
    start_mb: float
    end_mb: float


def cases_figures(folder: Path, repeats: int) -> Iterator[CaseFigures]:
    """Every case of a benchmark folder (`cases/*.json`), beside `peers.csv` where there is one."""
    peers = read_peers(folder / "peers.csv")
    for path in sorted((folder / "cases").glob("*.json")):
        case = Case.read(path)
        optimum_p, figures = peers.get(case.name, (None, {}))
        optimum, taken = measured(case, repeats)
        yield CaseFigures(
            name=case.name,
            cost_p=optimum.schedule.cost_p,
            gap_p=optimum.report.gap_p,
            n_doubtful=optimum.report.n_doubtful,
            times=taken,
            optimum_p=optimum_p,
            peers=figures,
        )


def read_peers(path: Path) -> dict[str, tuple[float, dict[str, PeerFigure]]]:
    """{case: (optimum [p], {peer: figures})}; empty where there is no such file."""
    if not path.exists():
        return {}
    try:
        with path.open(newline="") as file:
            return {
                row["case"]: (float(row["optimum_p"]), _peer_figures(row))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a table of peers' figures: {error!r}") from error


def _peer_figures(row: Mapping[str, str]) -> dict[str, PeerFigure]:
    """Of one row; a warm time where there is one, since ours is compared with it."""
    figures = {}
    for column in row:
        peer = column.removesuffix("_gap_p")
        if peer == column or not row[column]:
            continue
        seconds = row.get(f"{peer}_warm_s") or row.get(f"{peer}_s")
        figures[peer] = PeerFigure(
            gap_p=float(row[column]), seconds=float(seconds) if seconds else None
        )
    return figures


def measured(case: Case, repeats: int) -> tuple[Optimum, Times]:
    """What a case gives, and how long it takes: ours and the bare solver's in turn.

    So a busy machine slows both.
    """
    planner = Planner()
    rng = np.random.default_rng(0)
    started = perf_counter()
    optimum = planner.optimum(case.house, case.outlook, case.soc_kwh)
    first_s = perf_counter() - started
    bare_program = BareProgram(
        case.house.battery,
        program_inputs(case.house, case.outlook, case.soc_kwh),
        exclusive=optimum.report.n_doubtful > 0,
    )
    warm, whole, bare = list[float](), list[float](), list[float]()
    while len(warm) < repeats and (len(warm) < _FEWEST or perf_counter() - started < _LONG_S):
        # Something else in between: nobody plans twice for the same forecast.
        planner.optimum(case.house, changed(case.outlook, rng), case.soc_kwh)
        warm.append(_seconds(partial(planner.optimum, case.house, case.outlook, case.soc_kwh)))
        whole.append(_seconds(partial(planner.plan, case.house, case.outlook, case.soc_kwh)))
        bare.append(bare_program.solve(GAP_P).seconds)
    return optimum, Times(
        first_s=first_s,
        warm_s=float(np.median(warm)),
        bare_s=float(np.median(bare)),
        plan_s=float(np.median(whole)),
    )


def changed(outlook: Outlook, rng: np.random.Generator) -> Outlook:
    """The same outlook with a load that is up to a tenth more or less in each slot."""
    shares = rng.uniform(0.9, 1.1, outlook.horizon.n_slots)
    return replace(outlook, load_kwh=outlook.load_kwh * shares)


def growth(sizes: Sequence[tuple[int, int]], repeats: int) -> Iterator[GrowthFigures]:
    """Figures for each size (hours, minutes a step)."""
    for hours, step_minutes in sizes:
        yield _apart(growth_figures, hours, step_minutes, repeats)


def growth_figures(hours: int, step_minutes: int, repeats: int) -> GrowthFigures:
    """Figures for one size; to be called in a process that has planned nothing before."""
    case = made_up(hours, step_minutes)
    before_mb = memory_mb("VmRSS")
    Planner().plan(case.house, case.outlook, case.soc_kwh)
    grown_mb = memory_mb("VmHWM") - before_mb
    _, taken = measured(case, repeats)
    return GrowthFigures(hours=hours, step_minutes=step_minutes, times=taken, grown_mb=grown_mb)


def memory(n_plans: int) -> MemoryFigures:
    """Memory before and after this many plans, measured in a process of its own."""
    return _apart(memory_figures, n_plans)


def memory_figures(n_plans: int) -> MemoryFigures:
    """Memory before and after this many plans; the first few, which compile, come before."""
    case = made_up(48, 30)
    planner, rng = Planner(), np.random.default_rng(0)
    # A paid hour a day now and then, so that the exact program has its share.
    paid = np.arange(case.outlook.horizon.n_slots) % 48 // 2 == 2  # noqa: PLR2004 (02:00-03:00)
    windy = replace(case.outlook, import_rate=np.where(paid, -3.0, case.outlook.import_rate))
    start_mb = 0.0
    for number in range(-_WARM_UP, n_plans):
        if number == 0:
            start_mb = memory_mb("VmRSS")
        outlook = windy if number % 25 == 0 else case.outlook
        soc_kwh = case.soc_kwh * float(rng.uniform(0.5, 1.5))
        planner.plan(case.house, changed(outlook, rng), soc_kwh)
    return MemoryFigures(n_plans=n_plans, start_mb=start_mb, end_mb=memory_mb("VmRSS"))


def memory_mb(field: str) -> float:
    """Memory of this process [MB]: what it holds (VmRSS), or the most it has held (VmHWM).

    Where the system does not say, the latter for both.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1e3


def _seconds(call: Callable[[], object]) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started


def _apart(work: Callable[..., Result], *arguments: int) -> Result:
    """The result of a call made in a fresh process."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(work, *arguments).result()
