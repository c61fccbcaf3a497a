"""Every fault, injected: what the inverter did, and what the household was told."""

from pathlib import Path

import pytest

from faults.fault import Fault, tell
from faults.house_faults import FAULTS as HOUSE_FAULTS
from faults.other_faults import FAULTS as OTHER_FAULTS
from faults.other_faults import disk_gone
from faults.world import a_world


@pytest.mark.parametrize("fault", (*HOUSE_FAULTS, *OTHER_FAULTS), ids=lambda fault: fault.name)
def test_no_fault_leaves_the_battery_forced(tmp_path: Path, fault: Fault) -> None:
    with a_world(tmp_path) as world:
        try:
            seen = tell(fault, world)
        finally:
            if hasattr(world, "has_disk"):
                disk_gone(world)
    print(fault.name, "|", seen.told, "|", seen.longest)
