"""The benchmark on small worlds: what it says, beside what, and what it writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.bench import report as bench_report
from battery_optimizer.simulate.bench.made_up import made_up
from battery_optimizer.simulate.bench.measure import (
    CaseFigures,
    GrowthFigures,
    MemoryFigures,
    Times,
    cases_figures,
    growth,
    measured,
    memory_figures,
    memory_mb,
    read_peers,
)
from battery_optimizer.simulate.bench.report import benchmark, cases_text, growth_text, table

TIMES = Times(first_s=0.02, warm_s=0.002, bare_s=0.001, plan_s=0.01)
PEERS = (
    "case,optimum_p,plain_lp_claims_p,predbat_gap_p,predbat_s,emhass_gap_p,emhass_first_s,"
    "emhass_warm_s,evcc_gap_p,evcc_s\n"
    "small,{optimum},0,3.5,5.4,0.6,1.3,0.18,,\n"
)


def a_case(name: str = "small", *, import_p: tuple[float, ...] = (10, 40)) -> dict[str, object]:
    """Two half hours: buy 1 kWh (and the losses) at 10 p for the load of 1 kWh at 40 p."""
    return {
        "name": name,
        "start": "2026-01-15T00:00:00Z",
        "slot_minutes": 30,
        "import_p": import_p,
        "export_p": [5] * len(import_p),
        "load_kwh": [0, 1],
        "pv_kwh": [0, 0],
        "battery": {
            "capacity_kwh": 10, "soc_min_kwh": 0, "soc0_kwh": 0, "charge_kw": 4, "discharge_kw": 4,
            "eff_charge": 0.95, "eff_discharge": 0.95, "export_limit_kw": 5,
        },
    }  # fmt: skip


COST_P = 10 / 0.95**2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "small.json").write_text(json.dumps(a_case()))
    (tmp_path / "peers.csv").write_text(PEERS.format(optimum=round(COST_P, 2)))
    return tmp_path


class TestCases:
    def test_a_case_stands_beside_its_optimum_and_the_peers(self, folder: Path) -> None:
        (figures,) = cases_figures(folder, repeats=1)
        assert figures.cost_p == pytest.approx(COST_P, abs=0.01)
        assert figures.regret_p == pytest.approx(0, abs=0.01)
        assert (figures.gap_p, figures.n_doubtful) == (pytest.approx(0, abs=0.02), 0)
        assert {name: (peer.gap_p, peer.seconds) for name, peer in figures.peers.items()} == {
            "predbat": (3.5, 5.4),
            "emhass": (0.6, 0.18),
        }

    def test_without_a_record_there_is_our_own_proof_only(self, folder: Path) -> None:
        (folder / "peers.csv").unlink()
        (figures,) = cases_figures(folder, repeats=1)
        assert (figures.optimum_p, figures.regret_p, figures.peers) == (None, None, {})
        text = cases_text([figures])
        assert "Regret" not in text
        assert "Proven gap: worst 0.000 p." in text

    def test_a_table_of_something_else_is_refused(self, folder: Path) -> None:
        path = folder / "peers.csv"
        for content in ("a,b\n1,2\n", "case,optimum_p\nsmall,dear\n"):
            path.write_text(content)
            with pytest.raises(DataError, match=r"peers\.csv is not a table of peers' figures"):
                read_peers(path)

    def test_the_text_names_each_peer_with_its_distance_and_time(self, folder: Path) -> None:
        text = cases_text(list(cases_figures(folder, repeats=1)))
        assert "predbat: 1 cases, median 3.5 p and at worst 3.5 p from the optimum" in text
        header = next(line for line in text.splitlines() if line.startswith("case"))
        assert header.split()[-2:] == ["predbat", "emhass"]

    def test_no_cases_in_the_folder_are_said_to_be_none(self) -> None:
        assert cases_text([]) == "No cases: the folder is empty."


class TestTimes:
    def test_ours_and_the_bare_time_are_measured(self) -> None:
        optimum, times = measured(made_up(12, 30), repeats=2)
        assert optimum.report.status == "optimal"
        assert min(times.first_s, times.warm_s, times.bare_s, times.plan_s) > 0
        assert times.first_s > times.warm_s


class TestGrowth:
    def test_a_size_is_measured_in_a_process_of_its_own(self) -> None:
        (figures,) = growth([(6, 30)], repeats=1)
        assert (figures.hours, figures.step_minutes, figures.n_slots) == (6, 30, 12)
        assert 0 < figures.grown_mb < 100

    def test_memory_is_looked_at_before_and_after(self) -> None:
        held = memory_figures(1)
        assert held.n_plans == 1
        assert 10 < held.start_mb <= memory_mb("VmHWM")
        assert abs(held.end_mb - held.start_mb) < 5

    def test_the_table_has_a_row_for_each_size(self) -> None:
        sizes = [
            GrowthFigures(hours=hours, step_minutes=30, times=TIMES, grown_mb=6.0)
            for hours in (24, 48)
        ]
        rows = growth_text(sizes, sizes[1:]).splitlines()[2:]
        assert [row.split()[:3] for row in rows] == [
            ["24", "30", "48"],
            ["48", "30", "96"],
            ["48", "30", "96"],
        ]
        assert rows[0].split()[3:] == ["20.0", "2.0", "1.0", "2.00", "10.0", "6.0"]


class TestMadeUp:
    def test_the_world_is_the_same_each_time_and_of_the_size_asked_for(self) -> None:
        world, again = made_up(48, 5), made_up(48, 5)
        assert world.outlook.horizon.n_slots == 576
        assert (world.outlook.load_kwh == again.outlook.load_kwh).all()

    def test_shorter_steps_hold_the_same_energy(self) -> None:
        coarse, fine = made_up(48, 30).outlook, made_up(48, 5).outlook
        assert fine.load_kwh.sum() == pytest.approx(coarse.load_kwh.sum(), rel=0.1)
        assert fine.solar_kwh.sum() == pytest.approx(coarse.solar_kwh.sum(), rel=0.1)
        assert (np.repeat(coarse.import_rate, 6) == fine.import_rate).all()


class TestReport:
    def test_columns_line_up(self) -> None:
        assert table(("a", "bb"), [("long", "1"), ("x", "22")]) == "a     bb\nlong   1\nx     22"

    def test_all_of_it_is_printed_and_written(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bench_report, "HORIZONS", ((3, 30), (6, 30)))
        monkeypatch.setattr(bench_report, "STEPS", ((6, 30), (6, 15)))
        out = tmp_path / "build" / "bench"
        text = "\n".join(benchmark(folder, out, n_plans=1, repeats=1))
        for part in ("Costs", "Times", "How it grows", "Memory over 1 plans", "Written: "):
            assert part in text
        assert {path.name for path in out.iterdir()} == {"bench.html", "bench.json"}
        drawn = (out / "bench.html").read_text()
        assert drawn.count("<figure>") == 4
        assert drawn.count("<polyline") == 2 * (4 + 1)
        assert "nan" not in drawn
        figures = json.loads((out / "bench.json").read_text())
        assert [case["name"] for case in figures["cases"]] == ["small"]
        assert [size["hours"] for size in figures["growth"]] == [3, 6, 6]

    def test_without_cases_it_says_so_and_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(bench_report, "HORIZONS", ((3, 30),))
        monkeypatch.setattr(bench_report, "STEPS", ((3, 30),))
        options = ["--cases", str(tmp_path / "none"), "--out", str(tmp_path), "--plans", "1"]
        assert main(["bench", *options, "--repeats", "1"]) == 0
        shown = capsys.readouterr().out
        assert "No cases: " in shown
        assert "How it grows" in shown

    def test_a_case_that_cannot_be_read_ends_it_with_a_message(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "cases" / "small.json").write_text("{")
        assert main(["bench", "--cases", str(folder), "--out", str(folder)]) == BAD_INPUT
        assert "small.json cannot be read as JSON" in capsys.readouterr().err

    def test_the_json_holds_every_figure(self) -> None:
        case = CaseFigures(
            name="a", cost_p=1.0, gap_p=0.0, n_doubtful=0, times=TIMES, optimum_p=None, peers={}
        )
        held = MemoryFigures(n_plans=1, start_mb=1.0, end_mb=2.0)
        figures = json.loads(bench_report.as_json([case], [], held))
        assert figures["cases"][0]["times"]["warm_s"] == TIMES.warm_s
        assert figures["memory"]["end_mb"] == 2.0
