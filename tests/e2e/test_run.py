"""`make run`: the app in the real AppDaemon, around the simulated home."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from appdaemon_process import NOWHERE, LiveAppDaemon, free_url, running, shipped_apps
from battery_optimizer.adapters.foxess.models import CONTROLS
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.wording import MODE_WORDS
from battery_optimizer.simulate.live import main, prepare
from markdown_pages import README, read_yaml

pytestmark = pytest.mark.e2e

SELECT = "select.foxess_work_mode"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveAppDaemon]:
    # Without a dwell, so that a half hour that begins just now is no reason to wait.
    apps = shipped_apps(commands={"dwell_minutes": 0})
    with running(tmp_path_factory.mktemp("live"), apps) as appdaemon:
        appdaemon.wait_for("battery_optimizer: Plan until")
        appdaemon.wait_until(lambda: appdaemon.state("sensor.battery_optimizer_heartbeat"))
        yield appdaemon


def test_within_a_minute_there_is_a_plan_with_its_reason_in_words(live: LiveAppDaemon) -> None:
    reason = live.endpoint("recommendation")["reason"]
    assert len(reason.split()) > 5
    live.wait_for(f": {reason}")
    assert "otherwise Self Use" in live.log or "Self Use throughout" in live.log
    assert "(demo rates)" in live.log


def test_a_mode_was_set_and_read_back(live: LiveAppDaemon) -> None:
    def is_so() -> bool:
        """Asked twice: there may be a cycle in between."""
        told = live.endpoint("recommendation")
        # The home starts in Back-up, which the plan may want, too.
        command = InverterCommand(mode=Mode(told["mode"]), power_kw=told["power_kw"])
        words = re.escape(MODE_WORDS[command.acts_as])
        said = rf"Inverter (set to|is in) {words}( |\n)[^\n]*read back"
        shown = (live.state(SELECT) or {}).get("state")
        return shown == CONTROLS[0].options[command.mode] and bool(re.search(said, live.log))

    live.wait_until(is_so, "the mode that is recommended, in the log and at the inverter")


def test_entities_are_published(live: LiveAppDaemon) -> None:
    def is_the_same() -> bool:
        """Asked twice: there may be a cycle in between."""
        mode = live.state("sensor.battery_optimizer_mode")
        return mode is not None and mode["state"] == live.endpoint("recommendation")["mode"]

    live.wait_until(is_the_same, "the mode that is recommended")
    rate = live.state("sensor.battery_optimizer_import_rate")
    assert rate is not None
    assert rate["attributes"]["friendly_name"] == "Battery Optimizer Import rate (demo rates)"
    assert len(rate["attributes"]["forecast"]) >= 90


def test_the_endpoints_answer(live: LiveAppDaemon) -> None:
    answer = live.endpoint("recommendation")
    assert {
        "mode", "discharge_current", "reason", "optimization_status", "expected_soc",
    } <= answer.keys()  # fmt: skip
    assert answer["optimization_status"] == "optimal"
    assert answer["rates"] == "demo rates"
    plan = live.endpoint("plan")
    assert len(plan["slots"]) == 96
    health = live.endpoint("health")
    assert health["status"] == "degraded"
    assert any("Octopus" in problem for problem in health["problems"])


def test_only_a_post_refreshes_the_prices(live: LiveAppDaemon) -> None:
    path = "/api/appdaemon/battery_optimizer_refresh_prices"
    assert live.get(path).status_code == 405
    before = live.log.count("rates not refreshed")
    assert live.post(path, {}).status_code == 202
    live.wait_until(lambda: live.log.count("rates not refreshed") > before, "a refresh")
    assert live.post("/api/appdaemon/battery_optimizer_health", {}).status_code == 405


def test_the_page_and_what_it_draws_are_served(live: LiveAppDaemon) -> None:
    page = live.get("/app/battery_optimizer")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Battery Optimizer" in page.text
    data = live.page_data()
    assert len(data["plan"]["slots"]) == 96
    assert data["measured"]["load_kw"] > 0


def test_the_database_is_beside_appdaemons_configuration(live: LiveAppDaemon) -> None:
    assert (live.folder / "battery_optimizer_simulated.db").exists()


def test_a_change_of_settings_restarts_the_app_at_once(live: LiveAppDaemon) -> None:
    apps = live.folder / "apps" / "apps.yaml"
    changed = yaml.safe_load(apps.read_text())
    changed["battery_optimizer"]["battery"]["reserve_kwh"] = 2.0
    apps.write_text(yaml.safe_dump(changed))

    stopped = "Stopped; the inverter is set to Self Use"
    live.wait_for(stopped)
    live.wait_until(
        lambda: live.page_data()["house"]["reserve_percent"] > 19, "the new reserve on the page"
    )
    # Until then the app sets its own mode, and the next test one of another.
    live.wait_until(lambda: "Plan until" in live.log.rpartition(stopped)[2], "a plan with it")


def test_it_ends_in_self_use(live: LiveAppDaemon) -> None:
    """The last test of this AppDaemon: stopped while the inverter is forced."""
    live.select("Force Discharge")
    live.wait_until(lambda: (live.state(SELECT) or {}).get("state") == "Force Discharge")
    assert live.stop() == 0, live.log[-3000:]
    assert "Stopped; the inverter is set to Self Use" in live.log
    assert "Traceback" not in live.log


def test_a_wrong_setting_is_named_and_the_app_does_not_start(tmp_path: Path) -> None:
    apps = shipped_apps()
    apps["battery_optimizer"]["battery"]["capcity_kwh"] = 10
    apps["battery_optimizer"]["battery"]["max_charge_kw"] = -1
    with running(tmp_path, apps) as live:
        live.wait_for("App initialization complete")
        assert (
            "Wrong setting: battery.capcity_kwh is not a setting; did you mean battery.capacity_kwh"
            in live.log
        )
        assert live.get("/api/appdaemon/battery_optimizer_health").status_code == 404
        assert "Plan until" not in live.log


def test_a_second_app_on_the_inverter_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    apps = shipped_apps()
    apps["second"] = {**apps["battery_optimizer"], "dependencies": ["battery_optimizer"]}
    with running(tmp_path, apps) as live:
        live.wait_for("Plan until")
        live.wait_for(
            "Not started: select.foxess_work_mode is already driven by 'battery_optimizer'"
        )
        assert live.endpoint("health")["result"] == "planned"


def test_a_second_app_on_another_inverter_is_told_where_it_belongs(tmp_path: Path) -> None:
    apps = shipped_apps()
    apps["shed"] = {
        "module": "battery_optimizer.simulate.home.app",
        "class": "SimulatedHome",
        "prefix": "shed",
        "battery": apps["battery_optimizer"]["battery"],
    }
    apps["second"] = {
        **apps["battery_optimizer"],
        "entities": {"prefix": "shed"},
        "dependencies": ["battery_optimizer", "shed"],
    }
    with running(tmp_path, apps) as live:
        live.wait_for("Plan until")
        live.wait_for("Not started: 'battery_optimizer' runs in the folder")
        assert "a second inverter takes a second AppDaemon with a folder of its own" in live.log
        assert live.endpoint("health")["result"] == "planned"


def test_read_only_sends_nothing(tmp_path: Path) -> None:
    apps = shipped_apps(control="read_only")
    with running(tmp_path, apps, time_zone="Europe/Amsterdam") as live:
        live.wait_for("Plan until")
        live.wait_until(lambda: live.state("sensor.battery_optimizer_heartbeat"))
        assert live.endpoint("recommendation")["command_result"] == "read_only"
        assert (live.state(SELECT) or {})["state"] == "Back-up"
        live.wait_for("set time_zone: Europe/London in appdaemon.yaml")
        assert live.stop() == 0, live.log[-3000:]
        assert "the inverter is left as it was" in live.log


def test_while_no_inverter_is_there_it_says_so_and_waits(tmp_path: Path) -> None:
    with running(tmp_path, shipped_apps(entities={}), has_home=False) as live:
        live.wait_for("Not started yet: no inverter found")
        health = live.endpoint("health")
        assert health["status"] == "failed"
        assert "install foxess_modbus" in health["problems"][0]
        # Entities say so at once, too: after a restart of Home Assistant there are none left.
        shown = live.state("sensor.battery_optimizer_health") or {}
        assert shown["state"] == "waiting"
        assert shown["attributes"]["problems"] == health["problems"]
        assert (live.state("binary_sensor.battery_optimizer_problem") or {})["state"] == "on"
        assert live.endpoint("recommendation")["optimization_status"] == "starting"
        assert "no plan yet" in live.page_data()["plan"]["reason"]
        assert live.stop() == 0, live.log[-3000:]


def test_without_web_nothing_is_served(tmp_path: Path) -> None:
    with running(tmp_path, shipped_apps(web={"enabled": False})) as live:
        live.wait_for("Plan until")
        assert live.get("/app/battery_optimizer").status_code == 200  # AppDaemon's own words:
        assert "Requested Server does not exist" in live.get("/app/battery_optimizer").text


def test_make_run_becomes_appdaemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    became: list[str] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: became.extend(arguments))
    url = free_url()
    main(["--folder", str(tmp_path), "--url", url])
    assert became[-4:] == ["-m", "appdaemon", "-c", str(tmp_path)]
    assert f"{url}/app/battery_optimizer" in capsys.readouterr().out


def test_the_five_lines_of_the_readme_are_enough_for_make_run(tmp_path: Path) -> None:
    (lines,) = [block.text for block in README.blocks("yaml") if "module:" in block.text]
    apps = read_yaml(lines)
    apps["battery_optimizer"]["rates"] = {"base_url": NOWHERE}  # Octopus is not asked by a test
    with running(tmp_path, apps) as live:
        live.wait_for("battery_optimizer: Plan until")
        assert "10.4 kWh battery at 50 %, no Home Assistant" in live.log
        live.wait_until(lambda: live.state("sensor.battery_optimizer_heartbeat"))
        assert live.endpoint("recommendation")["rates"] == "demo rates"
        assert live.stop() == 0, live.log[-3000:]
        assert "Traceback" not in live.log


def test_a_home_assistant_in_secrets_yaml_is_used(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    (root / "apps").mkdir(parents=True)
    (root / "apps" / "apps.yaml").write_text("battery_optimizer: {}")
    (root / "appdaemon.yaml").write_text("appdaemon: {time_zone: Europe/London}\nhttp: {}\n")
    (root / "secrets.yaml").write_text("ha_url: http://ha:8123\nha_token: hidden\n")
    assert prepare(tmp_path / "run", environment={}, root=root) is True
    written = (tmp_path / "run" / "appdaemon.yaml").read_text()
    assert "token: !secret 'ha_token'" in written
    assert "hidden" not in written


def test_a_home_assistant_that_is_given_is_used_and_no_home_simulated(tmp_path: Path) -> None:
    given = {"HA_URL": "http://homeassistant.local:8123", "HA_TOKEN": "not-to-be-written"}
    assert prepare(tmp_path, environment=given) is True
    written = (tmp_path / "appdaemon.yaml").read_text()
    assert "homeassistant.local" in written
    assert "!env_var" in written
    assert "not-to-be-written" not in written
    assert not (tmp_path / "apps" / "simulated_home.yaml").exists()
    assert prepare(tmp_path, environment={}) is False
    assert (tmp_path / "apps" / "simulated_home.yaml").exists()
