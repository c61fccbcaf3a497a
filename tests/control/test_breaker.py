from datetime import UTC, datetime, timedelta

from battery_optimizer.control.breaker import PAUSE, Breaker

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def after_failures(count: int) -> Breaker:
    breaker = Breaker()
    for _ in range(count):
        breaker = breaker.after_failure(NOON)
    return breaker


def test_two_failures_in_a_row_are_tried_again() -> None:
    assert not after_failures(2).is_open(NOON)


def test_the_third_failure_opens_it_for_a_while() -> None:
    breaker = after_failures(3)
    assert breaker.is_open(NOON)
    assert breaker.is_open(NOON + PAUSE - timedelta(seconds=1))
    assert not breaker.is_open(NOON + PAUSE)


def test_a_failure_after_the_pause_opens_it_at_once() -> None:
    later = NOON + PAUSE
    assert after_failures(3).after_failure(later).is_open(later)


def test_one_good_command_forgets_all_failures() -> None:
    breaker = after_failures(2).after_success()
    assert not breaker.after_failure(NOON).is_open(NOON)
    assert not after_failures(3).after_success().is_open(NOON)
