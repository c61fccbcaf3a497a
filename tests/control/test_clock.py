"""What is remembered of commands, when the clock is set back."""

from datetime import UTC, datetime, timedelta

from battery_optimizer.control.breaker import Breaker
from battery_optimizer.control.clock import set_back
from battery_optimizer.control.manual import ManualChange
from battery_optimizer.control.proof import Repairs
from battery_optimizer.control.steering import Steering
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_what_was_told_was_told_before_now_by_the_new_clock() -> None:
    steering = set_back(Steering(told=SELF_USE, told_at=NOON - MINUTE), HOUR)
    now = NOON - HOUR
    assert steering.can_judge(now, SELF_USE)
    assert not steering._is_early(now + 4 * MINUTE, SELF_USE)


def test_pauses_and_waits_are_no_longer_than_they_were() -> None:
    steering = Steering(
        breaker=Breaker(failures=3, pauses=1, open_until=NOON + 30 * MINUTE),
        repairs=Repairs(misses=2, tried=1, not_before=NOON + 5 * MINUTE),
        manual=ManualChange(
            command=InverterCommand(mode=Mode.HOLD), since=NOON, until=NOON + 10 * MINUTE
        ),
    )
    after, now = set_back(steering, HOUR), NOON - HOUR
    assert after.breaker.is_open(now + 29 * MINUTE)
    assert not after.breaker.is_open(now + 31 * MINUTE)
    assert not after.repairs.is_due(now + 4 * MINUTE)
    assert after.repairs.is_due(now + 6 * MINUTE)
    assert after.manual is not None
    assert not after.manual.holds(now + 11 * MINUTE)
    assert set_back(Steering(), HOUR) == Steering()
