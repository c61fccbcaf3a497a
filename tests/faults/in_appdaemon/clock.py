"""The wall clock as AppDaemon's scheduler, the app and the home see it: it can be made to jump.

In FAULTS_FOLDER the file `clock` says by how many seconds it is off.
"""

import os
from datetime import datetime as real
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any

FILE = Path(os.environ["FAULTS_FOLDER"]) / "clock"


class _Kind(type):
    """Every time is one, whoever made it."""

    def __instancecheck__(cls, each: object) -> bool:
        return isinstance(each, real)


class Clock(real, metaclass=_Kind):
    """A datetime whose `now` jumps."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:  # noqa: ANN401
        try:
            off_s = float(FILE.read_text())
        except (FileNotFoundError, ValueError):
            off_s = 0.0
        return real.now(tz) + timedelta(seconds=off_s)
