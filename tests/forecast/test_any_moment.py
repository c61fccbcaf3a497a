"""A house is asked at any second of any day, not on the half hour as a backtest is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.house_load import load_doubts
from battery_optimizer.forecast.meters import sensor_doubts
from battery_optimizer.forecast.outlook import HistoryForecaster, build_outlook
from battery_optimizer.forecast.suspects import forecast_doubt
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations, PlannedRun
from builders import a_battery
from fakes import FlatSun, daily

DAY = timedelta(days=1)
N_PAST, N_AHEAD = 200 * 48, 4 * 48
NOWS = {
    "at a second of a winter's day": datetime(2026, 1, 10, 10, 5, 1, 417, tzinfo=UTC),
    "a second after midnight": datetime(2026, 7, 10, 23, 0, 1, tzinfo=UTC),
    "before clocks go forward": datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
    "after clocks go forward": datetime(2026, 3, 29, 1, 4, 59, tzinfo=UTC),
    "in the hour that comes twice": datetime(2026, 10, 25, 0, 35, 13, tzinfo=UTC),
    "in it once more": datetime(2026, 10, 25, 1, 35, 13, tzinfo=UTC),
}


def everything_known(now: datetime) -> Observations:
    """All that a house may know, with a load that the cold and a car are parts of."""
    start = floor_to_slot(now) - N_PAST * SLOT
    clock = np.arange(N_PAST + N_AHEAD)
    degrees = 8 + 6 * np.sin(clock / 48 / 3) + 3 * np.sin(clock * np.pi / 24)
    car = np.where(clock % 96 < 6, 7.0, 0.0)
    load = 0.4 + np.maximum(15.5 - degrees, 0.0) * 0.1 + car
    sun = np.maximum(np.sin((clock - 12) * np.pi / 24), 0.0) * 2.0

    def past(values: object) -> SlotSeries:
        return SlotSeries(start=start, values=np.asarray(values)[:N_PAST])

    return Observations(
        load_kw=past(load),
        solar_kw=past(sun),
        told=FlatSun(kw=1.5).latest(now),
        large_kw={"car": past(car)},
        outside_c=past(degrees + 0.5),
        weather_c=SlotSeries(start=start, values=degrees),
        planned={"car": (PlannedRun(start=now + 2 * SLOT, end=now + 6 * SLOT, kwh=14.0),)},
    )


def outlook_at(forecaster: HistoryForecaster, now: datetime) -> Outlook:
    rates = daily(now - 8 * DAY, now + 2 * DAY, {"00:00": 10, "16:00": 40, "19:00": 20})
    return build_outlook(
        forecaster,
        a_battery(),
        Horizon.of_hours(now, 24),
        KnownRates(imports=rates, exports=rates),
        everything_known(now),
        FlatSun(kw=2.0).latest(now),
    )


@pytest.mark.parametrize("now", NOWS.values(), ids=NOWS)
def test_everything_that_can_be_known_is_lined_up(now: datetime) -> None:
    forecaster = HistoryForecaster()
    for moment in (now, now + timedelta(minutes=5), now + DAY):
        outlook = outlook_at(forecaster, moment)
        assert outlook.horizon.start == moment
        assert outlook.large_kwh["car"].sum() > 1.0
        assert outlook.load_kwh.sum() > outlook.large_kwh["car"].sum() + 5.0
        seen = everything_known(moment)
        assert load_doubts(seen, moment) == ()
        assert sensor_doubts(seen, moment) == ()
        assert forecast_doubt(FlatSun(kw=1.0).latest(moment), seen, moment) is None
