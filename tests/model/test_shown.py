"""What is read off a cycle to be shown."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from battery_optimizer.model.decision import CycleResult
from battery_optimizer.model.modes import SELF_USE, Mode
from battery_optimizer.model.shown import Shown, end_of
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import RateClass
from battery_optimizer.model.wishes import Event, Wishes
from battery_optimizer.optimize.mapping import PAUSE
from builders import MIDNIGHT, plan_for
from shown_values import a_demo_day, a_planned_day, an_outcome, nothing_planned


def test_what_is_past_of_an_older_plan_is_left_out() -> None:
    day = a_planned_day()
    later = replace(day, outcome=replace(day.outcome, at=MIDNIGHT + timedelta(minutes=70)))
    assert later.now is not None
    assert later.now.start == MIDNIGHT + timedelta(hours=1)
    assert len(later.coming) == 6
    over = replace(day, outcome=replace(day.outcome, at=MIDNIGHT + timedelta(days=1)))
    assert over.coming == ()
    assert over.now is None


def test_the_money_of_an_older_plan_is_that_of_what_is_to_come() -> None:
    day = a_planned_day()
    assert day.plan is not None
    assert day.cost_p == day.plan.cost_p
    later = at_minute(day, 70)
    assert later.cost_p == pytest.approx(sum(slot.cost_p for slot in day.plan.slots[2:]))
    assert f"bill {later.cost_p:.0f} p" in later.summary
    assert at_minute(day, 24 * 60).cost_p is None
    assert nothing_planned().cost_p is None


def test_what_sessions_pay_of_a_plan_is_told_until_they_are_over() -> None:
    half_past = MIDNIGHT + SLOT
    saving = Event(start=MIDNIGHT, end=half_past, usual_kwh=(0.5,), reward_p_per_kwh=20)
    day = shown_of([30, 30], 15, 1, soc_kwh=2, wishes=Wishes(events=(saving,)))
    assert day.sessions_p == pytest.approx(20 * (0.5 - 1 + day.coming[0].discharge_kwh))
    assert at_minute(day, 40).sessions_p is None


def test_what_else_an_older_plan_could_have_done_was_then() -> None:
    day = a_planned_day()
    assert day.alternatives
    assert at_minute(day, 20).alternatives == day.alternatives
    assert at_minute(day, 40).alternatives == ()


def at_minute(shown: Shown, minutes: float) -> Shown:
    at = MIDNIGHT + timedelta(minutes=minutes)
    return replace(shown, outcome=replace(shown.outcome, at=at))


def test_windows_are_runs_of_nearly_as_good_rates() -> None:
    day = a_planned_day()
    assert [slot.import_rate for slot in day.window(cheap=True)] == [3.0, -2.0]
    assert [slot.import_rate for slot in day.window(cheap=False)] == [25.0, 40.0]
    assert nothing_planned().window(cheap=True) == ()


def shown_of(*args: object, **world: object) -> Shown:
    return Shown(outcome=an_outcome(plan_for(*args, **world)), capacity_kwh=10.0)


def test_windows_are_of_published_rates_as_long_as_there_are_any() -> None:
    shown = shown_of([30, 10, 12, 2, 50], published=[True, True, True, False, False])
    assert [slot.import_rate for slot in shown.window(cheap=True)] == [10]
    assert [slot.import_rate for slot in shown.window(cheap=False)] == [30]
    guessed = shown_of([30, 10, 2], published=False)
    assert [slot.import_rate for slot in guessed.window(cheap=True)] == [2]


def test_windows_of_a_day_are_of_the_houses_own_clock() -> None:
    rates = [20, 21, 8, 20, 21, 3, 22, 20]
    start = datetime(2026, 7, 1, 21, tzinfo=UTC)  # 22:00 at home
    shown = shown_of(rates, start=start)
    today, tomorrow = (
        [slot.import_rate for slot in shown.window(cheap=True, day=date(2026, 7, day))]
        for day in (1, 2)
    )
    assert (today, tomorrow) == ([8], [3])
    assert shown.window(cheap=True, day=date(2026, 7, 3)) == ()


def test_a_rate_far_from_the_best_is_in_no_window() -> None:
    # Among the best quarter, but far from the best.
    shown = shown_of([5, 5, 5, 5, 5, 5, 8.9, 26.6])
    assert [slot.import_rate for slot in shown.window(cheap=False)] == [26.6]


def pausing(shown: Shown) -> Shown:
    """The same, but it charges now and pauses then."""
    plan, charge = shown.plan, replace(PAUSE, power_kw=2.0)
    assert plan is not None
    commands = [charge, PAUSE, *[SELF_USE] * (len(plan.slots) - 2)]
    slots = tuple(
        replace(slot, command=command) for slot, command in zip(plan.slots, commands, strict=True)
    )
    outcome = replace(shown.outcome, plan=replace(plan, slots=slots), command=charge)
    return replace(shown, outcome=outcome)


def test_a_pause_is_a_mode_of_its_own_to_people() -> None:
    shown = pausing(a_planned_day())
    assert shown.next_mode is not None
    assert shown.next_mode.command == PAUSE
    assert "Charge Thu 00:00-00:30, Hold Thu 00:30-01:00, otherwise Self Use" in shown.summary


def test_the_class_of_the_rate_is_that_among_the_coming_day() -> None:
    assert a_planned_day().rate_class is RateClass.NORMAL
    assert nothing_planned().rate_class is None


def test_rates_are_known_until_the_last_published_one_ends() -> None:
    day = a_planned_day()
    assert day.rates_until == end_of(day.coming[-1]) == MIDNIGHT + timedelta(hours=4)
    assert nothing_planned().rates_until is None


def test_health_names_the_rung_of_the_ladder() -> None:
    assert a_planned_day().health == "ok"
    assert a_planned_day(problems=("a sensor",)).health == "degraded"
    assert nothing_planned().health == CycleResult.SAFE_MODE


def test_the_summary_names_what_is_not_self_use_and_says_demo() -> None:
    words = a_demo_day().summary
    assert words.startswith("until Thu 04:00: ")
    assert "Charge Thu 01:00-02:00" in words
    assert words.endswith("(demo rates)")
    assert nothing_planned().summary == "no plan"


def test_the_next_mode_is_the_first_other_one() -> None:
    day = a_planned_day()
    assert day.next_mode is not None
    assert day.next_mode.mode is not day.outcome.command.mode
    assert day.outcome.command.mode is not Mode.FORCE_CHARGE


@pytest.mark.parametrize("capacity_kwh", [0.0, 10.0])
def test_percentages(capacity_kwh: float) -> None:
    shown = Shown(outcome=an_outcome(), capacity_kwh=capacity_kwh)
    assert shown.percent(5.0) == (50.0 if capacity_kwh else None)
    assert shown.percent(None) is None
