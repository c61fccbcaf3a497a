from datetime import UTC, datetime

import pytest

from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import NO_WISHES, Event, Override, Target, Wishes

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


def test_what_is_usual_is_told_for_each_half_hour_or_not_at_all() -> None:
    start = NOON + SLOT / 2
    event = Event(start=start, end=NOON + 2 * SLOT, usual_kwh=(0.4, 0.6))
    assert event.half_hours == (NOON, NOON + SLOT)
    assert [event.usual_at(moment) for moment in (start, NOON + SLOT)] == [0.4, 0.6]
    with pytest.raises(ValueError, match="2 half hours have 1 usual"):
        Event(start=start, end=NOON + 2 * SLOT, usual_kwh=(0.4,))


@pytest.mark.parametrize(
    ("wished", "at_most", "kept"), [(None, None, None), (5, None, 5), (None, 8, 8), (9, 8, 8)]
)
def test_of_two_prices_the_lower_one_is_kept(
    wished: float | None, at_most: float | None, kept: float | None
) -> None:
    wishes = Wishes(max_grid_charge_p_per_kwh=wished)
    within = wishes.within(PlannerSettings(max_grid_charge_p_per_kwh=at_most))
    assert within.max_grid_charge_p_per_kwh == kept


def test_what_either_forbids_is_forbidden() -> None:
    never, ever = PlannerSettings(battery_may_export=False), PlannerSettings()
    assert not NO_WISHES.within(never).battery_may_export
    assert not Wishes(battery_may_export=False).within(ever).battery_may_export
    assert NO_WISHES.within(ever) == NO_WISHES
