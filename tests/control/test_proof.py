"""By measured power: does the inverter do what it was told?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.control.proof import Judgement, Repairs, Verdict, judge
from battery_optimizer.model.house import Abilities, SocLimits
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry
from builders import a_battery, a_house

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUSE = a_house(a_battery(capacity_kwh=10.0, reserve_kwh=1.0, max_charge_kw=4.0), ac_limit_kw=5.0)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)
HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)
OBEYS, UNCLEAR, FAILS, DEFIES = Verdict.OBEYS, Verdict.UNCLEAR, Verdict.FAILS, Verdict.DEFIES


def verdict(command: InverterCommand, battery_kw: float | None, **read: float | None) -> Verdict:
    values = {"soc_kwh": 5.0, "load_kw": 1.0, "solar_kw": 0.0, **read}
    telemetry = Telemetry(measured_at=NOON, battery_kw=battery_kw, **values)  # type: ignore[arg-type]
    return judge(HOUSE, command, telemetry).verdict


@pytest.mark.parametrize(
    ("command", "battery_kw", "read", "expected"),
    [
        (CHARGE, -3.0, {}, OBEYS),
        (CHARGE, -1.5, {}, OBEYS),  # batteries taper
        (CHARGE, -0.2, {}, FAILS),
        (CHARGE, 0.0, {"soc_kwh": 9.7}, UNCLEAR),  # nearly full
        (CHARGE, 0.0, {"battery_temperature_c": 8.0}, UNCLEAR),  # cold
        (CHARGE, 0.0, {"soc_kwh": 10.0}, OBEYS),  # full: nothing to take
        (CHARGE, -3.0, {"soc_kwh": 10.0}, OBEYS),  # shown as full, and rounded
        (SELF_USE, 1.0, {"soc_kwh": 1.0}, OBEYS),  # shown as empty, and rounded
        (SELF_USE, 1.0, {"soc_kwh": 0.8}, DEFIES),  # is empty, and gives
        (CHARGE, 1.0, {}, DEFIES),
        (CHARGE, 1.0, {"soc_kwh": 9.7}, DEFIES),  # full or not, it should not discharge
        (DISCHARGE, 3.0, {}, OBEYS),
        (DISCHARGE, 1.0, {}, FAILS),
        (DISCHARGE, 0.0, {"soc_kwh": 1.3}, UNCLEAR),  # nearly empty
        (DISCHARGE, -2.0, {}, DEFIES),
        (DISCHARGE, 3.0, {"load_kw": None, "solar_kw": None}, OBEYS),
        (SELF_USE, 1.0, {}, OBEYS),
        (SELF_USE, 3.5, {}, DEFIES),  # goes on selling
        (SELF_USE, 1.8, {}, FAILS),  # a kettle that has just gone off, or not
        (SELF_USE, 0.0, {}, FAILS),
        (SELF_USE, -2.0, {"solar_kw": 3.0}, OBEYS),
        (SELF_USE, -5.5, {"solar_kw": 6.5}, OBEYS),  # sun need not pass the AC side
        (HOLD, -5.5, {"solar_kw": 6.5}, OBEYS),
        (CHARGE, -5.0, {"solar_kw": 5.0}, OBEYS),  # all of it, and nothing from the grid
        (SELF_USE, -5.5, {"solar_kw": 2.0}, DEFIES),
        (CHARGE, -5.5, {"solar_kw": 2.0}, DEFIES),
        (SELF_USE, 0.0, {"load_kw": None}, UNCLEAR),
        (HOLD, 0.0, {}, OBEYS),
        (HOLD, 0.9, {}, FAILS),
        (HOLD, 3.0, {"load_kw": 3.0}, DEFIES),
        (FEED_IN, 0.0, {"solar_kw": 3.0}, OBEYS),
        (FEED_IN, -2.0, {"solar_kw": 3.0}, DEFIES),
        (FEED_IN, 0.0, {}, FAILS),  # some do not serve the house in it
        (SELF_USE, None, {}, UNCLEAR),
        (SELF_USE, None, {"grid_kw": -2.5}, DEFIES),  # by difference: load - sun - grid
    ],
)
def test_what_a_reading_says(
    command: InverterCommand, battery_kw: float | None, read: dict[str, float], expected: Verdict
) -> None:
    assert verdict(command, battery_kw, **read) is expected


def test_self_use_ends_at_the_inverters_own_min_soc() -> None:
    """That of ours is above it: no fault of the inverter's."""
    can = Abilities(soc_limits=SocLimits(least=0.1))
    house = replace(HOUSE, battery=replace(HOUSE.battery, reserve_kwh=5.0), abilities=can)
    below = Telemetry(measured_at=NOON, soc_kwh=4.0, load_kw=1.0, solar_kw=0.0, battery_kw=1.0)
    assert judge(house, SELF_USE, below).verdict is OBEYS
    assert judge(house, SELF_USE, replace(below, soc_kwh=0.8)).verdict is DEFIES
    assert judge(house, DISCHARGE, replace(below, battery_kw=3.0)).verdict is DEFIES


