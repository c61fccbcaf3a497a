"""Plays variants of homes side by side: one after the other, on all cores, or on a Dask cluster.

Each variant of each home is a job of its own. A run is never cut in pieces, since what the battery
holds and the forecasts have learned are carried from day to day.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from battery_optimizer.errors import DataError
from battery_optimizer.model.house import Battery
from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, day_bounds, local_day
from battery_optimizer.simulate.backtest import (
    Forecast,
    Policy,
    Run,
    Step,
    end_soc_kwh,
    forecaster_of,
    play,
)
from battery_optimizer.simulate.compare.shared_load import SharedLoad

_NOTE_EVERY: Final = 48
"""Steps between two notes of how far a job has come."""
_LOOK_EVERY_S: Final = 1.0
_PLANNING: Final = (Policy.PLANNER, Policy.PRESCIENT)
_RULE_OF_THUMB: Final = 0.01
_NOTHING_KWH: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Job:
    """One variant of one home."""

    home: str
    variant: str
    run: Run
    standing_p: float
    """Standing charge [p/day]."""

    @property
    def n_steps(self) -> int:
        """Steps to be played."""
        return self.run.days.n_slots * (SLOT // self.run.step)

    @property
    def work(self) -> float:
        """What it takes, in steps of the planner; the other policies are hardly anything."""
        return self.n_steps * (1.0 if self.run.policy in _PLANNING else _RULE_OF_THUMB)


@dataclass(slots=True, kw_only=True)
class Day:
    """A local day as it was lived through [kWh, p]."""

    import_kwh: float = 0.0
    export_kwh: float = 0.0
    charge_kwh: float = 0.0
    discharge_kwh: float = 0.0
    import_p: float = 0.0
    export_p: float = 0.0
    charge_p: float = 0.0
    """What was charged, at what it cost: bought, or not sold."""
    discharge_p: float = 0.0
    """What was discharged, at what it saved or earned."""
    n_slots: float = 0.0

    def add(self, step: Step, slots: float) -> None:
        """One step more, of so many half hours."""
        flows = step.flows
        self.import_kwh += flows.grid_import_kwh
        self.export_kwh += flows.grid_export_kwh
        self.charge_kwh += flows.charge_kwh
        self.discharge_kwh += flows.discharge_kwh
        self.import_p += step.import_rate * flows.grid_import_kwh
        self.export_p += step.export_rate * flows.grid_export_kwh
        bought = step.import_rate if flows.grid_import_kwh > _NOTHING_KWH else step.export_rate
        sold = step.export_rate if flows.grid_export_kwh > _NOTHING_KWH else step.import_rate
        self.charge_p += bought * flows.charge_kwh
        self.discharge_p += sold * flows.discharge_kwh
        self.n_slots += slots


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job, day by day."""

    home: str
    variant: str
    standing_p: float
    days: dict[date, Day] = field(repr=False)
    capacity_kwh: float
    start_soc_kwh: float
    end_soc_kwh: float
    left_p: float
    """What the battery holds more at the end than at the start is worth, below 0 if less."""
    seconds: float

    @property
    def label(self) -> str:
        """Which it is, in words."""
        return f"{self.home}: {self.variant}"

    @property
    def n_days(self) -> float:
        """Days played; parts of days count as such."""
        return sum(day.n_slots for day in self.days.values()) / SLOTS_PER_DAY

    @property
    def whole_days(self) -> list[date]:
        """Those that were lived through whole, or all if none was: runs begin and end in UTC."""
        return [day for day in self.days if self.days[day].n_slots >= _SHORTEST_DAY] or [*self.days]

    def bill_p(self, day: date) -> float:
        """The day's bill with its standing charge, by the part of the day played."""
        of = self.days[day]
        start, end = day_bounds(day)
        share = of.n_slots / ((end - start) / SLOT)
        return of.import_p - of.export_p + share * self.standing_p

    @property
    def total_p(self) -> float:
        """The bill of all days, standing charges included."""
        return sum(self.bill_p(day) for day in self.days)

    @property
    def p_a_day(self) -> float:
        """The mean bill of a day."""
        return self.total_p / self.n_days

    @property
    def net_p_a_day(self) -> float:
        """The same, with what is left in the battery taken off."""
        return (self.total_p - self.left_p) / self.n_days


_SHORTEST_DAY: Final = 46
"""Half hours of the day on which the clocks go forward."""

Tell = Callable[[str, float], None]
"""Is told how far the work has come: in words, and as a share."""


