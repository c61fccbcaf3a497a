from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from battery_optimizer.adapters.rates.demo import (
    DemoRates,
    _wholesale_p,
    demo_rate,
)
from battery_optimizer.model.slots import SLOT, UK, day_bounds, local_time
from battery_optimizer.model.tariff import Direction, half_hourly

YEAR = [datetime(2026, 1, 1, tzinfo=UTC) + t * SLOT for t in range(365 * 48)]


def yearly(direction: Direction) -> np.ndarray:
    return np.array([demo_rate(direction, slot) for slot in YEAR])


def test_the_same_slot_always_has_the_same_rate() -> None:
    slot = datetime(2026, 11, 20, 17, tzinfo=UTC)
    # A golden number: a change of the generator would rewrite demo rates already stored.
    assert demo_rate(Direction.IMPORT, slot) == pytest.approx(34.0961)
    late = DemoRates().fetch(Direction.IMPORT, slot, slot + SLOT, slot + timedelta(days=9))
    early = DemoRates().fetch(Direction.IMPORT, slot - SLOT * 5, slot + SLOT, slot)
    assert late[-1] == early[-1]


def test_a_peak_slot_follows_the_stated_formula() -> None:
    slot = local_time(date(2026, 7, 3), time(16, 30))
    wholesale_p = _wholesale_p(slot)
    assert demo_rate(Direction.IMPORT, slot) == pytest.approx(
        1.05 * (2.2 * wholesale_p + 12), abs=1e-3
    )
    assert demo_rate(Direction.EXPORT, slot) == pytest.approx(
        0.95 * wholesale_p + 1.30 + 7.23, abs=0.01
    )


@pytest.mark.parametrize("day", [date(2026, 1, 14), date(2026, 7, 14)])
def test_the_peak_lies_at_four_to_seven_on_the_uk_clock(day: date) -> None:
    start, end = day_bounds(day)
    slots = [start + t * SLOT for t in range((end - start) // SLOT)]
    dearest = max(slots, key=lambda slot: demo_rate(Direction.IMPORT, slot))
    assert 16 <= dearest.astimezone(UK).hour < 19


def test_a_year_looks_like_agile() -> None:
    imports, exports = yearly(Direction.IMPORT), yearly(Direction.EXPORT)
    assert 12 < imports.mean() < 25
    assert 5 < exports.mean() < 12
    assert exports.min() >= 0
    assert -25 < imports.min() < -5
    assert 0.005 < (imports < 0).mean() < 0.05
    assert 0.005 < (imports < exports).mean() < 0.06
    assert imports.max() < 80


def test_nothing_is_known_beyond_what_is_published() -> None:
    now = datetime(2026, 12, 3, 15, tzinfo=UTC)
    rates = DemoRates().fetch(Direction.EXPORT, now, now + timedelta(days=2), now)
    assert rates[0].start == now
    assert rates[-1].end == datetime(2026, 12, 3, 23, tzinfo=UTC)


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_a_clock_change_day_has_each_of_its_slots_once(day: date, n_slots: int) -> None:
    start, end = day_bounds(day)
    rates = DemoRates().fetch(Direction.IMPORT, start, end, end)
    assert len({rate.start for rate in rates}) == len(rates) == n_slots
    assert np.isfinite(half_hourly(rates, start, end).values).all()
