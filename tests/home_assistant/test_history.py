"""What Home Assistant's recorder remembers is learned from at the first start."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.wiring.house import DATABASE
from home_assistant.core import PACKAGE, HomeAssistant
from home_assistant.story import Octopus, house

DAYS = 3
EVERY = timedelta(minutes=10)
AWAKE_KW, ASLEEP_KW = 1.2, 0.2
LOAD = "sensor.foxess_load_power"


def load_kw(moment: datetime) -> float:
    return AWAKE_KW if 8 <= moment.hour < 20 else ASLEEP_KW


def remember(database: Path, now: datetime) -> None:
    """Put past days into the recorder's own tables."""
    with closing(sqlite3.connect(database)) as recorder, recorder:
        (sensor,) = recorder.execute(
            "SELECT metadata_id FROM states_meta WHERE entity_id = ?", (LOAD,)
        ).fetchone()
        times = (now - timedelta(days=DAYS) + n * EVERY for n in range(DAYS * 144))
        recorder.executemany(
            "INSERT INTO states (state, last_updated_ts, metadata_id) VALUES (?, ?, ?)",
            [(str(load_kw(time)), time.timestamp(), sensor) for time in times],
        )


def test_past_days_are_taken_from_the_recorder(tmp_path: Path, octopus: Octopus) -> None:
    core = HomeAssistant(tmp_path / "core")
    core.add_package(PACKAGE)
    now = datetime.now(UTC)
    try:
        core.start()
        core.wait_until(lambda: core.state(LOAD) is not None, LOAD)
        core.stop()
        remember(core.folder / "home-assistant_v2.db", now)
        core.start()
        with house(tmp_path / "app", core, octopus) as made:
            made.wait_for_plan()
            made.think_again()  # on the one thread of the app, and so when it has learned
            assert "learning from Home Assistant's history failed" not in made.app.log
            assert made.app.stop() == 0
            with closing(Store(made.app.folder / DATABASE)) as store:
                day = floor_to_slot(now - timedelta(days=1))
                learned = store.observations(day, day + timedelta(hours=20)).load_kw
    finally:
        core.stop()
    for t, value in enumerate(learned.values):
        start = learned.start + t * timedelta(minutes=30)
        assert value == pytest.approx(load_kw(start), abs=0.4), start  # rows need not fall on slots
    assert max(learned.values) == pytest.approx(AWAKE_KW)
    assert min(learned.values) == pytest.approx(ASLEEP_KW)
