import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.simulate.__main__ import A_CASE, BAD_INPUT, main
from battery_optimizer.simulate.home_file import read_home
from recordings import a_home, recorded_days, written

APPS = Path(__file__).parents[2] / "apps"
FIGURES = {
    "policy", "forecast", "days", "bill_p", "bill_p_per_day", "import_kwh", "export_kwh",
    "discharge_kwh_per_day", "mode_changes_per_day", "end_soc_kwh",
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    data = written(recorded_days(), tmp_path)
    return ["backtest", "--data", str(data), "--home", str(a_home(tmp_path))]


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_figures_are_printed_and_written(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main([*files, "--policy", "self_use", "--json", str(out)]) == 0
    shown = figures(capsys)
    assert set(shown) >= FIGURES
    assert shown == json.loads(out.read_text())
    assert (shown["policy"], shown["days"]) == ("self_use", 3)


def test_the_log_has_a_row_for_each_step(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    start = ["--start", "2026-01-15", "--days", "0.25"]
    assert main([*files, *start, "--log", str(log)]) == 0
    table = pd.read_csv(log)
    assert len(table) == 12
    assert table["time"].iloc[0] == "2026-01-15T00:00:00Z"
    assert table["soc_kwh"].iloc[0] == 5.0
    assert figures(capsys)["policy"] == "planner"


def test_rows_before_the_start_are_learned_from(files: list[str], tmp_path: Path) -> None:
    logs = []
    for factor in (1, 4):
        table = recorded_days()
        table.loc[:95, "load_kwh"] *= factor
        files[2] = str(written(table, tmp_path))
        log = tmp_path / "log.csv"
        span = ["--start", "2026-01-16", "--days", "0.5"]
        assert main([*files, *span, "--log", str(log)]) == 0
        logs.append(pd.read_csv(log))
    assert len(logs[0]) == len(logs[1]) == 24
    assert not logs[0].equals(logs[1])


@pytest.mark.parametrize("policy", ["planner", "self_use", "reactive", "prescient"])
@pytest.mark.parametrize("forecast", ["history", "perfect"])
def test_every_policy_runs(
    files: list[str], policy: str, forecast: str, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ["--start", "2026-01-16", "--days", "0.125"]
    assert main([*files, *span, "--policy", policy, "--forecast", forecast]) == 0
    shown = figures(capsys)
    assert (shown["policy"], shown["forecast"]) == (policy, forecast)


def test_steps_of_five_minutes(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    span = ["--start", "2026-01-16", "--days", "0.125"]
    assert main([*files, *span, "--step-minutes", "5", "--log", str(log)]) == 0
    table = pd.read_csv(log)
    assert len(table) == 36
    assert table["time"].iloc[1] == "2026-01-16T00:05:00Z"
    assert figures(capsys)["days"] == 0.125


def test_a_fixed_export_rate_makes_the_bill(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    assert main([*files, "--policy", "self_use", "--fixed-export", "5.5", "--log", str(log)]) == 0
    table = pd.read_csv(log)
    rates = recorded_days()["import_p"].to_numpy()
    cost_p = table["import_kwh"] * rates - 5.5 * table["export_kwh"]
    assert table["cost_p"].to_numpy() == pytest.approx(cost_p.to_numpy())
    assert figures(capsys)["bill_p"] == pytest.approx(cost_p.sum(), abs=0.01)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (recorded_days().drop(columns="load_kwh"), "column 'load_kwh' is missing from row 1"),
        (recorded_days().drop(index=9), "row 11, column time"),
        (recorded_days().iloc[::-1], "row 3, column time"),
        (
            recorded_days().astype(object).replace({"import_p": {9.38: "x"}}),
            "row 2, column import_p: 'x' is not a number",
        ),
        (recorded_days().assign(load_kwh=np.nan), "row 2, column load_kwh: no value"),
    ],
    ids=["columns", "gap", "order", "text", "no value"],
)
def test_a_data_file_that_cannot_be_used_names_row_and_column(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    table: pd.DataFrame, words: str,
) -> None:  # fmt: skip
    files[2] = str(written(table, tmp_path, "wrong.csv"))
    message = refusal(capsys, *files)
    assert words in message
    assert "wrong.csv" in message


def test_a_value_missing_on_the_way_ends_the_run_and_is_told(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = recorded_days()
    table.loc[24, "pv_per_kwp"] = np.nan
    files[2] = str(written(table, tmp_path))
    assert main([*files, "--policy", "self_use"]) == 0
    captured = capsys.readouterr()
    assert "row 26, column pv_per_kwp has no value; the run ends before it" in captured.err
    assert json.loads(captured.out)["days"] == 0.5
    assert "row 26, column pv_per_kwp" in refusal(capsys, *files, "--days", "1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capacity_kwh": None}, "key 'capacity_kwh' is missing"),
        ({"pv_kwp": None}, "key 'pv_kwp' is missing"),
        ({"charge_efficiency": 1.2}, "charge_efficiency must be from 0.3 to 1, not 1.2"),
        ({"reserve_kwh": 11}, "reserve_kwh must be at most capacity_kwh, 10, not 11"),
        ({"start_soc_kwh": 11}, "start_soc_kwh must be from 0 to capacity_kwh, 10, not 11"),
        ({"pv_kwp": -1}, "pv_kwp must be 0 or more, not -1"),
    ],
)
def test_a_home_that_cannot_be_is_refused(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    changes: dict[str, float | None], words: str,
) -> None:  # fmt: skip
    a_home(tmp_path, **changes)
    message = refusal(capsys, *files)
    assert words in message
    assert "home.json" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", " cannot be read as JSON: Expecting property name"),
        (b"[]", ": it must be one object, {...}"),
        (b"12", ": it must be one object, {...}"),
        (b'{"capacity_kwh": "big"}', ": capacity_kwh must be a number, not 'big'"),
        (b"\x1f\x8b", " cannot be read as JSON: it is no text"),
    ],
)
def test_a_home_that_is_no_home_is_refused(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    content: bytes, words: str,
) -> None:  # fmt: skip
    (tmp_path / "home.json").write_bytes(content)
    assert f"home.json{words}" in refusal(capsys, *files)


