"""The REST sensor of docs/endpoints.md in a real Home Assistant, and with a password."""

from pathlib import Path

from appdaemon_process import running, shipped_apps
from home_assistant.core import HomeAssistant
from markdown_pages import ENDPOINTS

PASSWORD = "only-of-this-test"  # noqa: S105
SENSOR = "sensor.battery_mode_wanted"


def test_the_rest_sensor_of_the_page_shows_the_recommendation(tmp_path: Path) -> None:
    core = HomeAssistant(tmp_path / "core")
    (core.folder / "secrets.yaml").write_text(f"appdaemon_password: {PASSWORD}\n")
    example = tmp_path / "rest.yaml"
    example.write_text(ENDPOINTS.block("yaml", "rest sensor"))
    with running(tmp_path / "app", shipped_apps(), password=PASSWORD) as app:
        app.wait_for("battery_optimizer: Plan until")
        core.add_package(example, {"http://127.0.0.1:5050": app.url})
        try:
            core.start()
            modes = {"self_use", "hold", "feed_in", "force_charge", "force_discharge"}
            core.wait_until(lambda: core.state(SENSOR) in modes, f"{SENSOR}, {core.state(SENSOR)}")
            shown = core.attributes(SENSOR)
            assert shown["reason"]
            assert 0 <= shown["expected_soc"] <= 100
            assert {"power_kw", "discharge_current"} <= shown.keys()
        finally:
            core.stop()
