"""What the store knows beside load and sun: the other meters, and when nobody was in."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.decision import CycleInputs
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, floor_to_slot
from battery_optimizer.model.telemetry import EnergyKind
from battery_optimizer.model.wishes import Event, Wishes
from builders import a_house
from store_values import CYCLE, NOW, a_reading, an_outcome

NOON = floor_to_slot(NOW)


def test_grid_battery_and_charge_come_with_what_was_observed(store: Store) -> None:
    for n in range(6):
        store.save_observation(a_reading(NOON + n * CYCLE, grid_kw=(-1.0, 0.5)[n % 2]))
    seen = store.observations(NOON - SLOT, NOON + 2 * SLOT)
    assert seen.flows is not None
    assert seen.flows.grid_kw.start == NOON - SLOT
    # Export and import are kept apart, and taken together again; the first counts for a second.
    grid = seen.flows.grid_kw.values
    assert np.isnan(grid[[0, 2]]).all()
    assert grid[1] == pytest.approx((0.5 * 900 - 1.0 * 601) / 1501)
    np.testing.assert_allclose(seen.flows.battery_kw.values[1], -0.813)
    np.testing.assert_allclose(seen.flows.soc_kwh.values[1], 5.2)


def test_a_half_hour_of_two_readings_is_held_against_nothing(store: Store) -> None:
    for n in range(2):
        store.save_observation(a_reading(NOON + n * CYCLE))
    assert store.observations(NOON, NOON + SLOT).flows is None


def test_a_half_hour_counts_the_readings_of_the_meter_that_has_the_fewest(store: Store) -> None:
    """An average of one reading of the grid, among six of the others, is an estimate."""
    for n in range(12):
        reading = a_reading(NOON + n * CYCLE)
        store.save_observation(replace(reading, grid_kw=None) if n not in (1, 6, 7, 8) else reading)
    for n in range(12, 18):
        store.save_observation(replace(a_reading(NOON + n * CYCLE), grid_kw=None, solar_kw=None))
    slots = store.slot_energy(kind=EnergyKind.METERED, start=NOON, end=NOON + 3 * SLOT)
    assert [slot.n_samples for slot in slots] == [1, 3, 6]
    assert slots[2].grid_import_kwh is None


def test_half_hours_in_which_nobody_was_in_are_remembered(store: Store) -> None:
    for n, hours in ((0, 10), (1, 10), (2, 0.5), (3, 1.2)):
        wishes = Wishes(away_until=NOON + timedelta(hours=hours))
        inputs = CycleInputs(house=a_house(), settings=PlannerSettings(), wishes=wishes)
        store.record(replace(an_outcome(NOON + n * SLOT), inputs=inputs))
    at_home = CycleInputs(house=a_house(), settings=PlannerSettings())
    store.record(replace(an_outcome(NOON + 4 * SLOT), inputs=at_home))
    seen = store.observations(NOON - SLOT, NOON + 6 * SLOT)
    assert seen.away is not None
    away = seen.away.between(NOON, NOON + 6 * SLOT).values
    np.testing.assert_array_equal(away, [1, 1, np.nan, np.nan, np.nan, np.nan])


def test_sessions_that_counted_are_remembered_by_half_hour(store: Store) -> None:
    saving = Event(
        start=NOON, end=NOON + 2 * SLOT, reward_p_per_kwh=225.0, usual_kwh=(0.4, 0.6)
    )  # fmt: skip
    free = Event(start=NOON + SLOT, end=NOON + 2 * SLOT, free_import=True, usual_kwh=(0.3,))
    unknown = Event(start=NOON + 2 * SLOT, end=NOON + 3 * SLOT, reward_p_per_kwh=100.0)
    wishes = Wishes(events=(saving, free, unknown))
    inputs = CycleInputs(house=a_house(), settings=PlannerSettings(), wishes=wishes)
    for n in (*range(-6, 24), 25):
        store.record(replace(an_outcome(NOON + n * CYCLE), inputs=inputs))
    first, second = (replace(saving, start=NOON + n * SLOT, end=NOON + (n + 1) * SLOT,
                             usual_kwh=saving.usual_kwh[n:n + 1]) for n in (0, 1))  # fmt: skip
    assert store.sessions(NOON - SLOT, NOON + 4 * SLOT) == [first, second, free]
    assert store.sessions(NOON + SLOT, NOON + 2 * SLOT) == [second, free]


def test_who_was_never_away_has_no_absences(store: Store) -> None:
    store.save_observation(a_reading(NOON))
    assert store.observations(NOON, NOON + SLOT).away is None
