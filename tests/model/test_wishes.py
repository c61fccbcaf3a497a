from datetime import UTC, datetime

import pytest

from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import NO_WISHES, Event, Override, Target

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAIVE = datetime(2026, 1, 15, 12)  # noqa: DTZ001 (that is the point)


def test_without_wishes_the_battery_may_do_all_it_can() -> None:
    assert NO_WISHES.battery_may_export
    assert NO_WISHES.max_grid_charge_p_per_kwh is None


def test_a_target_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be below 0 kWh, as -1 is"):
        Target(by=NOON, soc_kwh=-1)


def test_times_must_be_utc() -> None:
    with pytest.raises(ValueError, match="not an aware UTC time"):
        Target(by=NAIVE, soc_kwh=5)
    with pytest.raises(ValueError, match="not an aware UTC time"):
        Override(start=NAIVE, end=NOON, command=SELF_USE)
    with pytest.raises(ValueError, match="not an aware UTC time"):
        Event(start=NOON, end=NAIVE)


def test_what_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="an override must end after it starts"):
        Override(start=NOON, end=NOON, command=SELF_USE)
    with pytest.raises(ValueError, match="an event must end after it starts"):
        Event(start=NOON + SLOT, end=NOON, reward_p_per_kwh=200)
