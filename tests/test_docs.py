"""The pages for users say what is so: commands, settings, links, quoted sentences and numbers."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import appdaemon
import numpy as np
import pytest
import requests
import yaml
from appdaemon.models.config import MainConfig

from appdaemon_process import NOWHERE, LiveAppDaemon, free_url
from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.adapters.telemetry.house import MAX_AGE
from battery_optimizer.app import CONNECT_AGAIN_S, LOOK_AGAIN_S
from battery_optimizer.config import Config
from battery_optimizer.config_docs import settings
from battery_optimizer.control.breaker import LONGEST_PAUSE, MOST_FAILURES, PAUSE
from battery_optimizer.diagnostics import MOST_CYCLES
from battery_optimizer.model.decision import CommandResult, CycleResult
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import CommandSettings, PlannerSettings
from battery_optimizer.model.shown import GONE_AFTER
from battery_optimizer.model.slots import SLOT, UK, SlotSeries
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.simulate.__main__ import main
from builders import a_battery, a_house, plan_for
from markdown_pages import (
    DOCS,
    ENDPOINTS,
    LOOKED_UP,
    README,
    ROOT,
    Block,
    Page,
    read_yaml,
    table_below,
)
from recordings import recorded_days

INSTALL, SET_UP, MOVING, TROUBLE, HOW = (
    Page(ROOT / "docs" / f"{name}.md")
    for name in ("install", "set-up", "moving-over", "troubleshooting", "how-it-works")
)
USERS = [INSTALL, SET_UP, MOVING, TROUBLE, HOW]
READ = [*USERS, README, *LOOKED_UP]
BY_NAME = {page.path.name: page for page in USERS}
APP = ROOT / "apps" / "battery_optimizer"
SIMULATE = "-m battery_optimizer.simulate "
UNTRIED = {"docker"}
"""The page itself says that these were not tried."""
SERVICES = {"mqtt.publish"}
"""Of Home Assistant, and no settings."""
BY_SHAPE = {"git", "cd"}
FOREIGN = {"Failed installing package", "Failed executing init command"}
"""What the add-on says, of which nothing is here."""


def of_kind(kind: str) -> list[Block]:
    return [block for page in USERS for block in page.blocks(kind)]


def commands() -> list[str]:
    """Every line of shell, continued ones joined."""
    text = "".join(block.text for block in of_kind("sh"))
    return re.sub(r"\\\n\s*", "", text).splitlines()


def program(command: str) -> str:
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    return Path(words[0]).name


def curls() -> list[str]:
    return [command for command in commands() if program(command) == "curl"]


# Links


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.path.name)
def test_links_lead_to_a_file_and_a_heading_that_are_there(page: Page) -> None:
    assert not list(page.broken_links())


def test_the_index_names_every_page() -> None:
    (index,) = [page for page in DOCS if page.path.name == "README.md"]
    assert {page.path.name for page in DOCS} - {"README.md"} <= set(index.links)
    assert "docs/README.md" in README.links


# Blocks


def test_every_kind_of_block_is_looked_at() -> None:
    kinds = {block.kind for page in USERS for block in page.blocks()}
    assert kinds == {"sh", "yaml", "text", "dockerfile", "ini"}


@pytest.mark.parametrize("block", of_kind("yaml"), ids=lambda block: block.page)
def test_yaml_is_such_as_its_reader_accepts(block: Block) -> None:
    content = read_yaml(block.text)
    if "secrets.yaml" in (block.name or ""):
        assert all(isinstance(value, str) for value in content.values())
    elif block.name == "add-on: Alpine":
        assert content.keys() == {"python_packages", "init_commands"}
    elif "battery_optimizer" in content:
        assert Config.from_args(content["battery_optimizer"])
    elif content.keys() <= Config.model_fields.keys():
        assert Config.from_args({"battery": {"capacity_kwh": 10}, **content})
    else:
        accepted_by_appdaemon(content)


def accepted_by_appdaemon(content: dict[str, Any]) -> None:
    whole = yaml.safe_load((ROOT / "appdaemon.yaml").read_text())
    for section, values in content.items():
        assert section in MainConfig.model_fields
        whole[section] = {**(whole.get(section) or {}), **(values or {})}
        if section != "api":
            model = MainConfig.model_fields[section].annotation
            known = {name for each in models_of(model) for name in names_of(each)}
            assert set(values) <= known
    whole["appdaemon"] |= {"config_dir": Path(), "config_file": Path("appdaemon.yaml")}
    assert MainConfig.model_validate(whole)


def models_of(annotation: Any) -> list[Any]:  # noqa: ANN401 - as pydantic keeps it
    parts = getattr(annotation, "__args__", (annotation,))
    return [part for part in parts if hasattr(part, "model_fields")]


def names_of(model: Any) -> Iterator[str]:  # noqa: ANN401
    for name, field in model.model_fields.items():
        yield from (name, *([str(field.alias)] if field.alias else []))


def test_the_settings_named_in_the_text_exist() -> None:
    paths = {each.path for each in settings()}
    sections = {path.partition(".")[0] for path in paths if "." in path}
    for page in READ:
        for code in page.code:
            path = code.partition(":")[0]
            is_path = re.fullmatch(r"\w+\.\w+", path) and path not in SERVICES
            if path.partition(".")[0] in sections and is_path:
                assert path in paths, f"{page.path.name}: {code}"


def test_the_entities_named_in_the_text_exist() -> None:
    known = {entity.id for entity in ENTITIES}
    package = (ROOT / "docs" / "home_assistant" / "battery_optimizer.yaml").read_text()
    for page in READ:
        for entity_id in re.findall(r"\b\w+\.battery_optimizer_\w+", page.prose):
            domain, _, name = entity_id.partition(".")
            in_package = domain.startswith("input_") and f"  {name}:" in package
            assert entity_id in known or in_package, f"{page.path.name}: {entity_id}"


def test_the_five_lines_are_those_of_the_readme() -> None:
    (lines,) = [block.text for block in SET_UP.blocks("yaml") if "module:" in block.text]
    assert lines in [block.text for block in README.blocks("yaml")]


def test_the_older_add_on_installs_what_the_app_requires() -> None:
    given = read_yaml(INSTALL.block("yaml", "add-on: Alpine"))
    built = [command.split()[-1] for command in given["init_commands"]]
    pinned = {line for line in required() if not line.startswith("appdaemon")}
    assert {*given["python_packages"], *built} == pinned
    assert not any(" " in package for package in given["python_packages"])


def required() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_what_pip_is_told_to_install_is_what_these_tests_run_on() -> None:
    for line in required():
        name, _, pinned = line.partition("==")
        assert version(name) == pinned
    assert f"AppDaemon 4.5.4 or later ({version('appdaemon')} " in INSTALL.text


def test_the_container_is_made_of_files_that_are_there() -> None:
    (dockerfile,) = INSTALL.blocks("dockerfile")
    (copied,) = re.findall(r"^COPY (\S+) \.$", dockerfile.text, re.MULTILINE)
    assert (ROOT / copied).exists()
    (python,) = re.findall(r"^FROM python:(\S+)-slim$", dockerfile.text, re.MULTILINE)
    assert python in INSTALL.prose
    (start,) = re.findall(r"^CMD (.*)$", dockerfile.text, re.MULTILINE)
    assert json.loads(start)[1:4] == ["-m", "appdaemon", "-c"]
    (folder,) = {part.split(":")[1] for part in re.findall(r'-v "([^"]+)"', INSTALL.text)}
    assert json.loads(start)[4] == folder


def test_the_service_starts_what_the_page_starts() -> None:
    (unit,) = INSTALL.blocks("ini")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit.text, re.MULTILINE)
    by_hand = INSTALL.block("sh", "plain Python: start").replace("$HOME", "/home/YOU")
    assert shlex.split(start) == shlex.split(by_hand)


# Commands


def test_every_command_is_held_by_something() -> None:
    tried = {"curl", "make", "python", "python3", "pip", "mkdir", "cp"}
    assert {program(command) for command in commands()} <= tried | UNTRIED | BY_SHAPE
    assert "could not be tried" in INSTALL.prose


def test_make_knows_the_targets() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
    for page in USERS:
        for code in [*commands(), *page.code]:
            for target in re.findall(r"^make (\S+)$", code):
                assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def test_the_developers_commands_name_what_is_there() -> None:
    page = Page(ROOT / "docs" / "developing.md")
    makefile = (ROOT / "Makefile").read_text()
    tools = {"pytest", "ruff", "python", "mypy"}
    text = "".join(block.text for block in page.blocks("sh"))
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        words = [word for word in shlex.split(line, comments=True) if "=" not in word]
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), line
        elif words[0].startswith(".venv/bin/"):
            assert Path(words[0]).name in tools, line
        else:
            assert words[:2] == ["npm", "install"], line
        for word in words[1:]:
            if word.startswith(("tests/", "docs/")):
                assert (ROOT / word).exists(), line
            if "." in word and words[words.index(word) - 1] == "-m":
                folder = ROOT / ("apps" if word.startswith("battery") else "tests")
                assert (folder / word.replace(".", "/")).with_suffix(".py").exists(), line


def test_the_comparison_runs_as_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own_days(tmp_path / "battery_optimizer.db")
    (watching,) = [block.text for block in MOVING.blocks("yaml") if "read_only" in block.text]
    Path("apps.yaml").write_text(watching)
    (command,) = [each for each in commands() if f"{SIMULATE}compare" in each]
    arguments = shlex.split(command.partition(SIMULATE)[2])
    assert main([*arguments, "--days", "0.25", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    for name in ("as it is", "as it is, Self Use alone", "as it is, no battery"):
        assert f"\n{name}  " in out
    assert "kWh stored, start to end" in out
    assert Path("compare.html").exists()


def own_days(path: Path) -> None:
    table = recorded_days()
    starts = [datetime.fromisoformat(time) for time in table["time"]]
    columns = {name: table[name].to_numpy(float) for name in ("load_kwh", "pv_per_kwp")}
    store = Store(path)
    store.seed_observations(
        Observations(
            load_kw=SlotSeries(start=starts[0], values=2 * columns["load_kwh"]),
            solar_kw=SlotSeries(start=starts[0], values=4 * columns["pv_per_kwp"]),
        )
    )
    for way in Direction:
        rates = [
            UnitRate(start=start, end=start + SLOT, p_per_kwh=float(rate))
            for start, rate in zip(starts, table[f"{way}_p"], strict=True)
        ]
        store.save_rates(direction=way, source="octopus", rates=rates, fetched_at=starts[0])
    store.close()


def test_a_report_is_replayed_as_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (recorded, *_) = sorted((ROOT / "tests" / "replays").glob("*.json"))
    shutil.copy(recorded, "diagnostics.json")
    command = TROUBLE.block("sh", "replay")
    assert main([*shlex.split(command.partition(SIMULATE)[2]), "--within", "0.001"]) == 0
    assert "0 otherwise" in capsys.readouterr().out


def run_as_written(text: str, home: Path) -> None:
    subprocess.run(
        ["/bin/sh", "-ec", text], cwd=ROOT, env={**os.environ, "HOME": str(home)}, check=True
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AppDaemon's folder, made by the commands of the page but for those that need a network."""
    home = tmp_path_factory.mktemp("home")
    run_as_written(INSTALL.block("sh", "plain Python: copy"), home)
    folder = home / "appdaemon"
    config = read_yaml(INSTALL.block("yaml", "plain Python: appdaemon.yaml"))
    config["http"]["url"] = free_url()
    config["http"]["password"] = "PASSWORD"  # noqa: S105 - as the page calls it
    assert config["appdaemon"].pop("plugins").keys() == {"HASS"}
    (folder / "appdaemon.yaml").write_text(yaml.safe_dump(config))
    (lines,) = [block.text for block in SET_UP.blocks("yaml") if "module:" in block.text]
    apps = read_yaml(lines) | {
        "my_home": {
            "module": "battery_optimizer.simulate.home.app",
            "class": "SimulatedHome",
            "battery": {"capacity_kwh": 10.4, "max_charge_kw": 5, "max_discharge_kw": 5},
            "octopus": True,
        }
    }
    # Octopus itself is not to be asked by a test; and the home has to be there first.
    apps["battery_optimizer"] |= {"dependencies": ["my_home"], "rates": {"base_url": NOWHERE}}
    (folder / "apps" / "apps.yaml").write_text(yaml.safe_dump(apps))
    return folder


