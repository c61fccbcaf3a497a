"""What is left when something ends: AppDaemon, Home Assistant, or the token between them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.adapters.overrides import CHOICE
from home_assistant.core import PACKAGE, SELECT, HomeAssistant
from home_assistant.story import HEARTBEAT, MODE, House, Octopus, house

STATED = timedelta(minutes=13)
"""What the README and the package promise, from the last cycle to Self Use."""
# The watchdog's clock, run sixty times as fast.
HURRIED = {
    'minutes: "/1"': 'seconds: "/1"',
    "timedelta(minutes=11)": "timedelta(seconds=11)",
    "timedelta(minutes=5)": "timedelta(seconds=5)",
    "seconds: 50": "seconds: 1",
}
SILENT = "binary_sensor.battery_optimizer_silent"


@pytest.fixture
def core(tmp_path: Path) -> Iterator[HomeAssistant]:
    """Each story its own, with the watchdog as it ships."""
    made = HomeAssistant(tmp_path / "core")
    made.add_package(PACKAGE)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def selling(tmp_path: Path, core: HomeAssistant, octopus: Octopus) -> Iterator[House]:
    """While the plan force-discharges."""
    core.start()
    octopus.sell_now()
    with house(tmp_path / "app", core, octopus) as made:
        made.wait_for_plan()
        core.wait_for_state(SELECT, "Force Discharge")
        yield made


def told(words: str) -> None:
    """Shown by `pytest -rP`."""
    sys.stdout.write(f"{words}\n")


def notice(core: HomeAssistant) -> str | None:
    """What the watchdog told the household."""
    for each in core.ask("persistent_notification/get"):
        if each["notification_id"] == "battery_optimizer_watchdog":
            return str(each["message"])
    return None


def test_a_clean_stop_sets_self_use_at_once(selling: House) -> None:
    begun = time.monotonic()
    selling.app.process.send_signal(signal.SIGTERM)
    selling.core.wait_for_state(SELECT, "Self Use")
    told(f"{time.monotonic() - begun:.1f} s from SIGTERM to Self Use")
    # A second signal would end it by itself.
    assert selling.app.process.wait(30) == 0
    assert selling.mode == "Self Use"
    assert selling.core.state(HEARTBEAT) == "unavailable"


def test_after_a_kill_a_new_appdaemon_goes_on_where_the_old_one_was(selling: House) -> None:
    killed = selling.app.process
    plans, instance = selling.plans, selling.core.attributes(HEARTBEAT)["instance"]
    killed.kill()
    killed.wait()
    with (selling.app.folder / "appdaemon.log").open("ab") as log:
        selling.app.process = subprocess.Popen(
            killed.args, stdout=log, stderr=log, env={**os.environ, **selling.core.environment}
        )
    try:
        selling.app.wait_until(lambda: selling.plans > plans, "another plan")
        selling.think_again()
        assert selling.mode == "Force Discharge"
        assert selling.core.attributes(HEARTBEAT)["instance"] == instance
        assert "Standing aside" not in selling.app.log
    finally:
        assert selling.app.stop() == 0
    assert selling.mode == "Self Use"


@pytest.mark.parametrize("option", ["Force Charge", "Force Discharge"])
def test_the_watchdog_ends_a_forced_mode_that_nobody_looks_after(
    core: HomeAssistant, option: str
) -> None:
    """No app at all; and it tries again for as long as the inverter refuses."""
    core.add_package(PACKAGE, HURRIED)
    core.start()
    core.call("select/select_option", entity_id=SELECT, option=option)
    core.call("input_boolean/turn_on", entity_id="input_boolean.foxess_refuses")
    core.wait_until(lambda: "is not valid for entity" in core.log, "a refusal", 30)
    core.wait_until(lambda: "but does not take it" in str(notice(core)), "a word of it")
    assert core.state(SELECT) == option
    core.call("input_boolean/turn_off", entity_id="input_boolean.foxess_refuses")
    core.wait_for_state(SELECT, "Self Use", 30)
    core.call("select/select_option", entity_id=SELECT, option="Back-up")
    time.sleep(5)
    assert core.state(SELECT) == "Back-up", "what is not forced is not its business"


def test_the_watchdog_ends_a_hold_that_a_killed_app_left_and_no_other(
    core: HomeAssistant,
) -> None:
    """Nobody else would notice a battery that is never used again."""
    core.add_package(PACKAGE, HURRIED)
    core.start()

    def last_heard_of() -> None:
        core.set_entity(HEARTBEAT, datetime.now(UTC).isoformat(timespec="seconds"))

    core.call("select/select_option", entity_id=SELECT, option="Back-up")
    core.wait_for_state(SELECT, "Back-up")
    last_heard_of()  # the app's, which is killed now
    core.wait_for_state(SELECT, "Self Use", 40)
    assert "was set to Self Use" in str(notice(core))
    core.call("select/select_option", entity_id=SELECT, option="Back-up")  # a person's
    time.sleep(5)
    assert core.state(SELECT) == "Back-up"
    ordered = {"entity_id": CHOICE, "option": "Hold"}
    core.call("input_select/select_option", **ordered)
    last_heard_of()
    core.wait_for_state(SILENT, "off")
    core.wait_for_state(SILENT, "on", 40)
    time.sleep(5)
    assert core.state(SELECT) == "Back-up"
    core.call("input_select/select_option", **{**ordered, "option": "Automatic"})
    core.wait_for_state(SELECT, "Self Use", 40)


def test_the_watchdog_ends_a_forced_mode_when_appdaemon_is_killed(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    core.add_package(PACKAGE, HURRIED)
    core.start()
    octopus.sell_now()
    with house(tmp_path / "app", core, octopus) as selling:
        selling.wait_for_plan()
        core.wait_for_state(SELECT, "Force Discharge")
        selling.app.process.kill()
        selling.app.process.wait()
        time.sleep(3)
        assert selling.mode == "Force Discharge", "too soon: it may yet come back"
        core.wait_for_state(SELECT, "Self Use", 30)
        core.wait_until(lambda: notice(core), "a notification")
        assert "was set to Self Use" in str(notice(core))


def test_the_watchdog_ends_a_forced_mode_when_the_token_is_revoked(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    core.add_package(PACKAGE, HURRIED)
    core.start()
    octopus.sell_now()
    tests_own = core.token
    core.token = core.new_token("appdaemon")
    with house(tmp_path / "app", core, octopus) as selling:
        core.token = tests_own
        selling.wait_for_plan()
        core.wait_for_state(SELECT, "Force Discharge")
        core.revoke("appdaemon")
        selling.app.wait_for("Failed to authenticate to Home Assistant", 30)
        core.wait_for_state(SELECT, "Self Use", 30)


def test_the_watchdog_leaves_a_living_app_alone(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    # As it ships, but that it looks each second: only its thresholds then hold it back.
    core.add_package(PACKAGE, {'minutes: "/1"': 'seconds: "/1"'})
    core.start()
    octopus.sell_now()
    with house(tmp_path / "app", core, octopus) as selling:
        selling.wait_for_plan()
        core.wait_for_state(SELECT, "Force Discharge")
        core.wait_for_state(SILENT, "off")
        time.sleep(5)
        assert selling.mode == "Force Discharge"
        assert notice(core) is None


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_restart_of_home_assistant_all_is_as_before(
    selling: House, by: signal.Signals
) -> None:
    core, plans = selling.core, selling.plans
    core.stop(by)
    selling.app.wait_for("Attempting reconnection", 30)
    core.start()
    back = time.monotonic()
    selling.app.wait_until(lambda: selling.plans > plans, "another plan", 180)
    core.wait_for_state(SELECT, "Force Discharge")
    core.wait_until(lambda: selling.is_told, "the entities")
    took_s = time.monotonic() - back
    told(f"{took_s:.1f} s from Home Assistant's start to the mode and the entities")
    assert took_s < 30, "AppDaemon tries to connect every five seconds"
    assert core.state(MODE) == "force_discharge"
    assert all(core.state(entity.id) is not None for entity in ENTITIES)
    assert notice(core) is None
    assert "this is a bug" not in selling.app.log


def test_after_a_power_cut_all_is_as_before(selling: House) -> None:
    """AppDaemon and Home Assistant die at once, and are started again together."""
    core, killed = selling.core, selling.app.process
    killed.kill()
    core.stop(signal.SIGKILL)
    killed.wait()
    plans = selling.plans
    with (selling.app.folder / "appdaemon.log").open("ab") as log:
        selling.app.process = subprocess.Popen(
            killed.args, stdout=log, stderr=log, env={**os.environ, **core.environment}
        )
    core.start()
    assert core.state(SELECT) == "Feed-in First", "the forced mode is lost"
    back = time.monotonic()
    core.wait_for_state(SELECT, "Force Discharge", 120)
    told(f"{time.monotonic() - back:.1f} s from Home Assistant's start to the mode")
    selling.app.wait_until(lambda: selling.plans > plans, "another plan", 60)
    assert notice(core) is None
    assert selling.app.stop() == 0
    assert selling.mode == "Self Use"


@pytest.mark.slow
def test_the_watchdog_keeps_its_time_as_it_ships(selling: House) -> None:
    """Killed right after a cycle, which is the longest wait there is."""
    selling.think_again()
    assert selling.mode == "Force Discharge"
    selling.app.process.kill()
    killed_at = datetime.now(UTC)
    beat = selling.heartbeat
    assert beat is not None
    selling.core.wait_for_state(SELECT, "Self Use", (STATED + timedelta(minutes=2)).total_seconds())
    took = datetime.now(UTC) - killed_at
    told(f"{took.total_seconds():.0f} s from the kill, right after a cycle, to Self Use")
    assert datetime.now(UTC) - beat <= STATED
