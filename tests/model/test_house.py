import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.model.house import GridConnection, Inverter
from builders import a_battery

CHARGE_TAPER = ((0.8, 1.0), (1.0, 0.25))
DISCHARGE_TAPER = ((0.1, 0.4), (0.2, 1.0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capacity_kwh": -1}, "capacity_kwh must be from 0 to 1000, not -1"),
        ({"capacity_kwh": float("nan")}, "capacity_kwh must be from 0 to 1000, not nan"),
        ({"reserve_kwh": 11}, "reserve_kwh must be at most capacity_kwh, 10, not 11"),
        ({"maximum_kwh": 11}, "maximum_kwh must be from reserve_kwh, 0, to capacity_kwh, 10"),
        ({"maximum_kwh": 1, "reserve_kwh": 2}, "maximum_kwh must be from reserve_kwh, 2"),
        ({"max_charge_kw": -0.1}, "max_charge_kw must be from 0 to 1000"),
        ({"max_discharge_kw": float("inf")}, "max_discharge_kw must be from 0 to 1000"),
        ({"charge_efficiency": 1.01}, "charge_efficiency must be from 0.3 to 1, not 1.01"),
        ({"discharge_efficiency": 0}, "discharge_efficiency must be from 0.3 to 1, not 0"),
        ({"charge_taper": ((0.8, 1.0),)}, "charge_taper needs two or more points"),
        ({"charge_taper": ((1.0, 1.0), (0.8, 0.3))}, "charge_taper needs two or more points"),
        ({"discharge_taper": ((0.0, 0.4), (0.2, 1.2))}, "shares of discharge_taper must be"),
        ({"charge_taper": ((0.0, 1.0), (0.5, 0.2), (1.0, 0.9))}, "must be concave"),
    ],
)
def test_a_battery_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        a_battery(**changes)


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"max_charge_kw .*\n.*charge_efficiency"):
        a_battery(max_charge_kw=-1, charge_efficiency=2)


def test_a_battery_of_nothing_is_allowed() -> None:
    battery = a_battery(capacity_kwh=0, charge_taper=())
    assert battery.ceiling_kwh == 0


def test_a_lossless_battery_is_allowed() -> None:
    assert a_battery(efficiency=1.0).soc_after(5.0, 1.0, 0.0) == 6.0


def test_losses_are_paid_on_the_way_in_and_on_the_way_out() -> None:
    battery = a_battery(charge_efficiency=0.9, discharge_efficiency=0.8)
    assert battery.soc_after(5.0, 1.0, 0.0) == pytest.approx(5.9)
    assert battery.soc_after(5.0, 0.0, 0.8) == pytest.approx(4.0)


def test_the_balance_is_the_same_for_numbers_and_arrays() -> None:
    battery = a_battery(efficiency=0.9)
    charge, discharge = np.array([1.0, 0.0]), np.array([0.0, 2.0])
    after = battery.soc_after(np.array([5.0, 5.0]), charge, discharge)
    singly = [battery.soc_after(5.0, *both) for both in zip(charge, discharge, strict=True)]
    assert after == pytest.approx(singly)


def test_the_maximum_is_the_capacity_unless_set() -> None:
    assert a_battery().ceiling_kwh == 10
    assert a_battery(maximum_kwh=9).ceiling_kwh == 9
    assert a_battery(maximum_kwh=0).ceiling_kwh == 0


def test_a_taper_slows_charging_near_the_top() -> None:
    battery = a_battery(charge_taper=CHARGE_TAPER)
    instant = 1e-6
    power_kw = [battery.most_charge_kwh(soc, instant) / instant for soc in (5, 8, 9, 10)]
    assert power_kw == pytest.approx([4, 4, 2.5, 1], abs=1e-3)


def test_a_taper_slows_discharging_near_the_bottom() -> None:
    battery = a_battery(discharge_taper=DISCHARGE_TAPER)
    instant = 1e-6
    power_kw = [battery.most_discharge_kwh(soc, instant) / instant for soc in (5, 2, 1.5, 1)]
    assert power_kw == pytest.approx([4, 4, 2.8, 1.6], abs=1e-3)


@given(st.floats(0, 10), st.floats(1 / 3600, 0.5))
def test_the_energy_of_a_step_is_the_taper_at_its_middle(soc_kwh: float, hours: float) -> None:
    battery = a_battery(efficiency=0.9, charge_taper=CHARGE_TAPER)
    charge_kwh = battery.most_charge_kwh(soc_kwh, hours)
    middle_kwh = (soc_kwh + battery.soc_after(soc_kwh, charge_kwh, 0.0)) / 2
    (line,) = battery.charge_lines()
    most_kw = min(4.0, line.at_empty_kw + line.slope_per_hour * middle_kwh)
    assert charge_kwh == pytest.approx(max(0.0, most_kw) * hours)


def test_without_tapers_there_are_no_lines() -> None:
    assert a_battery().charge_lines() == a_battery().discharge_lines() == ()


@pytest.mark.parametrize(
    ("celsius", "share"), [(-10, 0.2), (0, 0.2), (8, 0.6), (16, 1.0), (40, 1.0)]
)
def test_cold_slows_the_battery(celsius: float, share: float) -> None:
    battery = a_battery(cold_limit=((0, 0.2), (16, 1.0))).at_temperature(celsius)
    assert battery.max_charge_kw == pytest.approx(4 * share)
    assert battery.max_discharge_kw == pytest.approx(4 * share)


def test_cold_may_slow_charging_alone() -> None:
    battery = a_battery(cold_limit=((0, 0.5), (16, 1.0)), cold_slows_discharge=False)
    cold = battery.at_temperature(0)
    assert (cold.max_charge_kw, cold.max_discharge_kw) == (2.0, 4.0)


def test_a_degree_more_does_not_make_another_battery() -> None:
    battery = a_battery(cold_limit=((0, 0.2), (16, 1.0)))
    assert battery.at_temperature(8.0) == battery.at_temperature(8.3)


def test_without_a_limit_or_a_reading_cold_changes_nothing() -> None:
    assert a_battery().at_temperature(-20) == a_battery()
    limited = a_battery(cold_limit=((0, 0.2), (16, 1.0)))
    assert limited.at_temperature(None) == limited


def test_limits_that_no_connection_has_are_refused() -> None:
    with pytest.raises(ValueError, match=r"import_limit_kw must be from 0\.1"):
        GridConnection(import_limit_kw=0)
    with pytest.raises(ValueError, match=r"ac_limit_kw must be from 0\.1"):
        Inverter(ac_limit_kw=0)
    assert GridConnection(export_limit_kw=0).export_limit_kw == 0
