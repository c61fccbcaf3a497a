"""The four meters held against each other: the wrong one is found, a sound one never is."""

from collections.abc import Callable

import numpy as np
import pytest

from battery_optimizer.forecast.balance import Balance, Fault, Kind
from battery_optimizer.model.slots import Floats
from metered_flows import BATTERY, GRID, LOAD, SOLAR, metered_flows

N_DAYS = 12
FLOWS, STORED = metered_flows(N_DAYS)


def faults(sensor: int, wrong: Callable[[Floats], Floats]) -> list[Fault]:
    """What is found where one sensor is wrong all the time."""
    flows = FLOWS.copy()
    flows[sensor] = wrong(flows[sensor])
    return [fault for _, fault in Balance(flows, STORED).faults()]


def test_sound_meters_agree_but_for_losses_and_moments() -> None:
    for seed in range(2, 5):
        sound = Balance(*metered_flows(60, seed))
        assert list(sound.faults()) == []
        assert not sound.jumps.any()


def test_a_day_that_is_not_known_is_not_judged() -> None:
    flows = FLOWS / np.array([[1000.0], [1], [1], [1]])
    flows[GRID] = np.nan
    assert list(Balance(flows, STORED).faults()) == []


@pytest.mark.parametrize(
    ("sensor", "wrong", "kind"),
    [
        (LOAD, lambda kw: kw / 1000, Kind.UNIT),
        (SOLAR, lambda kw: kw / 1000, Kind.UNIT),
        (BATTERY, lambda kw: kw / 1000, Kind.UNIT),
        (GRID, lambda kw: kw / 1000, Kind.UNIT),
        (BATTERY, np.negative, Kind.SIGN),
        (GRID, np.negative, Kind.SIGN),
        (LOAD, lambda kw: 0 * kw + 6.0, Kind.FROZEN),
        (BATTERY, lambda kw: 0 * kw + 1.2, Kind.FROZEN),
        (GRID, lambda kw: 0 * kw + 0.7, Kind.FROZEN),
        (LOAD, lambda kw: 3 * kw, Kind.FACTOR),
        (LOAD, lambda kw: kw / 4, Kind.FACTOR),
        (SOLAR, lambda kw: 0 * kw, Kind.DEAD),
        (BATTERY, lambda kw: 0 * kw, Kind.DEAD),
        (GRID, lambda kw: 0 * kw, Kind.DEAD),
    ],
)
def test_the_sensor_that_explains_it_is_found(
    sensor: int, wrong: Callable[[Floats], Floats], kind: Kind
) -> None:
    found = faults(sensor, wrong)
    assert len(found) > N_DAYS / 2
    named = [fault for fault in found if sensor in fault.sensors]
    alone = [fault for fault in named if fault.sensors == {sensor}]
    assert len(named) >= 0.75 * len(found)
    assert len(alone) > 0.6 * len(found)
    kinds = [suspect.kind for fault in alone for suspect in fault.suspects]
    assert kinds.count(kind) > 0.7 * len(kinds)


def test_jumps_are_told_from_what_lasts() -> None:
    flows = FLOWS.copy()
    flows[LOAD, 5::12] += 10.0
    balance = Balance(flows, STORED)
    assert np.flatnonzero(balance.jumps).tolist() == list(range(5, 48 * N_DAYS, 12))
    found = [fault for _, fault in balance.faults()]
    assert len(found) == N_DAYS
    assert {suspect.kind for fault in found for suspect in fault.suspects} == {Kind.JUMPS}
    assert {fault.sensors for fault in found} == {frozenset({LOAD})}
    assert not any(fault.lasts for fault in found)
    assert [fault.where.sum() for fault in found] == [4] * N_DAYS


def test_what_nobody_explains_is_a_fault_without_a_suspect() -> None:
    rng = np.random.default_rng(3)
    flows = rng.uniform(-4, 4, FLOWS.shape)
    flows[[LOAD, SOLAR]] = np.abs(flows[[LOAD, SOLAR]])
    found = [fault for _, fault in Balance(flows, STORED).faults()]
    assert sum(not fault.suspects for fault in found) > len(found) / 2


def test_with_the_load_wrong_the_others_tell_what_it_must_be() -> None:
    flows = FLOWS.copy()
    flows[LOAD] /= 1000
    worked_out = Balance(flows, STORED).load_kw
    # What the inverter loses is counted as the house's.
    assert 1.0 < worked_out.sum() / FLOWS[LOAD].sum() < 1.3
