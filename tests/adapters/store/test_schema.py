import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.schema import MIGRATIONS, epoch, migrate, moment_of
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import StoreUnavailable
from battery_optimizer.model.codec import encode
from battery_optimizer.model.telemetry import EnergyKind
from money_values import a_bill
from store_values import NOW, a_plan, an_outcome


def file_of_version(path: Path, version: int) -> None:
    """A file as the app of that version left it, with a plan and a state in it."""
    connection = sqlite3.connect(path)
    for statements in MIGRATIONS[:version]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT INTO state VALUES ('key', 'value')")
    connection.execute("INSERT INTO plans VALUES (?, ?)", (epoch(NOW), encode(a_plan())))
    connection.commit()
    connection.close()


def schema(path: Path) -> tuple[int, list[tuple[str, str]]]:
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    connection.close()
    return version, tables


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_file_of_each_earlier_version_becomes_a_new_one_and_keeps_its_rows(
    tmp_path: Path, version: int
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    file_of_version(old, version)
    store, fresh = Store(old), Store(new)
    assert store.last_plan() == a_plan()
    assert store.get_state("key") == "value"
    store.record(an_outcome())
    assert len(store.slot_energy(kind=EnergyKind.EXPECTED, start=NOW, end=moment_of(2**32))) == 1
    store.money.save_bill(a_bill())
    assert store.money.bills(a_bill().first, a_bill().last) == [a_bill()]
    fresh.put_state("key", "value")
    assert store.problems() == ()
    store.close()
    fresh.close()
    assert schema(old) == schema(new)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    file_of_version(path, 1)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE slot_energy (stray)")
    before = schema(path)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    connection.close()
    assert schema(path) == before


def test_a_file_of_a_newer_app_is_left_alone_and_the_way_out_is_told(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    file_of_version(path, len(MIGRATIONS))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    store = Store(path)
    with pytest.raises(StoreUnavailable, match="version 99, this app knows"):
        store.last_plan()
    (problem,) = store.problems()
    assert "newer.db" in problem
    store.close()
    assert schema(path)[0] == 99


def test_times_are_whole_seconds_utc() -> None:
    moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_of(epoch(moment)) == moment
    with pytest.raises(ValueError, match="not an aware UTC time"):
        epoch(moment.replace(tzinfo=None))
