from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.forecast.outlook import HistoryForecaster, build_outlook
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import Horizon, SlotSeries
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations
from builders import a_battery
from fakes import FlatForecaster, FlatSun, daily

TEN = datetime(2026, 1, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)
NO_OBSERVATIONS = Observations(load_kw=SlotSeries.empty(TEN), solar_kw=SlotSeries.empty(TEN))


def outlook_with(
    forecaster: FlatForecaster | HistoryForecaster,
    *,
    is_demo: bool = False,
    observed: Observations = NO_OBSERVATIONS,
    known_until: datetime = TEN + 3 * DAY,
    minutes: int = 0,
) -> Outlook:
    rates = daily(TEN - DAY, known_until, {"00:00": 10, "16:00": 40, "19:00": 20})
    now = TEN + timedelta(minutes=minutes)
    return build_outlook(
        forecaster,
        a_battery(),
        Horizon.of_hours(now, 24),
        KnownRates(imports=rates, exports=rates, is_demo=is_demo),
        observed,
        FlatSun(kw=2.0).latest(TEN),
    )


def test_rates_load_and_sun_are_lined_up_on_one_grid() -> None:
    outlook = outlook_with(FlatForecaster(load_kw=0.6))
    assert outlook.import_rate[12] == 40
    assert outlook.load_kwh == pytest.approx([0.3] * 48)
    assert outlook.solar_kwh == pytest.approx([1.0] * 48)
    assert outlook.rate_published.all()


def test_a_slot_that_has_begun_holds_less_energy() -> None:
    outlook = outlook_with(FlatForecaster(load_kw=0.6), minutes=20)
    assert outlook.load_kwh[:2] == pytest.approx([0.1, 0.3])
    assert outlook.solar_kwh[:2] == pytest.approx([1 / 3, 1.0])


def test_made_up_rates_stay_marked() -> None:
    assert outlook_with(FlatForecaster(), is_demo=True).is_demo
    assert not outlook_with(FlatForecaster()).is_demo


def test_without_rates_there_is_no_outlook() -> None:
    with pytest.raises(RatesUnavailable):
        outlook_with(FlatForecaster(), known_until=TEN - DAY)


def test_from_history_a_first_day_is_planned_with_some_load() -> None:
    outlook = outlook_with(HistoryForecaster())
    assert (outlook.load_kwh > 0).all()


def test_from_history_the_load_metered_is_the_load_expected() -> None:
    start = TEN - 30 * DAY
    metered = SlotSeries(start=start, values=np.resize([0.75, 0.8, 0.85], 30 * 48))
    observed = Observations(load_kw=metered, solar_kw=metered)
    outlook = outlook_with(HistoryForecaster(), observed=observed)
    assert outlook.load_kwh == pytest.approx([0.4] * 48, rel=0.1)
