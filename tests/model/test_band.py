"""How full the battery may be under a plan: played forward in each future."""

from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.band import soc_band
from battery_optimizer.model.outlook import Future
from builders import a_house, an_outlook, plan_for

RATES = [20.0, 20.0, 20.0, 20.0]


def test_without_futures_there_is_no_band() -> None:
    assert soc_band(a_house(), plan_for(RATES, 5.0, 0.4), an_outlook(RATES)) == {}
    assert soc_band(a_house(), plan_for(RATES, 5.0, 0.4), None) == {}


def test_more_load_empties_the_battery_sooner_and_less_load_later() -> None:
    plan, outlook = plan_for(RATES, 0.0, 0.4, soc_kwh=5.0), an_outlook(RATES, load_kwh=0.4)
    assert {slot.mode for slot in plan.slots} == {"self_use"}
    nothing = np.zeros(len(RATES))
    futures = tuple(
        Future(weight=1 / 3, load_kwh=share * outlook.load_kwh, solar_kwh=nothing)
        for share in (2.0, 1.0, 0.5)
    )
    band = soc_band(a_house(), plan, replace(outlook, futures=futures))
    assert list(band) == [slot.start for slot in plan.slots]
    for t, slot in enumerate(plan.slots):
        low, high = band[slot.start]
        drawn = 0.4 / a_house().battery.discharge_efficiency * (t + 1)
        assert slot.soc_end_kwh == pytest.approx(5.0 - drawn, abs=1e-3)
        assert low == pytest.approx(5.0 - 2 * drawn, abs=1e-3)
        assert high == pytest.approx(5.0 - drawn / 2, abs=1e-3)


def test_the_band_ends_at_the_reserve() -> None:
    plan, outlook = plan_for(RATES, 0.0, 0.4, soc_kwh=5.0), an_outlook(RATES, load_kwh=0.4)
    thirsty = Future(weight=1.0, load_kwh=5 * outlook.load_kwh, solar_kwh=np.zeros(len(RATES)))
    band = soc_band(a_house(), plan, replace(outlook, futures=(thirsty,)))
    assert band[plan.slots[-1].start][0] >= a_house().battery.reserve_kwh - 1e-9


def test_a_plan_of_another_time_has_no_band() -> None:
    plan, outlook = plan_for(RATES, 0.0, 0.4), an_outlook([*RATES, 20.0])
    future = Future(weight=1.0, load_kwh=outlook.load_kwh, solar_kwh=outlook.solar_kwh)
    assert soc_band(a_house(), plan, replace(outlook, futures=(future,))) == {}
