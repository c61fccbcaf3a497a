"""The watch over the cycles, on real threads, with times made short."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.watch import Watch

EVERY = timedelta(seconds=0.1)
SLACK_S = 0.3
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Watched:
    """What the watch asks for."""

    def __init__(self) -> None:
        self.woken = 0
        self.reasons: list[str] = []
        self.refusals = 0
        self.on_wake: Callable[[], object] = lambda: None
        self.watch = Watch(
            every=EVERY,
            wake=self.wake,
            make_safe=self.make_safe,
            logger=logging.getLogger("watch"),
            slack_s=SLACK_S,
        )

    def make_safe(self, why: str) -> bool:
        self.reasons.append(why)
        return len(self.reasons) > self.refusals

    def wake(self) -> None:
        self.woken += 1
        self.on_wake()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.watch.stop()


def test_while_cycles_come_nothing_is_done(watched: Watched) -> None:
    watched.watch._slack_s = 5
    watched.watch.start()
    for _ in range(10):
        with watched.watch.working():
            time.sleep(0.05)
    assert (watched.woken, watched.reasons) == (0, [])


def test_a_lost_timer_is_set_again(watched: Watched) -> None:
    def cycle() -> None:
        with watched.watch.working():
            pass

    watched.on_wake = cycle
    watched.watch.start()
    watched.until(lambda: watched.woken >= 2)
    assert watched.reasons == []


def test_if_even_that_does_not_help_the_inverter_is_made_safe_once(watched: Watched) -> None:
    watched.watch.start()
    watched.until(lambda: watched.reasons and watched.woken >= 3)
    assert len(watched.reasons) == 1
    assert "no cycle has ended" in watched.reasons[0]


def test_a_cycle_that_hangs_is_overtaken(watched: Watched) -> None:
    released = threading.Event()
    overdue: list[bool] = []

    def hang() -> None:
        with watched.watch.working():
            released.wait()
            overdue.append(watched.watch.is_overdue())

    worker = threading.Thread(target=hang)
    watched.watch.start()
    worker.start()
    watched.until(lambda: watched.reasons)
    # Missed is counted from the start of the watch, overdue from that of the cycle.
    begun = watched.watch._begun or 0.0
    watched.until(lambda: time.monotonic() - begun > EVERY.total_seconds() + SLACK_S)
    assert not watched.watch.is_overdue()  # it is not this thread that hangs
    assert watched.woken == 0
    released.set()
    worker.join()
    assert overdue == [True]


def test_what_could_not_be_made_safe_is_tried_again_until_it_is(watched: Watched) -> None:
    """Home Assistant was busy just then: nobody else would end a forced mode."""
    released = threading.Event()

    def hang() -> None:
        with watched.watch.working():
            released.wait()

    watched.refusals = 2
    watched.watch.start()
    threading.Thread(target=hang, daemon=True).start()
    watched.until(lambda: len(watched.reasons) == 3)
    time.sleep(3 * SLACK_S)  # and then no more
    assert len(watched.reasons) == 3
    released.set()


def test_a_cycle_that_was_woken_may_take_its_time(watched: Watched) -> None:
    watched.watch._slack_s = 4  # on a busy machine a thread may have to wait, too
    began = threading.Event()

    def cycle() -> None:
        with watched.watch.working():
            began.set()
            time.sleep(1.3)  # the watch looks twice

    watched.on_wake = lambda: threading.Thread(target=cycle).start()
    watched.watch.start()
    watched.watch._ended -= 10  # long ago, so that the first look misses it
    assert began.wait(20)
    watched.until(lambda: watched.watch._begun is None)
    assert watched.reasons == []


def test_a_failure_of_its_own_does_not_end_the_watch(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError

    watched.on_wake = fail
    with caplog.at_level(logging.ERROR):
        watched.watch.start()
        watched.until(lambda: watched.woken >= 2)
    assert "this is a bug" in caplog.text


def test_each_period_has_one_cycle_however_many_are_made_up_for() -> None:
    watch = Watch(
        every=timedelta(minutes=5),
        wake=lambda: None,
        make_safe=lambda _: True,
        logger=logging.getLogger("watch"),
    )
    assert not watch.is_repeated(NOON)
    assert watch.is_repeated(NOON + timedelta(seconds=1))
    assert not watch.is_repeated(NOON + timedelta(minutes=5))
    assert not watch.is_repeated(NOON - timedelta(hours=1))
