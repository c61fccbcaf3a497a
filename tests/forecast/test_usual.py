"""What a house usually takes from the grid: of like days, at the same time on the clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from battery_optimizer.forecast.usual import with_usual
from battery_optimizer.model.slots import SLOT, UK, local_time
from battery_optimizer.model.telemetry import SlotEnergy
from battery_optimizer.model.wishes import Event

THURSDAY = datetime(2026, 1, 15, 17, 30, tzinfo=UTC)
SUNDAY = datetime(2026, 1, 18, 13, tzinfo=UTC)
NOON = THURSDAY.replace(hour=12, minute=0)
DAY = timedelta(days=1)
N_READINGS = 6


def metered(
    now: datetime = NOON,
    bought: Callable[[datetime], float | None] = lambda _: 0.5,
    sold: Callable[[datetime], float | None] = lambda _: 0.0,
    days: int = 42,
) -> dict[datetime, SlotEnergy]:
    """Half hours until now, what is bought and sold by their time."""
    starts = [now - n * SLOT for n in range(1, 48 * days)]
    return {
        start: SlotEnergy(
            start=start,
            grid_import_kwh=bought(start),
            grid_export_kwh=sold(start),
            n_samples=N_READINGS,
        )
        for start in starts
    }


def saving(start: datetime = THURSDAY, n_slots: int = 2) -> Event:
    return Event(start=start, end=start + n_slots * SLOT, reward_p_per_kwh=22)


def free(start: datetime = SUNDAY, n_slots: int = 2) -> Event:
    return Event(start=start, end=start + n_slots * SLOT, free_import=True)


def test_each_half_hour_has_its_own_average_net_of_what_is_sold() -> None:
    slots = metered(
        bought=lambda at: 0.5 if at.minute else 0.2, sold=lambda at: 0.0 if at.minute else 1.0
    )
    event = with_usual(saving(), (), slots, NOON)
    assert event.usual_kwh == pytest.approx((0.5, -0.8))


def test_in_a_free_session_what_is_sold_does_not_count() -> None:
    slots = metered(SUNDAY, sold=lambda _: 2.0)
    assert with_usual(free(), (), slots, SUNDAY).usual_kwh == pytest.approx((0.5, 0.5))


def test_ten_weekdays_count_before_a_weekday() -> None:
    # From Thursday the 1st to Wednesday the 14th there are ten; weekends are another thing.
    def bought(at: datetime) -> float:
        return 9.0 if at.weekday() >= 5 or at.date() < date(2026, 1, 1) else float(at.day)

    event = with_usual(saving(n_slots=1), (), metered(bought=bought), NOON)
    days = [1, 2, 5, 6, 7, 8, 9, 12, 13, 14]
    assert event.usual_kwh == pytest.approx((sum(days) / 10,))


def test_four_days_of_weekends_count_before_a_weekend() -> None:
    def bought(at: datetime) -> float:
        return float(at.day) if at.weekday() >= 5 else 99.0

    event = with_usual(free(n_slots=1), (), metered(SUNDAY, bought=bought), SUNDAY)
    assert event.usual_kwh == pytest.approx(((17 + 11 + 10 + 4) / 4,))


def test_days_with_a_session_of_the_same_kind_are_left_out() -> None:
    def bought(at: datetime) -> float:
        return 5.0 if at.date() == date(2026, 1, 14) else 1.0

    slots = metered(bought=bought)
    past, other = saving(THURSDAY - DAY), free(THURSDAY - DAY)
    assert with_usual(saving(), (past,), slots, NOON).usual_kwh == pytest.approx((1, 1))
    assert with_usual(saving(), (other,), slots, NOON).usual_kwh == pytest.approx((1.4, 1.4))


def test_for_a_session_of_tomorrow_today_does_not_count_yet() -> None:
    event = saving(THURSDAY + DAY)
    slots = metered(NOON, bought=lambda at: 7.0 if at.date() == NOON.date() else 1.0)
    assert with_usual(event, (), slots, NOON).usual_kwh == pytest.approx((1, 1))


def test_the_clock_on_the_wall_counts_where_it_changed() -> None:
    monday = datetime(2026, 3, 30, 16, tzinfo=UTC)  # 17:00, the clocks having changed on Sunday

    def bought(at: datetime) -> float:
        return 1.0 if at.astimezone(UK).hour == 17 else 0.0

    event = with_usual(saving(monday), (), metered(monday, bought=bought), monday)
    assert local_time(date(2026, 3, 27), monday.astimezone(UK).time()).hour == 17
    assert event.usual_kwh == pytest.approx((1, 1))


def test_half_of_the_days_are_enough_and_fewer_are_not() -> None:
    slots = metered()
    days = [date(2026, 1, day) for day in (14, 13, 9, 6, 1)]
    some = {at: slot for at, slot in slots.items() if at.date() in days}
    assert with_usual(saving(), (), some, NOON).usual_kwh == pytest.approx((0.5, 0.5))
    fewer = {at: slot for at, slot in some.items() if at.date() != days[0]}
    words = "of the last 10 weekdays 4 were metered at 17:30, and 5 are needed"
    with pytest.raises(ValueError, match=words):
        with_usual(saving(), (), fewer, NOON)


@pytest.mark.parametrize(
    "unknown", [{"grid_import_kwh": None}, {"grid_export_kwh": None}, {"n_samples": 2}]
)
def test_what_was_hardly_metered_is_not_known(unknown: dict[str, float | None]) -> None:
    whole = {"grid_import_kwh": 1.0, "grid_export_kwh": 0.0, "n_samples": N_READINGS}
    slots = {at: SlotEnergy(start=at, **(whole | unknown)) for at in metered()}
    with pytest.raises(ValueError, match="0 were metered"):
        with_usual(saving(), (), slots, NOON)


def test_a_weekend_is_named_as_one() -> None:
    with pytest.raises(ValueError, match="of the last 4 days of weekends 0 were metered at 13:00"):
        with_usual(free(), (), {}, SUNDAY)