def test_the_home_of_the_benchmark_may_curtail_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert read_home(a_home(tmp_path))[0].inverter.can_curtail
    assert not read_home(a_home(tmp_path, can_curtail=False))[0].inverter.can_curtail


@pytest.mark.parametrize("option", ["--log", "--json"])
def test_a_folder_that_does_not_exist_is_told_before_the_work(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    for path in (tmp_path / "absent" / "out", tmp_path):
        assert "cannot be written" in refusal(capsys, *files, option, str(path))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["backtest"],
        ["fly"],
        ["backtest", "--data", "a", "--home", "b", "--policy", "luck"],
        ["backtest", "--data", "a", "--home", "b", "--step-minutes", "7"],
    ],
)
def test_a_command_line_that_cannot_be_meant_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == BAD_INPUT
    assert "usage:" in capsys.readouterr().err


def test_a_case_is_planned_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "case.json"
    battery = {
        "capacity_kwh": 10, "soc_min_kwh": 1, "soc0_kwh": 5, "charge_kw": 4, "discharge_kw": 4,
        "eff_charge": 0.95, "eff_discharge": 0.95, "export_limit_kw": 5,
    }  # fmt: skip
    content = {
        "name": "small", "start": "2026-01-15T00:00:00Z", "import_p": [10, 40],
        "export_p": [5, 5], "load_kwh": [0.2, 1], "pv_kwh": [0, 0], "battery": battery,
    }  # fmt: skip
    case.write_text(json.dumps(content))
    out = tmp_path / "plan.json"
    assert main(["plan", str(case), "--out", str(out)]) == 0
    assert set(figures(capsys)) == {
        "case", "cost_p", "end_soc_kwh", "first_solve_s", "warm_solve_s", "gap_p",
    }  # fmt: skip
    assert main(["plan", str(case), "--table"]) == 0
    head, first, second, verdict = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "UTC", "import", "p", "export", "p", "load", "solar", "charge", "dischg.", "bought", "sold",
        "stored",
    ]  # fmt: skip
    assert first.startswith("15 Jan 00:00    10.00     5.00     0.20")
    assert second.startswith("15 Jan 00:30    40.00     5.00     1.00")
    assert second.split()[-1] == f"{json.loads(verdict)['end_soc_kwh']:.2f}"
    planned = json.loads(out.read_text())
    assert set(planned) == {"charge_kwh", "discharge_kwh", "curtail_kwh"}
    assert all(len(values) == 2 for values in planned.values())
    case.write_text(json.dumps(content | {"load_kwh": [1]}))
    assert "case.json: load_kwh has shape (1,)" in refusal(capsys, "plan", str(case))


def test_the_case_of_the_help_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = A_CASE[A_CASE.index("{") : A_CASE.rindex("}") + 1]
    (tmp_path / "case.json").write_text(example)
    assert main(["plan", str(tmp_path / "case.json")]) == 0
    assert figures(capsys)["case"] == "evening"


COMMANDS = ("backtest", "plan", "replay", "compare", "data", "forecasts", "bench")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    lines = capsys.readouterr().out.partition("options:")[2].splitlines()
    options = [place for place, line in enumerate(lines) if line.startswith("  -")]
    assert len(options) > 1
    for place in options:
        explained = re.search(r"\S {2,}\S", lines[place]) or lines[place + 1].startswith(" " * 20)
        assert explained, lines[place]


def test_the_commands_are_all_tried_above(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert set(re.findall(r"^    (\w+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)) == set(
        COMMANDS
    )


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--days", "three", "argument --days: 'three' is no number"),
        ("--days", "nan", "argument --days: 'nan' is no number"),
        ("--spikes", "1.5", "argument --spikes: '1.5' is no whole number"),
    ],
)
def test_what_is_no_number_is_told_in_words(
    files: list[str], capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    with pytest.raises(SystemExit):
        main([*files, option, value])
    assert words in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_without_the_systems_numbers(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent, folder = str(tmp_path / "absent"), str(tmp_path)
    for arguments in (
        ["backtest", "--data", absent, "--home", files[4]],
        ["backtest", "--data", files[2], "--home", absent],
        ["plan", absent],
        ["replay", absent],
        ["compare", *files[1:], "--variants", absent],
        ["compare", "--database", files[2], "--settings", absent],
        ["data", "--data", absent, "--out", f"{folder}/out.csv"],
    ):
        message = refusal(capsys, *arguments)
        assert message.startswith(absent)
        assert message.endswith(": there is no such file\n")
    assert refusal(capsys, "plan", folder).endswith("cannot be read as JSON: it is a folder\n")


def test_it_is_a_program_of_its_own(files: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "battery_optimizer.simulate", *files, "--policy", "self_use"],
        env={"PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["days"] == 3
    assert done.stderr == "", "no progress where there is no terminal"


def test_a_wrong_file_ends_the_program_with_2(files: list[str], tmp_path: Path) -> None:
    files[2] = str(tmp_path / "absent.csv")
    done = subprocess.run(
        [sys.executable, "-m", "battery_optimizer.simulate", *files],
        env={"PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert "absent.csv cannot be read as CSV" in done.stderr
