"""What further sensors said is kept beside the load: by half hours, by name, over years."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import numpy as np

from battery_optimizer.adapters.store.archive import read_own_history
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.telemetry import Observations, Telemetry

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
READING = Telemetry(measured_at=NOON, soc_kwh=5.0, load_kw=1.0)


def read(store: Store, minutes: float, car_kw: float | None, outside_c: float | None) -> None:
    large = {} if car_kw is None else {"car": car_kw}
    at = NOON + timedelta(minutes=minutes)
    store.save_observation(replace(READING, measured_at=at, large_kw=large, outside_c=outside_c))


def series(values: list[float] | Floats, start: datetime = NOON) -> SlotSeries:
    return SlotSeries(start=start, values=np.array(values, dtype=float))


def test_readings_are_averaged_by_half_hour(store: Store) -> None:
    # They stand for a moment, for ten minutes, and for ten.
    for minutes, car_kw in ((0, 7.0), (10, 7.4), (20, 0.0), (60, 3.0)):
        read(store, minutes, car_kw, 4.0)
    read(store, 60, 3.0, 4.0)  # a second time
    seen = store.observations(NOON, NOON + 3 * SLOT)
    np.testing.assert_allclose(seen.large_kw["car"].values, [3.7, np.nan, 3.0], atol=0.01)
    assert seen.outside_c is not None
    np.testing.assert_allclose(seen.outside_c.values, [4.0, np.nan, 4.0])


def test_what_was_not_read_is_not_zero(store: Store) -> None:
    read(store, 0, None, None)
    read(store, 5, float("nan"), float("nan"))
    seen = store.observations(NOON, NOON + SLOT)
    assert seen.large_kw == {}
    assert seen.outside_c is None


def test_only_loads_that_are_set_are_asked_for_and_those_even_if_unknown(
    store: Store, path: Path
) -> None:
    read(store, 0, 7.0, 4.0)
    store.close()
    other = Store(path, large_loads=("hot_water",))
    seen = other.observations(NOON, NOON + SLOT)
    other.close()
    assert list(seen.large_kw) == ["hot_water"]
    assert np.isnan(seen.large_kw["hot_water"].values).all()


def test_seeds_are_taken_where_nothing_is_known(store: Store) -> None:
    read(store, 0, 7.0, 4.0)
    nothing = SlotSeries.empty(NOON)
    store.seed_observations(
        Observations(
            load_kw=nothing,
            solar_kw=nothing,
            large_kw={"car": series([1.0, np.nan, 2.0])},
            outside_c=series([9.0, 8.0]),
        )
    )
    seen = store.observations(NOON, NOON + 3 * SLOT)
    np.testing.assert_allclose(seen.large_kw["car"].values, [7.0, np.nan, 2.0])
    assert seen.outside_c is not None
    np.testing.assert_allclose(seen.outside_c.values, [4.0, 8.0, np.nan])


def test_what_is_too_old_is_thrown_away(store: Store) -> None:
    read(store, 0, 7.0, 4.0)
    store.prune(NOON + timedelta(days=61))
    assert store.observations(NOON, NOON + SLOT).large_kw["car"].values.tolist() == [7.0]
    store.prune(NOON + timedelta(days=401))
    assert store.observations(NOON, NOON + SLOT).large_kw == {}


def test_a_year_of_three_sensors_is_read_in_milliseconds(store: Store) -> None:
    n_slots = 365 * 48
    values = np.linspace(0, 5, n_slots)
    names = ("car", "hot_water")
    store.seed_observations(
        Observations(
            load_kw=series(values),
            solar_kw=series(values),
            large_kw={name: series(values) for name in names},
            outside_c=series(values),
        )
    )
    end, seconds = NOON + n_slots * SLOT, []
    for _ in range(5):
        begun = process_time()
        seen = store.observations(NOON, end)
        seconds.append(process_time() - begun)
    assert seen.large_kw["car"].at(end - SLOT) == 5.0
    assert seen.large_kw["car"].start == end - timedelta(days=180)
    assert min(seconds) < 0.2  # about 40 ms


def test_a_houses_own_history_can_still_be_played(store: Store, path: Path) -> None:
    read(store, 0, 7.0, 4.0)
    store.close()
    assert read_own_history(path).load_kw.at(NOON) == 1.0