def played(job: Job, notes: Path | None) -> Outcome:
    """Live through one job; how far it has come is noted in a file, if that can be."""
    started = perf_counter()
    days: dict[date, Day] = {}
    slots = job.run.step / SLOT
    last: Step | None = None
    forecaster = forecaster_of(job.run)
    if job.run.policy is Policy.PLANNER and job.run.forecast is Forecast.HISTORY:
        forecaster = SharedLoad(forecaster, job.run.days)
    for count, step in enumerate(play(job.run, forecaster)):
        days.setdefault(local_day(step.time), Day()).add(step, slots)
        last = step
        if count % _NOTE_EVERY == 0 and notes is not None and notes.parent.is_dir():
            notes.write_text(str(count))
    assert last is not None  # noqa: S101 (a run has at least one step)
    battery = job.run.house.battery
    left_kwh = end_soc_kwh(job.run, last)
    return Outcome(
        home=job.home,
        variant=job.variant,
        standing_p=job.standing_p,
        days=days,
        capacity_kwh=battery.capacity_kwh,
        start_soc_kwh=job.run.start_soc_kwh,
        end_soc_kwh=left_kwh,
        left_p=(left_kwh - job.run.start_soc_kwh) * _stored_p(days.values(), battery),
        seconds=perf_counter() - started,
    )


def _stored_p(days: Collection[Day], battery: Battery) -> float:
    """What a stored kWh is worth, between what it cost to store and what it saved [p/kWh]."""
    charged_kwh = battery.charge_efficiency * sum(day.charge_kwh for day in days)
    drawn_kwh = sum(day.discharge_kwh for day in days) / battery.discharge_efficiency
    worths = []
    if charged_kwh > 0:
        worths.append(sum(day.charge_p for day in days) / charged_kwh)
    if drawn_kwh > 0:
        worths.append(sum(day.discharge_p for day in days) / drawn_kwh)
    return sum(worths) / len(worths) if worths else 0.0


def all_played(
    jobs: Sequence[Job], *, n_jobs: int = -1, dask: str | None = None, tell: Tell
) -> list[Outcome]:
    """The outcomes in the order of the jobs; `n_jobs` -1 is one for each core.

    `dask` is the address of a cluster's scheduler. DataError where what that needs is not there.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        notes = [Path(folder) / str(number) for number in range(len(jobs))]
        pairs = list(zip(jobs, notes, strict=True))
        if n_jobs == 1 and dask is None:
            found: Iterator[Outcome] = (played(job, note) for job, note in pairs)
        else:
            found = _in_parallel(pairs, n_jobs, dask, stack)
        stack.enter_context(_watched(jobs, notes, tell))
        done: dict[tuple[str, str], Outcome] = {}
        work_of = {(job.home, job.variant): job.work for job in jobs}
        try:
            for outcome in found:
                done[outcome.home, outcome.variant] = outcome
                share = sum(work_of[each] for each in done) / sum(work_of.values())
                tell(f"{outcome.label} played in {outcome.seconds:.0f} s", share)
        except ImportError as error:
            raise DataError(
                f"a worker cannot do it: {error}; each needs requirements.txt, pandas, "
                "requirements-compare.txt, and this project's apps folder on its PYTHONPATH"
            ) from error
    return [done[job.home, job.variant] for job in jobs]


def _in_parallel(
    work: Sequence[tuple[Job, Path]], n_jobs: int, dask: str | None, stack: ExitStack
) -> Iterator[Outcome]:
    joblib = _library("joblib")
    if dask is not None:
        distributed = _library("distributed")
        try:
            client = distributed.Client(dask, timeout="5s")
        except (OSError, ValueError) as error:
            raise DataError(f"no Dask scheduler answers at {dask}: {error}") from error
        stack.enter_context(client)
        stack.enter_context(joblib.parallel_config(backend="dask"))
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
    found: Iterator[Outcome] = parallel(joblib.delayed(played)(job, note) for job, note in work)
    return found


def _library(name: str) -> Any:  # noqa: ANN401 (a module)
    """A library that only comparing in parallel needs, so that nobody else has to have it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(
            f"{name} is not installed: pip install -r requirements-compare.txt, "
            "or use one core with --jobs 1"
        ) from error


@contextmanager
def _watched(jobs: Sequence[Job], notes: Sequence[Path], tell: Tell) -> Iterator[None]:
    """Tells, while others work, how far they have come (where they share this machine's files)."""
    over = threading.Event()
    work = sum(job.work for job in jobs)

    def watch() -> None:
        while not over.wait(_LOOK_EVERY_S):
            noted = zip(jobs, map(_noted, notes), strict=True)
            tell("", sum(steps / job.n_steps * job.work for job, steps in noted) / work)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _noted(note: Path) -> int:
    try:
        return int(note.read_text() or 0)
    except OSError:
        return 0
