"""What a household's attitude to risk changes: the first command, in either direction.

Far ahead the house draws 4 kWh at 30 p, and the sun gives half of it, all of it or nothing. So the
third and fourth kWh stored are worth 30 p where it falls short, and nothing otherwise: about
0.3 * 30 = 9 p to a balanced household, 13.5 p to a cautious one, nothing to a thrifty one.
"""

from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.forecast.futures import Band, make_futures
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import SlotPlan
from battery_optimizer.model.settings import Attitude
from builders import a_house, a_planner, an_outlook

N_SLOTS = 34
DRAWN = np.arange(N_SLOTS) >= 30
LOAD_KWH = np.where(DRAWN, 1.0, 0.0)
SUN_KWH = np.where(DRAWN, 0.5, 0.0)
USUAL_KWH, MOST_KWH = 2.0, 4.0
THRIFTY, BALANCED, CAUTIOUS = Attitude.THRIFTY, Attitude.BALANCED, Attitude.CAUTIOUS


def first_slot(attitude: Attitude, soc_kwh: float, *, buy_p: float, sell_p: float) -> SlotPlan:
    """The plan's first slot, the only one with these rates."""
    imports, exports = np.full(N_SLOTS, 30.0), np.zeros(N_SLOTS)
    imports[0], exports[0] = buy_p, sell_p
    sun = Band(mean_kwh=SUN_KWH, p10_kwh=0 * SUN_KWH, p90_kwh=2 * SUN_KWH)
    outlook = replace(
        an_outlook(imports, exports, LOAD_KWH, SUN_KWH),
        futures=make_futures(Band.certain(LOAD_KWH), sun, attitude),
    )
    return a_planner().plan(a_house(), outlook, soc_kwh).slots[0]


@pytest.mark.parametrize(
    ("buy_p", "charging"),
    [(5, {BALANCED, CAUTIOUS}), (12, {CAUTIOUS}), (16, set())],
)
def test_the_more_cautious_the_dearer_what_is_charged_for_a_bad_day(
    buy_p: float, charging: set[Attitude]
) -> None:
    """The usual day's 2 kWh are there already."""
    slots = {each: first_slot(each, USUAL_KWH, buy_p=buy_p, sell_p=0) for each in Attitude}
    assert {each for each, slot in slots.items() if slot.mode is Mode.FORCE_CHARGE} == charging
    assert all(slot.soc_end_kwh <= MOST_KWH + 1e-6 for slot in slots.values())


@pytest.mark.parametrize(
    ("sell_p", "keeping"),
    [(5, {BALANCED, CAUTIOUS}), (16, set())],
)
def test_the_more_cautious_the_dearer_what_is_sold_of_a_bad_days_store(
    sell_p: float, keeping: set[Attitude]
) -> None:
    """Of 4 kWh stored two are not needed on a usual day."""
    slots = {each: first_slot(each, MOST_KWH, buy_p=30, sell_p=sell_p) for each in Attitude}
    selling = {each for each, slot in slots.items() if slot.mode is Mode.FORCE_DISCHARGE}
    assert set(Attitude) - selling == keeping
    assert slots[THRIFTY].soc_end_kwh == pytest.approx(USUAL_KWH)


def test_what_is_left_grows_with_caution() -> None:
    bought = [first_slot(each, USUAL_KWH, buy_p=10, sell_p=0) for each in Attitude]
    kept = [first_slot(each, MOST_KWH, buy_p=30, sell_p=10) for each in Attitude]
    assert list(Attitude) == [THRIFTY, BALANCED, CAUTIOUS]
    for slots in (bought, kept):
        left = [slot.soc_end_kwh for slot in slots]
        assert left[0] == pytest.approx(USUAL_KWH)
        assert left[0] + 0.2 < left[1]
        assert left[1] + 0.2 < left[2]
