"""Prices and modes in words."""

import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.wording import (
    command_words,
    pence,
    pence_apart,
    pence_range,
    price,
)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (8, "8 p"),
        (8.04, "8.0 p"),
        (10.63, "10.6 p"),
        (38.08, "38.1 p"),
        (0, "0 p"),
        (-0.01, "0.0 p"),
    ],
)
def test_a_price_has_one_decimal_or_none(amount: float, words: str) -> None:
    assert pence(amount) == words


def test_prices_that_are_compared_look_different_if_they_are() -> None:
    assert pence_apart(17.04, 17.01) == ("17.04 p", "17.01 p")
    assert pence_apart(5.01, 5.0) == ("5.01 p", "5.00 p")
    assert pence_apart(9.9, 9.4) == ("9.9 p", "9.4 p")
    assert pence_apart(9.87, 9.87) == ("9.9 p", "9.9 p")
    assert pence_apart(17, 12) == ("17 p", "12 p")


def test_a_range_is_one_price_where_both_ends_are_told_alike() -> None:
    assert pence_range(5.57, 7.96) == "5.6-8.0 p"
    assert pence_range(9, 15) == "9-15 p"
    assert pence_range(7.98, 8.01) == "8.0 p"
    assert pence_range(-3, 2) == "-3 to 2 p"


def test_below_nothing_one_is_paid() -> None:
    assert price(8.4) == "at 8.4 p"
    assert price(-2) == "while you are paid 2 p a kWh"
    assert price(-2.04, "-2.04 p") == "while you are paid 2.04 p a kWh"


@pytest.mark.parametrize("mode", [Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE])
def test_a_forced_mode_without_power_is_a_battery_that_rests(mode: Mode) -> None:
    assert command_words(InverterCommand(mode=mode, power_kw=0.0)) == "Hold"
    assert command_words(InverterCommand(mode=mode, power_kw=3.678)).endswith("at 3.68 kW")


def test_a_mode_that_follows_the_load_is_told_by_its_name() -> None:
    assert command_words(InverterCommand(mode=Mode.SELF_USE)) == "Self Use"
