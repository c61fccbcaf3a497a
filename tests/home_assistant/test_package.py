"""The package as a householder installs it: Home Assistant's own check of the configuration."""

from pathlib import Path

from home_assistant.core import PACKAGE, HomeAssistant


def test_the_package_passes_home_assistants_check(tmp_path: Path) -> None:
    core = HomeAssistant(tmp_path)
    core.add_package(PACKAGE)
    said = core.check_config()
    assert said.endswith("exit code 0")
    for complaint in ("Failed config", "Incorrect config", "Invalid config", "ERROR"):
        assert complaint not in said


def test_the_check_would_find_a_mistake(tmp_path: Path) -> None:
    core = HomeAssistant(tmp_path)
    core.add_package(PACKAGE, {"has_time: true": "has_tme: true"})
    assert "Invalid config" in core.check_config()
