"""Skipped unless a Home Assistant is named: it is 600 MB, and takes ten minutes to install."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from home_assistant.core import HASS, PACKAGE, HomeAssistant
from home_assistant.story import House, Octopus, house

HERE = Path(__file__).parent
REASON = "needs Home Assistant Core: run `make test-ha`, or set HASS to the path of its `hass`"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of this folder; the hook is given all there are."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if HASS is None:
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="module")
def octopus() -> Iterator[Octopus]:
    with Octopus() as server:
        server.nothing_to_gain()
        yield server


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Home Assistant with inverter, Solcast and our package."""
    made = HomeAssistant(tmp_path_factory.mktemp("core"))
    made.add_package(PACKAGE)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def lived_in(
    tmp_path_factory: pytest.TempPathFactory, core: HomeAssistant, octopus: Octopus
) -> Iterator[House]:
    """With the app running, and its first plan made."""
    octopus.sell_now()
    with house(tmp_path_factory.mktemp("app"), core, octopus) as made:
        made.wait_for_plan()
        yield made
