"""Errors of forecasts: by hour, by lead time, by day; what is not known stays out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.hindsight.accuracy import (
    Expected,
    day_ahead,
    errors_by_hour,
    errors_by_lead,
    profile_by_hour,
)
from battery_optimizer.hindsight.lived import half_hours
from battery_optimizer.model.slots import SLOT, Floats, Horizon, SlotSeries
from builders import MIDNIGHT, an_outlook

FLAT = SlotSeries(start=MIDNIGHT, values=np.full(96, 1.0))


def forecasts(off_kw: Floats, n: int = 48, start: datetime = MIDNIGHT) -> list[Expected]:
    """One each half hour, wrong by `off_kw` at each lead, of a load of 1 kW."""
    return [
        Expected(at=start + t * SLOT, load_kw=1.0 + off_kw, solar_kw=np.zeros(len(off_kw)))
        for t in range(n)
    ]


def load(expected: Expected) -> Floats:
    return expected.load_kw


def test_errors_by_lead_are_hourly_means() -> None:
    found = errors_by_lead(forecasts(np.array([0.1, 0.3, -0.4, 0.0])), load, FLAT)
    assert found.absolute_kw == pytest.approx([0.2, 0.2])
    assert found.bias_kw == pytest.approx([0.2, -0.2])


def test_errors_by_hour_belong_to_the_hour_that_was_expected() -> None:
    metered = FLAT.values.copy()
    metered[36:38] = 3.0  # 18:00 to 19:00
    found = errors_by_hour(
        forecasts(np.zeros(48), n=1), load, SlotSeries(start=MIDNIGHT, values=metered)
    )
    assert np.flatnonzero(found.absolute_kw).tolist() == [18]
    assert found.bias_kw[18] == pytest.approx(-2.0)


def test_hours_are_those_of_the_wall_clock() -> None:
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    metered = np.full(48, 1.0)
    metered[0] = 2.0  # midnight UTC is one o'clock
    found = errors_by_hour(
        forecasts(np.zeros(48), n=1, start=summer), load, SlotSeries(start=summer, values=metered)
    )
    assert np.flatnonzero(found.absolute_kw).tolist() == [1]


@pytest.mark.parametrize(
    ("midnight", "off_at"),
    [
        (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 17, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 18, tzinfo=UTC)),
    ],
)
def test_on_the_day_of_a_clock_change_too(midnight: datetime, off_at: datetime) -> None:
    metered = np.full(48, 1.0)
    first = (off_at - midnight) // SLOT
    metered[first : first + 2] = 2.0  # six in the evening, of forecasts made before the change
    found = errors_by_hour(
        forecasts(np.zeros(48), n=1, start=midnight),
        load,
        SlotSeries(start=midnight, values=metered),
    )
    assert np.flatnonzero(np.nan_to_num(found.absolute_kw)).tolist() == [18]


def test_a_day_of_a_clock_change_has_no_place_in_the_profile_of_days() -> None:
    """Its hours after the change would stand beside those of other days an hour off."""
    first = datetime(2026, 3, 28, tzinfo=UTC)
    values = np.full(4 * 48, 1.0)
    values[48 + 34 : 48 + 36] = 9.0  # at 18:00 in the evening of the change, 17:00 UTC
    metered = SlotSeries(start=first, values=values)
    at_midnights = [first, first + 48 * SLOT, first + 94 * SLOT]
    expected = [forecasts(np.zeros(48), n=1, start=at)[0] for at in at_midnights]
    _, came, _, high = profile_by_hour(expected, load, metered)
    assert came == pytest.approx(1.0)
    assert high == pytest.approx(1.0)


def test_what_was_not_metered_stays_out() -> None:
    metered = FLAT.values.copy()
    metered[3:] = np.nan
    found = errors_by_lead(
        forecasts(np.array([0.1, 0.1, 0.5, 0.5]), n=2),
        load,
        SlotSeries(start=MIDNIGHT, values=metered),
    )
    assert found.absolute_kw == pytest.approx([0.1, 0.5])
    nothing = errors_by_lead(forecasts(np.zeros(4)), load, SlotSeries.empty(MIDNIGHT))
    assert np.isnan(nothing.absolute_kw).all()


def test_no_forecasts_give_no_errors() -> None:
    assert errors_by_lead([], load, FLAT).absolute_kw.shape == (0,)
    assert np.isnan(errors_by_hour([], load, FLAT).absolute_kw).all()
    assert np.isnan(profile_by_hour([], load, FLAT)).all()
    assert day_ahead([], load, FLAT) == ()


def test_days_are_judged_by_what_was_expected_at_their_start() -> None:
    (day,) = day_ahead(forecasts(np.full(48, 0.5)), load, FLAT)
    assert day.expected_kwh == pytest.approx(36)
    assert day.metered_kwh == pytest.approx(24)
    expected, came, low, high = profile_by_hour(forecasts(np.full(48, 0.5)), load, FLAT)
    assert expected == pytest.approx(1.5)
    assert came == pytest.approx(1.0)
    assert low == pytest.approx(high)
    assert day_ahead(forecasts(np.zeros(20)), load, FLAT) == ()
    assert np.isnan(
        profile_by_hour(forecasts(np.zeros(48)), load, SlotSeries.empty(MIDNIGHT))
    ).all()


def test_an_outlook_is_kept_as_average_power() -> None:
    outlook = an_outlook(10.0, load_kwh=[0.5, 1.0], solar_kwh=0.25, n_slots=2)
    kept = Expected.by(outlook)
    assert kept.at == MIDNIGHT
    assert kept.load_kw == pytest.approx([1.0, 2.0])
    assert kept.solar_kw == pytest.approx([0.5, 0.5])


def test_short_steps_are_averaged_by_half_hour() -> None:
    """A plan in steps of five minutes, made at ten past."""
    at = MIDNIGHT + timedelta(minutes=10)
    outlook = replace(
        an_outlook(10.0, n_slots=10, start=at),
        horizon=Horizon(start=at, n_slots=10, step=timedelta(minutes=5)),
    )
    values = np.array([1.0, 1.0, 2.0, 2.0, *[6.0] * 6])
    found = half_hours(outlook, values)
    assert found.start == MIDNIGHT
    assert found.values == pytest.approx([1.5, 6.0])
