from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.solar import SolarArray, require_sound
from battery_optimizer.model.telemetry import SolarForecast

NOW = datetime(2026, 6, 15, 9, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 15, tzinfo=UTC)


def a_forecast(
    p50: float = 2.0, p10: float = 1.0, p90: float = 3.0, start: datetime = MIDNIGHT
) -> SolarForecast:
    low, middle, high = (
        SlotSeries(start=start, values=np.full(48, value)) for value in (p10, p50, p90)
    )
    return SolarForecast(source="a", issued_at=NOW, p10_kw=low, p50_kw=middle, p90_kw=high)


def refusal(forecast: SolarForecast, peak_kw: float | None = 4.0) -> str:
    with pytest.raises(ForecastUnavailable) as caught:
        require_sound(forecast, now=NOW, peak_kw=peak_kw)
    return str(caught.value)


def test_a_sound_forecast_passes() -> None:
    require_sound(a_forecast(), now=NOW, peak_kw=4.0)
    require_sound(a_forecast(p90=5.2), now=NOW, peak_kw=4.0)
    require_sound(a_forecast(p90=90), now=NOW)


def test_a_forecast_more_than_a_day_old_is_refused() -> None:
    old = replace(a_forecast(), issued_at=NOW - timedelta(hours=24, minutes=1))
    assert refusal(old) == "it was made at 14 Jun 09:09 UTC, more than a day ago"


def test_a_forecast_that_is_still_to_be_made_is_refused() -> None:
    require_sound(replace(a_forecast(), issued_at=NOW + timedelta(hours=1)), now=NOW)
    ahead = replace(a_forecast(), issued_at=NOW + timedelta(days=400))
    assert refusal(ahead) == (
        "it says that it was made at 20 Jul 2027 09:10 UTC, which is still to come (it is now "
        "15 Jun 2026 09:10): check its clock and time zone"
    )


@pytest.mark.parametrize("days", [-1, 1])
def test_a_forecast_for_another_day_is_refused(days: int) -> None:
    words = refusal(a_forecast(start=MIDNIGHT + timedelta(days=days)))
    assert words.startswith("it is for another day")


@pytest.mark.parametrize("name", ["p10_kw", "p50_kw", "p90_kw"])
def test_a_forecast_with_holes_is_refused(name: str) -> None:
    forecast = a_forecast()
    getattr(forecast, name).values[[20, 21]] = np.nan
    assert refusal(forecast) == "no value for 2 half hours, the first at 15 Jun 10:00 UTC"


def test_estimates_out_of_order_are_refused() -> None:
    assert "low estimate (10 %) is above the middle one at 15 Jun 00:00" in refusal(
        a_forecast(p10=2.1)
    )
    assert "middle estimate is above the high one (90 %)" in refusal(a_forecast(p90=1.9))


def test_a_rounding_is_not_out_of_order() -> None:
    require_sound(a_forecast(p10=2.001, p50=2.0, p90=1.9995), now=NOW)


def test_negative_power_is_refused() -> None:
    assert refusal(a_forecast(p10=-0.5)) == "it has negative power"


def test_estimates_for_different_hours_are_refused() -> None:
    other = a_forecast(start=MIDNIGHT + timedelta(hours=1)).p90_kw
    assert "different hours" in refusal(replace(a_forecast(), p90_kw=other))


def test_watts_given_as_kilowatts_are_named() -> None:
    assert refusal(a_forecast(p10=900, p50=2000, p90=3000)) == (
        "it has 3000 kW, while the panels are rated 4 kWp: it looks like W given as kW"
    )


def test_watts_are_named_even_where_the_panels_are_not_known() -> None:
    found = refusal(a_forecast(p10=900, p50=2000, p90=3000), peak_kw=None)
    assert found == "it has 3000 kW: it looks like W given as kW"


def test_a_forecast_for_other_panels_is_refused() -> None:
    assert refusal(a_forecast(p90=5.3)).endswith("rated 4 kWp: check the size of the panels")
    assert refusal(a_forecast(p90=9000)).endswith("check the size of the panels")


def test_panels_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="tilt_deg must be from 0 to 90, not 100"):
        SolarArray(peak_kw=4, tilt_deg=100, azimuth_deg=0)