@pytest.fixture(scope="module")
def live(installed: Path) -> Iterator[LiveAppDaemon]:
    command = INSTALL.block("sh", "plain Python: start")
    command = command.replace('"$HOME/appdaemon-venv/bin/python"', f'exec "{sys.executable}"')
    url = yaml.safe_load((installed / "appdaemon.yaml").read_text())["http"]["url"]
    home = {**os.environ, "HOME": str(installed.parent), "PYTHONUNBUFFERED": "1"}
    with (installed / "appdaemon.log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-ec", command], stdout=log, stderr=subprocess.STDOUT, env=home
        )
    try:
        appdaemon_running = LiveAppDaemon(process, url, installed)
        appdaemon_running.wait_for("battery_optimizer: Plan until")
        appdaemon_running.wait_for("What I found")
        yield appdaemon_running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_plain_python_as_written_and_every_curl(live: LiveAppDaemon, tmp_path: Path) -> None:
    assert len(curls()) >= 4
    health = f"{live.url}/api/appdaemon/battery_optimizer_health"
    password = {"x-ad-access": "PASSWORD"}
    # AppDaemon opens what the app serves after the app's words.
    live.wait_until(lambda: requests.get(health, headers=password, timeout=60).ok, "the endpoints")
    for command in curls():
        here = command.replace("http://127.0.0.1:5050", live.url)
        assert "error" not in json.loads(answer_of(here, tmp_path)), command
        assert "nauthorized" in answer_of(here.replace("PASSWORD", "WRONG"), tmp_path), command
    the_endpoints_of_their_page(live, tmp_path)
    found = [line[4:].split("  ")[0] for line in told_of_found() if line[:4] in ("    ", "  - ")]
    for about in found:
        assert re.search(rf"^..[ !-] {re.escape(about)} ", live.log, re.MULTILINE), about
    assert live.stop() == 0
    assert "Stopped; the inverter is set to Self Use" in live.log


