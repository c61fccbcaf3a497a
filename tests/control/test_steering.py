"""What is sent, given all that came before; whole stories are in `tests/scenarios`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.control.clock import set_back
from battery_optimizer.control.proof import Judgement, Verdict
from battery_optimizer.control.steering import Order, Steering
from battery_optimizer.control.writes import Writes
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.settings import CommandSettings

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD, FEED_IN = InverterCommand(mode=Mode.HOLD), InverterCommand(mode=Mode.FEED_IN)
DEFIES = Judgement(verdict=Verdict.DEFIES, words="it sells")


def charge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def a_steering(used: int = 0, **settings: float) -> Steering:
    return Steering(
        settings=CommandSettings(**settings),  # type: ignore[arg-type]
        writes=Writes().plus(NOON, used),
    )


def order(steering: Steering, wanted: InverterCommand, in_force: InverterCommand | None) -> Order:
    return steering.order(NOON, wanted, in_force)[1]


def test_the_last_quarter_of_the_writes_is_for_modes() -> None:
    assert order(a_steering(used=44), charge(2), charge(1)).commands == (charge(2),)
    assert order(a_steering(used=45), charge(2), charge(1)).commands == ()
    assert order(a_steering(used=58), charge(2), SELF_USE).commands == (charge(2),)


@pytest.mark.parametrize(
    ("wanted", "in_force", "sent"),
    [
        (charge(2), SELF_USE, ()),
        (SELF_USE, charge(2), (SELF_USE,)),
        (HOLD, charge(2), (HOLD,)),  # the end of a force is safe
        (FEED_IN, HOLD, (SELF_USE,)),
        (charge(2), None, (charge(2),)),  # what cannot be read is not trusted
    ],
)
def test_what_makes_safe_is_sent_however_often(
    wanted: InverterCommand,
    in_force: InverterCommand | None,
    sent: tuple[InverterCommand, ...],
) -> None:
    assert order(a_steering(used=60), wanted, in_force).commands == sent


def test_what_others_changed_is_put_right_without_waiting() -> None:
    steering = a_steering(dwell_minutes=60, manual_change_minutes=0)
    steering = steering.after_success(NOON - MINUTE, HOLD, SELF_USE)
    assert order(steering, FEED_IN, HOLD).result is CommandResult.WAITING
    steering = replace(steering, could_read=True).seen(NOON, FEED_IN)
    result = order(steering, HOLD, FEED_IN)
    assert result.commands == (HOLD,)
    assert "taken back" in result.problems[0]


def test_taking_back_that_fails_is_not_taken_for_another_change() -> None:
    steering = replace(a_steering().after_success(NOON, SELF_USE, HOLD), could_read=True)
    steering = steering.seen(NOON + MINUTE, FEED_IN)
    assert steering.manual is not None
    steering = steering.seen(NOON + 61 * MINUTE, FEED_IN)
    assert steering.manual is None
    steering = steering.after_failure(NOON + 61 * MINUTE, SELF_USE)
    assert steering.seen(NOON + 66 * MINUTE, FEED_IN).manual is None


def test_nobody_is_blamed_for_what_changed_during_an_outage() -> None:
    steering = a_steering().after_success(NOON, SELF_USE, HOLD)
    steering = steering.seen(NOON + MINUTE, None, readable=False)
    assert steering.seen(NOON + 2 * MINUTE, FEED_IN).manual is None


def test_a_mode_is_judged_when_it_had_its_time() -> None:
    steering = a_steering().after_success(NOON, HOLD, SELF_USE)
    assert not steering.can_judge(NOON + timedelta(seconds=20), HOLD)
    assert steering.can_judge(NOON + timedelta(seconds=40), HOLD)
    assert not steering.can_judge(NOON + MINUTE, SELF_USE)
    assert not steering.can_judge(NOON + MINUTE, None)


def test_a_new_power_is_not_judged_before_it_is_felt() -> None:
    """foxess_modbus writes it with its next poll, and shows what came of it with the one after."""
    steering = a_steering().after_success(NOON - 10 * MINUTE, charge(1), SELF_USE)
    steering = steering.after_success(NOON, charge(3), charge(1))
    assert not steering.can_judge(NOON + timedelta(seconds=20), charge(3))
    assert steering.can_judge(NOON + timedelta(seconds=40), charge(3))
    assert set_back(steering, 60 * MINUTE).can_judge(NOON - 59 * MINUTE, charge(3))
    assert order(steering, SELF_USE, charge(3)).commands == (SELF_USE,), "its mode is old enough"


def test_what_is_found_at_the_start_may_have_been_set_a_moment_ago() -> None:
    """By the app that was just stopped, say."""
    steering, _ = a_steering().order(NOON, SELF_USE, SELF_USE)
    assert not steering.can_judge(NOON + timedelta(seconds=5), SELF_USE)
    assert steering.can_judge(NOON + timedelta(seconds=40), SELF_USE)
    steering, _ = steering.order(NOON + MINUTE, SELF_USE, SELF_USE)
    assert steering.can_judge(NOON + MINUTE, SELF_USE)


def test_danger_is_repaired_at_any_price_the_rest_within_the_writes() -> None:
    fails = Judgement(verdict=Verdict.FAILS, words="it does nothing")
    used_up = a_steering(used=59)
    assert used_up.judged(NOON, HOLD, fails).judged(NOON, HOLD, DEFIES).order(
        NOON, HOLD, HOLD, DEFIES
    )[1].commands == (
        SELF_USE,
        HOLD,
    )
    twice = used_up.judged(NOON, HOLD, fails).judged(NOON, HOLD, fails)
    assert twice.order(NOON, HOLD, HOLD, fails)[1].commands == ()


def test_self_use_that_is_not_done_in_a_pause_is_set_by_way_of_back_up_ever_less_often() -> None:
    steering = a_steering()
    steering = replace(steering, breaker=steering.breaker.opened(NOON))
    sent = []
    for minutes in range(0, 30, 5):
        now = NOON + minutes * MINUTE
        steering, given = steering.judged(now, SELF_USE, DEFIES).order(now, HOLD, SELF_USE, DEFIES)
        assert given.result is CommandResult.PAUSED
        assert "it sells" in given.problems
        if given.commands:
            sent.append((minutes, [command.mode for command in given.commands]))
    assert sent == [(minutes, [Mode.HOLD, Mode.SELF_USE]) for minutes in (5, 15, 25)]


def test_pauses_grow_while_repairs_do_not_help() -> None:
    breaker = a_steering().breaker.opened(NOON)
    assert breaker.open_until == NOON + 30 * MINUTE
    assert breaker.opened(NOON).open_until == NOON + 60 * MINUTE
    for _ in range(5):
        breaker = breaker.opened(NOON)
    assert breaker.open_until == NOON + timedelta(hours=4)


def test_a_pause_sets_self_use_once_and_then_leaves_the_inverter_alone() -> None:
    steering = a_steering().after_success(NOON, charge(2), SELF_USE).paused()
    steering, given = steering.order(NOON, SELF_USE, charge(2))
    assert given.commands == (SELF_USE,)
    steering = steering.after_failure(NOON, SELF_USE).paused()  # not yet: again
    assert order(steering, SELF_USE, charge(2)).commands == (SELF_USE,)
    steering = steering.after_success(NOON, SELF_USE, charge(2))
    for in_force in (SELF_USE, charge(3), HOLD, None):
        steering = steering.paused().seen(NOON, in_force)
        assert steering.manual is None
        assert order(steering, SELF_USE, in_force).result is CommandResult.LEFT
    resumed = replace(steering.resumed(), could_read=True).seen(NOON, HOLD)
    assert resumed.manual is None
    assert order(resumed, charge(2), HOLD).commands == (charge(2),)


def test_a_pause_in_self_use_has_nothing_to_set() -> None:
    steering, given = a_steering().paused().order(NOON, SELF_USE, SELF_USE)
    assert given.result is CommandResult.UNCHANGED
    assert order(steering, SELF_USE, HOLD).result is CommandResult.LEFT
