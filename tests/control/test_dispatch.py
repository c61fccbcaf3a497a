from dataclasses import replace

import pytest

from battery_optimizer.control.dispatch import all_that_it_takes, dispatch, same, without_limits
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from builders import a_battery, a_house

BATTERY = a_battery(reserve_kwh=1.0)
HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)


def told(
    planned: InverterCommand,
    soc_kwh: float,
    can: Abilities = Abilities(),  # noqa: B008 (frozen)
) -> InverterCommand:
    house = replace(a_house(BATTERY), abilities=can)
    return dispatch(planned, house=house, soc_kwh=soc_kwh)


@pytest.mark.parametrize("planned", [SELF_USE, HOLD, FEED_IN, CHARGE, DISCHARGE])
def test_between_its_limits_the_plan_is_followed(planned: InverterCommand) -> None:
    assert told(planned, 5.0) == planned


def test_a_full_battery_is_not_forced_to_charge() -> None:
    assert told(CHARGE, 9.99) == HOLD


def test_an_empty_battery_is_not_forced_to_discharge() -> None:
    assert told(DISCHARGE, 1.01) == HOLD


def test_a_battery_below_its_reserve_is_not_forced_to_discharge() -> None:
    assert told(DISCHARGE, 0.2) == HOLD


@pytest.mark.parametrize("planned", [SELF_USE, HOLD, FEED_IN])
@pytest.mark.parametrize("soc_kwh", [0.0, 10.0])
def test_what_follows_the_load_may_stay_at_the_limits(
    planned: InverterCommand, soc_kwh: float
) -> None:
    assert told(planned, soc_kwh) == planned


def test_at_a_planned_floor_the_battery_is_held() -> None:
    assert told(replace(SELF_USE, floor_kwh=4.0), 4.01) == HOLD


def test_above_a_planned_floor_it_serves_the_house() -> None:
    assert told(replace(SELF_USE, floor_kwh=4.0), 4.5) == SELF_USE


def test_at_a_planned_ceiling_the_sun_is_sold() -> None:
    assert told(replace(SELF_USE, ceiling_kwh=6.0), 5.99) == FEED_IN
    assert told(replace(CHARGE, ceiling_kwh=6.0), 6.5) == FEED_IN


def test_a_ceiling_of_nothing_is_a_ceiling() -> None:
    assert told(replace(CHARGE, ceiling_kwh=0.0), 5.0) == FEED_IN


def test_a_battery_with_no_room_at_all_is_not_forced() -> None:
    nothing = a_house(a_battery(capacity_kwh=0.0))
    for planned in (CHARGE, DISCHARGE):
        assert dispatch(planned, house=nothing, soc_kwh=0.0) == HOLD


def test_curtailing_goes_on_when_a_limit_is_reached() -> None:
    assert told(replace(CHARGE, curtail=True), 10.0) == replace(HOLD, curtail=True)


def test_only_an_inverter_that_keeps_limits_is_told_them() -> None:
    planned = replace(SELF_USE, floor_kwh=4.0, ceiling_kwh=8.0)
    assert told(planned, 6.0, Abilities(keeps_limits=True)) == planned
    assert told(planned, 6.0) == without_limits(planned) == SELF_USE


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (CHARGE, replace(CHARGE, power_kw=3.04), True),
        (CHARGE, replace(CHARGE, power_kw=3.1), False),
        (CHARGE, DISCHARGE, False),
        (SELF_USE, HOLD, False),
        (SELF_USE, SELF_USE, True),
        (SELF_USE, replace(SELF_USE, curtail=True), False),
        (SELF_USE, replace(SELF_USE, floor_kwh=2.0), False),
    ],
)
def test_commands_are_the_same_small_differences_of_power_apart(
    one: InverterCommand, other: InverterCommand, *, expected: bool
) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected


def test_what_an_inverter_cannot_do_is_self_use() -> None:
    few = Abilities(modes=frozenset({Mode.SELF_USE, Mode.FEED_IN}))
    assert told(HOLD, 5.0, few) == SELF_USE


def test_where_no_power_can_be_told_it_is_the_batterys_greatest() -> None:
    weak = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=0.5)
    assert told(weak, 5.0, Abilities(sets_powers=False)).power_kw == BATTERY.max_discharge_kw


@pytest.mark.parametrize(("others", "instead"), [(set(Mode), HOLD), ({Mode.SELF_USE}, SELF_USE)])
def test_a_pause_is_not_run_at_full_power(others: set[Mode], instead: InverterCommand) -> None:
    pause = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=0.0)
    can = Abilities(modes=frozenset(others | {Mode.FORCE_CHARGE}), sets_powers=False)
    assert told(pause, 5.0, can) == instead


class TestAllThatItTakes:
    """A forced mode at the limit of what was learned is told without it."""

    learned = a_battery(charge_taper=((0.8, 1.0), (1.0, 0.2)), cold_limit=((0, 0.5), (16, 1.0)))

    def told_kw(self, power_kw: float, *names: str, soc_kwh: float = 9.0, c: float = 20.0) -> float:
        command = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)
        told = all_that_it_takes(
            command, battery=self.learned, learned=names, soc_kwh=soc_kwh, celsius=c, hours=1e-3
        )
        return told.power_kw or 0.0

    def test_at_the_learned_limit_the_greatest_power_is_told(self) -> None:
        assert self.told_kw(2.39, "charge_taper") == pytest.approx(4.0)

    def test_less_is_told_as_planned(self) -> None:
        assert self.told_kw(1.5, "charge_taper") == 1.5

    def test_a_limit_of_the_settings_is_kept(self) -> None:
        assert self.told_kw(2.39) == 2.39
        assert self.told_kw(2.39, "discharge_taper") == 2.39
        # Cold was learned, the taper was not.
        assert self.told_kw(1.2, "cold_limit", c=0.0) == pytest.approx(2.4, abs=0.01)

    def test_far_from_the_limit_there_is_nothing_to_add(self) -> None:
        assert self.told_kw(4.0, "charge_taper", soc_kwh=5.0) == 4.0

    def test_discharging_is_no_other(self) -> None:
        tapers = a_battery(discharge_taper=((0.0, 0.2), (0.5, 1.0)))
        for power_kw, told_kw in ((2.4, 4.0), (1.0, 1.0)):
            told = all_that_it_takes(
                InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw),
                battery=tapers,
                learned=["discharge_taper"],
                soc_kwh=2.5,
                celsius=None,
                hours=1e-3,
            )
            assert told.power_kw == pytest.approx(told_kw)

    def test_what_follows_the_load_is_not_touched(self) -> None:
        told = all_that_it_takes(
            SELF_USE, battery=self.learned, learned=["cold_limit"], soc_kwh=9, celsius=0, hours=0.5
        )
        assert told is SELF_USE
