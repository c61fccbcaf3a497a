"""The split of loss: its parts add up, each cause shows in its own part, and replays are true."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.hindsight.lived import Actual, Input, LivedDay, Moment
from battery_optimizer.hindsight.loss import ALL, Hindsight
from battery_optimizer.model.flows import flows
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.loss import Split
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from builders import MIDNIGHT, a_battery, a_house, an_outlook

HOUSE = a_house(a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20, export_limit_kw=6)
HOUSE = replace(HOUSE, abilities=Abilities(keeps_limits=True))
SETTINGS = PlannerSettings(horizon_hours=24, switching_price_p=0.0)
N_SLOTS, N_AHEAD = 48, 48
START_KWH = 2.0
DAY = 2 * N_SLOTS
HOURS = np.arange(DAY) % 48 / 2
RATES = np.where(HOURS < 5, 8.0, 20.0) + np.where((HOURS >= 16) & (HOURS < 19), 20.0, 0.0)
LOAD = np.where((HOURS >= 16) & (HOURS < 22), 0.6, 0.2)
SOLAR = np.where((HOURS >= 10) & (HOURS < 14), 0.8, 0.0)


def series(values: Floats, scale: float = 1.0) -> SlotSeries:
    return SlotSeries(start=MIDNIGHT, values=np.asarray(values, float) * scale)


@cache
def hindsight() -> Hindsight:
    return Hindsight(HOUSE, SETTINGS)


def actual(
    rates: Floats = RATES, load: Floats = LOAD, solar: Floats = SOLAR, exports: Floats | None = None
) -> Actual:
    """What came [p/kWh, kWh per slot]; two days of it."""
    return Actual(
        imports=series(rates),
        exports=series(0.3 * rates if exports is None else exports),
        load_kw=series(load, 2),
        solar_kw=series(solar, 2),
    )


def a_day(
    came: Actual | None = None,
    *,
    rates: Floats = RATES,
    load: Floats = LOAD,
    solar: Floats = SOLAR,
    done: InverterCommand = SELF_USE,
) -> LivedDay:
    """A day on which each plan expected these rates [p/kWh] and energies [kWh per slot].

    What was done all day was `done`, as the physics has it.
    """
    came = came or actual()
    moments, soc_kwh, bill_p, discharged = [], START_KWH, 0.0, 0.0
    for t in range(N_SLOTS):
        at, ahead = MIDNIGHT + t * SLOT, slice(t, t + N_AHEAD)
        outlook = an_outlook(
            rates[ahead], 0.3 * rates[ahead], load[ahead], solar[ahead], end_value=8.0, start=at
        )
        moments.append(Moment(at=at, until=at + SLOT, outlook=outlook, command=done))
        given = flows(
            HOUSE,
            done,
            soc_kwh=soc_kwh,
            load_kwh=came.load_kw.at(at) / 2,
            solar_kwh=came.solar_kw.at(at) / 2,
            hours=0.5,
        )
        soc_kwh = HOUSE.battery.soc_after(soc_kwh, given.charge_kwh, given.discharge_kwh)
        bill_p += came.imports.at(at) * given.grid_import_kwh
        bill_p -= came.exports.at(at) * given.grid_export_kwh
        discharged += given.discharge_kwh
    return LivedDay(
        moments=tuple(moments),
        before=SELF_USE,
        start_soc_kwh=START_KWH,
        end_soc_kwh=soc_kwh,
        bill_p=bill_p,
        discharged_kwh=discharged,
        actual=came,
    )


def split(day: LivedDay) -> Split:
    return hindsight().split(day)


@cache
def idle() -> Split:
    """Every plan was right, but the inverter sat in self-use."""
    return split(a_day())


def test_with_all_known_only_what_was_not_done_as_planned_is_lost() -> None:
    found = idle()
    assert (found.load_p, found.solar_p, found.rates_p) == pytest.approx((0, 0, 0), abs=0.05)
    assert found.inverter_p > 20
    assert found.mode_p == pytest.approx(0, abs=0.5)
    assert found.optimizer_p == pytest.approx(0, abs=0.5)


def test_the_parts_add_up_to_the_distance_and_the_distance_to_the_best() -> None:
    found = split(a_day(load=0.3 * LOAD, solar=2 * SOLAR))
    whole = (
        found.load_p + found.solar_p + found.rates_p
        + found.inverter_p + found.mode_p + found.optimizer_p
    )  # fmt: skip
    assert found.distance_p == pytest.approx(whole, abs=1e-9)
    assert found.best_p == pytest.approx(found.bill_p - whole, abs=1e-9)
    assert sum(found.parts.values()) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"load": 0.2 * LOAD}, "load_p"),
        ({"solar": 8 * SOLAR}, "solar_p"),
        ({"rates": np.where((HOURS >= 16) & (HOURS < 19), 10.0, 20.0)}, "rates_p"),
    ],
    ids=["load", "solar", "rates"],
)
def test_a_wrong_forecast_shows_in_its_own_part(wrong: dict[str, Floats], part: str) -> None:
    found = split(a_day(**wrong))
    others = {"load_p", "solar_p", "rates_p"} - {part}
    assert getattr(found, part) > 5
    for other in others:
        assert getattr(found, other) == pytest.approx(0, abs=0.05)


def test_two_wrong_forecasts_share_what_they_lose_together() -> None:
    """Each alone does harm; together they cannot lose more than all that there is to lose."""
    wrong = {"load": 0.2 * LOAD, "solar": 8 * SOLAR}
    both = split(a_day(**wrong))
    assert both.load_p > 0
    assert both.solar_p > 0
    assert both.rates_p == pytest.approx(0, abs=0.05)
    assert both.load_p + both.solar_p <= both.distance_p - both.inverter_p + 0.5


def test_the_distance_is_never_negative_whatever_was_done() -> None:
    for mode in (Mode.FEED_IN, Mode.FORCE_DISCHARGE):
        command = InverterCommand(mode=mode, power_kw=3.0 if mode.is_forced else None)
        assert split(a_day(done=command)).distance_p >= -0.05


def test_energy_left_over_counts_as_what_it_is_worth_later() -> None:
    """A battery charged at the price of the night after is not a loss, but not a gain either."""
    kept, emptied = a_day(done=InverterCommand(mode=Mode.HOLD)), a_day()
    assert kept.end_soc_kwh > emptied.end_soc_kwh
    judged = split(kept)
    # The energy kept in dear hours saves only cheap energy of the next night.
    assert judged.distance_p > idle().distance_p
    assert judged.distance_p < kept.bill_p - idle().best_p


def test_what_is_not_known_yet_is_taken_as_the_last_plan_expected_it() -> None:
    known = actual()
    tomorrow_open = replace(
        known,
        load_kw=SlotSeries(start=MIDNIGHT, values=known.load_kw.values[:N_SLOTS]),
        solar_kw=SlotSeries(start=MIDNIGHT, values=known.solar_kw.values[:N_SLOTS]),
    )
    day = replace(a_day(), actual=tomorrow_open)
    outlook = day.in_hindsight(day.end)
    assert outlook.horizon.start == day.end
    assert outlook.load_kwh == pytest.approx(LOAD[N_SLOTS : N_SLOTS + outlook.horizon.n_slots])
    assert split(day).distance_p == pytest.approx(idle().distance_p, abs=0.05)


def test_a_day_with_a_gap_or_without_a_plan_is_refused() -> None:
    gap = SOLAR.copy()
    gap[5] = np.nan
    with pytest.raises(DataError, match="not all of the sun of"):
        replace(a_day(), actual=actual(solar=gap))
    day = a_day()
    with pytest.raises(DataError, match="no plan was made"):
        replace(day, moments=tuple(replace(each, outlook=None) for each in day.moments))


def test_where_no_plan_was_made_what_was_done_stands() -> None:
    day = a_day()
    blind = tuple(replace(each, outlook=None) for each in day.moments[:24])
    found = split(replace(day, moments=(*blind, *day.moments[24:])))
    assert found.distance_p == pytest.approx(idle().distance_p, abs=0.05)
    assert found.inverter_p < idle().inverter_p


def test_making_certain_touches_only_what_is_named_and_known() -> None:
    came = actual(rates=RATES + 1, load=LOAD + 1, solar=SOLAR + 1)
    future = Future(weight=1.0, load_kwh=LOAD[:48] * 2, solar_kwh=SOLAR[:48] * 2)
    used = replace(
        an_outlook(RATES[:48], 0.3 * RATES[:48], LOAD[:48], SOLAR[:48], published=False),
        futures=(future,),
    )
    load = came.in_place_of(used, frozenset({Input.LOAD}))
    assert load.load_kwh == pytest.approx(LOAD[:48] + 1)
    assert load.futures[0].load_kwh == pytest.approx(LOAD[:48] + 1)
    assert load.solar_kwh == pytest.approx(SOLAR[:48])
    assert load.futures[0].solar_kwh == pytest.approx(SOLAR[:48] * 2)
    assert load.import_rate == pytest.approx(RATES[:48])
    rates = came.in_place_of(used, frozenset({Input.RATES}))
    assert rates.import_rate == pytest.approx(RATES[:48] + 1)
    assert rates.rate_published.all()
    assert rates.futures == (future,)
    everything = came.in_place_of(used, ALL)
    assert everything.futures == ()
    later = replace(came, load_kw=SlotSeries(start=MIDNIGHT, values=came.load_kw.values[:4]))
    partly = later.in_place_of(used, frozenset({Input.LOAD}))
    assert partly.load_kwh[4:] == pytest.approx(LOAD[4:48])
