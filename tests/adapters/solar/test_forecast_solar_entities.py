"""Days of Home Assistant's own Forecast.Solar, given the course of a clear sky."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.adapters.solar.forecast_solar_entities import ForecastSolarEntities
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.slots import SLOT, Floats, day_bounds

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
TODAY, TOMORROW = "sensor.energy_production_today", "sensor.energy_production_tomorrow"


def noon_sun(day: date) -> Floats:
    """Only the two half hours after noon."""
    start, end = day_bounds(day)
    shape = np.zeros((end - start) // SLOT)
    shape[24:26] = 0.3
    return shape


def kwh(state: str, unit: str = "kWh", **attributes: object) -> EntityState:
    return EntityState(
        state=state, attributes={"unit_of_measurement": unit, **attributes}, last_changed=NOW
    )


def source(states: dict[str, EntityState], **changes: object) -> ForecastSolarEntities:
    made = {"read_state": states.get, "entities": (TODAY, TOMORROW), "shape": noon_sun}
    return ForecastSolarEntities(**(made | changes))


def test_each_days_energy_falls_as_the_sun_stands() -> None:
    forecast = source({TODAY: kwh("3"), TOMORROW: kwh("5000", "Wh")}).fetch(NOW)
    values = forecast.p50_kw.values
    assert forecast.p50_kw.start == datetime(2026, 6, 14, 23, tzinfo=UTC)
    assert len(values) == 96
    assert values[24] == values[25] == pytest.approx(3.0)
    assert values[48 + 24] == pytest.approx(5.0)
    assert values.sum() / 2 == pytest.approx(8.0)
    assert forecast.issued_at == NOW


@pytest.mark.parametrize(("day", "slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_days_of_the_clock_change_keep_their_length(day: date, slots: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    forecast = source({TODAY: replace(kwh("3"), last_changed=noon)}).fetch(noon)
    assert len(forecast.p50_kw.values) == slots
    assert forecast.p50_kw.values.sum() / 2 == pytest.approx(3.0)


def test_without_tomorrow_it_is_shorter_and_a_dark_day_is_dark() -> None:
    forecast = source({TODAY: kwh("3")}, shape=lambda _: np.zeros(48)).fetch(NOW)
    assert forecast.p50_kw.values.tolist() == [0.0] * 48


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({}, "there is no sensor.energy_production_today"),
        ({TODAY: kwh("3", watts={"2026-06-15T12:00": 5})}, "Open-Meteo"),
        ({TODAY: kwh("unknown")}, "no value yet"),
        ({TODAY: kwh("3", "W")}, "shows 3 W, no energy"),
        ({TODAY: kwh("-1")}, "no energy"),
        ({TODAY: kwh("3"), TOMORROW: kwh("unavailable")}, "unavailable"),
    ],
)
def test_what_cannot_be_used_is_said(states: dict[str, EntityState], words: str) -> None:
    with pytest.raises(ForecastUnavailable, match=words):
        source(states).fetch(NOW)


def test_a_forecast_of_days_ago_is_refused_and_so_is_none() -> None:
    with pytest.raises(ForecastUnavailable, match="more than a day ago"):
        source({TODAY: kwh("3")}).fetch(NOW + timedelta(days=2))


def found_in(states: dict[str, EntityState]) -> ForecastSolarEntities:
    return ForecastSolarEntities(
        read_state=states.get, list_entities=lambda: states, shape=noon_sun
    )


def test_the_days_of_all_roofs_are_found_and_added_up() -> None:
    states = {
        TODAY: kwh("3"),
        f"{TODAY}_2": kwh("1"),
        f"{TODAY}_remaining": kwh("2"),
        "sensor.envoy_12_energy_production_today": kwh("9"),
        TOMORROW: kwh("5"),
        f"{TOMORROW}_2": kwh("2"),
    }
    values = found_in(states).fetch(NOW).p50_kw.values
    assert values[:48].sum() / 2 == pytest.approx(4.0)
    assert values[48:].sum() / 2 == pytest.approx(7.0)
    del states[f"{TOMORROW}_2"]
    assert len(found_in(states).fetch(NOW).p50_kw.values) == 48, "half a roof is no tomorrow"


def test_after_midnight_its_days_are_still_those_of_its_last_answer() -> None:
    # It asks once an hour, and tells yesterday as today until then.
    answered = datetime(2026, 6, 15, 22, 40, tzinfo=UTC)
    later = datetime(2026, 6, 15, 23, 20, tzinfo=UTC)
    roofs = {TODAY: "3", TOMORROW: "5", f"{TODAY}_2": "1", f"{TOMORROW}_2": "2"}
    states = {each: replace(kwh(energy), last_changed=answered) for each, energy in roofs.items()}
    home = found_in(states)
    noon = datetime(2026, 6, 16, 11, tzinfo=UTC)

    before = home.fetch(answered + timedelta(minutes=10)).p50_kw
    assert (before.at(noon - timedelta(days=1)), before.at(noon)) == pytest.approx((4.0, 7.0))
    assert home.fetch(later).p50_kw.at(noon) == pytest.approx(7.0)

    # The first roof's answer of the new day comes before the second's; its tomorrow is the same.
    states[TODAY] = replace(kwh("5.5"), last_changed=later)
    both = home.fetch(later).p50_kw
    assert both.at(noon) == pytest.approx(7.5)
    assert both.end == datetime(2026, 6, 16, 23, tzinfo=UTC), "of tomorrow one roof knows nothing"

    states[f"{TODAY}_2"] = replace(kwh("2"), last_changed=later)
    states[f"{TOMORROW}_2"] = replace(kwh("4"), last_changed=later)
    whole = home.fetch(later).p50_kw
    assert (whole.at(noon), whole.at(noon + timedelta(days=1))) == pytest.approx((7.5, 9.0))


def test_roofs_that_tell_of_different_days_are_no_forecast() -> None:
    states = {TODAY: kwh("3"), f"{TODAY}_2": replace(kwh("1"), last_changed=NOW - timedelta(1))}
    with pytest.raises(ForecastUnavailable, match="different days"):
        found_in(states).fetch(NOW)


def test_the_table_that_it_has_of_today_does_not_make_it_anothers() -> None:
    # As Home Assistant's integration has it since 2026, to the second of sunrise and sunset.
    times = ("03:42:37", "04:00:00", "05:00:00", "20:19:14")
    watts = {f"2026-06-15T{time}+00:00": 100 for time in times}
    states = {TODAY: kwh("3", watts=watts, wh_period=watts), TOMORROW: kwh("5")}
    assert found_in(states).fetch(NOW).p50_kw.values.sum() / 2 == pytest.approx(8.0)
    with pytest.raises(ForecastUnavailable, match=r"there is no sensor\.energy_production_today"):
        found_in({}).fetch(NOW)
