"""The circuit breaker: an inverter that refuses again and again is left in peace for a while."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MOST_FAILURES = 3
PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Failures in a row, and until when nothing but self-use may be tried."""

    failures: int = 0
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
        return Breaker(failures=failures, open_until=now + PAUSE)
