"""The last turn: nobody works after it, and what is at work does not take AppDaemon down."""

import logging
import os
import subprocess
import sys
from datetime import timedelta
from threading import Event, Thread

from battery_optimizer.turns import Turns
from battery_optimizer.watch import Watch

_SOLVES_WHILE_PYTHON_ENDS = """
import logging, time
from datetime import timedelta
from threading import Event, Thread
import highspy
import numpy as np
from battery_optimizer.turns import Turns
from battery_optimizer.watch import Watch

logger = logging.getLogger()
watch = Watch(
    every=timedelta(minutes=5), wake=lambda: None, make_safe=lambda why: True, logger=logger
)
turns, begun = Turns(watch=watch, logger=logger), Event()

def solve():
    begun.set()
    end = time.monotonic() + 3.0
    rng = np.random.default_rng(0)
    while time.monotonic() < end:
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        for cost in rng.random(300):
            highs.addVar(0.0, 10.0)
        for _ in range(300):
            at = rng.choice(300, 20, replace=False).astype(np.int32)
            highs.addRow(rng.random(), 1e9, 20, at, rng.random(20))
        highs.run()

Thread(target=turns.take, args=("a cycle", solve), daemon=True).start()
begun.wait()
with turns.last():
    print("safe")
"""


def turns() -> Turns:
    logger = logging.getLogger("turns")
    watch = Watch(
        every=timedelta(minutes=5), wake=lambda: None, make_safe=lambda _: True, logger=logger
    )
    return Turns(watch=watch, logger=logger)


def test_who_waited_for_a_turn_gets_none_after_the_last() -> None:
    house, at_work, go_on, done = turns(), Event(), Event(), []

    def long_work() -> None:
        at_work.set()
        go_on.wait(10)

    first = Thread(target=house.take, args=("a cycle", long_work))
    second = Thread(target=house.take, args=("another", lambda: done.append("too late")))
    first.start()
    assert at_work.wait(10)
    second.start()
    with house.last():
        pass
    go_on.set()
    first.join(10)
    second.join(10)
    assert done == []


def test_python_ends_well_while_a_solver_is_at_work() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _SOLVES_WHILE_PYTHON_ENDS],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.stdout == "safe\n"
    assert (ended.returncode, ended.stderr) == (0, "")
