from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.forecast.rates import RateForecast, forecast_rates, terminal_value
from battery_optimizer.model.slots import SLOT, UK, Horizon, SlotSeries, day_bounds, local_time
from battery_optimizer.model.tariff import KnownRates
from builders import a_battery
from fakes import daily

TEN = datetime(2026, 1, 15, 10, tzinfo=UTC)
TONIGHT = datetime(2026, 1, 15, 23, tzinfo=UTC)
DAY = timedelta(days=1)
CLOCK = {"00:00": 10.0, "16:00": 40.0, "19:00": 20.0}
HORIZON = Horizon.of_hours(TEN, 48)


def known(
    days_before: float = 3, until: datetime = TONIGHT, by_clock: dict[str, float] = CLOCK
) -> KnownRates:
    series = daily(TEN - days_before * DAY, until, by_clock)
    return KnownRates(
        imports=series, exports=SlotSeries(start=series.start, values=series.values / 4)
    )


def test_published_rates_are_taken_as_they_are() -> None:
    rates = forecast_rates(known(until=TEN + 3 * DAY), HORIZON)
    assert rates.published.all()
    assert rates.import_rate[0] == 10
    assert rates.import_rate[12] == 40
    assert rates.export_rate[12] == 10


def test_beyond_them_stand_those_of_recent_days_marked_as_forecast() -> None:
    rates = forecast_rates(known(), HORIZON)
    assert rates.published.tolist() == [True] * 26 + [False] * 70
    assert rates.import_rate == pytest.approx(
        forecast_rates(known(until=TEN + 3 * DAY), HORIZON).import_rate
    )


def test_a_later_day_weighs_more() -> None:
    before, last = (
        daily(TEN - 2 * DAY, TEN - DAY, {"00:00": 10}),
        daily(TEN - DAY, TEN, {"00:00": 30}),
    )
    both = SlotSeries(start=before.start, values=np.concatenate([before.values, last.values]))
    rates = forecast_rates(KnownRates(imports=both, exports=both), HORIZON)
    assert not rates.published.any()
    assert (rates.import_rate > 20).all()
    assert (rates.import_rate < 30).all()


def test_a_missing_rate_is_never_nothing() -> None:
    given = known(until=TEN + 3 * DAY)
    given.imports.values[3 * 48 + 12] = np.nan  # 16:00 today
    rates = forecast_rates(given, HORIZON)
    assert rates.import_rate[12] == pytest.approx(40)
    assert rates.published.tolist().index(False) == 12


def test_missing_export_rates_mark_the_slot_too() -> None:
    given = known(until=TEN + 3 * DAY)
    given.exports.values[3 * 48 + 12] = np.nan
    assert not forecast_rates(given, HORIZON).published[12]


def test_without_any_rate_the_first_slot_that_lacks_one_is_named() -> None:
    nothing = SlotSeries.empty(TEN)
    with pytest.raises(RatesUnavailable, match=r"no import rate is known for 2026-01-15 10:00"):
        forecast_rates(KnownRates(imports=nothing, exports=nothing), HORIZON)


def test_half_a_day_of_rates_does_not_make_up_the_other_half() -> None:
    with pytest.raises(RatesUnavailable, match=r"2026-01-15 23:00.*check the tariff settings"):
        forecast_rates(known(days_before=0), HORIZON)


def test_a_horizon_that_starts_within_a_slot() -> None:
    horizon = Horizon.of_hours(TEN + timedelta(minutes=20), 48)
    rates = forecast_rates(known(), horizon)
    assert rates.published.sum() == 26
    assert rates.import_rate[12] == 40


def test_recent_days_are_told_by_the_clock_on_the_wall() -> None:
    """The peak is at 16:00 local time, before the clocks change and after."""
    for changed in (date(2026, 3, 29), date(2026, 10, 25)):
        eve, noon = changed - DAY, datetime.min.time().replace(hour=12)
        now = local_time(eve, noon)
        values = {
            moment: 40.0 if moment.astimezone(UK).hour == 16 else 10.0
            for moment in (now - 5 * DAY + t * SLOT for t in range(5 * 48 + 22))
        }
        series = SlotSeries.from_slots(values)
        horizon = Horizon.of_hours(now, 48)
        rates = forecast_rates(KnownRates(imports=series, exports=series), horizon)
        dear = [
            start.astimezone(UK).hour
            for start, rate in zip(horizon.starts, rates.import_rate, strict=True)
            if rate > 30
        ]
        assert dear == [16, 16, 16, 16], changed


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_every_half_hour_of_a_day_of_46_or_50_has_a_rate(day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    series = daily(start - 3 * DAY, start, CLOCK)
    rates = forecast_rates(
        KnownRates(imports=series, exports=series), Horizon.of_hours(start, n_slots / 2)
    )
    assert len(rates.import_rate) == (end - start) / SLOT
    assert np.isfinite(rates.import_rate).all()


SURE = 0.98
"""What is saved now is sure."""


def worth(import_rate: list[float], **battery: float) -> list[float]:
    """Of 0, 1, ..., 10 kWh left at the end of a day with these rates, each for a third of it."""
    rates = np.repeat(import_rate, 48 // len(import_rate)).astype(float)
    forecast = RateForecast(
        import_rate=rates, export_rate=np.zeros(48), published=np.ones(48, bool)
    )
    value = terminal_value(
        a_battery(efficiency=0.9, **battery), forecast, Horizon.of_hours(TEN, 24)
    )
    return [value.of(float(soc)) for soc in range(11)]


def test_what_is_left_at_the_end_is_worth_less_the_more_there_is() -> None:
    gains = np.diff(worth([10, 20, 40]))
    assert (gains > 0).all()
    assert (np.diff(gains) <= 1e-9).all()


def test_the_first_kwh_left_serves_at_the_middle_rate_the_last_saves_buying_it_cheaply() -> None:
    gains = np.diff(worth([10, 20, 40]))
    assert gains[0] == pytest.approx(20 * 0.9 * SURE)
    assert gains[-1] == pytest.approx(10 / 0.9)


def test_what_is_left_is_never_worth_less_than_nothing() -> None:
    assert worth([-20, -10, -5]) == pytest.approx([0] * 11)


def test_at_a_flat_rate_every_kwh_is_worth_a_little_less_than_what_it_saves_now() -> None:
    assert np.diff(worth([20, 20, 20])) == pytest.approx([20 * 0.9 * SURE] * 10)
