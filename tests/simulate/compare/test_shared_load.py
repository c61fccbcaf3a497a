"""Load forecasts shared between variants of a home: made once, and the same."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.model.slots import Horizon
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.simulate.backtest import Run, play
from battery_optimizer.simulate.compare.shared_load import SharedLoad
from battery_optimizer.simulate.days.recorded import RecordedDays
from builders import a_battery, a_house
from recordings import recorded_days, written


class Counted(HistoryForecaster):
    """Counts how often it was asked for the load."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        self.asked += 1
        return super().load(observed, horizon)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Half a day after a day and a half of history."""
    days = RecordedDays.read(
        written(recorded_days(n_slots=96, seed=7), tmp_path), pv_kwp=3.0, days=2
    )
    days = replace(days, run_start=days.run_end - timedelta(hours=12))
    return Run(house=a_house(a_battery(reserve_kwh=1.0)), days=days, start_soc_kwh=5.0)


def test_a_second_variant_is_played_as_if_alone_and_its_load_not_forecast_again(run: Run) -> None:
    larger = replace(run, house=a_house(a_battery(capacity_kwh=15, reserve_kwh=1.0)))
    sunnier = replace(
        run,
        days=replace(
            run.days,
            solar_kw=replace(run.days.solar_kw, values=run.days.solar_kw.values * 2),
        ),
    )
    alone = [list(play(each)) for each in (run, larger, sunnier)]
    asked = []
    for each, expected in zip((run, larger, sunnier), alone, strict=True):
        own = Counted()
        steps = list(play(each, SharedLoad(own, each.days)))
        # How long each took is not the same.
        assert [replace(step, decide_s=0) for step in steps] == [
            replace(step, decide_s=0) for step in expected
        ]
        asked.append(own.asked)
    assert asked == [24, 0, 0]


def test_another_load_is_another_home(run: Run) -> None:
    dearer = replace(run.days.load_kw, values=run.days.load_kw.values + 1)
    first, other = Counted(), Counted()
    list(play(run, SharedLoad(first, run.days)))
    days = replace(run.days, load_kw=dearer)
    list(play(replace(run, days=days), SharedLoad(other, days)))
    assert other.asked == 24
