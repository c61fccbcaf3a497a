"""What is remembered with its time, when the clock is set back: it happened no later than now."""

from dataclasses import replace
from datetime import datetime, timedelta

from battery_optimizer.control.steering import Steering


def set_back(steering: Steering, by: timedelta) -> Steering:
    """The same memories by a clock that was set back so far.

    Else a pause, a wait or a dwell would last so much longer, and what was just told could not be
    judged until the clock had caught up.
    """
    manual = steering.manual
    if manual is not None:
        manual = replace(manual, since=manual.since - by, until=manual.until - by)
    return replace(
        steering,
        told_at=_earlier(steering.told_at, by),
        power_at=_earlier(steering.power_at, by),
        manual=manual,
        breaker=replace(steering.breaker, open_until=_earlier(steering.breaker.open_until, by)),
        repairs=replace(steering.repairs, not_before=_earlier(steering.repairs.not_before, by)),
    )


def _earlier(moment: datetime | None, by: timedelta) -> datetime | None:
    return None if moment is None else moment - by
