"""What the reasons say: prices of the same kWh, what energy is really for, why nothing changes."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.optimize.explain import Story
from battery_optimizer.optimize.kept import kept_p
from builders import a_battery, a_house, a_planner, an_outlook, plan_for, schedule_for

LOSSY = a_battery(efficiency=0.9, max_charge_kw=20, max_discharge_kw=20)
SELF_USE = InverterCommand(mode=Mode.SELF_USE)
HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)


def reasons(*args: object, **world: object) -> list[str]:
    return [slot.reason for slot in plan_for(*args, **world).slots]


class TestLosses:
    """A kWh at the meter is compared with a kWh at the meter; each way 10 % are lost."""

    def test_what_is_sold_is_compared_with_what_comes_out_of_the_battery_later(self) -> None:
        first = reasons([50, 50], [20, 10], 0, soc_kwh=1, end_value=9, house=LOSSY)[0]
        assert first.startswith("Selling from the battery at 20 p: kept, a kWh would save 10 p ")

    def test_wear_is_saved_only_until_later(self) -> None:
        worn = replace(LOSSY, wear_p_per_kwh=2)
        first = reasons([50, 50], [20, 10], 0, soc_kwh=1, end_value=9, house=worn)[0]
        # Kept it is worth 9 p; a kWh given takes 1.11 of it, and wears now as it would later.
        assert "kept, a kWh would save 12 p later" in first

    def test_sun_that_is_sold_is_compared_with_what_of_it_would_be_stored(self) -> None:
        first = reasons([50, 50], 9, 0, [1, 0], soc_kwh=1, end_value=9, house=LOSSY)[0]
        assert first == "Selling the sun at 9.0 p: stored, it would save 8.1 p later."

    def test_sun_that_is_lost_for_the_sake_of_room_is_not_called_too_much(self) -> None:
        sun = np.array([1.5, 0.0])
        certain = Future(weight=1.0, load_kwh=np.zeros(2), solar_kwh=sun)
        outlook = replace(an_outlook([1, -10], [0.3, 0], 0, sun), futures=(certain,))
        plan = a_planner().plan(a_house(ac_limit_kw=4), outlook, 10.0)
        assert plan.slots[0].reason == (
            "The battery gives though 1.5 kWh of sun is lost: room in it is worth more."
        )

    def test_sun_that_is_better_sold_before_one_is_paid_to_charge(self) -> None:
        house = replace(LOSSY, max_discharge_kw=0.0)
        first = reasons([5, -9], [1, 0], 0, [1, 0], soc_kwh=9, end_value=0, house=house)[0]
        assert first.startswith("Selling the sun at 1 p: stored, it would cost 9 p later.")

    def test_what_is_kept_beyond_the_plan_is_told_with_what_it_will_save(self) -> None:
        kept, stored = (
            reasons([20, 20], 8, [1, 1], solar, soc_kwh=2, end_value=21, house=LOSSY)[0]
            for solar in ([0, 0], [2, 0])
        )
        assert kept == (
            "Keeping the battery for after 01:00, when a kWh saves 23.3 p. "
            "The house runs on the grid at 20 p."
        )
        assert stored == (
            "Storing the sun instead of selling it at 8 p, for after 01:00, when a kWh saves "
            "18.9 p."
        )


class TestFigures:
    def test_two_prices_that_differ_are_told_with_as_many_digits(self) -> None:
        first = reasons([17.04, 17.01, 40], 0, [0.5, 0, 3], soc_kwh=0)[0]
        assert first == (
            "The battery is at its reserve, and charged at 00:30, when a kWh costs 17.01 p. The "
            "house runs on the grid at 17.04 p."
        )

    def test_as_good_now_as_later_is_told_as_that(self) -> None:
        schedule = schedule_for(50, 9.01, 0, soc_kwh=1, n_slots=2)
        world = an_outlook(50, 9.01, 0, end_value=9 * LOSSY.discharge_efficiency, n_slots=2)
        assert story(force_discharge(2), schedule, world) == (
            "Selling from the battery at 9.0 p, as much as it would save later."
        )

    def test_below_nothing_stored_energy_is_in_the_way(self) -> None:
        told = reasons([5, -20, -20], 1, [1, 0, 0], soc_kwh=9, house=a_battery(max_charge_kw=20))
        assert "in the way of energy that you are paid to take" in told[0]


class TestUses:
    def test_a_use_is_told_with_all_that_it_pays(self) -> None:
        rates = [10, 10, 20, 38, 30, 5]
        assert reasons(rates, 0, [0, 0, 1, 0.2, 1, 0], soc_kwh=0, house=a_battery())[1] == (
            "Charging from the grid at 10 p, for 01:00-02:30, when a kWh saves 20-38 p."
        )

    def test_not_the_best_paid_use_is_told_but_what_takes_most(self) -> None:
        load = [0, 3, 0, 0, 0.2]
        first = reasons([10, 30, 31, 31, 60], 0, load, soc_kwh=0, house=a_battery(max_charge_kw=9))
        assert first[0].endswith("grid at 10 p, for 00:30-01:00, when a kWh saves 30 p.")

    def test_two_uses_are_told_where_neither_takes_most(self) -> None:
        load = [0, 2, 0, 0, 2]
        first = reasons([10, 30, 31, 31, 60], 0, load, soc_kwh=0, house=a_battery(max_charge_kw=9))
        assert first[0].endswith(
            "grid at 10 p, for 00:30-01:00, when a kWh saves 30 p, and for 02:00-02:30, when a kWh "
            "saves 60 p."
        )

    def test_what_serves_the_house_and_what_is_sold_are_told_apart(self) -> None:
        first = reasons(
            [10, 40, 20], [0, 5, 30], [0, 2, 0], soc_kwh=0, house=a_battery(max_charge_kw=9)
        )[0]
        assert first == (
            "Charging from the grid at 10 p, for 00:30-01:30, when a kWh saves 40 p, the rest to "
            "sell at 30 p."
        )

    def test_the_sun_covers_the_house(self) -> None:
        first = reasons([10, 40], 5, [0.5, 1], [0.5, 0], soc_kwh=2)[0]
        assert first.startswith("The sun covers the house; the battery is kept for 00:30-01:00")


class TestWaiting:
    """Why the battery neither gives nor takes while the house draws from the grid."""

    def test_an_empty_one_is_charged_later(self) -> None:
        assert reasons([23, 2, 30], 0, [0.5, 0, 1], soc_kwh=0)[0] == (
            "The battery is at its reserve, and charged at 00:30, when a kWh costs 2 p. The house "
            "runs on the grid at 23 p."
        )

    def test_one_that_holds_some_is_kept_for_what_pays_more(self) -> None:
        slow = replace(LOSSY, max_charge_kw=2)
        assert reasons([25, 5, 30], 0, [0.5, 0, 3], soc_kwh=1, house=slow)[0] == (
            "Keeping the battery for 01:00-01:30, when a kWh saves 30 p; it is charged at 00:30, "
            "when a kWh costs 5 p. The house runs on the grid at 25 p."
        )

    def test_one_that_has_nothing_to_wait_for_just_waits(self) -> None:
        assert reasons([6, 6], 0, [0.5, 0.5], soc_kwh=0)[0] == (
            "The battery is at its reserve. The house runs on the grid at 6 p."
        )


class TestDays:
    """A plan from 22:00 on a Thursday, by the clock of the house."""

    @pytest.fixture
    def told(self) -> list[str]:
        rates, load = np.full(96, 20.0), np.zeros(96)
        rates[[5, 50]] = 10.0, 5.0  # 00:30 and 23:00 on Friday
        rates[[36, 90]] = 40.0, 50.0  # 16:00 on Friday, 19:00 on Saturday
        load[[36, 90]] = 2.0
        start = datetime(2026, 1, 15, 22, tzinfo=UTC)
        return reasons(rates, 0, load, soc_kwh=0, house=a_battery(max_charge_kw=9), start=start)

    def test_from_today_the_next_day_is_tomorrow(self, told: list[str]) -> None:
        assert "charged at 00:30 tomorrow, when a kWh costs 10 p" in told[0]

    def test_within_another_day_its_own_hours_need_no_name(self, told: list[str]) -> None:
        assert told[5].endswith("for 16:00-16:30, when a kWh saves 40 p.")

    def test_tomorrow_is_not_said_of_the_day_after(self, told: list[str]) -> None:
        assert told[50].endswith("for 19:00-19:30 on Saturday, when a kWh saves 50 p.")


def force_discharge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


def story(
    first: InverterCommand, schedule: Schedule, outlook: Outlook, *, is_kept: bool = False
) -> str:
    return Story(a_house(LOSSY), outlook, schedule, first, is_kept=is_kept).reason(0)


class TestWhyThisMode:
    """The first slot's words for a mode that does as Self Use does, and for one that is kept."""

    def feed_in(self, export: float, *, is_kept: bool = False) -> str:
        world = an_outlook([30, 30], export, [1, 1], [0.5, 0], end_value=10)
        schedule = schedule_for([30, 30], export, [1, 1], [0.5, 0], end_value=10, soc_kwh=9)
        return story(FEED_IN, schedule, world, is_kept=is_kept)

    def test_feed_in_says_what_it_does_with_more_sun(self) -> None:
        words = self.feed_in(9.4)
        assert words.endswith(" Sun to spare would be sold at 9.4 p: stored, it would save 9.0 p.")

    def test_unless_that_is_not_why(self) -> None:
        assert "Sun to spare" not in self.feed_in(5)
        assert self.feed_in(5, is_kept=True).endswith(
            " Self Use, which would do the same, is not worth a change of mode."
        )

    def hold(self, rate: float, *, is_kept: bool = False) -> str:
        world = an_outlook([rate, 50], 2, [0, 1], [1, 0])
        slow = replace(LOSSY, max_charge_kw=2.0)
        schedule = schedule_for([rate, 50], 2, [0, 1], [1, 0], soc_kwh=0, house=slow)
        return story(HOLD, schedule, world, is_kept=is_kept)

    def test_hold_says_what_it_does_with_less_sun(self) -> None:
        assert self.hold(12).endswith(
            " What the house needs beyond the sun comes from the grid at 12 p: kept in the "
            "battery, a kWh would save 50 p later."
        )

    def test_unless_that_is_not_why_either(self) -> None:
        assert "beyond the sun" not in self.hold(60)
        assert self.hold(60, is_kept=True).endswith("not worth a change of mode.")

    @pytest.mark.parametrize("is_kept", [False, True])
    def test_what_only_a_change_of_mode_speaks_against_says_so(self, *, is_kept: bool) -> None:
        # Kept it would save 10 p more than it is sold for.
        world = an_outlook([50, 50], 20, 0, end_value=27)
        schedule = schedule_for([50, 50], [20, 0], 0, soc_kwh=2)
        schedule = replace(schedule, energy_value_p_per_kwh=np.full(2, 27.0))
        assert story(force_discharge(2), schedule, world, is_kept=is_kept) == (
            "Selling from the battery at 20 p: to keep it is not worth a change of mode."
            if is_kept
            else "Selling from the battery at 20 p: as use and sun may turn out, this pays best on "
            "average."
        )

    def test_a_planner_says_so_where_it_keeps_a_mode_for_the_price_of_changing_it(self) -> None:
        world = {"soc_kwh": 5.0, "in_force": HOLD, "end_value": 10.0}
        kept, changed = (
            plan_for([10.5, 10], 0, [1, 0], settings=settings, **world).slots[0]
            for settings in (PlannerSettings(switching_price_p=each) for each in (2.0, 0.1))
        )
        assert changed.mode is Mode.SELF_USE
        assert kept.mode is Mode.HOLD
        assert kept.reason == (
            "The house runs on the grid at 10.5 p: to serve it from the battery is not worth a "
            "change of mode."
        )


