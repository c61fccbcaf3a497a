"""Faults of all but the house: Octopus, the sun's forecast, the database, clock and solver."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from battery_optimizer.errors import SolverFailed
from battery_optimizer.model.plan import Plan
from faults.fault import Change, Fault
from faults.world import World
from octopus_server import Fault as Answer
from octopus_server import OctopusServer

MANY = 5000
"""More requests than there will be."""
SMALL_DISK = "3m"


def answering(answer: Answer) -> Change:
    """Whatever Octopus is asked, and it is asked at once."""

    def begin(world: World) -> None:
        world.octopus.fail_next(*[answer] * MANY)
        assert world.house is not None
        world.house.rates.fetched_at = None

    return begin


def answers_again(world: World) -> None:
    world.octopus._faults.clear()
    world.octopus.hang_up()  # on all that wait in silence


def never_known(answer: Answer) -> Change:
    """From before the first start on."""
    return lambda world: world.octopus.fail_next(*[answer] * MANY)


def spoilt(octopus: OctopusServer) -> None:
    """Every row has a price that is none."""
    for rows in octopus.unit_rates.values():
        for row in rows:
            row["value_inc_vat"] = "cheap"


def spoil(world: World) -> None:
    spoilt(world.octopus)
    assert world.house is not None
    world.house.rates.fetched_at = None


def mend(world: World) -> None:
    world.octopus.unit_rates.clear()
    world.publish()


def nothing_published(world: World) -> None:
    world.octopus.unit_rates.clear()
    world.octopus.publish("E-1R-AGILE-24-10-01-C", [])
    assert world.house is not None
    world.house.rates.fetched_at = None


def no_sun(world: World) -> None:
    """Solcast's entities are gone, and nobody else knows the weather."""
    world.has_solcast = False


def sun_again(world: World) -> None:
    world.has_solcast = True


