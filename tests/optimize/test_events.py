"""C26: what sessions of the supplier or the grid do to rates, and what the plan then does."""

from datetime import timedelta

import numpy as np
import pytest

from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Event, Wishes
from battery_optimizer.optimize.events import with_events
from builders import MIDNIGHT, WATT_HOUR, a_battery, a_house, an_outlook, plan_for


def saving(first: int, last: int, reward: float = 200.0, usual_kwh: float | None = 1.0) -> Event:
    """A saving session over the slots first to last, paying this much [p/kWh]."""
    return _event(first, last, usual_kwh, reward_p_per_kwh=reward)


def free(first: int, last: int, usual_kwh: float | None = 0.0) -> Event:
    """A free-electricity session over the slots first to last."""
    return _event(first, last, usual_kwh, free_import=True)


def _event(first: int, last: int, usual_kwh: float | None, **what: object) -> Event:
    usual = () if usual_kwh is None else (usual_kwh,) * (last + 1 - first)
    start, end = MIDNIGHT + first * SLOT, MIDNIGHT + (last + 1) * SLOT
    return Event(start=start, end=end, usual_kwh=usual, **what)


class TestRates:
    OUTLOOK = an_outlook([30, 30, -5, 30], 15)

    def rates(self, *events: Event) -> tuple[list[float], list[float]]:
        outlook = with_events(a_house(), self.OUTLOOK, Wishes(events=events))
        return outlook.import_rate.tolist(), outlook.export_rate.tolist()

    def test_a_reward_raises_both_rates_from_the_start_of_the_session_to_its_end(self) -> None:
        imports, exports = self.rates(saving(1, 2))
        assert imports == [30, 230, 195, 30]
        assert exports == [15, 215, 215, 15]

    def test_a_free_session_makes_a_kwh_bought_cost_nothing_and_one_sold_bring_the_same(
        self,
    ) -> None:
        assert self.rates(free(0, 1)) == ([0, 0, -5, 30], [15] * 4)

    def test_a_kwh_that_is_paid_for_taking_stays_so_in_a_free_session(self) -> None:
        imports, _ = self.rates(free(2, 2))
        assert imports[2] == -5

    def test_a_slot_counts_by_its_start(self) -> None:
        late = Event(
            start=MIDNIGHT + timedelta(minutes=10),
            end=MIDNIGHT + SLOT + timedelta(minutes=1),
            reward_p_per_kwh=100,
            usual_kwh=(1.0, 1.0),
        )
        assert self.rates(late)[0] == [30, 130, -5, 30]

    def test_two_sessions_count_both(self) -> None:
        assert self.rates(saving(0, 0), saving(3, 3, 50))[0] == [230, 30, -5, 80]

    def test_the_outlook_given_stays_as_it_was(self) -> None:
        self.rates(saving(0, 3), free(0, 3))
        assert self.OUTLOOK.import_rate.tolist() == [30, 30, -5, 30]

    def test_load_sun_and_what_energy_is_worth_later_stay(self) -> None:
        before = an_outlook([30, 30], 15, 1, 2, end_value=7)
        after = with_events(a_house(), before, Wishes(events=(saving(0, 1),)))
        assert np.array_equal(after.net_kwh, before.net_kwh)
        assert after.terminal_value is before.terminal_value


