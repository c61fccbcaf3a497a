"""The package for Home Assistant fits the app. (Home Assistant itself tries it elsewhere.)"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.adapters.foxess.models import CONTROLS
from battery_optimizer.adapters.foxess.periods import HELPER, PERIOD, SERVICE
from battery_optimizer.adapters.instance import HEARTBEAT
from battery_optimizer.adapters.overrides import CHOICE, OPTIONS, POWER, TARGET, TARGET_BY, UNTIL
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.shown import GONE_AFTER

PATH = Path(__file__).parents[1] / "docs" / "home_assistant" / "battery_optimizer.yaml"
HELPERS = ("input_select", "input_datetime", "input_number", "input_text")


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    content = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_helpers_are_those_that_the_app_reads(package: dict[str, Any]) -> None:
    made = {f"{domain}.{name}" for domain in HELPERS for name in package[domain]}
    assert made == {CHOICE, UNTIL, POWER, TARGET, TARGET_BY, HELPER}
    assert tuple(package["input_select"]["battery_optimizer_override"]["options"]) == OPTIONS


def test_no_helper_has_an_initial_value_which_would_undo_orders_at_a_restart(
    package: dict[str, Any],
) -> None:
    for domain in HELPERS:
        assert all("initial" not in helper for helper in package[domain].values())


def test_the_watchdog_watches_the_heartbeat_and_sets_self_use(package: dict[str, Any]) -> None:
    assert HEARTBEAT in {entity.id for entity in ENTITIES}
    (sensor,) = package["template"]
    assert HEARTBEAT in sensor["binary_sensor"][0]["state"]
    minutes = round(GONE_AFTER.total_seconds() / 60)
    assert f"timedelta(minutes={minutes})" in sensor["binary_sensor"][0]["state"]
    (automation,) = package["automation"]
    words = CONTROLS[0].options
    assert automation["action"][1]["data"]["option"] == words[Mode.SELF_USE]
    forced = {each.get("state") for each in automation["condition"][1]["conditions"]}
    assert forced == {words[Mode.FORCE_CHARGE], words[Mode.FORCE_DISCHARGE], None}
    left = automation["variables"]["was_left_by_the_app"]
    assert f"in ['{words[Mode.HOLD]}', '{words[Mode.FEED_IN]}']" in left
    assert {"Hold", "Feed in"} < set(OPTIONS)
    assert "not in ['Hold', 'Feed in']" in left


def test_the_watchdog_clears_the_charge_period_that_the_app_sets(package: dict[str, Any]) -> None:
    (automation,) = package["automation"]
    is_ours = automation["variables"]["is_our_charge_period"]
    assert f"time_period_{PERIOD}_enable_force_charge" in is_ours
    assert HELPER in is_ours
    (call,) = automation["action"][0]["then"]
    assert call["service"] == SERVICE.replace("/", ".")
    assert call["data"]["charge_period"] == PERIOD
    assert not call["data"]["enable_force_charge"]
