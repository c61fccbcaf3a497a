"""What is said of a wish where it costs something, and nowhere else."""

import pytest

from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.wishes import Wishes
from builders import plan_for

NOT_SOLD = Wishes(battery_may_export=False)
AT_MOST_10 = Wishes(max_grid_charge_p_per_kwh=10)


def reasons(*args: object, **world: object) -> list[str]:
    return [slot.reason for slot in plan_for(*args, **world).slots]


def test_a_sale_that_would_have_paid_is_told_where_it_would_have() -> None:
    first, second = reasons([20, 20], [5, 50], 0, soc_kwh=4, end_value=15, wishes=NOT_SOLD)
    assert "as set" not in first
    assert second.endswith("It would pay to sell at 50 p, but not from the battery, as set.")


def test_a_charge_that_would_have_paid_is_told_where_it_would_have() -> None:
    told = reasons([12, 9, 40, 40], 0, [0, 0, 5, 5], soc_kwh=0, wishes=AT_MOST_10)
    assert told[0].endswith("It would pay to charge, but not from the grid above 10 p, as set.")
    assert not any("as set" in each for each in told[1:])


@pytest.mark.parametrize("wishes", [NOT_SOLD, AT_MOST_10])
def test_a_wish_that_costs_nothing_is_not_mentioned(wishes: Wishes) -> None:
    told = reasons([9, 9, 20], 5, [0, 0, 1], soc_kwh=1, end_value=15, wishes=wishes)
    assert not any("as set" in each for each in told)


def test_nothing_is_said_of_wishes_that_nobody_has() -> None:
    told = reasons([12, 9, 40], [5, 5, 60], [0, 0, 5], soc_kwh=0)
    assert not any("as set" in each for each in told)


def test_a_planner_keeps_to_its_settings_whoever_asks() -> None:
    limits = PlannerSettings(battery_may_export=False, switching_price_p=0)
    plan = plan_for([20, 20], [5, 50], 0, soc_kwh=4, end_value=15, settings=limits)
    assert sum(slot.grid_export_kwh for slot in plan.slots) == pytest.approx(0)
