"""How hypothesis searches: the same worlds every time, so that a run says the same on any machine.

`HYPOTHESIS_PROFILE=search .venv/bin/pytest` looks for new ones.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# No deadlines: a slow or busy machine is no mistake.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow", action="store_true", help="also the tests that take minutes: faults, kills, soak"
    )


class Workers(LoadFileScheduling):
    """With `-n`: a file's tests go to one worker, and so do all files that start AppDaemon.

    So there is never more than one AppDaemon at a time, and no fixture is made twice.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._live = {
            path.relative_to(config.rootpath).as_posix()
            for path in Path(__file__).parent.rglob("test_*.py")
            if "pytest.mark.e2e" in path.read_text(encoding="utf-8")
        }

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "AppDaemon" if file in self._live else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Workers:
    return Workers(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow, unless asked for."""
    if config.getoption("--slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