def locked(world: World) -> None:
    connection = sqlite3.connect(_database(world), isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    world.held = connection  # type: ignore[attr-defined]


def unlocked(world: World) -> None:
    world.held.close()  # type: ignore[attr-defined]


def corrupt(world: World) -> None:
    """Its pages are overwritten while it is open."""
    path = _database(world)
    assert world.house is not None
    world.house.store._file.write(lambda connection: connection.execute("SELECT 1"))
    world.house.store._file._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    # A page cache of its own would hide it for a while.
    world.house.store.close()


def no_database(world: World) -> None:
    """Overwritten from the first byte on."""
    assert world.house is not None
    world.house.store.close()
    for ending in ("-wal", "-shm"):
        Path(f"{_database(world)}{ending}").unlink(missing_ok=True)
    _database(world).write_bytes(b"not a database, but words" * 1000)


def small_disk(world: World) -> None:
    """The app's folder is a disk of 3 MB, if this machine lets us make one."""
    answer = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(world.folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    world.has_disk = answer.returncode == 0  # type: ignore[attr-defined]


def disk_full(world: World) -> None:
    if world.has_disk:  # type: ignore[attr-defined]
        file = os.open(world.folder / "full", os.O_CREAT | os.O_WRONLY)
        with suppress(OSError):
            while True:
                os.write(file, b"\0" * 4096)
        os.close(file)
        return
    # SQLite's own answer to a full disk, by its own limit.
    _pragma(world, "max_page_count", 1)


def disk_free(world: World) -> None:
    if world.has_disk:  # type: ignore[attr-defined]
        (world.folder / "full").unlink()
    else:
        _pragma(world, "max_page_count", 4294967294)


def disk_gone(world: World) -> None:
    """The disk is taken away in the end."""
    world.die()
    if world.has_disk:  # type: ignore[attr-defined]
        subprocess.run(["umount", "-l", str(world.folder)], check=True)


def read_only(world: World) -> None:
    """The app is started again on a disk that may not be written."""
    world.stop()
    if world.has_disk:  # type: ignore[attr-defined]
        _remount(world, "ro")
    else:
        world.folder.chmod(0o500)
    world.begin()


def writable(world: World) -> None:
    if world.has_disk:  # type: ignore[attr-defined]
        _remount(world, "rw")
    else:
        world.folder.chmod(0o700)


def is_a_folder(world: World) -> None:
    """Where the database should be is a folder."""
    assert world.house is not None
    world.house.store.close()
    _database(world).rename(world.folder / "kept")
    _database(world).mkdir()


def is_a_file_again(world: World) -> None:
    assert world.house is not None
    world.house.store.close()
    shutil.rmtree(_database(world))
    (world.folder / "kept").rename(_database(world))


def jumping(**by: float) -> Change:
    return lambda world: world.jump(timedelta(**by))


class _Planner:
    """Stands in for a solver that is out of time."""

    def plan(self, *_: object, **__: object) -> Plan:
        raise SolverFailed("Time limit reached")


def out_of_time(world: World) -> None:
    assert world.house is not None
    world.kept_planner = world.house.cycle._planner  # type: ignore[attr-defined]
    world.house.cycle._planner = _Planner()  # type: ignore[assignment]


def solver_again(world: World) -> None:
    assert world.house is not None
    world.house.cycle._planner = vars(world).pop("kept_planner")


def killed(world: World) -> None:
    """As by kill -9 in the middle of a forced mode: Home Assistant goes on refreshing it."""
    world.die()


def started_again(world: World) -> None:
    world.begin()


def reloaded(world: World) -> None:
    world.stop()
    world.begin()


def _database(world: World) -> Path:
    return world.folder / "battery_optimizer.db"


def _pragma(world: World, name: str, value: int) -> None:
    assert world.house is not None
    connection = world.house.store._file._connection
    assert connection is not None
    connection.execute(f"PRAGMA {name} = {value}")


def _remount(world: World, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(world.folder)], check=True)


STORED = "planned by stored rates, and said"
MEMORY = "control goes on from memory; said"


def api(name: str, how: str, says: str, begin: Change, **more: Any) -> Fault:  # noqa: ANN401
    given = {"expected": STORED, "end": answers_again, "recovers_within": 31.0, **more}
    return Fault(name=name, how=how, says=says, begin=begin, **given)


def disk(name: str, how: str, says: str, begin: Change, end: Change, **more: Any) -> Fault:  # noqa: ANN401
    return Fault(
        name=name,
        how=how,
        says=says,
        begin=begin,
        end=end,
        **{"expected": MEMORY, "recovers_within": 36.0, **more},
    )


API_FAULTS = (
    api("Octopus answers 500", "every request", "busy or broken .HTTP 500",
        answering(Answer(status=500))),
    api("Octopus answers 429", "every request, Retry-After: 3", "busy or broken .HTTP 429",
        answering(Answer(status=429, headers={"Retry-After": "3"}))),
    api("Octopus answers 429 for an hour", "Retry-After: 3600", "busy or broken .HTTP 429",
        answering(Answer(status=429, headers={"Retry-After": "3600"}))),
    api("Octopus does not answer", "takes the request and says nothing",
        "did not answer in time", answering(Answer(is_silent=True))),
    api("Octopus sends a page", "HTML instead of JSON", "Octopus",
        answering(Answer(body=b"<html>Sorry</html>"))),
    api("Octopus sends another JSON", "a list instead of an object", "Octopus",
        answering(Answer(body=b"[1, 2]"))),
    api("Octopus refuses", "every request is answered 403", "refused to show",
        answering(Answer(status=403))),
    api("Octopus knows no such tariff", "every request is answered 404", "does not know",
        answering(Answer(status=404))),
    api("rates that are no numbers", "every rate is the word cheap", "rate|Octopus", spoil,
        end=mend),
    api("no rates published", "an empty table", "no import rate", nothing_published, end=mend),
    api("no rates from the start", "every request is answered 500 since the first start",
        "no import rate is known|busy or broken", lambda _: None,
        before=never_known(Answer(status=500)), expected="self-use but for orders, and said",
        minutes=5.0),
    api("no sun forecast", "Solcast's entities do not exist", "Solcast", no_sun, end=sun_again,
        expected="the sun of recent days, and said", recovers_within=11.0),
)  # fmt: skip

DISK_FAULTS = (
    disk("database locked", "another program holds it exclusively", "is locked", locked, unlocked,
 recovers_within=31.0),
    disk("database corrupt", "its pages are overwritten while it is open", "was damaged",
         corrupt, lambda _: None, leaves="was damaged|a new one begun|database",
         expected="set aside, not deleted, a new one begun; said"),
    disk("database overwritten", "with words, from the first byte on", "was damaged",
         no_database, lambda _: None, leaves="was damaged|a new one begun|database",
         expected="set aside, not deleted, a new one begun; said"),
    disk("database is a folder", "where the file should be", "cannot be opened",
         is_a_folder, is_a_file_again),
    disk("disk full", "a disk of 3 MB is filled to the last byte (where mounting is not allowed: "
         "SQLite's limit of pages)", "disk is full|cannot grow|cannot be read or written",
         disk_full, disk_free, before=small_disk),
    disk("disk read-only at the start", "the app is reloaded on a disk mounted read-only",
         "Read-only|may not be written|cannot be opened|cannot be reached", read_only, writable,
         before=small_disk),
)  # fmt: skip

CLOCK = "the rates of the time shown hold; no stale word of it, and no pause"
CLOCK_FAULTS = (
    Fault(name="clock an hour ahead", how="the clock jumps by +1 h", expected=CLOCK, says="",
          begin=jumping(hours=1)),
    Fault(name="clock an hour back", how="the clock jumps by -1 h", expected=CLOCK, says="",
          begin=jumping(hours=-1)),
    Fault(name="clock an hour ahead and back", how="+1 h, and -1 h 25 minutes later",
          expected=CLOCK, says="", begin=jumping(hours=1), end=jumping(hours=-1)),
    Fault(name="clock a day ahead and back", how="+1 day, and -1 day 25 minutes later",
          expected=CLOCK, says="", begin=jumping(days=1), end=jumping(days=-1)),
    Fault(name="clock in 2016 at the start", how="no clock battery: right after 25 minutes",
          expected="self-use but for orders while no rates of that day are known; then as ever",
          says="", before=jumping(days=-3650), begin=lambda _: None, end=jumping(days=3650),
          minutes=25.0, recovers_within=31.0),
    Fault(name="clock a minute to and fro", how="-1 minute, +1 minute 25 minutes later",
          expected=CLOCK, says="", begin=jumping(minutes=-1), end=jumping(minutes=1)),
)  # fmt: skip

SOLVER_FAULTS = (
    Fault(name="solver out of time", how="no plan within planner.time_limit_s",
          expected="the last plan while it is young, the rules of the day after; said",
          says="Time limit", begin=out_of_time,
          end=solver_again),
    Fault(name="solver out of time for three hours", how="no plan within planner.time_limit_s",
          expected="the last plan while it is young, the rules of the day after; said",
          says="Time limit", begin=out_of_time,
          end=solver_again, minutes=180.0),
)  # fmt: skip

PROCESS_FAULTS = (
    Fault(name="app reloaded", how="stopped and started again at once",
          expected="self-use in between; then as ordered", says="", begin=reloaded),
)  # fmt: skip

FAULTS = (*API_FAULTS, *DISK_FAULTS, *CLOCK_FAULTS, *SOLVER_FAULTS, *PROCESS_FAULTS)

CLOCK_CHANGES = {
    "clocks go forward": datetime(2026, 3, 28, 22, 0, tzinfo=UTC),
    "clocks go back": datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
}
