"""Weeks of life with faults at random: nothing grows, nothing goes unsaid."""

import gc
from pathlib import Path
from weakref import ref

import pytest

from faults.other_faults import FAULTS as OTHER_FAULTS
from faults.soak import soak, words
from faults.tables import write
from faults.world import LIMIT, a_world

HALF_A_DAY, WHOLE = 0.08, 4.0


@pytest.mark.parametrize(
    "weeks", [pytest.param(HALF_A_DAY), pytest.param(WHOLE, marks=pytest.mark.slow)]
)
def test_a_life_with_faults_leaves_nothing_behind(tmp_path: Path, weeks: float) -> None:
    report = soak(tmp_path, weeks, seed=1)
    assert report.bugs == []
    assert report.unlogged == []
    assert report.faults > 0
    assert report.longest_unwanted_s <= LIMIT.total_seconds()
    write("soak", words(report), is_whole=weeks == WHOLE)
    if weeks < WHOLE:
        return
    half, end = report.weeks[len(report.weeks) // 2], report.weeks[-1]
    assert end.threads == half.threads
    assert end.files <= half.files + 2
    assert end.rss_mb <= half.rss_mb * 1.05
    # A damaged file is set aside and begun anew, so that single moments say little: peaks do.
    first, second = report.weeks[: len(report.weeks) // 2], report.weeks[len(report.weeks) // 2 :]
    peak_mb = max(each.database_mb for each in first)
    assert max(each.database_mb for each in second) <= peak_mb * 1.1


def test_a_reload_leaves_nothing_of_the_house_before(tmp_path: Path) -> None:
    fault = next(each for each in OTHER_FAULTS if each.name == "solver out of time")
    with a_world(tmp_path) as world:
        world.begin()
        world.live(6)
        fault.begin(world)
        world.live(11)
        fault.end(world)
        before = ref(world.house)
        world.stop()
        world.begin()
        world.live(1)
        gc.collect()
        assert before() is None
