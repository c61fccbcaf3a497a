"""One's own history: read from the app's database while the app has it open, and made playable."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.store.archive import read_own_history
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import DataError, StoreUnavailable
from battery_optimizer.model.past import OwnHistory
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import Observations, SolarForecast
from battery_optimizer.simulate.compare.own_days import days_of, read_settings

START = datetime(2026, 1, 10, tzinfo=UTC)
N_SLOTS = 4 * 48


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open, as while the app runs."""
    made = Store(tmp_path / "battery_optimizer.db")
    yield made
    made.close()


def series(values: Floats | float, n_slots: int = N_SLOTS) -> SlotSeries:
    return SlotSeries(start=START, values=np.broadcast_to(values, n_slots).astype(float).copy())


def rates(
    store: Store, way: Direction, source: str, p_per_kwh: float, slots: slice, fetched: datetime
) -> None:
    starts = [START + t * SLOT for t in range(N_SLOTS)][slots]
    store.save_rates(
        direction=way,
        source=source,
        rates=[UnitRate(start=at, end=at + SLOT, p_per_kwh=p_per_kwh) for at in starts],
        fetched_at=fetched,
    )


def filled(store: Store) -> None:
    store.seed_observations(Observations(load_kw=series(0.4), solar_kw=series(1.0)))
    for way in Direction:
        rates(store, way, "octopus agile", 20.0, slice(None), START)


def test_a_database_in_use_is_read_and_not_changed(store: Store, tmp_path: Path) -> None:
    filled(store)
    path = tmp_path / "battery_optimizer.db"
    own = read_own_history(path)
    assert own.load_kw.start == START
    np.testing.assert_array_equal(own.load_kw.values, series(0.4).values)
    np.testing.assert_array_equal(own.solar_kw.values, series(1.0).values)
    assert set(own.imports.values) == set(own.exports.values) == {20.0}
    assert not own.is_demo
    store.put_state("key", "can still be written")


def test_forecasts_are_read_as_issued_and_those_of_another_version_passed_over(
    store: Store, tmp_path: Path
) -> None:
    filled(store)
    forecasts = [a_forecast(START + hours * timedelta(hours=1), hours) for hours in (1, 2)]
    for each in forecasts:
        store.save_solar_forecast(each)
    store._file.write(
        lambda connection: connection.execute(
            "INSERT INTO solar_forecasts VALUES (?, 'newer', '{}')", (int(START.timestamp()),)
        )
    )
    found = read_own_history(tmp_path / "battery_optimizer.db").forecasts
    assert [each.issued_at for each in found] == [each.issued_at for each in forecasts]
    assert found[1].p50_kw.at(START) == 2


def test_after_a_change_of_tariff_each_time_has_the_rates_that_were_in_force(
    store: Store, tmp_path: Path
) -> None:
    store.seed_observations(Observations(load_kw=series(0.4), solar_kw=series(1.0)))
    day = timedelta(days=1)
    rates(store, Direction.IMPORT, "octopus agile", 20.0, slice(0, 96), START + day)
    # The new tariff's are fetched some days back as well.
    rates(store, Direction.IMPORT, "octopus go", 8.0, slice(48, None), START + 2 * day)
    rates(store, Direction.IMPORT, "demo", 1.0, slice(0, 20), START - day)
    own = read_own_history(tmp_path / "battery_optimizer.db")
    assert set(own.imports.values[:96]) == {20.0}
    assert set(own.imports.values[96:]) == {8.0}
    assert np.isnan(own.exports.values).all()


def test_made_up_rates_are_told(store: Store, tmp_path: Path) -> None:
    filled(store)
    store.seed_observations(
        Observations(load_kw=series(0.4, N_SLOTS + 2), solar_kw=series(1.0, N_SLOTS + 2))
    )
    late = START + N_SLOTS * SLOT
    store.save_rates(
        direction=Direction.IMPORT,
        source="demo",
        rates=[UnitRate(start=late, end=None, p_per_kwh=1.0)],
        fetched_at=START,
    )
    own = read_own_history(tmp_path / "battery_optimizer.db")
    assert own.is_demo
    assert "made up" in days_of(own).notice


def test_what_is_no_database_of_ours_is_told(tmp_path: Path, store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="no such file"):
        read_own_history(tmp_path / "gone.db")
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(StoreUnavailable, match="cannot be read as a database"):
        read_own_history(text)
    sqlite3.connect(tmp_path / "other.db").close()
    (tmp_path / "other.db").touch()
    with pytest.raises(StoreUnavailable, match="has version 0"):
        read_own_history(tmp_path / "other.db")
    store.put_state("key", "made")
    store.close()
    shutil.copy(tmp_path / "battery_optimizer.db", tmp_path / "empty.db")
    with pytest.raises(DataError, match="no load was ever metered"):
        read_own_history(tmp_path / "empty.db")


