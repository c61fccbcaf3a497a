"""The shell by itself: what it does with AppDaemon's callables. End to end it is in e2e."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from appdaemon.models.config.app import AppConfig
from appdaemontestframework import AssertThatWrapper, GivenThatWrapper, HassMocks
from appdaemontestframework.appdaemon_mock.appdaemon import MockAppDaemon

from battery_optimizer.app import BatteryOptimizer
from battery_optimizer.config import Config
from battery_optimizer.errors import ConfigError
from battery_optimizer.host import Host
from battery_optimizer.logbook import LogBook
from battery_optimizer.model.entity import EntityState
from battery_optimizer.turns import Turns
from battery_optimizer.watch import Watch
from battery_optimizer.wiring.house import RunningHouse, connect

SELECT = "select.foxess_work_mode"
SETTINGS: dict[str, Any] = {
    "battery": {"capacity_kwh": 10, "max_charge_kw": 3, "max_discharge_kw": 3},
    "rates": {"fixed_import_p": 25, "fixed_export_p": 15},
    "entities": {"prefix": "foxess"},
}


class NeverWell:
    """Looks back at yesterday, and always fails."""

    latest = ""

    def look(self, *_: object) -> None:
        raise ZeroDivisionError("of the story")


FORCED = EntityState(
    state="Force Discharge", attributes={"options": ["Self Use", "Force Discharge"]}
)


@pytest.fixture
def mocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[HassMocks]:
    # The framework leaves its event loops open.
    loops: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def kept() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", kept)
    mocks = HassMocks()
    yield mocks
    mocks.unpatch_mocks()
    for loop in loops:
        loop.close()


@pytest.fixture
def app(mocks: HassMocks) -> BatteryOptimizer:
    assert mocks, "they stand in AppDaemon's place before the app is made"
    config = AppConfig(name="app", module="battery_optimizer.app", **{"class": "BatteryOptimizer"})
    return BatteryOptimizer(MockAppDaemon(), config)


def house_of(
    app: BatteryOptimizer, folder: Path, shows: EntityState = FORCED, **settings: object
) -> RunningHouse:
    """A wired house whose inverter is stuck in what it shows."""
    host = Host(
        app="app",
        folder=folder,
        latitude=51.5,
        longitude=0.0,
        call_service=app._call_service,
        read_state=lambda entity_id: shows if entity_id == SELECT else None,
        list_entities=lambda: [SELECT],
        get_history=None,
        sleep=lambda _: None,
        now=lambda: datetime.now(UTC),
    )
    return connect(Config.from_args(SETTINGS | settings), host)


def started(app: BatteryOptimizer, house: RunningHouse) -> None:
    given = {"_teller": None, "_problem": None, "_shown": None, "_house": house, "_timer": None}
    watch = Watch(
        every=timedelta(minutes=5),
        wake=lambda: None,
        make_safe=app._on_silence,
        logger=app.logger,
    )
    turns = Turns(watch=watch, logger=app.logger)
    log_book = LogBook(app.logger)
    parts = {"_config": house.config, "_watch": watch, "_turns": turns, "_log_book": log_book}
    vars(app).update(given | parts)


def test_a_wrong_setting_is_logged_and_ends_the_start(
    app: BatteryOptimizer, mocks: HassMocks
) -> None:
    GivenThatWrapper(mocks).passed_arg("battery").is_set_to({"capcity_kwh": 10})
    with pytest.raises(ConfigError, match=r"did you mean battery\.capacity_kwh"):
        app.initialize()
    app.terminate()  # what AppDaemon may do with an app that did not start


def test_terminate_tells_self_use_and_never_raises(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path
) -> None:
    started(app, house_of(app, tmp_path))
    app.terminate()  # the mocked service does nothing, so self-use is not confirmed
    AssertThatWrapper(mocks)("select/select_option").was.called_with(
        entity_id=SELECT, option="Self Use"
    )


def test_terminate_sends_nothing_when_read_only(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path
) -> None:
    started(app, house_of(app, tmp_path, control="read_only"))
    app.terminate()
    AssertThatWrapper(mocks)("select/select_option").was_not.called()


def bug(*_: object) -> None:
    raise ZeroDivisionError("of the story")


def test_a_bug_in_a_cycle_is_logged_and_the_inverter_made_safe(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = house_of(app, tmp_path)
    started(app, house)
    house.host = replace(house.host, read_state=bug)
    with caplog.at_level(logging.ERROR):
        app._on_second_look()
    assert "a cycle failed (ZeroDivisionError('of the story')): this is a bug" in caplog.text
    assert app._problem == "a cycle failed: see the log"
    AssertThatWrapper(mocks)("select/select_option").was.called_with(
        entity_id=SELECT, option="Self Use"
    )
    app.terminate()


def test_a_bug_in_book_keeping_is_told_and_undoes_no_command(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = house_of(app, tmp_path, EntityState(state="Self Use", attributes=FORCED.attributes))
    started(app, house)
    well = house.review
    house.review = NeverWell()  # type: ignore[assignment]
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            app._cycle()
            app._try("looking back at yesterday", RunningHouse.look_back)
    AssertThatWrapper(mocks)("select/select_option").was_not.called()
    words = (
        "looking back at yesterday failed (ZeroDivisionError('of the story')): this is a bug, "
        "please report it"
    )
    assert [each.message for each in caplog.records] == [words]  # once
    assert app._shown is not None
    assert words in app._shown.problems
    assert app._problem is None
    house.review = well
    app._try("looking back at yesterday", RunningHouse.look_back)
    app._cycle()
    assert words not in app._shown.problems
    house.close()


def test_nothing_is_sent_by_a_cycle_that_was_overtaken_by_the_stop(
    app: BatteryOptimizer, tmp_path: Path
) -> None:
    house = house_of(app, tmp_path)
    started(app, house)
    app._turns._stopper = -1  # another thread is stopping the app
    app._try("a cycle", lambda *_: pytest.fail("ran"))
    with pytest.raises(Exception, match="being stopped"):
        app._call_service("select/select_option", entity_id=SELECT, option="Force Charge")
    house.close()


def test_when_no_cycle_comes_self_use_is_told_though_another_thread_has_the_turn(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path
) -> None:
    started(app, house_of(app, tmp_path))
    with app._turns._lock:
        app._on_silence("no cycle has ended for 6 minutes")
    AssertThatWrapper(mocks)("select/select_option").was.called_with(
        entity_id=SELECT, option="Self Use"
    )
    assert app._problem == "no cycle has ended for 6 minutes"
    app.terminate()


def test_a_cycle_that_took_too_long_sends_nothing_any_more(
    app: BatteryOptimizer, tmp_path: Path
) -> None:
    house = house_of(app, tmp_path)
    started(app, house)
    with app._watch.working():
        app._watch._begun = -1e9
        with pytest.raises(Exception, match="out of date"):
            app._call_service("select/select_option", entity_id=SELECT, option="Force Charge")
    house.close()
