from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.slots import SLOT, Horizon
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.house import PerfectForecaster, PlayedHouse
from builders import a_battery, a_house
from recordings import recorded_days, written

START = datetime(2026, 1, 14, tzinfo=UTC)
TEN = START + timedelta(days=1, hours=10)
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def days(tmp_path: Path) -> RecordedDays:
    return RecordedDays.read(written(recorded_days(), tmp_path), pv_kwp=3.0)


@pytest.fixture
def house(days: RecordedDays) -> PlayedHouse:
    return PlayedHouse(a_house(a_battery(efficiency=0.9)), days, soc_kwh=5.0)


def test_only_published_rates_are_known(house: PlayedHouse) -> None:
    known = house.known_rates(START, START + timedelta(days=3), TEN)
    assert known.imports.end == known.exports.end == START + timedelta(days=1, hours=23)
    later = house.known_rates(START, START + timedelta(days=3), TEN.replace(hour=16))
    assert later.imports.end == START + timedelta(days=2, hours=23)


def test_no_more_rates_than_asked_for(house: PlayedHouse) -> None:
    assert house.known_rates(START, TEN + SLOT, TEN).imports.end == TEN + SLOT


def test_the_prescient_policy_knows_every_rate(days: RecordedDays) -> None:
    house = PlayedHouse(a_house(), days, soc_kwh=5.0, knows_all_rates=True)
    end = START + timedelta(days=3)
    assert house.known_rates(START, end, TEN).imports.end == end


def test_only_half_hours_that_ended_were_metered(house: PlayedHouse) -> None:
    observed = house.observations(START - timedelta(days=9), TEN + timedelta(minutes=29))
    assert observed.load_kw.start == START
    assert observed.load_kw.end == observed.solar_kw.end == TEN


def test_of_large_loads_and_the_temperature_nothing_to_come_is_metered(tmp_path: Path) -> None:
    table = recorded_days()
    table = table.assign(
        large_car_kwh=table.load_kwh / 2,
        temperature_c=np.arange(len(table)) / 10,
        fc_temperature_c=np.arange(len(table)) / 10 + 100,
    )
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    house = PlayedHouse(a_house(), days, soc_kwh=5.0)
    observed = house.observations(START, TEN + timedelta(minutes=29))
    assert observed.large_kw["car"].end == TEN
    assert observed.outside_c is not None
    assert observed.outside_c.end == TEN
    known = house.temperature(TEN)
    assert known.at(TEN - SLOT) == pytest.approx(6.7)
    assert known.at(TEN) == pytest.approx(106.8)  # as it was forecast


def test_a_recording_without_temperatures_says_so(house: PlayedHouse) -> None:
    with pytest.raises(ForecastUnavailable, match="has no temperatures"):
        house.temperature(TEN)


def test_at_the_first_row_nothing_was_metered(house: PlayedHouse) -> None:
    assert len(house.observations(START - timedelta(days=9), START).load_kw.values) == 0
    telemetry = house.read(START)
    assert (telemetry.load_kw, telemetry.solar_kw) == (None, None)


def test_a_reading_shows_the_half_hour_that_ended(house: PlayedHouse, days: RecordedDays) -> None:
    telemetry = house.read(TEN + timedelta(minutes=10))
    assert telemetry.soc_kwh == 5.0
    assert telemetry.load_kw == days.load_kw.at(TEN - SLOT)


def test_without_a_forecast_for_now_there_is_none(house: PlayedHouse) -> None:
    assert house.latest(TEN).p50_kw.at(TEN) > 0
    with pytest.raises(ForecastUnavailable):
        house.latest(START + timedelta(days=5))


def test_a_step_moves_energy_as_the_mode_does(house: PlayedHouse, days: RecordedDays) -> None:
    house.apply(InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.6))
    given = house.step(START, SLOT)
    assert given.discharge_kwh == pytest.approx(1.8)
    assert house.soc_kwh == pytest.approx(5 - 1.8 / 0.9)
    exported = 1.8 - days.load_kw.at(START) / 2
    assert given.grid_export_kwh == pytest.approx(exported)


def test_six_short_steps_move_as_much_as_a_long_one(days: RecordedDays) -> None:
    ends = []
    for step, count in ((SLOT, 1), (FIVE_MINUTES, 6)):
        house = PlayedHouse(a_house(), days, soc_kwh=5.0)
        for index in range(count):
            house.step(START + index * step, step)
        ends.append(house.soc_kwh)
    assert ends[0] == pytest.approx(ends[1])


def test_standby_draws_on_the_battery(days: RecordedDays) -> None:
    house = PlayedHouse(a_house(a_battery(standby_kw=0.1)), days, soc_kwh=5.0)
    house.apply(InverterCommand(mode=Mode.HOLD))
    house.step(START, SLOT)
    assert house.soc_kwh == pytest.approx(4.95)


def test_it_does_what_it_was_last_told(house: PlayedHouse) -> None:
    assert house.current() == SELF_USE
    hold = InverterCommand(mode=Mode.HOLD)
    house.apply(hold)
    assert house.current() == hold


def test_perfect_forecasts_are_what_comes(house: PlayedHouse, days: RecordedDays) -> None:
    horizon = Horizon.of_hours(TEN, 24)
    observed = house.observations(START, TEN)
    forecaster = PerfectForecaster(days)
    load_kwh = forecaster.load(observed, horizon).mean_kwh
    solar_kwh = forecaster.solar(observed, None, horizon).mean_kwh
    assert load_kwh == pytest.approx(days.load_kw.on(horizon) / 2)
    assert solar_kwh == pytest.approx(days.solar_kw.on(horizon) / 2)


def test_past_the_recording_the_day_before_is_expected(days: RecordedDays) -> None:
    last_night = Horizon.of_hours(START + timedelta(days=2, hours=20), 24)
    load_kwh = (
        PerfectForecaster(days)
        .load(PlayedHouse(a_house(), days, soc_kwh=5.0).observations(START, TEN), last_night)
        .mean_kwh
    )
    assert np.isfinite(load_kwh).all()
    assert load_kwh[8] == pytest.approx(days.load_kw.at(START + timedelta(days=2)) / 2)
