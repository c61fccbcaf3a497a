"""Five lines in apps.yaml, in the real AppDaemon: what is there is found, used and told."""

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from appdaemon_process import NOWHERE, ROOT, LiveAppDaemon, running

pytestmark = pytest.mark.e2e

FIVE_LINES = """\
battery_optimizer:
  module: battery_optimizer.app
  class: BatteryOptimizer
  battery:
    capacity_kwh: 10.4
"""
AMSTERDAM = "Europe/Amsterdam"
SECOND_HOME = "second_home"


def five_lines() -> dict[str, Any]:
    """As written, but for the Octopus API, which is not to be asked by a test."""
    assert len(FIVE_LINES.splitlines()) == 5
    assert indent(FIVE_LINES, "   ") in (ROOT / "README.md").read_text()
    apps: dict[str, Any] = yaml.safe_load(FIVE_LINES)
    apps["battery_optimizer"]["rates"] = {"base_url": NOWHERE}
    # Otherwise it may start first, and looks for an inverter again after half a minute.
    apps["battery_optimizer"]["dependencies"] = ["my_home"]
    return apps


def home(**changes: object) -> dict[str, Any]:
    return {
        "module": "battery_optimizer.simulate.home.app",
        "class": "SimulatedHome",
        "battery": {"capacity_kwh": 10.4, "max_charge_kw": 5, "max_discharge_kw": 5},
        "inverter": {"ac_limit_kw": 5},
        "prefix": "roof",
        "octopus": True,
        **changes,
    }


def findings(live: LiveAppDaemon) -> dict[str, dict[str, str]]:
    return {each["about"]: each for each in live.page_data()["found"]}


def test_five_lines_are_enough(tmp_path: Path) -> None:
    apps = five_lines() | {"my_home": home()}
    with running(tmp_path, apps, has_home=False) as live:
        live.wait_for("battery_optimizer: Plan until")
        live.wait_for("What I found")
        found = findings(live)
        assert {each["presence"] for each in found.values()} == {"found", "optional"}
        assert "select.roof_work_mode (found by its modes)" in found["Inverter"]["words"]
        assert "sensor.roof_battery_soc (50 %)" in found["Battery charge"]["words"]
        assert "charges at 5 kW (inverter)" in found["Battery"]["words"]
        assert "1.04 kWh kept in reserve (assumed)" in found["Battery"]["words"]
        assert "E-1R-AGILE-24-10-01-C" in found["Import rates"]["words"]
        assert "E-1R-AGILE-OUTGOING-19-05-13-C" in found["Export rates"]["words"]
        assert found["Solar forecast"]["words"].startswith("Solcast")
        assert found["AppDaemon's time zone"]["words"] == "Europe/London"
        assert found["AppDaemon's exclude_dirs"]["words"] == "this app is read at the start only"
        for about, each in found.items():
            assert about in live.log
            assert each["words"].split(",")[0] in live.log
        plan = live.endpoint("plan")
        assert plan["rates"] == "published"
        assert plan["slots"][0]["rate_published"]
        assert 5 < plan["slots"][0]["import_rate"] < 50
        assert live.page_data()["house"]["reserve_percent"] == 10


def test_what_is_missing_is_told_with_how_to_get_it(tmp_path: Path) -> None:
    apps = five_lines() | {"my_home": home(octopus=False, solar_forecast=False)}
    apps["battery_optimizer"]["notify"] = {"service": "notify.mobile_app_phone"}
    with running(tmp_path, apps, has_home=False, time_zone=AMSTERDAM, watches_files=True) as live:
        live.wait_for("Import rates")
        found = findings(live)
        assert "install the Octopus Energy integration" in found["Import rates"]["advice"]
        assert "rates.fixed_export_p" in found["Export rates"]["advice"]
        assert "solar.arrays" in found["Solar forecast"]["advice"]
        assert "there are notify.notify" in found["Notifications"]["advice"]
        assert "set time_zone: Europe/London" in found["AppDaemon's time zone"]["advice"]
        assert "exclude_dirs: [battery_optimizer]" in found["AppDaemon's exclude_dirs"]["advice"]
        assert "-> no import tariff: install the Octopus Energy integration" in live.log


def test_two_inverters_are_named_both_and_none_is_driven(tmp_path: Path) -> None:
    apps = five_lines() | {"my_home": home(), SECOND_HOME: home(prefix="shed", octopus=False)}
    apps["battery_optimizer"]["dependencies"] = ["my_home", SECOND_HOME]
    with running(tmp_path, apps, has_home=False) as live:
        live.wait_for("more than one inverter matches")
        (problem,) = live.endpoint("health")["problems"]
        assert "select.roof_work_mode, select.shed_work_mode" in problem
        assert "set entities.prefix" in problem
        assert findings(live)["Inverter"]["presence"] == "missing"
        assert "Plan until" not in live.log


def test_by_mqtt_and_by_notification_through_home_assistants_services(tmp_path: Path) -> None:
    apps = five_lines() | {"my_home": home(plunges=True)}
    apps["battery_optimizer"] |= {
        "mqtt": {"enabled": True},
        "notify": {"service": "notify.notify", "kinds": ["plunge"]},
        "planner": {"horizon_hours": 6},
    }
    with running(tmp_path, apps, has_home=False) as live:
        live.wait_for("battery_optimizer: Plan until")
        live.wait_for("You are paid for using electricity")
        live.wait_until(lambda: "Notifications" in findings(live), "what was found")
        assert findings(live)["Notifications"]["words"] == "notify.notify, of plunge"
        assert findings(live)["Notifications"]["presence"] == "found"
        live.wait_until(lambda: "battery_optimizer/binary_sensor/problem" in live.log)
        config = "homeassistant/sensor/battery_optimizer/mode/config"
        assert live.log.count(config) == 1
        assert '"payload": "online"' in live.log
        assert live.state("sensor.battery_optimizer_mode") is None
        assert live.stop() == 0
        assert '"payload": "offline"' in live.log
        assert live.log.count("my_home: notify/notify") == 1
        assert "Traceback" not in live.log
