"""Decisions made again from what was known, to the last digit; and files that are none."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from battery_optimizer.config import Config
from battery_optimizer.cycle import Cycle
from battery_optimizer.diagnostics import Diagnosis, versions
from battery_optimizer.forecast.futures import Band, make_futures
from battery_optimizer.foresight import Foresight
from battery_optimizer.model.decision import CycleOutcome, CycleResult
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.settings import Attitude, PlannerSettings
from battery_optimizer.model.slots import Horizon
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.model.wishes import NO_WISHES, Override, Target, Wishes
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from battery_optimizer.simulate.__main__ import main
from battery_optimizer.simulate.replay import Recording, replayed
from builders import a_battery, a_house
from fakes import (
    FailingPlanner,
    FakeInverter,
    FakeMeters,
    FixedRates,
    FlatForecaster,
    FlatSun,
    MemoryHistory,
    MemoryJournal,
    daily,
)

REPLAYS = sorted((Path(__file__).parents[1] / "replays").glob("*.json"))
START = datetime(2026, 1, 15, tzinfo=UTC)
WINTER = {"00:00": 20.13, "02:00": 5.21, "05:00": 21.7, "16:00": 38.45, "19:00": 19.9}
NEGATIVE = {"00:00": 12.3, "02:00": -4.6, "05:00": 11.9, "12:00": -1.2, "16:00": 31.0}
CONFIG = Config.from_args(
    {
        "battery": {"capacity_kwh": 10, "max_charge_kw": 3, "max_discharge_kw": 3},
        "rates": {"fixed_import_p": 25, "fixed_export_p": 15},
    }
)
NEARLY_KW, NEARLY_P = 0.05, 0.5
"""What planning that was made better may change without a decision being another."""


class Changing(FlatForecaster):
    """Load and sun as a day has them, and three ways in which they may turn out."""

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        del observed
        shape = 0.4 + 0.3 * np.sin(np.arange(horizon.n_slots) / 7.0) ** 2
        return self._band(shape * horizon.hours)

    def solar(self, observed: Observations, latest: object, horizon: Horizon) -> Band:
        del observed, latest
        hours = np.array([start.hour + start.minute / 60 for start in horizon.starts])
        return self._band(np.maximum(0.0, 2.1 * np.sin((hours - 8) / 8 * np.pi)) * horizon.hours)

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:
        return make_futures(load, solar, Attitude.BALANCED)

    @staticmethod
    def _band(mean_kwh: Any) -> Band:  # noqa: ANN401
        return Band(mean_kwh=mean_kwh, p10_kwh=0.6 * mean_kwh, p90_kwh=1.5 * mean_kwh)


@dataclass
class Lived:
    """A house that lives for some hours."""

    by_clock: dict[str, float]
    inverter: FakeInverter
    wishes: Wishes = NO_WISHES

    def __post_init__(self) -> None:
        first, last = START - timedelta(days=1), START + timedelta(days=3)
        self.rates = FixedRates(
            imports=daily(first, last, self.by_clock),
            exports=daily(first, last, {"00:00": 4.4, "16:00": 24.0, "19:00": 4.4}),
        )
        self.meters = FakeMeters(soc_kwh=3.217)
        self.journal = MemoryJournal()
        ports = Ports(
            meters=self.meters,
            rates=self.rates,
            solar=FlatSun(),
            history=MemoryHistory(),
            inverter=self.inverter,
            journal=self.journal,
        )
        planner = Planner(PlannerSettings(horizon_hours=24, time_limit_s=30))
        self.cycle = Cycle(
            house=a_house(a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20),
            ports=ports,
            foresight=Foresight(ports, Changing(), planner.settings),
            planner=planner,
        )

    def cycles(self, minutes: Iterator[int] | range) -> list[CycleOutcome]:
        return [self.run(each) for each in minutes]

    def run(self, minutes: float) -> CycleOutcome:
        self.meters.soc_kwh += 0.0123
        return self.cycle.run(START + timedelta(minutes=minutes), self.wishes)

    def known(self) -> KnownRates:
        return KnownRates(imports=self.rates.imports, exports=self.rates.exports)


def written(path: Path, cycles: list[CycleOutcome], rates: KnownRates | None = None) -> Path:
    """The diagnostics file of these cycles, as the app gives it."""
    diagnosis = Diagnosis(made_at=START, config=CONFIG, health={}, cycles=cycles, rates=rates)
    path.write_text(json.dumps(diagnosis.document(), allow_nan=False))
    return path


def differences(path: Path) -> dict[datetime, tuple[str, ...]]:
    recording = Recording.read(path)
    return {each.at: each.differs for each in replayed(recording)}


@pytest.mark.parametrize("by_clock", [WINTER, NEGATIVE], ids=["winter", "negative"])
def test_every_decision_of_a_day_comes_out_the_same(
    tmp_path: Path, by_clock: dict[str, float]
) -> None:
    lived = Lived(by_clock, FakeInverter())
    cycles = lived.cycles(range(0, 24 * 60, 65))
    assert {each.result for each in cycles} == {CycleResult.PLANNED}
    assert all(each.outlook and each.outlook.futures for each in cycles)
    assert len({each.command.mode for each in cycles}) > 1
    again = differences(written(tmp_path / "d.json", cycles))
    assert len(again) == len(cycles)
    assert not any(again.values()), again


def test_wishes_and_what_the_inverter_lacks_are_part_of_it(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    wishes = Wishes(
        targets=(Target(by=START + 6 * hour, soc_kwh=8.0),),
        overrides=(
            Override(
                start=START + hour, end=START + 2 * hour, command=InverterCommand(mode=Mode.HOLD)
            ),
        ),
        max_grid_charge_p_per_kwh=15.0,
    )
    few = frozenset(Mode) - {Mode.FORCE_DISCHARGE}
    lived = Lived(WINTER, FakeInverter(abilities=Abilities(modes=few, keeps_limits=True)), wishes)
    cycles = lived.cycles(range(0, 240, 30))
    assert not any(differences(written(tmp_path / "d.json", cycles)).values())
    assert any("as ordered" in each.reason or each.command.mode is Mode.HOLD for each in cycles)


def test_what_was_done_without_a_plan_is_done_again(tmp_path: Path) -> None:
    lived = Lived(WINTER, FakeInverter())
    lived.run(0)
    lived.meters.fault = "is unavailable"
    kept, unseen = lived.run(5), lived.run(200)
    lived.meters.fault = None
    lived.cycle._planner = FailingPlanner()
    by_rules = lived.run(205)
    cycles = [kept, unseen, by_rules]
    results = [CycleResult.KEPT_LAST_PLAN, CycleResult.SAFE_MODE, CycleResult.FELL_BACK]
    assert [each.result for each in cycles] == results
    path = written(tmp_path / "d.json", cycles, lived.known())
    assert not any(differences(path).values())
    verdicts = list(replayed(Recording.read(written(tmp_path / "e.json", cycles))))
    assert [each.left_out is not None for each in verdicts] == [False, False, True]


def test_what_differs_is_said_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cycles = Lived(WINTER, FakeInverter()).cycles(range(0, 20, 5))
    path = written(tmp_path / "d.json", cycles)
    assert main(["replay", str(path)]) == 0
    assert "4 the same, 0 otherwise, 0 left out" in capsys.readouterr().out
    document = json.loads(path.read_text())
    document["cycles"][1]["plan"]["cost_p"] += 1e-9
    right = document["cycles"][2]["command"]
    document["cycles"][2]["command"] = {"mode": "hold"}
    document["cycles"][3]["inputs"] = None
    document["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(document))
    assert main(["replay", str(path)]) == 1
    told = capsys.readouterr()
    assert "2026-01-15 00:05:00 UTC: cost_p was" in told.out
    assert "mode was 'hold', is" in told.out
    assert "1 the same, 2 otherwise, 1 left out" in told.out
    assert "numpy was 1.0, is" in told.err
    document["cycles"][2]["command"] = right
    path.write_text(json.dumps(document))
    assert main(["replay", str(path), "--within", "1e-6"]) == 0


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    plain = written(tmp_path / "d.json", Lived(WINTER, FakeInverter()).cycles(range(1)))
    packed = tmp_path / "d.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert differences(packed) == differences(plain)


def test_files_that_cannot_be_replayed_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path / "good.json", Lived(WINTER, FakeInverter()).cycles(range(1)))
    document = json.loads(good.read_text())
    packed = gzip.compress(good.read_bytes())
    no_plan = json.loads(good.read_text())
    del no_plan["cycles"][0]["plan"]["slots"]["start"]
    files: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "cannot be read"),
        "text": (b"Battery Optimizer log", "cannot be read"),
        "half": (good.read_bytes()[:5000], "cannot be read"),
        "packed": (packed[:-200], "cannot be read"),
        "rotten": (packed[:500] + b"rotten" + packed[506:], "cannot be read"),
        "deep": (b"[" * 100_000, "cannot be read"),
        "list": (b"[]", "is no diagnostics file"),
        "foreign": (b'{"format": "predbat"}', "is no diagnostics file"),
        "newer": (json.dumps(document | {"format_version": 99}).encode(), "newer version"),
        "unversioned": (json.dumps(document | {"format_version": None}).encode(), "newer version"),
        "bare": (json.dumps({"format": document["format"], "format_version": 1}).encode(), "damag"),
        "none": (json.dumps(document | {"cycles": []}).encode(), "holds no cycle"),
        "odd": (json.dumps(document | {"cycles": [7]}).encode(), "is damaged"),
        "holes": (json.dumps(no_plan).encode(), "is damaged"),
    }
    for name, (content, words) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert main(["replay", str(path)]) == 2, name
        assert words in capsys.readouterr().err, name
    assert main(["replay", str(tmp_path / "missing")]) == 2


def test_versions_name_what_a_digit_may_depend_on() -> None:
    assert {"app", "python", "machine", "numpy", "highspy", "appdaemon"} <= versions().keys()


@pytest.mark.parametrize("path", REPLAYS, ids=lambda path: path.stem)
def test_reported_decisions(path: Path) -> None:
    """What a household sent, decided as it should be: see docs/developing.md.

    That is as it was, or for the cycles named in `expect` as is said there.
    """
    expected = json.loads(path.read_text()).get("expect", {})
    recording = Recording.read(path)
    for at, (was, verdict) in enumerate(zip(recording.cycles, replayed(recording), strict=True)):
        now_is = verdict.outcome
        assert now_is is not None, verdict.left_out
        wanted = expected.get(str(at), {"mode": was.command.mode, "power_kw": was.command.power_kw})
        assert now_is.command.mode == wanted["mode"], now_is.reason
        assert now_is.command.power_kw == pytest.approx(wanted.get("power_kw"), abs=NEARLY_KW)
        if str(at) not in expected and was.plan is not None and now_is.plan is not None:
            assert now_is.plan.cost_p == pytest.approx(was.plan.cost_p, abs=NEARLY_P)


def test_there_are_reported_decisions() -> None:
    assert REPLAYS


def test_a_solve_that_the_clock_stopped_is_told(tmp_path: Path) -> None:
    (outcome,) = Lived(WINTER, FakeInverter()).cycles(range(1))
    assert outcome.plan is not None
    late = replace(outcome.plan.solve, status="time limit")
    other = replace(outcome, plan=replace(outcome.plan, solve=late, cost_p=1.0))
    (differs,) = differences(written(tmp_path / "d.json", [other])).values()
    assert "ended by time limit" in differs[-1]
