"""Recorded days made into others: a worse forecast, another household, loads in spikes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.model.slots import SLOT
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.days.households import FINE_STEP
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.days.worlds import spikes, worsened

HOME = {
    "capacity_kwh": 10.0, "reserve_kwh": 0.0, "charge_kw": 1.0, "discharge_kw": 1.0,
    "charge_efficiency": 0.95, "discharge_efficiency": 0.95, "export_limit_kw": 6.0,
    "import_limit_kw": 20.0, "pv_kwp": 0.5, "start_soc_kwh": 10.0,
}  # fmt: skip

N_DAYS = 200
P50 = np.tile(np.maximum(0, np.sin((np.arange(48) - 14) / 20 * np.pi)), N_DAYS)
DATA = pd.DataFrame(
    {
        "time": pd.date_range("2020-01-01", periods=48 * N_DAYS, freq="30min", tz="UTC"),
        "import_p": 20.0,
        "export_p": 10.0,
        "load_kwh": 0.2,
        "pv_per_kwp": P50,
        "fc_p10_per_kwp": 0.6 * P50,
        "fc_p50_per_kwp": P50,
        "fc_p90_per_kwp": 1.2 * P50,
    }
)


def test_a_worse_forecast_is_off_by_a_factor_of_its_own_each_day() -> None:
    worse = worsened(DATA, 0.3, seed=4)
    noon = worse.fc_p50_per_kwp.to_numpy()[24::48] / P50[24]
    assert noon.std() == pytest.approx(0.3, abs=0.04)
    assert noon.mean() == pytest.approx(1, abs=0.06)
    whole_day = (worse.fc_p50_per_kwp / P50.clip(1e-9)).to_numpy().reshape(-1, 48)[:, 16:32]
    assert np.ptp(whole_day, axis=1).max() < 0.01
    assert (worse.pv_per_kwp == DATA.pv_per_kwp).all()


def test_its_band_is_half_as_wide_again_and_in_order() -> None:
    worse = worsened(DATA, 0.3, seed=4)
    gap = worse.fc_p90_per_kwp - worse.fc_p50_per_kwp
    assert gap.to_numpy() == pytest.approx(1.5 * 0.2 * P50, abs=2e-4)
    assert (worse.fc_p10_per_kwp <= worse.fc_p50_per_kwp).all()
    assert (worse.fc_p10_per_kwp >= 0).all()


def test_a_seed_makes_the_same_forecast_and_another_seed_another() -> None:
    assert worsened(DATA, 0.3, seed=4).equals(worsened(DATA, 0.3, seed=4))
    assert not worsened(DATA, 0.3, seed=4).equals(worsened(DATA, 0.3, seed=5))


def test_spikes_leave_the_half_hour_its_energy() -> None:
    shape = spikes(500, seed=1)
    assert shape.mean(axis=1) == pytest.approx(np.ones(500))
    assert shape.min() > 0
    assert 2.0 < shape.max() < 5.0


class TestCommand:
    def made(self, tmp_path: Path, *options: str) -> pd.DataFrame:
        DATA.to_csv(tmp_path / "a.csv", index=False)
        out = tmp_path / "b.csv.gz"
        assert main(["data", "--data", f"{tmp_path / 'a.csv'}", "--out", f"{out}", *options]) == 0
        return pd.read_csv(out)

    def test_writes_another_household(self, tmp_path: Path) -> None:
        made = self.made(tmp_path, "--household", "heat_pump", "--seed", "7")
        assert made.load_kwh.std() > 0.1
        assert (made.import_p == 20).all()

    def test_writes_a_worse_forecast(self, tmp_path: Path) -> None:
        made = self.made(tmp_path, "--worse-solar", "0.3")
        assert made.fc_p50_per_kwp.to_numpy()[24::48].std() > 0.2
        assert (made.load_kwh == 0.2).all()

    @pytest.mark.parametrize(
        ("file", "words"),
        [
            ("none.csv", "cannot be read"),
            ("short.csv", "is missing"),
            ("cut.csv.gz", "cannot be read"),
        ],
    )
    def test_what_it_cannot_read_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, words: str
    ) -> None:
        DATA[["time", "load_kwh"]].to_csv(tmp_path / "short.csv", index=False)
        DATA.to_csv(tmp_path / "whole.csv.gz", index=False)
        (tmp_path / "cut.csv.gz").write_bytes((tmp_path / "whole.csv.gz").read_bytes()[:500])
        out = f"{tmp_path / 'b.csv'}"
        assert main(["data", "--data", f"{tmp_path / file}", "--out", out]) == BAD_INPUT
        assert words in capsys.readouterr().err

    def test_a_folder_that_is_not_there_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        DATA.to_csv(tmp_path / "a.csv", index=False)
        out = f"{tmp_path / 'nowhere' / 'b.csv'}"
        assert main(["data", "--data", f"{tmp_path / 'a.csv'}", "--out", out]) == BAD_INPUT
        assert "in a folder that exists" in capsys.readouterr().err


def test_the_house_draws_in_spikes_and_what_the_half_hour_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    DATA[:96].to_csv(path, index=False)
    days = RecordedDays.read(path, pv_kwp=4)
    spiky = replace(days, spikes=spikes(96, seed=1))
    start = days.run_start + 10 * SLOT
    fine = [spiky.load_kwh(start + n * FINE_STEP, FINE_STEP) for n in range(6)]
    assert sum(fine) == pytest.approx(0.2)
    assert max(fine) > 2 * min(fine)
    assert spiky.load_kwh(start, SLOT) == pytest.approx(0.2)
    assert days.load_kwh(start, FINE_STEP) == pytest.approx(0.2 / 6)


def test_a_backtest_may_let_the_load_come_in_spikes(tmp_path: Path) -> None:
    path, home = tmp_path / "a.csv", tmp_path / "home.json"
    DATA[:96].to_csv(path, index=False)
    home.write_text(json.dumps(HOME))
    bills = []
    for name, *spiky in (("even",), ("spiky", "--spikes", "1")):
        out = tmp_path / f"{name}.json"
        run = ["backtest", "--data", str(path), "--home", str(home), "--policy", "self_use"]
        assert main([*run, "--days", "1", "--step-minutes", "5", "--json", str(out), *spiky]) == 0
        bills.append(json.loads(out.read_text())["bill_p"])
    # Spikes above the 1 kW that this battery gives are bought.
    assert bills[1] > bills[0] + 1
