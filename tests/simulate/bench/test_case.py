import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.simulate.bench.case import Case, plan_case

BATTERY = {
    "capacity_kwh": 10.0,
    "soc_min_kwh": 1.0,
    "soc0_kwh": 1.0,
    "charge_kw": 4.0,
    "discharge_kw": 4.0,
    "eff_charge": 1.0,
    "eff_discharge": 1.0,
    "export_limit_kw": 5.0,
}
CASE: dict[str, Any] = {
    "name": "by hand",
    "start": "2026-01-15T00:00:00+00:00",
    "slot_minutes": 30,
    "import_p": [10, 40, 10],
    "export_p": [2, 2, 2],
    "load_kwh": [0, 1, 0],
    "pv_kwh": [0, 0, 0],
    "battery": BATTERY,
}


def written(folder: Path, case: object) -> Path:
    path = folder / "case.json"
    path.write_text(json.dumps(case))
    return path


def refusal(folder: Path, case: object) -> str:
    with pytest.raises(DataError) as caught:
        Case.read(written(folder, case))
    return str(caught.value)


def test_a_case_is_planned_to_its_optimum(tmp_path: Path) -> None:
    result = plan_case(Case.read(written(tmp_path, CASE)))
    verdict = result.verdict()
    assert verdict["case"] == "by hand"
    assert verdict["cost_p"] == pytest.approx(10, abs=0.01)
    assert verdict["end_soc_kwh"] == pytest.approx(1)
    assert verdict["gap_p"] <= 0.02
    assert verdict["first_solve_s"] > 0
    assert verdict["warm_solve_s"] > 0
    assert result.plan_payload() == {
        "charge_kwh": pytest.approx([1, 0, 0], abs=1e-3),
        "discharge_kwh": pytest.approx([0, 1, 0], abs=1e-3),
        "curtail_kwh": pytest.approx([0, 0, 0], abs=1e-3),
    }


def test_energy_left_is_worth_what_the_case_says(tmp_path: Path) -> None:
    case = Case.read(written(tmp_path, CASE | {"terminal_value_p_per_kwh": 20}))
    assert plan_case(case).verdict()["end_soc_kwh"] == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("start", ["2026-01-15T00:00:00Z", "2026-01-15T00:00:00"])
def test_the_start_is_utc(tmp_path: Path, start: str) -> None:
    case = Case.read(written(tmp_path, CASE | {"start": start}))
    assert case.outlook.horizon.start == datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"load_kwh": [0, 1]}, "load_kwh has shape (2,), not (3,)"),
        ({"import_p": [10, float("nan"), 10]}, "import_rate has values that are not finite"),
        ({"pv_kwh": [0, -1, 0]}, "must not be negative"),
        ({"slot_minutes": 15}, "slot_minutes must be 30, not 15"),
        ({"battery": BATTERY | {"capacity_kwh": -1}}, "capacity_kwh must be from 0 to 1000"),
        ({"battery": BATTERY | {"soc0_kwh": "half"}}, "soc0_kwh must be a number, not 'half'"),
        ({"battery": 10}, "it must be one object, {...}"),
        ({"start": "tomorrow"}, "tomorrow"),
        ({"import_p": []}, "at least one slot, not 0"),
    ],
)
def test_a_wrong_case_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(tmp_path, CASE | changes)


@pytest.mark.parametrize("key", ["name", "start", "import_p", "battery"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    case = {name: value for name, value in CASE.items() if name != key}
    assert f"key '{key}' is missing" in refusal(tmp_path, case)


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text("{")
    for wrong in (path, tmp_path / "absent.json", tmp_path):
        with pytest.raises(DataError, match="cannot be read as JSON"):
            Case.read(wrong)
    assert "indices must be" in refusal(tmp_path, [1, 2])
