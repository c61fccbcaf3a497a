"""Sees to it that cycles go on: a thread of its own, by a clock that nobody can set.

AppDaemon's timers go by the wall clock: set back by an hour, it calls nobody for an hour. And it
runs an app on one thread: what hangs there keeps the next cycle from coming. Meanwhile Home
Assistant goes on refreshing a forced mode.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from logging import Logger
from threading import Event, Thread, get_ident
from time import monotonic
from typing import Final

from battery_optimizer.model.slots import floor_to_slot

SLACK_S: Final = 35.0
"""How much later than due a cycle may end before it is missed."""


class Watch:
    """Calls `wake` when a cycle is missing, and `make_safe`, with the reason, when it cannot come.

    `make_safe` tells whether it could be done: if not, it is called again, no oftener than each
    `slack_s`. `every` is the time from one cycle to the next.
    """

    def __init__(
        self,
        *,
        every: timedelta,
        wake: Callable[[], object],
        make_safe: Callable[[str], bool],
        logger: Logger,
        slack_s: float = SLACK_S,
    ) -> None:
        self._every = every
        self._slack_s = slack_s
        self._wake, self._make_safe, self._logger = wake, make_safe, logger
        self._ended = monotonic()
        self._begun: float | None = None
        self._worker = 0
        self._woken: float | None = None
        self._given_up: float | None = None
        self._is_safe = False
        """Whether that was said and done since a cycle ended."""
        self._period: datetime | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._look_on, name="battery_optimizer watch", daemon=True)

    def start(self) -> None:
        """From now on a cycle is expected."""
        self._ended = monotonic()
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._stopped.set()

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the app's thread is at work; if it comes to an end, all is well."""
        self._worker, self._begun = get_ident(), monotonic()
        try:
            yield
        finally:
            self._ended, self._woken, self._given_up, self._is_safe = monotonic(), None, None, False
            self._begun = None

    def is_overdue(self) -> bool:
        """Whether the caller is at work for so long that its orders are of yesterday."""
        begun = self._begun
        if begun is None or get_ident() != self._worker:
            return False
        return monotonic() - begun > self._every.total_seconds() + self._slack_s

    def is_repeated(self, now: datetime) -> bool:
        """Whether this period had its cycle: AppDaemon makes up for all that a jump left out."""
        period = floor_to_slot(now, self._every)
        was, self._period = self._period, period
        return was == period

    def _look_on(self) -> None:
        while not self._stopped.wait(self._slack_s / 7):
            try:
                self._look()
            except Exception:
                self._logger.exception(
                    "Watching the cycles failed: this is a bug, please report it"
                )

    def _look(self) -> None:
        now, begun = monotonic(), self._begun
        if now - self._ended < self._every.total_seconds() + self._slack_s:
            return
        if begun is not None:
            if now - begun >= self._slack_s:
                self._give_up(now)
        elif self._woken is None:
            self._woken = now
            self._logger.warning("No cycle came when it was due: the clock was set, perhaps")
            self._wake()
        elif now - self._woken >= self._slack_s / 2:
            self._woken = now
            self._give_up(now)
            self._wake()

    def _give_up(self, now: float) -> None:
        """Nobody comes: until it is done, and then not again until a cycle has ended."""
        if self._is_safe or (self._given_up is not None and now - self._given_up < self._slack_s):
            return
        self._given_up = now
        self._is_safe = self._make_safe(
            f"no cycle has ended for {(now - self._ended) / 60:.0f} minutes: something that was "
            "asked does not answer; see the log, and restart AppDaemon if this stays so"
        )
