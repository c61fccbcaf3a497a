"""Weeks of a house's life in minutes, with faults at random: does anything grow, or go unsaid?

    PYTHONPATH=apps:tests python -m faults.soak --weeks 4

Retention is shortened to a week, so that in four the database must have stopped to grow. Plans are
for a day and one future, which takes half the time.
"""

import argparse
import gc
import json
import logging
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from battery_optimizer.adapters.store.sqlite import Retention
from battery_optimizer.simulate.home.surroundings import PlausibleHome
from faults.fault import Fault
from faults.house_faults import FAULTS as HOUSE_FAULTS
from faults.other_faults import FAULTS as OTHER_FAULTS
from faults.world import TARIFF, World
from octopus_server import OctopusServer, half_hours

START = datetime(2026, 3, 23, tzinfo=UTC)
"""The clocks go forward in the first week."""
WEEK = timedelta(days=7)
SHORT = Retention(samples=7, half_hours=60, decisions=7, outlooks=7, forecasts=7, rates=60)
NOT_HERE = ("disk read-only at the start", "no rates from the start", "clock in 2016 at the start")
"""Their story begins before the app does."""
ORDERS = ("Charge", "Discharge", "Hold", "Self use", "Feed in", "Pause", "Away")
HOURS_BETWEEN = (1.0, 9.0)


@dataclass(kw_only=True)
class Snapshot:
    """What a week left behind."""

    week: float
    rss_mb: float
    threads: int
    files: int
    database_mb: float


@dataclass(kw_only=True)
class Report:
    """What came of it."""

    cycles: int = 0
    faults: int = 0
    orders: int = 0
    bugs: list[str] = field(default_factory=list)
    unlogged: list[str] = field(default_factory=list)
    longest_unwanted_s: float = 0.0
    writes_a_day: list[int] = field(default_factory=list)
    weeks: list[Snapshot] = field(default_factory=list)


class Life(World):
    """A house with rates that differ by the hour, where the plan says what is wanted."""

    def publish(self) -> None:
        chance = random.Random(7)  # noqa: S311 - no secret
        first = self.start.replace(hour=0, minute=0) - timedelta(days=15)
        values: list[float] = []
        for _ in range(self.days + 18):
            day = [22 + 8 * chance.random() + (18 if 32 <= t < 38 else 0) for t in range(48)]
            cheap = chance.randrange(2, 10)
            day[cheap : cheap + 6] = [chance.uniform(-3, 12) for _ in range(6)]
            values += day
        self.octopus.publish(TARIFF, half_hours(first, values))

    @property
    def is_wanted(self) -> bool:
        plan = None if self.shown is None else self.shown.plan
        if self.helpers_say_force:
            return True
        if plan is None or not plan.horizon.start <= self.now < plan.horizon.end:
            return False
        return plan.at(self.now).mode.is_forced

    @property
    def helpers_say_force(self) -> bool:
        return any(each in ("Charge", "Discharge") for each in self.helpers.values())


