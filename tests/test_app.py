"""The shell by itself: what it does with AppDaemon's callables. End to end it is in e2e."""

import asyncio
import inspect
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from appdaemon.models.config.app import AppConfig
from appdaemontestframework import AssertThatWrapper, GivenThatWrapper, HassMocks
from appdaemontestframework.appdaemon_mock.appdaemon import MockAppDaemon

from battery_optimizer import app as app_module
from battery_optimizer.adapters.instance import HEARTBEAT, Instance
from battery_optimizer.app import CONNECT_AGAIN_S, BatteryOptimizer
from battery_optimizer.config import Config
from battery_optimizer.errors import ConfigError
from battery_optimizer.host import Host
from battery_optimizer.logbook import LogBook
from battery_optimizer.model.entity import EntityState
from battery_optimizer.turns import STOP_WITHIN_S, Turns
from battery_optimizer.watch import Watch
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.running import RunningHouse

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


def host_of(
    app: BatteryOptimizer, folder: Path, read_state: Callable[[str], EntityState | None]
) -> Host:
    return Host(
        app="app",
        folder=folder,
        latitude=51.5,
        longitude=0.0,
        call_service=app._call_service,
        read_state=read_state,
        list_entities=lambda: [SELECT],
        get_history=None,
        sleep=lambda _: None,
        now=lambda: datetime.now(UTC),
    )


def house_of(
    app: BatteryOptimizer, folder: Path, shows: EntityState = FORCED, **settings: object
) -> RunningHouse:
    """A wired house whose inverter is stuck in what it shows."""
    host = host_of(app, folder, lambda entity_id: shows if entity_id == SELECT else None)
    return connect(Config.from_args(SETTINGS | settings), host)


def started(app: BatteryOptimizer, house: RunningHouse) -> None:
    waiting(app, house.config)
    app._house = house


def waiting(app: BatteryOptimizer, config: Config) -> None:
    """As `initialize` leaves it where there is no inverter."""
    given = {"_teller": None, "_problem": None, "_shown": None, "_house": None, "_timer": None}
    watch = Watch(
        every=timedelta(minutes=5),
        wake=lambda: None,
        make_safe=app._on_silence,
        logger=app.logger,
    )
    turns = Turns(watch=watch, logger=app.logger)
    log_book = LogBook(app.logger)
    parts = {"_config": config, "_watch": watch, "_turns": turns, "_log_book": log_book}
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


@pytest.mark.parametrize("drives", [True, False])
def test_who_stands_aside_for_one_that_only_looks_on_leaves_no_mode_behind(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, *, drives: bool
) -> None:
    """That one's heartbeat would keep Home Assistant's watchdog quiet."""
    folder = tmp_path / "not mounted yet"
    house = house_of(app, folder)
    started(app, house)
    app._has_driven = True
    folder.mkdir()
    other = Instance(folder, inverter=SELECT, app="other", drives=drives)
    for _ in range(2):
        app._cycle()
    assert "by 'other'" in (app._problem or "")
    told = mocks.hass_functions["call_service"].mock_calls
    assert bool(told) is not drives
    assert app._shown is None
    other.release()
    house.close()


@pytest.mark.parametrize("late_s", [0.2, STOP_WITHIN_S + 0.5])
def test_an_app_that_is_stopped_while_it_connects_does_not_go_on(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, late_s: float
) -> None:
    """Whether `terminate` can wait for it or not."""
    begun = Event()

    def slow(entity_id: str) -> EntityState | None:
        if not begun.is_set():
            begun.set()
            time.sleep(late_s)
        return FORCED if entity_id == SELECT else None

    waiting(app, Config.from_args(SETTINGS))
    vars(app)["_host"] = lambda: host_of(app, tmp_path, slow)
    starting = Thread(target=app._start)
    starting.start()
    assert begun.wait(60)
    app.terminate()
    starting.join(60)
    assert app._house is None
    assert not app._watch._thread.is_alive()
    for never in ("run_in", "run_every", "listen_state"):
        mocks.hass_functions[never].assert_not_called()
    beats = [
        call for call in mocks.hass_functions["set_state"].mock_calls if HEARTBEAT in call.args
    ]
    assert beats[-1].kwargs["state"] == "unavailable"
    Instance(tmp_path, inverter=SELECT, app="the next one").release()  # the inverter was let go


def test_a_setting_that_does_not_fit_what_the_inverter_says_is_told_until_it_does(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    states: dict[str, EntityState] = {}
    given = {"battery": {"capacity_kwh": 10, "maximum_kwh": 9}}
    waiting(app, Config.from_args(SETTINGS | given))
    vars(app)["_host"] = lambda: host_of(app, tmp_path, states.get)
    with caplog.at_level(logging.WARNING):
        app._start()
        assert "does not exist (yet)" in (app._problem or "")
        states[SELECT] = FORCED
        states["number.foxess_min_soc"] = EntityState(state="95")
        for _ in range(2):
            app._start()
    words = "what the inverter says does not fit the settings of the battery"
    assert words in (app._problem or "")
    assert caplog.text.count(f"Not started yet: {words}") == 1
    told = [call.kwargs for call in mocks.hass_functions["set_state"].mock_calls]
    assert any(words in str(each["attributes"].get("problems")) for each in told)
    again = [call.args[1:] for call in mocks.hass_functions["run_in"].mock_calls]
    assert again == [(app._start, CONNECT_AGAIN_S)] * 3
    states["number.foxess_min_soc"] = EntityState(state="20")
    app._turns.take("connecting", app._connect_again)
    assert app._house is not None
    app._house.close()


def test_a_house_that_cannot_say_that_it_is_there_is_connected_again(
    app: BatteryOptimizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Else it would drive on, and tell nobody anything."""
    waiting(app, Config.from_args(SETTINGS))
    vars(app)["_host"] = lambda: host_of(app, tmp_path, {SELECT: FORCED}.get)
    tell, failures = app._set_entity, [ZeroDivisionError("of the story")]

    def set_entity(*given: Any, **more: Any) -> object:  # noqa: ANN401
        if failures:
            raise failures.pop()
        return tell(*given, **more)

    vars(app)["_set_entity"] = set_entity
    with caplog.at_level(logging.ERROR):
        app._start()
    assert (app._house, app._teller) == (None, None)
    assert app._problem == "connecting failed: see the log"
    app._turns.take("connecting", app._connect_again)
    assert app._house is not None, "the inverter had been let go"
    assert app._teller is not None
    app._house.close()


def test_a_bug_while_it_waits_is_told_and_it_goes_on_waiting(
    app: BatteryOptimizer, mocks: HassMocks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(app, Config.from_args(SETTINGS))
    vars(app)["_host"] = lambda: host_of(app, tmp_path, bug)
    with caplog.at_level(logging.ERROR):
        app._start()
        app._start()
    assert caplog.text.count("connecting failed (ZeroDivisionError('of the story'))") == 1
    assert app._problem == "connecting failed: see the log"
    assert len(mocks.hass_functions["run_in"].mock_calls) == 2


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


def test_nothing_is_to_run_in_no_time() -> None:
    """Before AppDaemon 4.5.12 such a callback never came, and with it no plan at all."""
    source = Path(inspect.getfile(BatteryOptimizer)).read_text(encoding="utf-8")
    delays = [
        int(delay) if delay.isdigit() else getattr(app_module, delay)
        for delay in re.findall(r"run_in\([^,]+, (\w+)\)", source)
    ]
    assert len(delays) == source.count("run_in(") >= 5
    assert min(delays) > 0
