"""AppDaemon killed with SIGKILL at random moments, again and again, by a seed."""

import time
from pathlib import Path

import pytest

from faults.kills import kill_often, words
from faults.live import Live, publish
from faults.nursery import Nursery
from faults.tables import write
from octopus_server import OctopusServer

pytestmark = pytest.mark.e2e

FEW, MANY = 3, 200


@pytest.mark.parametrize("times", [pytest.param(FEW), pytest.param(MANY, marks=pytest.mark.slow)])
def test_nothing_is_lost_when_appdaemon_is_killed(tmp_path: Path, times: int) -> None:
    with OctopusServer() as octopus:
        publish(octopus, time.time())
        live = Live(tmp_path, octopus, call_timeout_s=60)
        live.nursery = Nursery()
        try:
            tally = kill_often(live, times, seed=times)
        finally:
            if live.daemon is not None:
                live.end()
            live.nursery.close()
    assert tally.kills == times
    write("kills", [words(tally)], is_whole=times == MANY)
