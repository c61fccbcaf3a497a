"""The reason for now where the meters show the reverse of the forecast."""

from dataclasses import replace

import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import SlotPlan
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.optimize.seen import reason_seen
from builders import MIDNIGHT, a_battery, plan_for

BATTERY = a_battery(efficiency=0.9, reserve_kwh=1.0)
FEED_IN, SELF_USE, HOLD = (
    InverterCommand(mode=mode) for mode in (Mode.FEED_IN, Mode.SELF_USE, Mode.HOLD)
)
SUN, NO_SUN = {"solar_kw": 0.53, "load_kw": 0.18}, {"solar_kw": 0.1, "load_kw": 0.5}


def expected(net_kw: float, *, value: float = 10.0) -> SlotPlan:
    """A half hour at 22 p, sold at 9.4 p, in which the house is expected to draw so much."""
    load, solar = max(net_kw, 0.0) / 2, max(-net_kw, 0.0) / 2
    slot = plan_for([22, 22], 9.4, [load, 0], [solar, 0], house=BATTERY, soc_kwh=5).slots[0]
    return replace(slot, energy_value_p_per_kwh=value)


def words(
    slot: SlotPlan, command: InverterCommand, soc_kwh: float = 5.0, **powers: float | None
) -> str | None:
    telemetry = Telemetry(measured_at=MIDNIGHT, soc_kwh=soc_kwh, **powers)
    return reason_seen(slot, command, telemetry, BATTERY)


@pytest.mark.parametrize("powers", [{"solar_kw": 0.0, "load_kw": 0.5}, {"load_kw": 0.5}])
def test_a_battery_that_is_held_at_its_reserve(powers: dict[str, float]) -> None:
    """The plan has it give: the inverter would go on, and is told to hold."""
    slot = plan_for([22, 22], 9.4, [0.3, 0], house=BATTERY, soc_kwh=1.15).slots[0]
    assert slot.discharge_kwh > 0.1
    told = words(slot, HOLD, 1.1, **{"solar_kw": None, **powers})
    assert told == "The battery is at its reserve. The house runs on the grid at 22 p."
    assert words(slot, SELF_USE, 1.1, **{"solar_kw": None, **powers}) is None
    assert (
        words(replace(slot, discharge_kwh=0.0), HOLD, 1.1, **{"solar_kw": None, **powers}) is None
    )


@pytest.mark.parametrize(
    ("command", "soc_kwh", "told"),
    [
        (FEED_IN, 5.0, "it is sold at 9.4 p; stored, it would save 9.0 p later."),
        (SELF_USE, 5.0, "it is stored instead of sold at 9.4 p."),
        (HOLD, 9.9, "it is sold at 9.4 p."),
    ],
)
def test_sun_where_none_to_spare_was_expected(
    command: InverterCommand, soc_kwh: float, told: str
) -> None:
    reason = words(expected(0.3), command, soc_kwh, **SUN)
    assert reason is not None
    assert reason.startswith("More sun just now than the house needs")
    assert reason.endswith(told)


def test_what_is_stored_in_the_way_of_energy_that_pays_costs_something() -> None:
    """Before hours in which one is paid for using electricity nothing is saved by storing."""
    assert str(words(expected(0.3, value=-4), FEED_IN, **SUN)).endswith(
        "it is sold at 9.4 p; stored, it would cost 3.6 p later."
    )
    assert str(words(expected(-0.3, value=-4.5), SELF_USE, **NO_SUN)).endswith(
        "kept, a kWh would cost 5 p later."
    )


def test_what_is_stored_is_told_with_what_it_saves() -> None:
    reason = words(expected(0.3, value=20), SELF_USE, **SUN)
    assert reason == (
        "More sun just now than the house needs: it is stored instead of sold at 9.4 p, to save "
        "18.0 p later."
    )
    # Feed in though storing would save more: the price of a change, or an order. No figures.
    assert str(words(expected(0.3, value=20), FEED_IN, **SUN)).endswith(": it is sold at 9.4 p.")


@pytest.mark.parametrize(
    ("command", "value", "soc_kwh", "told"),
    [
        (FEED_IN, 9, 5, "instead of the grid at 22 p; kept, a kWh would save 10 p later."),
        (SELF_USE, 30, 5, "the battery gives the rest instead of the grid at 22.0 p."),
        (HOLD, 30, 5, "the rest is bought at 22.0 p; kept, a kWh saves 33.3 p later."),
        (HOLD, 9, 5, "the rest is bought at 22 p."),
        (SELF_USE, 9, 1.1, "and the battery is at its reserve: the rest is bought at 22 p."),
    ],
)  # fmt: skip
def test_need_where_sun_to_spare_was_expected(
    command: InverterCommand, value: float, soc_kwh: float, told: str
) -> None:
    reason = words(expected(-0.3, value=value), command, soc_kwh, **NO_SUN)
    assert reason is not None
    assert reason.startswith("Less sun just now than the house needs")
    assert reason.endswith(told)


def test_where_it_is_as_expected_the_plan_tells_it() -> None:
    assert words(expected(0.3), FEED_IN, **NO_SUN) is None
    assert words(expected(-0.3), FEED_IN, **SUN) is None
    assert words(expected(0.3), SELF_USE, solar_kw=0.2, load_kw=0.15) is None, "noise"


def test_of_what_does_not_follow_the_load_or_is_not_metered_nothing_is_told() -> None:
    charge = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.0)
    floor = InverterCommand(mode=Mode.SELF_USE, floor_kwh=4.0)
    assert words(expected(0.3), charge, **SUN) is None
    assert words(expected(0.3), floor, **SUN) is None
    assert words(expected(0.3), FEED_IN, solar_kw=None, load_kw=0.2) is None
