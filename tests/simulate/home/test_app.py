"""The simulated home in the real AppDaemon, driven by the real adapter from another app."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from battery_optimizer.errors import ConfigError
from battery_optimizer.simulate.home.app import HomeSettings

Story = tuple[dict[str, Any], str]

PACKAGE = Path(__file__).parents[3] / "apps" / "battery_optimizer"
NEEDED = (
    "*.py", "model/*.py", "adapters/__init__.py", "adapters/foxess/*.py", "simulate/__init__.py",
    "simulate/home/*.py",
)  # fmt: skip

APPDAEMON_YAML = """
appdaemon:
  latitude: 51.5
  longitude: -0.1
  elevation: 10
  time_zone: Europe/London
"""

APPS_YAML = """
simulated_home:
  module: battery_optimizer.simulate.home.app
  class: SimulatedHome
  battery: {capacity_kwh: 10.0, max_charge_kw: 3.0, max_discharge_kw: 3.0}
  inverter: {ac_limit_kw: 3.68}
  speed: 500
  tick_seconds: 1
probe:
  module: probe
  class: Probe
  dependencies: simulated_home
"""

PROBE = """
import json
import os
import time

from appdaemon.adapi import ADAPI

from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode


class Probe(ADAPI):
    def initialize(self):
        self.told = {}
        self.fox = FoxEssModbus(
            call_service=self.call_service,
            read_state=self.read,
            list_entities=self.get_state,
            battery=Battery(capacity_kwh=10.0, max_charge_kw=3.0, max_discharge_kw=3.0),
            solar_kw=lambda: None,
            sleep=time.sleep,
        )
        self.run_in(self.charge, 0)
        self.run_in(self.leave, 3)

    def read(self, entity_id):
        state = self.get_state(entity_id, attribute="all")
        return None if state is None else EntityState.from_payload(state)

    def charge(self, **_):
        self.told["problems"] = self.fox.check()
        self.told["soc_before"] = self.read("sensor.foxess_bms_kwh_remaining").number
        self.fox.apply(InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.0))
        self.told["charging"] = [str(self.fox.current().mode), self.fox.current().power_kw]
        self.told["refused"] = self.call_service(
            "select/select_option", entity_id="select.foxess_work_mode", option="Nonsense"
        )
        self.told["unknown"] = self.call_service(
            "select/select_option", entity_id="select.nobody", option="Self Use"
        )

    def leave(self, **_):
        self.told["soc_after"] = self.read("sensor.foxess_bms_kwh_remaining").number
        self.fox.apply(SELF_USE)
        self.told["left"] = str(self.fox.current().mode)
        self.told["entities"] = self.get_state()
        with open(self.args["told"] + ".part", "w") as file:
            json.dump(self.told, file, default=str)
        os.replace(self.args["told"] + ".part", self.args["told"])
"""


RELOAD_APPS = """
simulated_home:
  module: battery_optimizer.simulate.home.app
  class: SimulatedHome
  soc_percent: 20
  tick_seconds: 1
reloader:
  module: reloader
  class: Reloader
"""

RELOADER = """
import json

from appdaemon.adapi import ADAPI


class Reloader(ADAPI):
    def initialize(self):
        self.run_in(self.set_and_reload, 1)
        self.run_in(self.tell, 3)

    def set_and_reload(self, **_):
        self.call_service(
            "select/select_option", entity_id="select.foxess_work_mode", option="Back-up"
        )
        self.restart_app("simulated_home")

    def tell(self, **_):
        told = {"mode": self.get_state("select.foxess_work_mode")}
        with open(self.args["told"], "w") as file:
            json.dump(told, file)
"""

OTHER_PLUGIN = """
from appdaemon.plugin_management import PluginBase


class OtherPlugin(PluginBase):
    def stop(self):
        pass

    async def get_complete_state(self):
        return {}

    async def get_updates(self):
        await self.notify_plugin_started({}, {})
        self.ready_event.set()
"""

OTHER_PLUGIN_YAML = """
  plugins:
    Other: {type: other, plugin_module: otherplugin, plugin_class: OtherPlugin}
"""

STEPS_ASIDE_APPS = """
simulated_home:
  module: battery_optimizer.simulate.home.app
  class: SimulatedHome
onlooker:
  module: onlooker
  class: Onlooker
  dependencies: simulated_home
"""

ONLOOKER = """
import json

from appdaemon.adapi import ADAPI


class Onlooker(ADAPI):
    def initialize(self):
        services = [f"{each['domain']}/{each['service']}" for each in self.list_services()]
        told = {"entities": list(self.get_state()), "services": services}
        with open(self.args["told"], "w") as file:
            json.dump(told, file)