class TestKept:
    """What one more kWh would save, where a solver's dual says what one less would cost."""

    def test_an_empty_battery_that_stays_so_saves_what_is_bought(self) -> None:
        world = an_outlook([50, 30, 20], 0, 1, end_value=5)
        schedule = schedule_for([50, 30, 20], 0, 1, soc_kwh=1 / 0.9, end_value=5, house=LOSSY)
        dear = replace(schedule, energy_value_p_per_kwh=np.array([45.0, 33.3, 22.2]))
        assert kept_p(a_house(LOSSY), world, dear) == pytest.approx([27, 18, 5])

    def test_a_little_room_at_a_good_price_is_not_a_kwh(self) -> None:
        world = an_outlook([50, 50], [20, 30], 0, end_value=5)
        schedule = schedule_for([50, 50], [20, 30], 0, soc_kwh=11, house=LOSSY)
        cheap = replace(schedule, energy_value_p_per_kwh=np.array([18.0, 18.0]))
        assert kept_p(a_house(LOSSY), world, cheap) == pytest.approx([18, 5])

    def test_one_more_saves_what_would_be_charged(self) -> None:
        world = an_outlook([20, 10, 40], 0, [0, 0, 1])
        schedule = schedule_for([20, 10, 40], 0, [0, 0, 1], soc_kwh=0, house=LOSSY)
        dual = replace(schedule, energy_value_p_per_kwh=np.full(3, 99.0))
        assert kept_p(a_house(LOSSY), world, dual)[0] == pytest.approx(10 / 0.9)

    def test_full_in_negative_hours_it_is_in_the_way(self) -> None:
        world = an_outlook([5, -20], -30, 0)
        schedule = schedule_for([5, -20], -30, 0, soc_kwh=1, house=LOSSY)
        assert kept_p(a_house(LOSSY), world, schedule)[0] == pytest.approx(-20 / 0.9)
