"""A database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.sqlite import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "battery_optimizer.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = Store(path)
    yield made
    made.close()