def the_endpoints_of_their_page(live: LiveAppDaemon, folder: Path) -> None:
    """Each line as it stands there, but for the password and the days asked for."""
    text = ENDPOINTS.block("sh", "endpoints").replace("\\\n", " ").replace("curl ", "curl -s ")
    text = re.sub(r"2026-01-\d\d", f"{datetime.now(UK):%Y-%m-%d}", text)
    for command in text.replace("http://127.0.0.1:5050", live.url).splitlines():
        given = command.replace("curl -s ", "curl -s -H 'x-ad-access: PASSWORD' ")
        answer = answer_of(given, folder)
        if "january.csv" in command:
            assert (folder / "january.csv").read_text().startswith("first_day,last_day,bill_p")
        else:
            assert "error" not in json.loads(answer), command


def answer_of(command: str, folder: Path) -> str:
    told = subprocess.run(["/bin/sh", "-ec", command], cwd=folder, capture_output=True, check=True)
    written = folder / "diagnostics.json"
    return (told.stdout or (written.read_bytes() if written.exists() else b"")).decode()


def told_of_found() -> list[str]:
    head, *lines = SET_UP.block("text", "found").splitlines()
    assert head in literals()["found.py"]
    return [line for line in lines if "->" not in line]


# Sentences


@cache
def literals() -> dict[str, list[str]]:
    """Every string of the app by module, values as "…"; and the pages that it serves, as text."""
    found: dict[str, list[str]] = {}
    for path in sorted(APP.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [text for node in ast.walk(tree) if (text := _text(node))]
        found.setdefault(path.name, []).extend(texts)
    for path in sorted((APP / "adapters" / "web" / "static").glob("*.*")):
        found[path.name] = [path.read_text(encoding="utf-8")]
    return found


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%s|\{\w+\}", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values
        )
    return None


