"""One thing at a time is done for a house; what fails is told, and does not end the app."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import Logger
from threading import Lock, get_ident
from typing import Final

from battery_optimizer.errors import BatteryOptimizerError, InverterError
from battery_optimizer.watch import Watch

STOP_WITHIN_S: Final = 1.5
"""AppDaemon gives all apps together 3 s to stop."""
EXIT_WITHIN_S: Final = 5.0
"""A solver that is at work while Python ends takes all of AppDaemon down with an abort."""


class Turns:
    """Gives the app's threads their turns with the house, until the last one."""

    def __init__(self, *, watch: Watch, logger: Logger) -> None:
        self._watch, self._logger = watch, logger
        # Held while somebody works, so that the last word to the inverter is the stopper's.
        self._lock = Lock()
        self._stopper: int | None = None
        self._bugs: dict[str, str] = {}

    @property
    def are_over(self) -> bool:
        """Whether the app is being stopped: nobody gets a turn any more."""
        return self._stopper is not None

    @property
    def bugs(self) -> tuple[str, ...]:
        """What failed when it was last done, and should never fail: one sentence each."""
        return tuple(self._bugs.values())

    def take(self, what: str, work: Callable[[], object]) -> bool:
        """Do this work in its turn; False if a bug ended it."""
        if self.are_over:
            return True
        before = self._bugs.pop(what, None)
        try:
            with self._lock, self._watch.working():
                if not self.are_over:  # by now
                    work()
        except BatteryOptimizerError as error:
            self._logger.warning("%s failed: %s", what, error)
        except Exception as error:
            words = f"{what} failed ({error!r}): this is a bug, please report it"
            if words != before:
                self._logger.exception("%s", words)
            self._bugs[what] = words
            return False
        return True

    def is_done(self, failure: str, work: Callable[[], object]) -> bool:
        """Do this at once, whoever has the turn; whether that could be done, else it is logged."""
        try:
            work()
        except BatteryOptimizerError as error:
            self._logger.error("%s: %s", failure, error)  # noqa: TRY400 - no bug
            return False
        except Exception:
            self._logger.exception("%s", failure)
            return False
        return True

    @contextmanager
    def last(self) -> Iterator[None]:
        """The last turn: had at once if need be, though somebody should still be at work."""
        self._stopper = get_ident()
        has_turn = self._lock.acquire(timeout=STOP_WITHIN_S)
        if not has_turn:
            atexit.register(self._lock.acquire, timeout=EXIT_WITHIN_S)
        try:
            yield
        finally:
            if has_turn:
                self._lock.release()

    def require(self) -> None:
        """Raise InverterError if the orders of whoever asks count no more."""
        if self._stopper not in (None, get_ident()):
            raise InverterError("the app is being stopped")
        if self._watch.is_overdue():
            raise InverterError("this cycle took so long that its orders are out of date")
