"""On 277 real days no forecast is doubted, nor when each day's is made worse by a third."""

from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from battery_optimizer.forecast.suspects import forecast_doubt, forecast_remark
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.days.worlds import worsened

DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "home_a.csv.gz"
PLACE: Final = (51.0, -4.0)
EVERY: Final = 7
"""Half hours between two judgements: all times of the day come."""


@pytest.mark.skipif(not DATA.exists(), reason=f"the benchmark's days are not in {DATA.parent}")
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_no_sound_forecast_is_doubted(spread: float, tmp_path: Path) -> None:
    path = DATA
    if spread:
        path = tmp_path / "worse.csv"
        worsened(pd.read_csv(DATA), spread, seed=1).to_csv(path, index=False)
    days = RecordedDays.read(path, pv_kwp=4.0)
    forecast, came = days.solar_p50_kw, days.solar_kw
    doubted = []
    for n in range(0, len(came.values) - 48, EVERY):
        now = came.start + n * SLOT
        latest = without_spread("recorded", now, forecast)
        seen = Observations(load_kw=SlotSeries.empty(now), solar_kw=came.between(came.start, now))
        told = forecast_doubt(latest, seen, now, PLACE), forecast_remark(latest, seen, now)
        doubted += [(now, *told)] if any(told) else []
    assert doubted == []
