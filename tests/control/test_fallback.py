import numpy as np
import pytest

from battery_optimizer.control.fallback import reactive_command
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from builders import a_battery

BATTERY = a_battery(max_charge_kw=3.6)
DAY = np.arange(10.0, 50.0)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.6)
HOLD = InverterCommand(mode=Mode.HOLD)


@pytest.mark.parametrize(
    ("rate", "command"),
    [(-2.0, CHARGE), (12.0, CHARGE), (25.0, HOLD), (29.5, SELF_USE), (45.0, SELF_USE)],
)
def test_charges_when_cheap_holds_below_the_middle_else_serves_the_house(
    rate: float, command: InverterCommand
) -> None:
    assert reactive_command(BATTERY, rate, DAY) == command


def test_hours_without_a_rate_are_left_out() -> None:
    with_gaps = np.where(DAY > 30, np.nan, DAY)
    assert reactive_command(BATTERY, 25.0, with_gaps) == SELF_USE


def test_one_rate_all_day_is_neither_cheap_nor_low() -> None:
    assert reactive_command(BATTERY, 15.0, np.full(48, 15.0)) == SELF_USE


def test_being_paid_to_import_charges_even_if_nothing_else_is_known() -> None:
    assert reactive_command(BATTERY, -2.0, np.array([np.nan])) == CHARGE
