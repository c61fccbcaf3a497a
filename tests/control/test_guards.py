from dataclasses import replace

import pytest

from battery_optimizer.control.guards import within_fuse, within_limits, within_reserve
from battery_optimizer.model.house import Abilities, SocLimits
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry
from builders import MIDNIGHT, a_battery, a_house

HOUSE = a_house(import_limit_kw=10)
BATTERY = a_battery(reserve_kwh=1.0)


def charge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def measured(**powers_kw: float) -> Telemetry:
    return Telemetry(measured_at=MIDNIGHT, soc_kwh=5.0, **powers_kw)


@pytest.mark.parametrize(
    ("powers_kw", "told"),
    [
        ({"grid_kw": 9.0, "battery_kw": -4.0}, charge(4.0)),  # 5 kW of house leave room for 5
        ({"grid_kw": 12.0, "battery_kw": -4.0}, charge(2.0)),
        ({"grid_kw": 8.0, "battery_kw": 0.0}, charge(2.0)),  # before it charges at all
        ({"grid_kw": 13.9, "battery_kw": -4.0}, SELF_USE),  # 0.1 kW is next to nothing
        ({"grid_kw": 8.0, "battery_kw": 4.0}, SELF_USE),  # the battery helps already
        ({"load_kw": 9.0, "solar_kw": 1.0}, charge(2.0)),  # without a meter
        ({"load_kw": 9.0, "solar_kw": 5.0}, charge(4.0)),
        ({"load_kw": 9.0}, charge(4.0)),  # not known: nothing is assumed
        ({}, charge(4.0)),
    ],
)
def test_the_fuse_limits_a_charge(powers_kw: dict[str, float], told: InverterCommand) -> None:
    assert within_fuse(HOUSE, charge(4.0), measured(**powers_kw)) == told


def test_a_charge_of_no_set_power_ends_where_it_is_too_much() -> None:
    house = replace(HOUSE, abilities=Abilities(sets_powers=False))
    full = measured(grid_kw=12.0, battery_kw=-4.0)
    assert within_fuse(house, charge(4.0), full) == SELF_USE
    room = measured(grid_kw=9.0, battery_kw=-4.0)
    assert within_fuse(house, charge(4.0), room) == charge(4.0)


@pytest.mark.parametrize("mode", [Mode.SELF_USE, Mode.HOLD, Mode.FEED_IN])
def test_what_does_not_charge_from_the_grid_is_left(mode: Mode) -> None:
    command = InverterCommand(mode=mode)
    assert within_fuse(HOUSE, command, measured(grid_kw=30.0, battery_kw=0.0)) == command


def test_limits_as_wide_as_ours_change_nothing() -> None:
    for limits in (SocLimits(), SocLimits(least=0.1), SocLimits(least=0.11, most=0.99)):
        assert within_limits(BATTERY, limits) == (BATTERY, ())


def test_a_higher_floor_and_a_lower_ceiling_hold_and_are_told() -> None:
    battery, notes = within_limits(BATTERY, SocLimits(least=0.2, most=0.9))
    assert (battery.reserve_kwh, battery.ceiling_kwh) == (2.0, 9.0)
    assert "min SoC, 20%, is above battery.reserve_kwh" in notes[0]
    assert "max SoC is 90%" in notes[1]


def test_a_floor_above_the_ceiling_leaves_a_battery_that_does_nothing() -> None:
    battery, _ = within_limits(a_battery(maximum_kwh=4.0), SocLimits(least=0.5))
    assert battery.reserve_kwh == battery.ceiling_kwh == 4.0


HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)
KEPT = a_house(a_battery(reserve_kwh=5.0))


def kept(
    command: InverterCommand = SELF_USE,
    soc_kwh: float = 5.0,
    in_force: InverterCommand | None = SELF_USE,
    can: Abilities = KEPT.abilities,
    load_kw: float | None = 0.5,
    solar_kw: float | None = 0.0,
) -> InverterCommand:
    telemetry = replace(measured(), soc_kwh=soc_kwh, load_kw=load_kw, solar_kw=solar_kw)
    return within_reserve(replace(KEPT, abilities=can), command, telemetry, in_force)


def test_at_the_reserve_the_battery_is_held_where_the_inverter_would_go_on() -> None:
    assert kept() == kept(FEED_IN) == kept(in_force=None) == HOLD
    assert kept(soc_kwh=4.0) == HOLD
    assert kept(can=Abilities(soc_limits=SocLimits(least=0.1))) == HOLD
    assert kept(soc_kwh=5.1) == SELF_USE
    assert kept(charge(2.0)) == charge(2.0)


def test_once_held_it_gives_again_when_there_is_clearly_more() -> None:
    assert kept(soc_kwh=5.1, in_force=HOLD) == HOLD
    assert kept(soc_kwh=5.3, in_force=HOLD) == SELF_USE


def test_an_inverter_that_stops_at_the_reserve_by_itself_goes_on_as_told() -> None:
    for can in (
        Abilities(soc_limits=SocLimits(least=0.5)),
        Abilities(soc_limits=SocLimits(least=0.49)),
        Abilities(keeps_limits=True),
        Abilities(modes=frozenset({Mode.SELF_USE})),  # what cannot be held cannot be held
    ):
        assert kept(can=can) == SELF_USE


def test_sun_to_spare_is_sold_at_the_reserve_too() -> None:
    assert kept(FEED_IN, solar_kw=2.0) == FEED_IN
    assert kept(FEED_IN, solar_kw=2.0, load_kw=None) == HOLD
