from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.simulate.days.households import (
    HOUSEHOLDS,
    generate_loads,
    generate_temperature,
    half_hours,
    move_in,
)

START = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", HOUSEHOLDS)
def test_a_seed_makes_the_same_load_and_another_seed_another(name: str) -> None:
    load = generate_loads(HOUSEHOLDS[name], START, days=20, seed=3)[0]
    assert load.shape == (20 * 288,)
    assert (load > 0).all()
    assert np.array_equal(load, generate_loads(HOUSEHOLDS[name], START, days=20, seed=3)[0])
    assert not np.array_equal(load, generate_loads(HOUSEHOLDS[name], START, days=20, seed=4)[0])


@pytest.mark.parametrize(
    ("name", "kwh_a_year"),
    [("flat", 2100), ("family", 5700), ("heat_pump", 9000), ("electric_car", 6000)],
)
def test_households_use_what_such_households_use(name: str, kwh_a_year: float) -> None:
    load = generate_loads(HOUSEHOLDS[name], START, days=365, seed=5)[0]
    assert load.sum() / 12 == pytest.approx(kwh_a_year, rel=0.15)


def test_a_heat_pump_draws_most_when_it_is_cold() -> None:
    load = generate_loads(HOUSEHOLDS["heat_pump"], START, days=365, seed=5)[0].reshape(365, 288)
    cold = generate_temperature(START, days=365, seed=5).reshape(365, 288).mean(axis=1)
    assert np.corrcoef(load.mean(axis=1), cold)[0, 1] < -0.75


def test_a_house_spikes_within_the_half_hour() -> None:
    load = generate_loads(HOUSEHOLDS["family"], START, days=60, seed=5)[0]
    averages = np.repeat(half_hours(load), 6)
    assert np.abs(load - averages).mean() > 0.15 * load.mean()


def two_days(rows: int = 96 + 17) -> pd.DataFrame:
    times = pd.date_range(START, periods=rows, freq="30min").strftime("%Y-%m-%dT%H:%M:%SZ")
    return pd.DataFrame({"time": times, "import_p": 20.0, "load_kwh": 0.0, "pv_per_kwp": 0.1})


def test_moving_in_changes_the_load_alone() -> None:
    data = two_days()
    moved = move_in(data, HOUSEHOLDS["flat"], seed=1)
    assert (moved["load_kwh"] > 0).all()
    assert moved[["time", "import_p", "pv_per_kwp"]].equals(data.drop(columns="load_kwh"))
    fine = generate_loads(HOUSEHOLDS["flat"], START, days=3, seed=1)[0]
    assert moved["load_kwh"].sum() == pytest.approx(fine[: len(data) * 6].sum() / 12, abs=0.01)


def test_large_loads_are_a_part_of_the_load() -> None:
    load, large = generate_loads(HOUSEHOLDS["heat_pump"], START, days=60, seed=3)
    assert set(large) == {"heat_pump", "hot_water"}
    rest = load - sum(large.values())
    assert (rest > 0).all()
    assert large["hot_water"].sum() / 12 / 60 == pytest.approx(2.4, rel=0.15)
    assert generate_loads(HOUSEHOLDS["flat"], START, days=2, seed=3)[1] == {}


def test_who_moves_in_brings_large_loads_and_takes_those_of_others_away() -> None:
    moved = move_in(two_days(48 * 30), HOUSEHOLDS["electric_car"], seed=1)
    assert moved["large_car_kwh"].sum() > 20
    assert (moved["large_car_kwh"] <= moved["load_kwh"]).all()
    again = move_in(moved, HOUSEHOLDS["heat_pump"], seed=1)
    assert "large_car_kwh" not in again
    assert {"large_heat_pump_kwh", "large_hot_water_kwh"} < set(again)


def test_the_temperature_is_forecast_near_what_comes() -> None:
    moved = move_in(two_days(48 * 60), HOUSEHOLDS["flat"], seed=1)
    off = moved["fc_temperature_c"] - moved["temperature_c"]
    assert 0.5 < off.std() < 1.5
    assert abs(off.mean()) < 0.5
