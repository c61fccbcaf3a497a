"""The 24 benchmark windows against their exact optimum, where the data lie beside the checkout."""

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.simulate.bench.case import Case, CaseResult, plan_case

BENCH = Path(__file__).parents[3] / "shared" / "bench"
CASES = sorted((BENCH / "cases").glob("*.json"))
REGRET_P = 0.1

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not CASES, reason=f"no benchmark cases in {BENCH}"),
]
planner = Planner(PlannerSettings(time_limit_s=30.0))
"""With time to prove its optimum on a busy machine: how long it took is told by `make bench`."""


@cache
def planned(path: Path) -> CaseResult:
    return plan_case(Case.read(path), planner)


@cache
def optima_p() -> dict[str, float]:
    """The exact optimum of each case [p], as recorded with the peers' figures."""
    with (BENCH / "peers.csv").open() as file:
        return {row["case"]: float(row["optimum_p"]) for row in csv.DictReader(file)}


@pytest.mark.skipif(not (BENCH / "peers.csv").exists(), reason="no recorded optima")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_costs_what_the_exact_optimum_costs_and_proves_it(path: Path) -> None:
    result = planned(path)
    assert result.schedule.cost_p == pytest.approx(optima_p()[path.stem], abs=REGRET_P)
    assert result.gap_p <= REGRET_P
    assert result.warm_solve_s < 30


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.stem != "x230701"], ids=lambda path: path.stem
)
def test_the_referee_finds_no_fault_and_no_regret(path: Path, tmp_path: Path) -> None:
    """But in x230701, whose optimum takes the referee itself half a minute."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(planned(path).plan_payload()))
    command = [sys.executable, str(BENCH / "referee.py"), "case", str(path), str(plan)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    verdict = json.loads(output.stdout)
    assert verdict["faults"] == []
    assert verdict["regret_p"] <= REGRET_P
