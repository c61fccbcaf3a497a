"""The circuit breaker: an inverter that refuses again and again is left in peace for a while."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MOST_FAILURES = 3
PAUSE = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Failures in a row, and until when nothing but self-use may be tried."""

    failures: int = 0
    pauses: int = 0
    open_until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether commands are paused."""
        return self.open_until is not None and now < self.open_until

    def after_success(self) -> "Breaker":
        """One good command closes it."""
        return Breaker()

    def after_failure(self, now: datetime) -> "Breaker":
        """The third failure in a row opens it."""
        failures = self.failures + 1
        if failures < MOST_FAILURES:
            return replace(self, failures=failures)
        return self.opened(now)

    def opened(self, now: datetime) -> "Breaker":
        """Open, each time for twice as long."""
        pause = min(PAUSE * 2**self.pauses, LONGEST_PAUSE)
        return Breaker(failures=MOST_FAILURES, pauses=self.pauses + 1, open_until=now + pause)
