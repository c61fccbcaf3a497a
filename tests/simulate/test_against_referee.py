"""The backtest's log and the plans of cases, judged by the independent referee beside the checkout.

Both are in a folder of their own, so that these tests are skipped where it is not there.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from battery_optimizer.simulate.__main__ import main

SHARED = Path(__file__).parents[3] / "shared"
REFEREE = SHARED / "bench" / "referee.py"
DATA = SHARED / "data" / "home_a.csv.gz"
HOME = SHARED / "bench" / "home.json"

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(
        not (REFEREE.exists() and DATA.exists()),
        reason=f"the referee and its data are not in {SHARED}",
    ),
]


def judged(*arguments: str | Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(REFEREE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def played(tmp_path: Path, home: Path, *options: str) -> dict[str, Any]:
    log, out = tmp_path / "log.csv", tmp_path / "out.json"
    files = ["--data", str(DATA), "--home", str(home), "--log", str(log), "--json", str(out)]
    assert main(["backtest", *files, *options]) == 0
    fixed = options[options.index("--fixed-export") :][:2] if "--fixed-export" in options else ()
    verdict = judged("check", log, DATA, home, *fixed)
    figures: dict[str, Any] = json.loads(out.read_text())
    assert verdict["faults"] == []
    assert figures["bill_p_per_day"] == pytest.approx(100 * verdict["bill_per_day"], abs=0.02)
    assert figures["end_soc_kwh"] == pytest.approx(verdict["end_soc_kwh"], abs=0.01)
    return verdict


@pytest.mark.parametrize(
    "options",
    [
        ("--start", "2019-10-26", "--days", "2"),
        ("--start", "2020-03-29", "--days", "0.5"),
        ("--start", "2019-11-20", "--days", "1", "--forecast", "perfect"),
        ("--start", "2019-11-20", "--days", "1", "--policy", "prescient"),
        ("--start", "2020-04-05", "--days", "3", "--policy", "reactive"),
        ("--start", "2020-04-05", "--days", "3", "--policy", "self_use"),
        ("--start", "2019-11-20", "--days", "0.5", "--fixed-export", "5.5"),
        ("--start", "2019-11-20", "--days", "0.25", "--step-minutes", "5"),
        ("--days", "0.5"),
    ],
    ids=" ".join,
)
def test_no_fault_is_found(tmp_path: Path, options: tuple[str, ...]) -> None:
    played(tmp_path, HOME, *options)


def test_no_fault_is_found_at_a_low_export_limit(tmp_path: Path) -> None:
    home = tmp_path / "home.json"
    home.write_text(json.dumps(json.loads(HOME.read_text()) | {"export_limit_kw": 0.8}))
    played(tmp_path, home, "--start", "2019-11-20T16:00", "--days", "0.25")


def test_a_day_of_planning_is_worth_more_than_self_use(tmp_path: Path) -> None:
    verdict = played(tmp_path, HOME, "--start", "2019-11-11", "--days", "1")
    assert verdict["share_of_prescient_over_self_use"] > 0.5


@pytest.mark.parametrize("name", ["r230117", "x230117", "r230701"])
def test_a_case_is_planned_within_a_penny(tmp_path: Path, name: str) -> None:
    case, out = SHARED / "bench" / "cases" / f"{name}.json", tmp_path / "plan.json"
    assert main(["plan", str(case), "--out", str(out)]) == 0
    verdict = judged("case", case, out)
    assert verdict["faults"] == []
    assert verdict["regret_p"] <= 1.0