class TestWhatIsUsual:
    """The house draws 1 kWh; the battery could give 2 kWh or take 2 kWh in the slot."""

    OUTLOOK = an_outlook([30], 15, 1)

    def rates(
        self, event: Event, house: House | None = None, **wishes: object
    ) -> tuple[float, float]:
        wanted = Wishes(events=(event,), **wishes)
        outlook = with_events(house or a_house(), self.OUTLOOK, wanted)
        return float(outlook.import_rate[0]), float(outlook.export_rate[0])

    @pytest.mark.parametrize(
        ("usual_kwh", "reward"),
        # From drawing 1 kWh to selling 1 kWh, of which only what is below the usual is paid for.
        [(3, 20), (1, 20), (0.5, 15), (0, 10), (-0.5, 5), (-1, 0), (-2, 0), (None, 0)],
    )
    def test_a_reward_is_spread_over_what_the_battery_could_do(
        self, usual_kwh: float | None, reward: float
    ) -> None:
        imports, exports = self.rates(saving(0, 0, 20, usual_kwh))
        assert (imports, exports) == pytest.approx((30 + reward, 15 + reward))

    @pytest.mark.parametrize(
        ("usual_kwh", "rate"),
        # From drawing 1 kWh to drawing 3 kWh, of which what is below the usual is paid for.
        [(0, 0), (1, 0), (1.5, 7.5), (2, 15), (3, 30), (4, 30), (None, 30)],
    )
    def test_what_is_free_is_spread_over_what_the_battery_could_take(
        self, usual_kwh: float | None, rate: float
    ) -> None:
        assert self.rates(free(0, 0, usual_kwh)) == pytest.approx((rate, 15))

    def test_what_may_not_be_sold_earns_nothing_below_zero(self) -> None:
        # From 1 kWh to none: half of it is below the usual.
        event = saving(0, 0, 20, 0.5)
        assert self.rates(event, battery_may_export=False)[0] == pytest.approx(40)
        limited = a_house(export_limit_kw=0)
        assert self.rates(event, limited)[0] == pytest.approx(40)
        silent = House(
            battery=limited.battery,
            inverter=limited.inverter,
            grid=a_house().grid,
            abilities=Abilities(modes=frozenset({Mode.SELF_USE})),
        )
        assert self.rates(event, silent)[0] == pytest.approx(40)
        assert self.rates(free(0, 0, 1.5), silent)[0] == 30

    def test_a_small_battery_lasts_for_its_part_of_a_long_session(self) -> None:
        # 1 kWh for two half hours: each could sink by 0.5 kWh, all of it below the usual or not.
        house = a_house(a_battery(capacity_kwh=1.0))
        outlook = an_outlook([30, 30], 15, 1)
        wishes = Wishes(events=(saving(0, 1, 20, 0.75),))
        assert with_events(house, outlook, wishes).import_rate == pytest.approx([40, 40])

    def test_a_part_of_a_slot_has_its_part_of_the_usual(self) -> None:
        late = MIDNIGHT + SLOT / 2
        outlook = an_outlook([30, 30], 15, [0.5, 1], start=late)
        wishes = Wishes(events=(saving(0, 1, 20, 0.5),))
        rates = with_events(a_house(), outlook, wishes).import_rate
        assert rates == pytest.approx([45, 45])


class TestMoney:
    """What a plan tells is the bill by published rates, less what the sessions pay."""

    def test_a_reward_is_paid_for_what_is_below_the_usual(self) -> None:
        wishes = Wishes(events=(saving(0, 0, 20, 0.5),))
        [slot] = plan_for([30], 15, 1, soc_kwh=2, wishes=wishes).slots
        assert (slot.import_rate, slot.export_rate) == (30, 15)
        assert slot.grid_export_kwh == pytest.approx(1, abs=WATT_HOUR)
        assert slot.cost_p == pytest.approx(-15 - 1.5 * 20, abs=0.1)

    def test_no_fine_is_paid_for_what_is_above_it(self) -> None:
        [slot] = plan_for([30], 15, 1, wishes=Wishes(events=(saving(0, 0, 20, 0.5),))).slots
        assert slot.cost_p == pytest.approx(30, abs=0.1)

    def test_what_is_free_is_given_back_beyond_the_usual(self) -> None:
        wishes = Wishes(events=(free(0, 0, 0.5),))
        [slot] = plan_for([30], 0, 1, end_value=20, wishes=wishes).slots
        assert slot.grid_import_kwh == pytest.approx(3, abs=WATT_HOUR)
        assert slot.cost_p == pytest.approx(0.5 * 30, abs=0.1)

    def test_without_knowing_what_is_usual_nothing_is_counted(self) -> None:
        [slot] = plan_for(
            [30], 0, 0, soc_kwh=2, wishes=Wishes(events=(saving(0, 0, 20, None),))
        ).slots
        assert slot.grid_export_kwh == 0
        assert slot.cost_p == 0