def own(**changes: SlotSeries) -> OwnHistory:
    values = {
        "load_kw": series(0.4), "solar_kw": series(1.0), "imports": series(20.0),
        "exports": series(15.0),
    }  # fmt: skip
    return OwnHistory(**(values | changes))


def gaps(*slots: slice, of: Floats | float = 0.4) -> SlotSeries:
    made = series(of)
    for each in slots:
        made.values[each] = np.nan
    return made


def test_a_short_gap_has_the_half_hours_of_the_day_before() -> None:
    load = series(np.arange(N_SLOTS))
    load.values[60:63] = np.nan
    days = days_of(own(load_kw=load))
    assert days.load_kw.values[60:63].tolist() == [12, 13, 14]
    assert days.n_slots == N_SLOTS
    assert days.notice == "of the values 3 were missing: those of the day before or after serve"


def test_on_the_first_day_those_of_the_day_after() -> None:
    load = series(np.arange(N_SLOTS))
    load.values[2] = np.nan
    assert days_of(own(load_kw=load)).load_kw.values[2] == 50


def test_a_long_gap_ends_the_run_and_the_longest_stretch_is_played() -> None:
    days = days_of(own(load_kw=gaps(slice(60, 110))))
    assert days.run_start == START + 110 * SLOT
    assert days.run_end == START + N_SLOTS * SLOT
    assert days.n_slots == N_SLOTS - 110
    assert "the longest stretch without long gaps is played, 82" in days.notice


def test_too_little_to_play_is_told() -> None:
    with pytest.raises(DataError, match="no whole day without long gaps"):
        days_of(own(load_kw=gaps(slice(40, 100), slice(110, None))))
    with pytest.raises(DataError, match="no export rate: name a fixed one"):
        days_of(own(exports=gaps(slice(None))))


def test_a_house_without_panels_has_no_sun() -> None:
    assert set(days_of(own(solar_kw=gaps(slice(None)))).solar_kw.values) == {0.0}


def test_fixed_rates_are_those_of_the_settings() -> None:
    unknown = gaps(slice(None))
    days = days_of(own(imports=unknown, exports=unknown), fixed_import_p=24.5, fixed_export_p=0)
    assert (set(days.imports.values), set(days.exports.values)) == ({24.5}, {0.0})


def a_forecast(issued_at: datetime, kw: float) -> SolarForecast:
    every = series(kw)
    return SolarForecast(
        source="solcast", issued_at=issued_at, p10_kw=every, p50_kw=every, p90_kw=every
    )


def test_each_day_has_the_forecast_issued_last_before_it() -> None:
    hour = timedelta(hours=1)
    day = timedelta(days=1)
    told = (
        a_forecast(START + 3 * hour, 1.0),
        a_forecast(START + 9 * hour, 2.0),
        a_forecast(START + day - hour, 3.0),
        a_forecast(START + day + hour, 4.0),
    )
    sun = days_of(OwnHistory(**{**vars(own()), "forecasts": told})).solar_p50_kw.values
    # Of the first day there is none from before: the first one of the day has to do.
    assert set(sun[:48]) == {1.0}
    assert set(sun[48:96]) == {3.0}
    assert set(sun[96:]) == {4.0}
    assert np.isnan(days_of(own()).solar_p50_kw.values).all()


def test_settings_are_the_apps_own_and_secrets_stay_unread(tmp_path: Path) -> None:
    path = tmp_path / "apps.yaml"
    path.write_text(
        """
other: {module: another, class: App}
battery_optimizer:
  module: battery_optimizer.app
  class: BatteryOptimizer
  battery: {capacity_kwh: 10.4, max_charge_kw: 3.68, max_discharge_kw: 3.68}
  rates: {fixed_export_p: 15, account: A-1234ABCD, api_key: !secret octopus_api_key}
"""
    )
    config = read_settings(path)
    assert config.house.battery.capacity_kwh == 10.4
    assert config.rates.fixed_export_p == 15


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("other: {module: another}", "no app has 'module: battery_optimizer.app'"),
        ("- 1", "no app has"),
        ("a: {", "cannot be read as YAML"),
        ("a: {module: battery_optimizer.app, class: B, battery: {capacity_kwh: -1}}", "capacity"),
    ],
)
def test_settings_that_are_none_are_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "apps.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_settings(path)
    with pytest.raises(DataError, match="cannot be read as YAML"):
        read_settings(tmp_path / "gone.yaml")