"""


def lay_out(folder: Path, apps_yaml: str) -> None:
    package = folder / "apps" / "battery_optimizer"
    sources = {file for pattern in NEEDED for file in PACKAGE.glob(pattern)}
    sources -= {PACKAGE / "app.py", PACKAGE / "cycle.py", PACKAGE / "config.py"}
    for file in sources:
        target = package / file.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (folder / "appdaemon.yaml").write_text(APPDAEMON_YAML)
    (folder / "apps" / "apps.yaml").write_text(f"{apps_yaml}  told: {folder / 'told.json'}\n")
    (folder / "apps" / "probe.py").write_text(PROBE)


def run_appdaemon(folder: Path, until: Path) -> str:
    """Run AppDaemon until a file is there, stop it, and return what it logged."""
    log = folder / "appdaemon.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "appdaemon", "-c", str(folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": ""},
        )
        try:
            deadline = time.monotonic() + 60
            while not _is_written(until) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    return log.read_text()


def _is_written(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("appdaemon")
    lay_out(folder, APPS_YAML)
    log = run_appdaemon(folder, folder / "told.json")
    assert (folder / "told.json").exists(), log
    return json.loads((folder / "told.json").read_text()), log


pytestmark = pytest.mark.e2e


def test_the_adapter_finds_nothing_wrong_with_the_simulated_home(story: Story) -> None:
    told, log = story
    assert told["problems"] == []
    assert "ERROR" not in log
    assert "WARNING simulated_home" not in log


def test_another_app_sets_a_mode_and_reads_it_back(story: Story) -> None:
    told, _ = story
    assert told["charging"] == ["force_charge", 2.0]
    assert told["left"] == "self_use"
    assert told["entities"]["select.foxess_work_mode"]["state"] == "Self Use"


def test_a_forced_charge_fills_the_battery(story: Story) -> None:
    told, _ = story
    assert told["soc_before"] < told["soc_after"]


def test_it_answers_as_home_assistant_does(story: Story) -> None:
    told, _ = story
    assert told["refused"]["success"] is False
    assert told["refused"]["error"]["code"] == "service_validation_error"
    assert told["unknown"]["success"] is True


def test_it_publishes_a_solar_forecast_in_solcasts_shape(story: Story) -> None:
    told, _ = story
    for day in ("today", "tomorrow"):
        entity = told["entities"][f"sensor.solcast_pv_forecast_forecast_{day}"]
        rows = entity["attributes"]["detailedForecast"]
        assert len(rows) in (46, 48, 50)
        assert float(entity["state"]) == pytest.approx(
            sum(row["pv_estimate"] for row in rows) / 2, abs=0.001
        )


def test_it_steps_aside_where_something_else_owns_the_namespace(tmp_path: Path) -> None:
    lay_out(tmp_path, STEPS_ASIDE_APPS)
    (tmp_path / "appdaemon.yaml").write_text(APPDAEMON_YAML.rstrip() + OTHER_PLUGIN_YAML)
    (tmp_path / "custom_plugins" / "other").mkdir(parents=True)
    (tmp_path / "custom_plugins" / "other" / "otherplugin.py").write_text(OTHER_PLUGIN)
    (tmp_path / "apps" / "onlooker.py").write_text(ONLOOKER)
    log = run_appdaemon(tmp_path, tmp_path / "told.json")
    assert "stays out of its way" in log
    told = json.loads((tmp_path / "told.json").read_text())
    assert "select/select_option" not in told["services"]
    assert "select.foxess_work_mode" not in told["entities"]


def test_a_reload_does_not_change_what_the_inverter_does(tmp_path: Path) -> None:
    lay_out(tmp_path, RELOAD_APPS)
    (tmp_path / "apps" / "reloader.py").write_text(RELOADER)
    log = run_appdaemon(tmp_path, tmp_path / "told.json")
    assert log.count("Simulated home: 10.4 kWh battery") == 2, log
    assert json.loads((tmp_path / "told.json").read_text())["mode"] == "Back-up"


def test_a_mistyped_setting_is_named() -> None:
    args = {"name": "home", "module": "m", "class": "c", "battery": {"capcity_kwh": 5}}
    with pytest.raises(ConfigError, match=r"battery\.capcity_kwh"):
        HomeSettings.from_args(args)


def test_appdaemons_own_keys_are_no_settings() -> None:
    args = {"name": "home", "module": "m", "class": "c", "config_path": "x", "pin_app": True}
    assert HomeSettings.from_args(args).speed == 1