def test_it_says_in_words_what_is_wrong() -> None:
    telemetry = Telemetry(measured_at=NOON, soc_kwh=5.0, battery_kw=1.2)
    assert judge(HOUSE, CHARGE, telemetry).words == (
        "the inverter was told Charge and its battery should charge at 3.0 kW, but it "
        "discharges at 1.2 kW"
    )


def after(*verdicts: Verdict) -> Repairs:
    repairs = Repairs()
    for each in verdicts:
        repairs = repairs.after(Judgement(verdict=each), Mode.HOLD, NOON)
    return repairs


def test_once_may_be_chance_twice_is_not() -> None:
    assert not after(FAILS).is_due(NOON)
    assert after(FAILS).is_suspicion
    assert not after(FAILS, FAILS).is_suspicion
    assert after(FAILS, FAILS).is_due(NOON)
    assert after(FAILS, UNCLEAR, FAILS).is_due(NOON)
    assert not after(FAILS, OBEYS, FAILS).is_due(NOON)
    assert after(DEFIES, FAILS).is_due(NOON)


def test_each_repair_waits_twice_as_long_as_the_one_before() -> None:
    repairs, now, waits = Repairs(), NOON, []
    for _ in range(8):
        repairs = replace(repairs.after_try(now), misses=2)
        assert repairs.not_before is not None
        assert not repairs.is_due(now)
        assert repairs.is_due(repairs.not_before)
        waits.append(round((repairs.not_before - now) / timedelta(minutes=1) + 0.5))
        now = repairs.not_before
    assert waits == [5, 10, 20, 40, 80, 160, 240, 240]


def test_another_modes_success_says_nothing_of_the_one_that_failed() -> None:
    failed = after(FAILS, FAILS).after_try(NOON)
    assert failed.after(Judgement(verdict=OBEYS), Mode.SELF_USE, NOON) == failed
    assert failed.after(Judgement(verdict=OBEYS), Mode.HOLD, NOON) == Repairs()
    assert failed.after(Judgement(verdict=FAILS), Mode.SELF_USE, NOON).tried == 0


def test_what_was_long_ago_is_forgotten() -> None:
    failed = after(FAILS, FAILS).after_try(NOON)
    later = NOON + timedelta(hours=5)
    assert failed.after(Judgement(verdict=FAILS), Mode.HOLD, later).tried == 0


@pytest.mark.parametrize(
    ("battery_kw", "celsius", "expected"),
    [
        (-1.0, 20.0, OBEYS),  # as its taper says
        (-3.0, 20.0, OBEYS),  # quicker than was thought, and no more than told
        (-3.0, 0.0, OBEYS),
        (-4.5, 20.0, DEFIES),
        (0.5, 0.0, DEFIES),  # the other way
    ],
)
def test_a_battery_quicker_than_its_limits_obeys(
    battery_kw: float, celsius: float, expected: Verdict
) -> None:
    battery = a_battery(charge_taper=((0.3, 1.0), (0.6, 0.1)), cold_limit=((0, 0.5), (16, 1.0)))
    telemetry = Telemetry(
        measured_at=NOON,
        battery_kw=battery_kw,
        soc_kwh=5.0,
        load_kw=1.0,
        solar_kw=0.0,
        battery_temperature_c=celsius,
    )
    assert judge(a_house(battery), CHARGE, telemetry).verdict is expected
