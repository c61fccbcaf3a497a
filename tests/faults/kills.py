"""AppDaemon killed at random moments: is the store whole, and the inverter right afterwards?"""

import random
import signal
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults.live import Live

TABLES = {
    "decisions": "SELECT at, result, mode, reason FROM decisions",
    "outcomes": "SELECT at, plan_made_at, length(body) FROM outcomes",
    "plans": "SELECT made_at, length(body) FROM plans",
    "commands": "SELECT at, result FROM commands",
    "samples": "SELECT at, load_kw, soc_kwh FROM samples",
    "rates": "SELECT series, start, p_per_kwh FROM rates",
}
MODES = {"Automatic": "Self Use", "Discharge": "Force Discharge", "Hold": "Back-up"}
OFTEN = {"FAULTS_CYCLE_S": "2", "FAULTS_SLACK_S": "35", "FAULTS_MAX_AGE_S": "900"}
"""A cycle every two seconds: there is much to interrupt; neither watch nor age is tried here."""
LONGEST_WAIT_S = 3.0
EARLY_SHARE = 1 / 3
"""Of kills while AppDaemon and the app are starting."""
EARLY_S = (0.3, 6.0)

Rows = dict[str, set[tuple[object, ...]]]


@dataclass
class Tally:
    """What came of the kills."""

    kills: int = 0
    early: int = 0
    rows_watched: int = 0
    most_rows: int = 0
    seconds_to_right: list[float] = field(default_factory=list)


def rows_of(path: Path) -> Rows:
    """All that is committed now, as a connection of its own sees it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        connection.execute("BEGIN")
        return {name: set(connection.execute(query)) for name, query in TABLES.items()}
    finally:
        connection.close()


@contextmanager
def watching(path: Path) -> Iterator[list[Rows]]:
    """What was committed, again and again; the last entry is the newest."""
    seen: list[Rows] = []
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(0.03):
            with suppress(sqlite3.Error):  # not there yet, or in the middle of its first tables
                seen[:] = [rows_of(path)]

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        thread.join()


def kill_often(live: Live, times: int, seed: int) -> Tally:
    """Kill and start again, so often; AssertionError if anything is lost or wrong."""
    chance, tally = random.Random(seed), Tally()  # noqa: S311 - no secret
    path = live.run / "battery_optimizer_simulated.db"
    for _ in range(times):
        order = chance.choice(sorted(MODES))
        live.suffer(order=None if order == "Automatic" else order)
        with watching(path) as seen:
            live.start(**OFTEN)
            if chance.random() < EARLY_SHARE:
                time.sleep(chance.uniform(*EARLY_S))
                tally.early += 1
            else:
                _await_mode(live, MODES[order], tally)
                time.sleep(chance.uniform(0, LONGEST_WAIT_S))
            live.end(signal.SIGKILL)
        tally.kills += 1
        _check(path, seen[-1] if seen else {}, tally)
    live.suffer(order=None)
    live.start(**OFTEN)
    _await_mode(live, "Self Use", tally)
    live.end()
    return tally


def _await_mode(live: Live, option: str, tally: Tally) -> None:
    began = time.monotonic()
    live.until(lambda: live.inverter["option"] == option and live.health(), f"{option}", 240)
    tally.seconds_to_right.append(time.monotonic() - began)


def _check(path: Path, before: Rows, tally: Tally) -> None:
    if not path.exists():
        assert not before
        return
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
    assert not list(path.parent.glob("*.damaged*"))
    if not before:
        return
    after = rows_of(path)
    for name, rows in before.items():
        # What was in the middle of being averaged anew may differ; nothing may be gone.
        lost = {row[0] for row in rows} - {row[0] for row in after[name]}
        assert not lost, f"{len(lost)} rows of {name} are lost"
        if name in ("decisions", "outcomes", "plans", "commands"):
            # Two cycles in the same second, which there are only here, are one row in the end.
            settled = {row for row in rows if int(str(row[0])) < int(str(max(rows)[0])) - 1}
            assert settled <= after[name], name
    tally.rows_watched += sum(len(rows) for rows in before.values())
    tally.most_rows = max(tally.most_rows, sum(len(rows) for rows in after.values()))


def words(tally: Tally) -> str:
    """For the page."""
    right = tally.seconds_to_right
    return (
        f"{tally.kills} kills (SIGKILL), {tally.early} of them while AppDaemon was starting. After "
        "each, `PRAGMA integrity_check` said ok, and none of the rows that a second connection had "
        f"seen committed before was gone ({tally.rows_watched} rows compared, {tally.most_rows} at "
        f"a time at most). After each of the {len(right)} starts that were let live the inverter "
        f"took on the mode ordered, {statistics.median(right):.1f} s after AppDaemon's start "
        f"(median; {max(right):.1f} s at most). AppDaemon's processes were forked from one that "
        "had imported the libraries, which saves two seconds each."
    )
