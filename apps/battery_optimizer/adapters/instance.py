"""Sees to it that one inverter is driven by one running app only, and one folder used by one.

Within one AppDaemon, and between those that share a configuration folder, locked files do it: one
for the inverter, and one for the folder, where a second app would share database and entities. The
locks end with the process, however that ends. Between AppDaemons far apart that share a Home
Assistant the heartbeat entity does: each app publishes who it is and what it drives. Who it is
stands in the folder, so that a copy of it says the same: a heartbeat later than our last is not
ours. One that is read_only drives nothing, and is in nobody's way there; but it has the locks.
"""

import fcntl
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO
from uuid import uuid4

from battery_optimizer.errors import ConfigError
from battery_optimizer.model.entity import EntityState, utc_moment
from battery_optimizer.model.shown import GONE_AFTER

HEARTBEAT: Final = "sensor.battery_optimizer_heartbeat"
_SECOND: Final = timedelta(seconds=1)
"""Heartbeats are told to the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another app on the same inverter, for which this one must stand aside."""

    words: str
    drives: bool
    """Whether it gives orders; else what this app ordered last would stand for ever."""


class _Taken(ConfigError):
    """Another app was here first."""

    def __init__(self, words: str, *, drives: bool) -> None:
        super().__init__(words)
        self.drives = drives
        """Whether it gives orders to this very inverter."""


class Instance:
    """This app's claim on an inverter, held until `release`."""

    def __init__(self, folder: Path, *, inverter: str, app: str, drives: bool = True) -> None:
        """Claim it; ConfigError when another app in this folder has."""
        self.inverter = inverter
        self._drives = drives
        name = re.sub(r"[^a-z0-9]+", "_", inverter.lower())
        path = folder / f"battery_optimizer_{name}.lock"
        self.id = str(uuid4())
        self.problem: str | None = None
        """Why the claim cannot be held, if so: the house is run all the same."""
        self._path, self._app = path, app
        self._shared = folder / "battery_optimizer.lock"
        self._held = ExitStack()
        """The locked files."""
        self._beat: datetime | None = None
        self._open()

    def _open(self) -> None:
        with ExitStack() as opened:
            try:
                for path, claim in ((self._path, self._claim), (self._shared, self._claim_folder)):
                    file = path.open("a+", encoding="utf-8")
                    opened.callback(_close, file)
                    claim(file)
                self._held, self.problem = opened.pop_all(), None
            except OSError as error:
                self.id = str(_known(self._path).get("id") or self.id)
                self.problem = (
                    f"the folder {self._path.parent} cannot be written ({error.strerror}): nothing "
                    "keeps a second app from driving the inverter, and nothing is remembered; "
                    "check the disk, and the rights of the folder"
                )

    def _claim(self, file: TextIO) -> None:
        if not _is_locked_by_us(file):
            other = _read(file)
            does = "driven" if _drives(other) else "watched"
            raise _Taken(
                f"{self.inverter} is already {does} by {_name(other)}: remove one of the two from "
                "apps.yaml",
                drives=_drives(other),
            )
        # The same after a restart, so that one's own last heartbeat is no stranger's.
        self.id = str(_read(file).get("id") or self.id)
        ours: dict[str, Any] = {"id": self.id, "app": self._app}
        if not self._drives:
            ours["drives"] = False
        _write(file, ours)

    def _claim_folder(self, file: TextIO) -> None:
        if not _is_locked_by_us(file):
            raise _Taken(
                f"{_name(_read(file))} runs in the folder {self._path.parent} already, and two "
                "apps would share its database and their entities: remove one of the two from "
                "apps.yaml; a second inverter takes a second AppDaemon with a folder of its own",
                drives=False,
            )
        _write(file, {"app": self._app})

    @property
    def facts(self) -> Mapping[str, str]:
        """What the heartbeat tells of it: who it is, and what it drives, if anything."""
        return {"instance": self.id, "inverter": self.inverter if self._drives else ""}

    def rival(self, heartbeat: EntityState | None, now: datetime) -> Rival | None:
        """For whom this app must stand aside, by the heartbeat shown; None if it need not."""
        if self.problem is not None:
            try:
                self._open()  # perhaps the folder is well again
            except _Taken as error:
                return Rival(words=str(error), drives=error.drives)
        if heartbeat is None:
            return None
        attributes = heartbeat.attributes
        if attributes.get("inverter") != self.inverter:
            return None
        try:
            beat = utc_moment(heartbeat.state, UTC)
        except ValueError:
            return None  # it said good-bye
        is_ours = attributes.get("instance") == self.id and not self._is_of_a_copy(beat)
        # Where clocks differ it is neither fresh nor to be waited for.
        if is_ours or abs(now - beat) > GONE_AFTER:
            return None
        words = (
            f"another instance of the app drives {self.inverter} (heartbeat of {beat:%H:%M} UTC): "
            f"stop that one; this one goes on when it was silent for {GONE_AFTER.seconds // 60} "
            "minutes"
        )
        return Rival(words=words, drives=True)

    def beats(self, at: datetime) -> None:
        """This app's heartbeat of that time is about to be told."""
        self._beat = at

    def _is_of_a_copy(self, beat: datetime) -> bool:
        """Whether this heartbeat by our id is none of ours: the folder runs elsewhere, too."""
        return self._beat is not None and beat - self._beat > _SECOND

    def release(self) -> None:
        """Let another app have the inverter."""
        self._held.close()


def _is_locked_by_us(file: TextIO) -> bool:
    """Lock it, unless somebody else has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(file: TextIO) -> None:
    with suppress(OSError):  # what could not be written then cannot be now
        file.close()


def _name(other: Mapping[str, Any]) -> str:
    return repr(other.get("app", "another app"))


def _drives(known: Mapping[str, Any]) -> bool:
    """Whether the app that wrote this does."""
    return known.get("drives") is not False


def _known(path: Path) -> Mapping[str, Any]:
    """What stands in the file, where that may be read though not written."""
    try:
        with path.open(encoding="utf-8") as file:
            return _read(file)
    except OSError:
        return {}


def _read(file: TextIO) -> Mapping[str, Any]:
    file.seek(0)
    try:
        content = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _write(file: TextIO, ours: Mapping[str, Any]) -> None:
    """Not without need: on a full disk it would be emptied, and who it was forgotten."""
    if _read(file) == ours:
        return
    file.truncate(0)
    file.write(json.dumps(ours))
    file.flush()