def is_said(sentence: str) -> bool:
    """Whether some module has all of its fixed parts."""
    # The zone is a constant of the code, and no value to be left out for a reader.
    sentence = sentence.replace(UK.key, "…")
    parts = [part.strip(" ,:;") for part in sentence.split("…")]
    parts = [part for part in parts if len(part) > 3]
    assert parts, sentence
    return any(
        all(any(part in text for text in texts) for part in parts) for texts in literals().values()
    )


@pytest.mark.parametrize("sentence", [*INSTALL.quotes, *MOVING.quotes, *TROUBLE.quotes])
def test_what_is_quoted_is_what_the_app_says(sentence: str) -> None:
    assert is_said(sentence)


def test_a_sentence_that_the_app_does_not_say_is_noticed() -> None:
    assert not is_said("the inverter … has gone on holiday")


def test_words_of_the_log_in_the_text_are_in_the_code_or_in_appdaemon() -> None:
    theirs = "".join(path.read_text() for path in Path(appdaemon.__file__).parent.rglob("*.py"))
    for page in USERS:
        for code in page.code:
            if re.fullmatch(r"[A-Z][a-z]+ [a-z ]+", code) and code not in FOREIGN:
                assert is_said(code) or code in theirs, f"{page.path.name}: {code}"


def test_what_became_of_a_command_is_explained() -> None:
    part = TROUBLE.text.partition("## The mode does not change")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\* `(\w+)`:", part, re.MULTILINE))
    # Applied needs no advice; paused has a part of its own.
    assert explained == set(CommandResult) - {CommandResult.APPLIED, CommandResult.PAUSED}


