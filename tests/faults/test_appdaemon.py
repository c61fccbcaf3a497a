"""Faults on the real AppDaemon around the simulated home."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.appdaemon_faults import FAULTS, QUICK, LiveFault, mount, tell
from faults.live import CYCLE_S, LIMIT_S, USUAL_START_S, Live, publish
from faults.tables import as_cell, names, write
from octopus_server import OctopusServer

pytestmark = pytest.mark.e2e
ROWS: dict[str, str] = {}


@pytest.fixture(scope="module")
def octopus() -> Iterator[OctopusServer]:
    with OctopusServer() as server:
        publish(server, time.time())
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, octopus: OctopusServer) -> Iterator[Live]:
    """An AppDaemon for all that need no other."""
    live = Live(tmp_path_factory.mktemp("live"), octopus)
    yield live
    if live.daemon is not None:
        live.end()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.name, marks=() if fault.name in QUICK else pytest.mark.slow)
        for fault in FAULTS
    ],
)
def test_no_fault_leaves_the_battery_forced(
    tmp_path: Path, octopus: OctopusServer, shared: Live, fault: LiveFault
) -> None:
    live = shared if not fault.needs else apart(tmp_path, octopus)
    if live.daemon is None or live.daemon.process.poll() is not None:
        live.start_well()
    try:
        seen = tell(fault, live)
    finally:
        if live is not shared or seen_failing(live):
            live.suffer(**dict.fromkeys(live.faults))
            if live.daemon is not None:
                live.end()
        if fault.needs == "mount":
            subprocess.run(["umount", "-l", str(live.run)], check=True)
    ROWS[fault.name] = (
        f"| {fault.name} | {fault.how} | {fault.expected} | "
        f"{as_cell(seen.told) or 'nothing to tell'} | "
        f"{seen.forced_s:.1f} s{' after its end' if fault.is_deaf else ''} |"
    )


def seen_failing(live: Live) -> bool:
    """Whether the AppDaemon of all is left in a state in which no other story can begin."""
    return not live.is_well


def apart(folder: Path, octopus: OctopusServer) -> Live:
    """An AppDaemon of its own, for a fault that others would feel."""
    home = folder / "home"
    home.mkdir()
    run = home / "run"
    run.mkdir()
    if not mount(run):
        pytest.skip("needs the right to mount")
    live = Live(home, octopus)
    # As in the add-on, whose log is elsewhere.
    (run / "appdaemon.log").symlink_to(home / "appdaemon.log")
    return live


def test_the_table_is_written() -> None:
    write(
        "appdaemon",
        (
            f"A control interval is {CYCLE_S:g} s here, the limit {LIMIT_S:g} s,",
            f"or more where AppDaemon takes longer to start than {USUAL_START_S:g} s.",
            "",
            "| Fault | How | Expected | Told | Longest unwanted force |",
            "|---|---|---|---|---|",
            *ROWS.values(),
        ),
        is_whole=len(ROWS) == len(FAULTS),
    )


def test_the_page_has_every_fault() -> None:
    assert names("appdaemon") == [fault.name for fault in FAULTS]
