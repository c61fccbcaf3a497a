import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import store_values
from battery_optimizer.adapters.store import sqlite as store_module
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import StoreUnavailable
from store_values import NOW, a_plan, a_reading, an_outcome


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, busy_seconds=0.05)
    yield store
    store.close()


def damaged_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


@pytest.mark.parametrize(
    "rubbish", [b"not a database at all " * 500, b"SQLite format 3\0" + b"?" * 5000]
)
def test_a_file_that_is_no_database_is_set_aside(path: Path, store: Store, rubbish: bytes) -> None:
    path.write_bytes(rubbish)
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    store.record(an_outcome())
    assert store.last_plan() == a_plan()
    (aside,) = damaged_files(path)
    assert aside.name == "battery_optimizer.db.damaged-20260115T120007Z"
    assert aside.read_bytes() == rubbish
    (problem,) = store.problems()
    assert aside.name in problem
    assert "a new one begun" in problem


def test_a_second_damaged_file_does_not_replace_the_first(path: Path, store: Store) -> None:
    for rubbish in (b"first" * 200, b"second" * 200):
        store.close()
        for part in path.parent.glob(f"{path.name}-*"):
            part.unlink()
        path.write_bytes(rubbish)
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
        store.put_state("key", "value")
    first, second = damaged_files(path)
    assert (first.read_bytes()[:5], second.read_bytes()[:6]) == (b"first", b"second")
    assert len(store.problems()) == 2


def test_damage_inside_is_found_at_the_start(path: Path, store: Store) -> None:
    for cycle in range(20):
        store.record(an_outcome(NOW + cycle * store_values.CYCLE))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xaa" * (len(content) - 12288)
    path.write_bytes(content)
    assert store.last_plan() is None
    assert len(damaged_files(path)) == 1
    assert "was damaged" in store.problems()[0]


def test_damage_while_running_loses_no_new_record(path: Path, store: Store) -> None:
    for cycle in range(20):
        store.record(an_outcome(NOW + cycle * store_values.CYCLE))
    store._file.read(
        lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )
    store._file.read(lambda connection: connection.execute("PRAGMA cache_size = 0").fetchall())
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (path.stat().st_size - 4096))
    store.record(an_outcome())
    assert store.last_plan() == a_plan()
    assert len(damaged_files(path)) == 1


def test_an_empty_file_is_a_new_database(path: Path, store: Store) -> None:
    path.touch()
    store.put_state("key", "value")
    assert store.problems() == ()


def test_a_locked_database_is_unavailable_until_it_is_free(path: Path, store: Store) -> None:
    store.put_state("key", "before")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked by another program: close"):
        store.put_state("key", "during")
    assert "locked by another program" in store.problems()[0]
    assert store.get_state("key") == "before"
    other.execute("COMMIT")
    other.close()
    store.put_state("key", "after")
    assert (store.get_state("key"), store.problems()) == ("after", ())


def test_a_database_locked_at_the_start_is_used_once_it_is_free(path: Path, store: Store) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked by another program"):
        store.put_state("key", "value")
    other.execute("ROLLBACK")
    other.close()
    store.put_state("key", "value")
    assert store.problems() == ()


def test_a_full_disk_is_unavailable_and_leaves_no_half_record(store: Store) -> None:
    store.record(an_outcome())

    def limit(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 1}").fetchall()

    store._file.read(limit)
    later = NOW + store_values.SLOT
    with pytest.raises(StoreUnavailable, match="disk is full: free some space"):
        store.record(an_outcome(later))
    assert "disk is full" in store.problems()[0]
    assert store.last_plan() == a_plan()
    assert len(store.decisions(NOW, later + store_values.SLOT)) == 1
    store._file.read(
        lambda connection: connection.execute("PRAGMA max_page_count = 9999").fetchall()
    )
    store.record(an_outcome(later))
    assert (store.last_plan(), store.problems()) == (a_plan(later), ())


def test_a_path_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "store.db")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.last_plan()
    directory = Store(tmp_path)
    with pytest.raises(StoreUnavailable, match="cannot be opened: check the path"):
        directory.last_plan()
    assert len(directory.problems()) == 1


def test_a_mistake_of_ours_leaves_nothing_half_done(store: Store) -> None:
    with pytest.raises(TypeError, match="can be a complex"):
        store.record(an_outcome(plan=a_plan_that_is_none()))
    assert store.decisions(NOW, NOW + store_values.SLOT) == []
    store.record(an_outcome())


def a_plan_that_is_none() -> object:
    plan = a_plan()
    object.__setattr__(plan, "warnings", 1j)
    return plan


_WRITER = """
import sys
from pathlib import Path
from store_values import CYCLE, NOW, a_reading, an_outcome
from battery_optimizer.adapters.store.sqlite import Store

store = Store(Path(sys.argv[1]))
begin = int(store.get_state("done") or 0)
for step in range(begin + 1, 10_000):
    at = NOW + step * CYCLE
    store.save_observation(a_reading(at))
    store.record(an_outcome(at))
    store.put_state("done", str(step))
    print(step, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_had_written(path: Path) -> None:
    folders = (Path(store_values.__file__).parent, Path(store_module.__file__).parents[3])
    python_path = os.pathsep.join(map(str, folders))
    told = 0
    for kill_after in (3, 10, 25):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path},
        ) as writer:
            assert writer.stdout is not None
            for _ in range(kill_after):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split()
        # The last line may be cut: what is told in a whole line was committed.
        told = max(told, *(int(line) for line in rest[:-1])) if rest[1:] else told
        store = Store(path)
        done = int(store.get_state("done") or 0)
        assert done >= told
        assert store.problems() == ()
        last = NOW + done * store_values.CYCLE
        plan = store.last_plan()
        assert plan is not None
        assert plan.made_at >= last
        assert len(store.decisions(NOW, last + store_values.CYCLE / 2)) == done
        store.close()
    store = Store(path)
    store.save_observation(a_reading())
    assert damaged_files(path) == []
    store.close()
