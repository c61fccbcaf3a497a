"""`make run` says what is in its way before AppDaemon starts, and takes the README's five lines."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appdaemon_process import ROOT, free_url
from battery_optimizer.config import USUAL_KW
from battery_optimizer.errors import ConfigError
from battery_optimizer.simulate.home.app import HomeSettings
from battery_optimizer.simulate.live import main, prepare
from markdown_pages import README, read_yaml

Became = list[str]


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> Became:
    """What this process would have become."""
    command: Became = []
    monkeypatch.setattr("os.execv", lambda _, arguments: command.extend(arguments))
    for name in ("HA_URL", "HA_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return command


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "apps").mkdir(parents=True)
    for name in ("appdaemon.yaml", "apps/apps.yaml"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def taken() -> Iterator[str]:
    """An address at which somebody serves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def stopped(tmp_path: Path, url: str) -> str:
    with pytest.raises(SystemExit) as told:
        main(["--folder", str(tmp_path / "run"), "--url", url])
    return str(told.value)


def test_a_port_that_is_taken_is_told_before_any_url_is(
    tmp_path: Path, became: Became, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = taken.rpartition(":")[2]
    said = stopped(tmp_path, taken)
    assert said.startswith(f"port {port} is in use: change `url` in appdaemon.yaml")
    assert became == []
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "run").exists(), "the one that runs would take it for changed settings"


def test_a_free_port_is_left_free(tmp_path: Path, became: Became) -> None:
    url = free_url()
    main(["--folder", str(tmp_path / "run"), "--url", url])
    assert became[-4:-1] == ["-m", "appdaemon", "-c"]
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass


@pytest.mark.parametrize("url", ["127.0.0.1:5050", "http://127.0.0.1:web", "nowhere"])
def test_an_address_that_is_none_is_told(tmp_path: Path, became: Became, url: str) -> None:
    assert "must be as http://127.0.0.1:5050" in stopped(tmp_path, url)
    assert became == []


def test_an_address_of_another_machine_is_told(tmp_path: Path, became: Became) -> None:
    said = stopped(tmp_path, "http://203.0.113.7:5050")
    assert said.startswith("port 5050 cannot be had (")
    assert became == []


def problem(root: Path, file: str, text: str) -> str:
    (root / file).write_text(text)
    with pytest.raises(ConfigError) as told:
        prepare(root.parent / "run", environment={}, root=root)
    return str(told.value).removeprefix(f"{root}/")


def test_a_tab_is_told_with_its_line_and_what_to_do(checkout: Path) -> None:
    text = "battery_optimizer:\n  module: battery_optimizer.app\n\tclass: BatteryOptimizer\n"
    told = problem(checkout, "apps/apps.yaml", text)
    assert told == ("apps/apps.yaml cannot be read: line 3 has a tab; indent with spaces instead")


def test_other_mistakes_in_yaml_are_told_with_their_line(checkout: Path) -> None:
    text = "appdaemon:\n  time_zone: Europe/London\n   latitude: 51.5\n"
    told = problem(checkout, "appdaemon.yaml", text)
    assert told.startswith("appdaemon.yaml cannot be read: line 3: mapping values are not allowed")
    (checkout / "appdaemon.yaml").unlink()
    with pytest.raises(ConfigError, match=r"appdaemon.yaml cannot be read: .*No such file"):
        prepare(checkout.parent / "run", environment={}, root=checkout)


def test_settings_of_no_app_are_told(checkout: Path) -> None:
    told = problem(checkout, "apps/apps.yaml", "my_battery:\n  module: battery_optimizer.app\n")
    assert told == "apps/apps.yaml: below the line `battery_optimizer:` there must be settings"


def test_the_five_lines_of_the_readme_make_a_home(checkout: Path) -> None:
    (lines,) = [block.text for block in README.blocks("yaml") if "module:" in block.text]
    (checkout / "apps" / "apps.yaml").write_text(lines)
    prepare(checkout.parent / "run", environment={}, root=checkout)
    written = read_yaml((checkout.parent / "run" / "apps" / "simulated_home.yaml").read_text())
    battery = HomeSettings.from_args(written["simulated_home"]).battery
    assert battery.capacity_kwh == 10.4
    assert battery.max_charge_kw == battery.max_discharge_kw == USUAL_KW


def test_no_home_has_a_battery_of_nothing() -> None:
    with pytest.raises(ConfigError, match=r"battery: .*capacity_kwh must be above 0"):
        HomeSettings.from_args({"battery": {"capacity_kwh": 0}})