class TestWords:
    def reasons(self, *events: Event) -> list[str]:
        plan = plan_for(30, 0, 1, soc_kwh=2, n_slots=3, wishes=Wishes(events=events))
        return [slot.reason for slot in plan.slots]

    def test_a_saving_session_is_told_before_and_in_it(self) -> None:
        before, during, after = self.reasons(saving(1, 1, 40))
        assert before.startswith(
            "Keeping the battery for 00:30-01:00, to sell at 40 p with a saving session."
        )
        assert during.endswith(
            "A saving session pays 40 p for each kWh less than usual until 01:00."
        )
        assert "session" not in after

    def test_what_is_not_counted_is_told_with_why(self) -> None:
        _, unknown, _ = self.reasons(saving(1, 1, 22, None))
        assert unknown.endswith(
            "A saving session runs until 01:00, and is not counted: what is usual at this time is "
            "not known."
        )
        _, idle, _ = self.reasons(saving(1, 1, 22, -5))
        assert idle.endswith("is not counted: less than usual cannot be drawn.")

    def test_a_free_session_is_told_before_and_in_it(self) -> None:
        wishes = Wishes(events=(free(1, 1),))
        plan = plan_for([20, 20, 30], 0, [0.5, 0, 1], end_value=5, wishes=wishes, n_slots=3)
        before, during, _ = (slot.reason for slot in plan.slots)
        assert "charged at 00:30, when a free session makes a kWh cost 0 p." in before
        assert during.startswith("Charging from the grid at 20 p")
        assert during.endswith(
            "A free electricity session gives you what is drawn beyond the usual until 01:00."
        )


class TestSavingSession:
    """2 kWh are stored, the house draws 1 kWh in each slot at 30 p; a kWh sold brings nothing."""

    def plan(self, *events: Event) -> Plan:
        return plan_for(30, 0, 1, soc_kwh=2, n_slots=3, wishes=Wishes(events=events))

    def discharge(self, *events: Event) -> list[float]:
        return [slot.discharge_kwh for slot in self.plan(*events).slots]

    def test_without_one_nothing_is_sold(self) -> None:
        assert [slot.grid_export_kwh for slot in self.plan().slots] == [0, 0, 0]

    def test_the_battery_waits_for_it_and_gives_its_all_in_it(self) -> None:
        assert self.discharge(saving(1, 1)) == pytest.approx([0, 2, 0], abs=WATT_HOUR)

    def test_it_sells_what_the_house_does_not_draw(self) -> None:
        slot = self.plan(saving(1, 1)).slots[1]
        assert slot.mode is Mode.FORCE_DISCHARGE
        assert slot.grid_export_kwh == pytest.approx(1, abs=WATT_HOUR)

    def test_it_is_charged_for_where_the_reward_pays(self) -> None:
        # 2 kWh go in a slot at most: 2 more are bought at 30 p for a session of two slots.
        wishes = Wishes(events=(saving(2, 3),))
        plan = plan_for(30, 0, 0, soc_kwh=2, n_slots=4, wishes=wishes)
        assert sum(slot.charge_kwh for slot in plan.slots[:2]) == pytest.approx(2, abs=WATT_HOUR)
        assert [slot.grid_export_kwh for slot in plan.slots[2:]] == pytest.approx(
            [2, 2], abs=WATT_HOUR
        )

    def test_a_reward_below_what_a_cycle_costs_changes_nothing(self) -> None:
        plan = plan_for(30, 0, wishes=Wishes(events=(saving(1, 1, 20),)), n_slots=2)
        assert [slot.grid_export_kwh for slot in plan.slots] == [0, 0]


class TestFreeSession:
    """A kWh costs 20 p, then 30 p where the house draws one; what is left is worth 5 p."""

    def charge(self, *events: Event) -> list[float]:
        plan = plan_for(
            [20, 20, 30], 0, [0, 0, 1], end_value=5, wishes=Wishes(events=events), n_slots=3
        )
        return [slot.charge_kwh for slot in plan.slots]

    def test_without_one_only_what_the_peak_needs_is_charged(self) -> None:
        assert sum(self.charge()) == pytest.approx(1, abs=WATT_HOUR)

    def test_the_battery_waits_for_it_and_then_charges_all_it_can(self) -> None:
        assert self.charge(free(1, 1)) == pytest.approx([0, 2, 0], abs=WATT_HOUR)

    def test_nothing_is_promised_for_buying_and_selling_at_once_in_it(self) -> None:
        # Free to buy and 15 p to sell: only what is stored can be sold, and that later.
        plan = plan_for([20, 20], 15, 0, wishes=Wishes(events=(free(0, 0),)))
        assert plan.cost_p == pytest.approx(-30, abs=0.01)
