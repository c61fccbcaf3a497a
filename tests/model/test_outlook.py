from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.outlook import Future, TerminalValue
from builders import an_outlook


@pytest.mark.parametrize("name", ["import_rate", "export_rate", "load_kwh", "solar_kwh"])
def test_every_array_must_fit_the_horizon(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} has shape \(3,\), not \(4,\)"):
        replace(an_outlook([1, 2, 3, 4]), **{name: np.zeros(3)})


def test_what_is_published_must_fit_the_horizon() -> None:
    with pytest.raises(ValueError, match="rate_published has shape"):
        replace(an_outlook([1, 2]), rate_published=np.ones(3, bool))


def test_bursts_must_fit_their_weights_and_the_horizon() -> None:
    with pytest.raises(ValueError, match="bursts_kwh has shape"):
        replace(an_outlook([1, 2]), bursts_kwh=np.zeros((4, 3)))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["import_rate", "export_rate", "load_kwh", "solar_kwh"])
def test_numbers_that_are_not_finite_are_refused(name: str, wrong: float) -> None:
    with pytest.raises(ValueError, match=f"{name} has values that are not finite"):
        an_outlook(**({"import_rate": [1, 2]} | {name: [1, wrong]}))


@pytest.mark.parametrize("name", ["load_kwh", "solar_kwh"])
def test_energies_are_not_negative(name: str) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        an_outlook([1, 2], **{name: [0, -0.1]})


def test_rates_may_be_negative() -> None:
    assert an_outlook([-10_000, 10_000]).import_rate.tolist() == [-10_000, 10_000]


def test_net_is_load_less_solar() -> None:
    assert an_outlook([1, 2], load_kwh=[1, 1], solar_kwh=[0, 3]).net_kwh.tolist() == [1, -2]


def test_a_future_is_expected_if_its_load_and_its_sun_are() -> None:
    outlook = an_outlook([1, 2], load_kwh=1, solar_kwh=1)
    same = Future(weight=0.2, load_kwh=np.ones(2), solar_kwh=np.ones(2))
    assert outlook.expects(same)
    assert not outlook.expects(replace(same, load_kwh=np.array([1, 1.1])))
    assert not outlook.expects(replace(same, solar_kwh=np.zeros(2)))


def test_a_terminal_value_is_the_least_of_its_lines() -> None:
    value = TerminalValue(intercept_p=np.array([0, 50.0]), slope_p_per_kwh=np.array([20.0, 10]))
    assert [value.of(soc) for soc in (0, 5, 10)] == [0, 100, 150]


def test_energy_left_may_be_worth_nothing_or_the_same_throughout() -> None:
    assert TerminalValue.nothing().of(8) == 0
    assert TerminalValue.flat(12).of(8) == 96
