"""What the inverter tells of itself, in the place of settings."""

import pytest

from battery_optimizer.adapters.foxess.found import inverter_says
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.found import Finding, Presence, as_block


def said(states: dict[str, object]) -> dict[str, float]:
    """By a map of ids to states, or to the greatest value of a number."""
    entities = {
        entity_id: EntityState(state="0", attributes={"max": told[0]})
        if isinstance(told, list)
        else EntityState(state=str(told))
        for entity_id, told in states.items()
    }
    return inverter_says("fox_", entities.get, capacity_kwh=10.0)


def test_the_force_powers_limits_are_the_inverters() -> None:
    found = said({"number.fox_force_charge_power": [5], "number.fox_force_discharge_power": [5]})
    assert found == {
        "inverter.ac_limit_kw": 5.0,
        "battery.max_charge_kw": 5.0,
        "battery.max_discharge_kw": 5.0,
    }


def test_a_batterys_current_limits_it_further_but_not_our_own_zero() -> None:
    states: dict[str, object] = {
        "number.fox_force_charge_power": [5],
        "number.fox_force_discharge_power": [5],
        "number.fox_max_charge_current": 20,
        "number.fox_max_discharge_current": 0,
        "sensor.fox_batvolt": 200,
    }
    found = said(states)
    assert found["battery.max_charge_kw"] == 4.0
    assert found["battery.max_discharge_kw"] == 5.0


@pytest.mark.parametrize("most", [100, "inf", None, 0])
def test_what_stands_there_before_the_inverter_was_read_is_no_limit(most: object) -> None:
    assert said({"number.fox_force_charge_power": [most]}) == {}


def test_the_higher_min_soc_is_the_reserve() -> None:
    found = said({"number.fox_min_soc": 10, "number.fox_min_soc_on_grid": 15})
    assert found == {"battery.reserve_kwh": 1.5}
    assert said({"number.fox_max_soc": 90}) == {"battery.maximum_kwh": 9.0}
    assert said({"number.fox_min_soc": "unavailable", "number.fox_max_soc": 0}) == {}


def test_a_block_for_the_log_marks_what_is_missing() -> None:
    block = as_block(
        [
            Finding(about="Inverter", words="select.x"),
            Finding(about="Sun", words="none", presence=Presence.MISSING, advice="get one"),
        ]
    )
    assert "    Inverter  select.x" in block.splitlines()
    assert "  ! Sun       none" in block.splitlines()
    assert "-> get one" in block
    assert "What I found" in as_block([])
