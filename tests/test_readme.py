"""The README, and what is looked up, say what is so: tables and examples against the code."""

import json
import re
import shlex
from pathlib import Path

import pytest

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.adapters.foxess.models import CONTROLS
from battery_optimizer.adapters.web.latest import recommendation
from battery_optimizer.adapters.web.site import Site
from battery_optimizer.config import Config
from battery_optimizer.config_docs import settings
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.news import News
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.home_file import read_home
from battery_optimizer.simulate.live import prepare
from markdown_pages import LOOKED_UP, README, ROOT, read_yaml
from markdown_pages import table_below as rows_below
from recordings import recorded_days, written
from shown_values import a_planned_day

PAGES = (README, *LOOKED_UP)
TEXT = "\n".join(page.text for page in PAGES)
MOST_WORDS = 2500
"""Of a front door."""
SMALLEST_PNG, LARGEST_PNG = 10_000, 300_000


def blocks(kind: str, name: str | None = None) -> list[str]:
    return [each.text for page in PAGES for each in page.blocks(kind, name)]


def block(kind: str, name: str) -> str:
    (found,) = blocks(kind, name)
    return found


def table_below(marker: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    return {row[0].strip(" `"): row[1:] for row in rows_below(TEXT, marker)}


def test_the_readme_is_short_and_the_rest_is_named_in_it() -> None:
    assert len(README.text.split()) < MOST_WORDS
    assert {f"docs/{page.path.name}" for page in PAGES[1:]} <= set(README.links)


def test_the_most_used_settings_are_told_as_on_their_page() -> None:
    known = {each.path: each for each in settings()}
    rows = table_below("<!-- most used settings -->")
    assert len(rows) > 10
    for path, cells in rows.items():
        each = known[path]
        assert cells == [each.unit, each.default, each.words]


def test_every_entity_is_in_the_table_with_its_unit() -> None:
    shown = {entity_id: cells[0] for entity_id, cells in table_below("<!-- entities -->").items()}
    assert shown == {entity.id: entity.unit or "" for entity in ENTITIES}


def test_every_endpoint_is_named() -> None:
    # The answers are made when asked for, so nothing need be there to list them.
    served = Site.endpoints(object.__new__(Site))
    named = set(re.findall(r"/api/appdaemon/battery_optimizer_(\w+)", block("sh", "endpoints")))
    assert named == set(served)


def test_the_rest_sensor_asks_for_what_there_is() -> None:
    (resource,) = read_yaml(block("yaml", "rest sensor"))["rest"]
    answer = recommendation(a_planned_day(), voltage=50.0)
    assert resource["resource"].endswith("/api/appdaemon/battery_optimizer_recommendation")
    (sensor,) = resource["sensor"]
    assert set(sensor["json_attributes"]) <= answer.keys()
    assert re.findall(r"value_json\.(\w+)", sensor["value_template"]) == ["mode"]


def test_the_node_red_flow_is_wired_and_knows_the_modes() -> None:
    nodes = {node["id"]: node for node in json.loads(block("json", "node-red"))}
    for node in nodes.values():
        assert {target for wire in node["wires"] for target in wire} <= nodes.keys()
    assert "battery_optimizer_recommendation" in nodes["bo_get"]["url"]
    named = {rule["v"] for rule in nodes["bo_mode"]["rules"] if "v" in rule}
    assert named == {"force_charge", "force_discharge"} <= set(Mode)
    assert nodes["bo_mode"]["outputs"] == len(nodes["bo_mode"]["rules"])


def test_the_kinds_of_notifications_are_all_named() -> None:
    (text,) = [text for text in blocks("yaml") if "notify:" in text]
    told = read_yaml(text)["notify"]
    assert set(told["kinds"]) == set(News)
    assert Config.from_args({"battery": {"capacity_kwh": 10}, "notify": told}).notify.service


def test_the_modes_are_those_of_the_first_family_of_models() -> None:
    table = table_below("## What it does to the inverter")
    assert {mode: table[mode][0] for mode in Mode} == dict(CONTROLS[0].options)


def test_the_five_lines_are_five_and_enough() -> None:
    (text,) = [text for text in blocks("yaml") if "module: battery_optimizer.app" in text]
    assert len(text.splitlines()) == 5
    config = Config.from_args(read_yaml(text)["battery_optimizer"])
    assert config.house.battery.capacity_kwh == 10.4


def test_the_add_on_installs_what_the_app_requires() -> None:
    given = read_yaml(block("yaml", "add-on: Debian"))
    required = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = {line for line in required if line and not line.startswith(("#", "appdaemon"))}
    assert set(given["python_packages"]) == pinned
    assert not any(" " in package for package in given["python_packages"])


def test_make_knows_the_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    commands = "\n".join([*blocks("sh"), *re.findall(r"`(make [^`]*)`", TEXT)])
    named = set(re.findall(r"\bmake (?:\w+=\S+ )*([a-z]+)", commands))
    assert {"run", "test", "backtest", "bench"} <= named <= targets


def test_the_example_home_and_days_are_read(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text(block("json", "home.json"))
    (tmp_path / "days.csv").write_text(block("csv", "days.csv"))
    house, pv_kwp, start_soc_kwh = read_home(tmp_path / "home.json")
    assert (house.battery.reserve_kwh, pv_kwp, start_soc_kwh) == (1.04, 4, 5.2)
    assert RecordedDays.read(tmp_path / "days.csv", pv_kwp=pv_kwp).n_slots == 2


def test_the_backtest_command_runs_as_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("home.json").write_text(block("json", "home.json"))
    Path("days.csv").write_text(block("csv", "days.csv"))
    commands = re.findall(r"make backtest DATA=(\S+) HOME_JSON=(\S+) ARGS='([^']*)'", TEXT)
    for data, home, arguments in commands:
        assert main(["backtest", "--data", data, "--home", home, *arguments.split()]) == 0
        assert json.loads(capsys.readouterr().out)["policy"] == "planner"
    assert Path("steps.csv").exists()
    assert Path("report.html").exists()


def test_another_home_is_made_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(recorded_days(), tmp_path, "days.csv")
    (command,) = [text for text in blocks("sh") if "simulate data" in text]
    arguments = shlex.split(command.replace("\\\n", " ").partition("simulate ")[2])
    assert main(arguments) == 0
    made = RecordedDays.read(tmp_path / "heat_pump.csv", pv_kwp=4)
    assert made.n_slots == len(recorded_days())


def test_every_command_line_is_held_by_a_test() -> None:
    """Each is run as written, here, in `test_docs`, or (make) as a whole."""
    lines = [line for text in blocks("sh") for line in text.replace("\\\n", " ").splitlines()]
    run = {
        "make run", "make test", "HA_URL", "make backtest", "curl", "simulate data",
        "simulate compare",
    }  # fmt: skip
    assert [line for line in lines if not any(known in line for known in run)] == []


def test_the_variants_are_compared_as_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, name in (("json", "home.json"), ("csv", "days.csv"), ("yaml", "variants.yaml")):
        Path(name).write_text(block(kind, name))
    files, own = block("sh", "compare").replace("\\\n", " ").splitlines()
    assert main([*shlex.split(files.partition("simulate ")[2]), "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{name}  " in out for name in read_yaml(block("yaml", "variants.yaml")))
    assert "<svg" in Path("compare.html").read_text()
    (in_short,) = [text for text in blocks("sh") if "make backtest" in text and "compare" in text]
    assert in_short.partition("\n")[2] in block("sh", "compare")
    # Of one's own there is nothing here, which is said.
    assert main([*shlex.split(own.partition("simulate ")[2]), "--jobs", "1"]) == BAD_INPUT


def test_both_ways_to_home_assistant_connect(tmp_path: Path) -> None:
    (variables,) = re.findall(r"^(HA_\w+=\S+) (HA_\w+=\S+) make run$", README.text, re.MULTILINE)
    environment = dict(variable.split("=", 1) for variable in variables)
    assert prepare(tmp_path / "run", environment=environment)
    for key in ("`ha_url:`", "`ha_token:`"):
        assert key in README.text


def test_pictures_are_there_and_not_heavy() -> None:
    for name in ("page-desktop.png", "page-phone.png"):
        assert SMALLEST_PNG < (ROOT / "docs" / "images" / name).stat().st_size < LARGEST_PNG
