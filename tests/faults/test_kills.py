"""AppDaemon killed with SIGKILL at random moments, again and again, with the same seed each time."""

import statistics
import time
from pathlib import Path

import pytest

from faults.kills import kill_often
from faults.live import Live, publish
from faults.tables import write
from octopus_server import OctopusServer

pytestmark = pytest.mark.e2e

FEW, MANY = 3, 200


@pytest.mark.parametrize("times", [pytest.param(FEW), pytest.param(MANY, marks=pytest.mark.slow)])
def test_nothing_is_lost_when_appdaemon_is_killed(tmp_path: Path, times: int) -> None:
    with OctopusServer() as octopus:
        publish(octopus, time.time())
        live = Live(tmp_path, octopus)
        try:
            tally = kill_often(live, times, seed=times)
        finally:
            if live.daemon is not None:
                live.end()
    assert tally.kills == times
    right = tally.seconds_to_right
    write(
        "kills",
        (
            f"{tally.kills} kills (SIGKILL), {tally.early} of them while AppDaemon was starting: "
            f"each time `integrity_check` was ok, and none of the rows seen committed by a second "
            f"connection before the kill was gone ({tally.rows_watched} rows compared in all, "
            f"{tally.most_rows} at most). After each start that was let live the inverter took on "
            f"the mode that the household had ordered, {statistics.median(right):.1f} s after "
            f"AppDaemon's start (median; {max(right):.1f} s at most).",
        ),
        is_whole=times == MANY,
    )
