"""C26: what sessions of the supplier or the grid do to rates, and what the plan then does."""

from datetime import timedelta

import numpy as np
import pytest

from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Event, Wishes
from battery_optimizer.optimize.events import with_events
from builders import MIDNIGHT, WATT_HOUR, an_outlook, plan_for


def saving(first: int, last: int, reward: float = 200.0) -> Event:
    """A saving session over the slots first to last, paying this much [p/kWh]."""
    return _event(first, last, reward_p_per_kwh=reward)


def free(first: int, last: int) -> Event:
    """A free-electricity session over the slots first to last."""
    return _event(first, last, free_import=True)


def _event(first: int, last: int, **what: object) -> Event:
    return Event(start=MIDNIGHT + first * SLOT, end=MIDNIGHT + (last + 1) * SLOT, **what)


class TestRates:
    OUTLOOK = an_outlook([30, 30, -5, 30], 15)

    def rates(self, *events: Event) -> tuple[list[float], list[float]]:
        outlook = with_events(self.OUTLOOK, events)
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
        )
        assert self.rates(late)[0] == [30, 130, -5, 30]

    def test_two_sessions_count_both(self) -> None:
        assert self.rates(saving(0, 0), saving(3, 3, 50))[0] == [230, 30, -5, 80]

    def test_the_outlook_given_stays_as_it_was(self) -> None:
        with_events(self.OUTLOOK, [saving(0, 3), free(0, 3)])
        assert self.OUTLOOK.import_rate.tolist() == [30, 30, -5, 30]

    def test_load_sun_and_what_energy_is_worth_later_stay(self) -> None:
        before = an_outlook([30, 30], 15, 1, 2, end_value=7)
        after = with_events(before, [saving(0, 1)])
        assert np.array_equal(after.net_kwh, before.net_kwh)
        assert after.terminal_value is before.terminal_value


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
