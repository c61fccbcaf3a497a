"""What is worth a notification, and that it is told once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.money import Savings
from battery_optimizer.model.news import News, Note, Told, news
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import SLOT
from builders import plan_for
from money_values import a_bill
from shown_values import an_outcome

MINUTES = timedelta(minutes=1)
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
EVERY = frozenset(News)


def a_day(
    rates: Sequence[float], *, start: datetime = NOON, published: bool = True, **changes: object
) -> Shown:
    plan = plan_for(rates, 5.0, 0.4, soc_kwh=5.0, start=start, published=published)
    return Shown(outcome=an_outcome(plan, at=start), capacity_kwh=10.0, **changes)


def looked(shown: Shown, told: Told = Told(), hour: int = 8) -> tuple[list[Note], Told]:  # noqa: B008
    return news(shown, told, EVERY, summary_hour=hour)


def without_readings(at: datetime) -> Shown:
    outcome = an_outcome(at=at, telemetry=None, problems=("sensor.soc is unavailable",))
    return Shown(outcome=outcome, capacity_kwh=10.0)


def test_a_day_like_others_is_no_news() -> None:
    assert looked(a_day([20.0, 10.0, 30.0])) == ([], Told())


def test_a_plunge_is_told_in_plain_words_and_pence() -> None:
    ((note,), told) = looked(a_day([10.0, -1.0, -4.56, 5.0, -2.0]))
    assert note.kind is News.PLUNGE
    assert note.message == (
        "You are paid for using electricity today from 12:30 to 13:30, and today from 14:00 to "
        "14:30: up to 4.6 p a kWh."
    )
    assert told.plunges == ("2026-01-15",)


def test_a_plunge_is_told_once_while_the_day_goes_on_and_after_a_restart() -> None:
    rates = [10.0, -1.0, -1.0, 5.0]
    _, told = looked(a_day(rates))
    for slots_later in (1, 2):
        later = a_day(rates[slots_later:], start=NOON + slots_later * SLOT)
        assert looked(later, told) == ([], told)


def test_only_published_rates_are_a_plunge() -> None:
    assert looked(a_day([10.0, -1.0], published=False))[0] == []


def test_tomorrow_is_another_plunge() -> None:
    evening = NOON + timedelta(hours=11)
    ((note,), told) = looked(
        a_day([10.0] * 4 + [-3.0, -3.0], start=evening), Told(plunges=("2026-01-15", "2026-01-01"))
    )
    assert "tomorrow from 01:00 to 02:00" in note.message
    assert told.plunges == ("2026-01-15", "2026-01-16"), "what is long over is forgotten"


def test_when_the_clocks_change_in_between_they_are_named() -> None:
    before = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)  # 00:30 BST; clocks go back at 01:00 UTC
    ((note,), _) = looked(a_day([-1.0, -1.0, -1.0, -1.0, 10.0], start=before))
    assert "today from 00:30 BST to 01:30 GMT" in note.message
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 00:30 GMT; clocks go on at 01:00 UTC
    ((note,), _) = looked(a_day([-1.0, -1.0, 10.0], start=spring))
    assert "today from 00:30 GMT to 02:30 BST" in note.message


def test_the_breaker_is_told_once_until_a_command_got_through() -> None:
    def result(result: CommandResult, told: Told) -> tuple[list[Note], Told]:
        shown = a_day([20.0, 20.0])
        outcome = replace(shown.outcome, command_result=result, problems=("it was refused",))
        return looked(replace(shown, outcome=outcome), told)

    ((note,), told) = result(CommandResult.PAUSED, Told())
    assert note.title == "The inverter does not obey"
    assert "It was refused." in note.message
    for again in (CommandResult.PAUSED, CommandResult.FAILED, CommandResult.PAUSED):
        notes, told = result(again, told)
        assert notes == []
    notes, told = result(CommandResult.UNCHANGED, told)
    assert (notes, told.breaker) == ([], False)
    assert len(result(CommandResult.PAUSED, told)[0]) == 1


def test_missing_readings_are_told_after_a_while_and_once() -> None:
    notes, told = looked(without_readings(NOON))
    assert notes == []
    notes, told = looked(without_readings(NOON + 15 * MINUTES), told)
    assert notes == []
    ((note,), told) = looked(without_readings(NOON + 20 * MINUTES), told)
    assert note.message == ("Since 12:00 the battery cannot be read. Sensor.soc is unavailable.")
    assert looked(without_readings(NOON + timedelta(hours=9)), told)[0] == []
    notes, told = looked(a_day([20.0]), told)
    assert (notes, told.stale_since, told.was_stale_told) == ([], "", False)


def test_rates_that_are_not_published_are_missing_data() -> None:
    _, told = looked(a_day([20.0], published=False))
    ((note,), _) = looked(a_day([20.0], published=False, start=NOON + 30 * MINUTES), told)
    assert "no published rate is known for now" in note.message


def test_the_summary_is_told_in_the_morning_once() -> None:
    yesterday = Savings(yesterday=a_bill(NOON.date() - timedelta(days=1)))
    early = a_day([20.0], start=NOON - timedelta(hours=5), savings=yesterday)
    assert looked(early)[0] == []
    ((note,), told) = looked(a_day([20.0], savings=yesterday))
    assert note.title == "Wednesday's electricity"
    assert note.message == (
        "It cost £1.20, standing charge included: £1.50 less than with Self Use alone. Bought 5.0 "
        "kWh, sold 2.0 kWh."
    )
    assert looked(a_day([20.0], savings=yesterday), told) == ([], told)


def test_the_summary_tells_apart_what_sessions_pay() -> None:
    bill = a_bill(NOON.date() - timedelta(days=1))
    paid = replace(bill, actual=replace(bill.actual, sessions_p=312.4))
    ((note,), _) = looked(a_day([20.0], savings=Savings(yesterday=paid)))
    assert note.message.startswith("It cost £1.20, standing charge included: £1.50 less than")
    assert note.message.endswith("sold 2.0 kWh. Sessions pay about £3.12 besides.")


def test_no_summary_of_a_day_that_is_not_known() -> None:
    old = Savings(yesterday=a_bill(NOON.date() - timedelta(days=3)))
    assert looked(a_day([20.0], savings=old))[0] == []
    assert looked(a_day([20.0]))[0] == []


@pytest.mark.parametrize("month", [1, 7])
def test_the_hour_of_the_summary_is_the_households(month: int) -> None:
    """Eight o'clock is 08:00 UTC in winter and 07:00 UTC in summer."""
    day = datetime(2026, month, 15, tzinfo=UTC)
    yesterday = Savings(yesterday=a_bill(day.date() - timedelta(days=1)))
    eight = 8 if month == 1 else 7
    before = a_day([20.0], start=day + timedelta(hours=eight) - SLOT, savings=yesterday)
    assert looked(before)[0] == []
    assert len(looked(a_day([20.0], start=day + timedelta(hours=eight), savings=yesterday))[0]) == 1


def test_kinds_that_are_not_wanted_are_not_told() -> None:
    shown = a_day([-5.0, -5.0])
    assert news(shown, Told(), (News.BREAKER,), summary_hour=8) == ([], Told())