def test_the_rungs_of_the_ladder_are_all_there() -> None:
    rungs = [row[0].strip("`") for row in table_below(HOW.text, "## When something fails")]
    below = [each.value for each in CycleResult if each is not CycleResult.PLANNED]
    assert rungs == ["ok", "degraded", *below]


MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("page", "words", "value"),
    [
        ("how-it-works.md", "Forty seconds later", LOOK_AGAIN_S == 40),
        ("how-it-works.md", "up to 48 hours", PlannerSettings().horizon_hours == 48),
        ("how-it-works.md", "within two seconds", PlannerSettings().time_limit_s == 2),
        ("how-it-works.md", "two hours at most", PlannerSettings().max_plan_age_minutes == 120),
        ("troubleshooting.md", "for 15 minutes", MAX_AGE == 15 * MINUTES),
        ("troubleshooting.md", "for eleven minutes", GONE_AFTER == 11 * MINUTES),
        ("troubleshooting.md", "takes over eleven minutes", GONE_AFTER == 11 * MINUTES),
        ("troubleshooting.md", "three refusals in a row", MOST_FAILURES == 3),
        ("troubleshooting.md", "half an hour, then an hour", PAUSE == 30 * MINUTES),
        ("troubleshooting.md", "at most four", LONGEST_PAUSE == 240 * MINUTES),
        ("troubleshooting.md", "the last 24 cycles", MOST_CYCLES == 24),
        ("troubleshooting.md", "every half minute", CONNECT_AGAIN_S == 30),
        ("moving-over.md", "left alone for an hour", CommandSettings().manual_change_minutes == 60),
    ],
)
def test_numbers_in_words_are_those_of_the_code(page: str, words: str, *, value: bool) -> None:
    assert words in " ".join(BY_NAME[page].prose.split())
    assert value


# The worked example


@pytest.fixture(scope="module")
def example() -> Plan:
    rows = [[float(cell) for cell in row[:4]] for row in table_below(HOW.text, "worked example")]
    hours, imports, exports, solar_kw = np.array(rows).T
    assert list(hours) == list(range(7))
    battery = a_battery(efficiency=0.95, capacity_kwh=10.4, reserve_kwh=1.04)
    return plan_for(
        np.repeat(imports, 2),
        np.repeat(exports, 2),
        0.25,
        np.repeat(solar_kw, 2) * 0.5,
        house=a_house(battery),
        soc_kwh=5.2,
    )


def test_the_worked_example_comes_out_as_told(example: Plan) -> None:
    rows = table_below(HOW.text, "worked example")
    assert [f"{slot.soc_end_kwh:.1f}" for slot in example.slots[1::2]] == [row[5] for row in rows]
    sold = sum(slot.grid_export_kwh for slot in example.slots[:2])
    assert rows[0][4] == f"sells {sold:.1f} kWh"
    assert f"earn £{-example.cost_p / 100:.2f}" in HOW.text
    verbs = {
        Mode.FORCE_DISCHARGE: "sells",
        Mode.FORCE_CHARGE: "charge",
    }
    for slot, row in zip(example.slots[1::2], rows, strict=True):
        assert verbs.get(slot.mode, "") in row[4]


def test_the_reasons_quoted_are_the_plans_own(example: Plan) -> None:
    reasons = {slot.reason for slot in example.slots}
    assert len(HOW.quotes) >= 5
    assert set(HOW.quotes) <= reasons