class Soak:
    """Lives it."""

    def __init__(self, world: Life, seed: int) -> None:
        self._world, self._chance = world, random.Random(seed)  # noqa: S311 - no secret
        self.report = Report()
        self._faults = [
            each for each in (*HOUSE_FAULTS, *OTHER_FAULTS) if each.name not in NOT_HERE
        ]
        self._left = list(self._faults)
        world.has_disk = False  # type: ignore[attr-defined]

    def live(self, weeks: float, tell: Callable[[str], object]) -> Report:
        world, report = self._world, self.report
        world.begin()
        self._shorten()
        end = world.start + weeks * WEEK
        week, day = world.start, world.start
        while world.true_time < end:
            self._quiet(self._chance.uniform(*HOURS_BETWEEN) * 60)
            self._suffer()
            while world.true_time - day >= timedelta(days=1):
                day += timedelta(days=1)
                self._tidy()
            while world.true_time - week >= WEEK / 2 or world.true_time >= end > week:
                week += WEEK / 2
                report.weeks.append(self._snapshot())
                tell(json.dumps(asdict(report.weeks[-1])))
        report.cycles, report.bugs = world.n_cycles, world.bugs
        report.longest_unwanted_s = world.longest_unwanted.total_seconds()
        return report

    def _quiet(self, minutes: float) -> None:
        if self._chance.random() < 0.3:
            self._world.order(self._chance.choice(ORDERS))
            self.report.orders += 1
            self._live(self._chance.uniform(5, 90))
            self._world.order()
        self._live(minutes)

    def _suffer(self) -> None:
        world = self._world
        if not self._left:
            self._left = list(self._faults)
        fault = self._left.pop(self._chance.randrange(len(self._left)))
        self.report.faults += 1
        world.is_deaf = fault.is_deaf
        assert world.house is not None
        world.house.store.problems()
        world.house.store.get_state("awake")
        fault.begin(world)
        self._live(self._chance.uniform(5, 90) if fault.minutes >= 1 else fault.minutes)
        self._end(fault)

    def _end(self, fault: Fault) -> None:
        world = self._world
        world.house.store.get_state("awake") if "disk" in fault.name and world.house else None
        fault.end(world)
        self._live(6)  # until the app can have done something about it
        world.is_deaf = False
        if world.house is None:
            world.begin()
        self._shorten()

    def _shorten(self) -> None:
        if self._world.house is not None:
            self._world.house.store._retention = SHORT

    def _live(self, minutes: float) -> None:
        world = self._world
        end = world.true_time + timedelta(minutes=minutes)
        while world.true_time < end:
            before = world.shown
            world.live(min(30.0, (end - world.true_time) / timedelta(minutes=1)))
            if world.shown is not None and world.shown is not before:
                self._count_writes(world.shown.outcome.at, world.shown.outcome.writes_today)

    _day: object = None
    _most = 0

    def _count_writes(self, at: datetime, writes: int) -> None:
        if self._day != at.date():
            if self._day is not None:
                self.report.writes_a_day.append(self._most)
            self._day, self._most = at.date(), 0
        self._most = max(self._most, writes)

    def _tidy(self) -> None:
        """The world's own memory, that only what the app keeps may grow."""
        self._world.problems.clear()
        self._world.octopus.asked.clear()
        offsets = self._world._offsets
        offsets[:-1] = []
        offsets[0] = (START - WEEK, offsets[0][1])

    def _snapshot(self) -> Snapshot:
        gc.collect()
        world = self._world
        status = Path("/proc/self/status").read_text()
        rss_kb = int(status.split("VmRSS:")[1].split()[0])
        # Without its log of what is to be written, which is long or short by the moment, and the
        # damaged files that were set aside, which are kept on purpose.
        database = world.folder / "battery_optimizer.db"
        return Snapshot(
            week=round((world.true_time - world.start) / WEEK, 1),
            rss_mb=round(rss_kb / 1024, 1),
            threads=threading.active_count(),
            files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208
            database_mb=round(database.stat().st_size / 1e6, 1),
        )


def soak(folder: Path, weeks: float, seed: int, tell: Callable[[str], object] = len) -> Report:
    """So many weeks, told now and then."""
    unlogged: list[str] = []
    threading.excepthook = lambda given: unlogged.append(repr(given.exc_value))
    sys.unraisablehook = lambda given: unlogged.append(repr(given.exc_value))
    with OctopusServer() as octopus:
        world = Life(
            folder=folder,
            octopus=octopus,
            start=START,
            surroundings=PlausibleHome(seed=seed),
            days=int(7 * weeks) + 3,
            tick=timedelta(seconds=30),
            settings={"planner": {"horizon_hours": 24, "attitude": "thrifty"}},
        )
        try:
            report = Soak(world, seed).live(weeks, tell)
        finally:
            world.die()
    threading.excepthook, sys.unraisablehook = threading.__excepthook__, sys.__unraisablehook__
    report.unlogged = unlogged
    return report


def words(report: Report) -> list[str]:
    """For the page."""
    writes = report.writes_a_day
    summary = (
        f"{report.cycles} cycles, {report.faults} faults, {report.orders} orders of the household. "
        f"Exceptions that were no answer to a fault: {len(report.bugs)}; unlogged: "
        f"{len(report.unlogged)}. The longest unwanted force: {report.longest_unwanted_s:.0f} s. "
        f"Writes to the inverter a day: {sum(writes) / max(1, len(writes)):.0f} on average, "
        f"{max(writes, default=0)} at most."
    )
    return [
        summary,
        "",
        "| Weeks | Memory [MB] | Threads | Open files | Database [MB] |",
        "|---|---|---|---|---|",
        *(
            f"| {each.week:.1f} | {each.rss_mb:.0f} | {each.threads} | {each.files} | "
            f"{each.database_mb:.1f} |"
            for each in report.weeks
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults.soak")
    parser.add_argument("--weeks", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        report = soak(Path(folder), given.weeks, given.seed, partial(print, flush=True))
    told: dict[str, Any] = asdict(report)
    print(json.dumps(told))  # noqa: T201 - a command line


if __name__ == "__main__":
    main()


__all__ = ["Life", "Report", "soak"]
