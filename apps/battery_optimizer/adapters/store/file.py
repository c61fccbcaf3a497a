"""The SQLite file under the store: opening, transactions, and what is done when it fails."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from battery_optimizer.adapters.store.schema import migrate
from battery_optimizer.errors import StoreUnavailable

T = TypeVar("T")

_SETTINGS: Final = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # before the first table; lets the file shrink
    "PRAGMA journal_mode = WAL",  # readers never wait; a killed process loses nothing committed
    "PRAGMA synchronous = NORMAL",  # no wait for the disk at each commit; spares SD cards
    "PRAGMA journal_size_limit = 1048576",
    "PRAGMA foreign_keys = ON",
)

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TRANSIENT: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)

_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another program: close what has it open",
    sqlite3.SQLITE_LOCKED: "is locked by another program: close what has it open",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space",
    sqlite3.SQLITE_READONLY: "may not be written: check the rights of the file and its folder",
    sqlite3.SQLITE_PERM: "may not be opened: check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the path and the rights of its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk",
}


class _Damaged(sqlite3.DatabaseError):
    """The file's own check found it broken."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class StoreFile:
    """One connection for all threads, behind a lock; opened when first needed.

    Whatever SQLite or the file system says against it leaves as StoreUnavailable.
    A damaged file is renamed, never deleted, and a new one begun.
    """

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._notices: list[str] = []
        self._failure: str | None = None

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` finds."""
        return self._guarded(work)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction: all of it, or nothing."""

        def in_transaction(connection: sqlite3.Connection) -> T:
            with _transaction(connection):
                return work(connection)

        return self._guarded(in_transaction)

    def problems(self) -> tuple[str, ...]:
        """What the householder should know: files set aside, and why the last use failed."""
        with self._lock:
            return (*self._notices, *([self._failure] if self._failure else []))

    def note(self, problem: str) -> None:
        """Add to the problems, once."""
        with self._lock:
            if problem not in self._notices:
                self._notices.append(problem)

    def close(self) -> None:
        """Close the file; it is opened again when next needed."""
        with self._lock:
            self._close()

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                found = self._attempt(work)
            except sqlite3.Error as error:
                code = _primary_code(error)
                if code not in _TRANSIENT:
                    self._close()
                advice = _ADVICE.get(code, f"failed: {error}")
                self._failure = f"the database {self._path} {advice}"
                raise StoreUnavailable(self._failure) from error
            except OSError as error:
                self._failure = f"the database {self._path} cannot be reached: {error}"
                raise StoreUnavailable(self._failure) from error
            except StoreUnavailable as error:
                self._close()
                self._failure = f"{error} ({self._path})"
                raise
            self._failure = None
            return found

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._opened())
        except sqlite3.DatabaseError as error:
            if _primary_code(error) not in _DAMAGED:
                raise
            self._set_aside(str(error))
        return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,  # the lock sees to it
            )
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _set_aside(self, why: str) -> None:
        self._close()
        # Stamped with its last change: the adapter knows no "now".
        changed = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        stem = f"{self._path.name}.damaged-{changed:%Y%m%dT%H%M%SZ}"
        name, count = stem, 1
        while self._path.with_name(name).exists():
            count += 1
            name = f"{stem}-{count}"
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(self._path.with_name(name + suffix))
        self._notices.append(
            f"the database was damaged ({why}); it was set aside as {name} and a new one begun: "
            "what was learned so far is missing until the old file is mended"
        )


def _prepare(connection: sqlite3.Connection) -> None:
    for setting in _SETTINGS:
        connection.execute(setting).fetchall()
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _Damaged(verdict)
    migrate(connection)


def _primary_code(error: sqlite3.Error) -> int:
    # Errors of the sqlite3 module itself carry no code.
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.commit()
    except BaseException:
        # On a full disk SQLite may have rolled back already.
        if connection.in_transaction:
            connection.rollback()
        raise
