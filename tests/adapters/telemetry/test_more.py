from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.adapters.telemetry.more import MoreSensors
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.meters import LargeLoad, MeterEntities

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
CAR = LargeLoad(name="car", power="sensor.car_power")
WATER = LargeLoad(name="hot_water", power="sensor.immersion_power")


def a_state(state: str, unit: str | None = "W", hours_ago: float = 0.0) -> EntityState:
    return EntityState(
        state=state,
        attributes={} if unit is None else {"unit_of_measurement": unit},
        last_reported=NOW - timedelta(hours=hours_ago),
    )


def sensors(states: dict[str, EntityState], outside: str | None = None) -> MoreSensors:
    return MoreSensors(read_state=states.get, large_loads=(CAR, WATER), outside=outside)


def test_large_loads_and_the_temperature_are_read_in_any_unit() -> None:
    states = {
        CAR.power: a_state("7200"),
        WATER.power: a_state("2.9", "kW"),
        "sensor.outside": a_state("50", "°F"),
    }
    found = sensors(states, "sensor.outside").read(NOW)
    assert found.large_kw == {"car": 7.2, "hot_water": 2.9}
    assert found.outside_c == pytest.approx(10)
    assert found.problems == ()


def test_a_sensor_that_cannot_be_read_is_absent_not_zero_and_is_named() -> None:
    found = sensors({CAR.power: a_state("unavailable"), WATER.power: a_state("0")}).read(NOW)
    assert found.large_kw == {"hot_water": 0.0}
    [problem] = found.problems
    assert problem.startswith("sensor.car_power (car) is unavailable")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (a_state("7200", "kW"), "more than 100 kW: check its unit"),
        (a_state("7.2", "kWh"), "has the unit 'kWh': it must have one of W, kW, MW"),
        (a_state("7.2", None), "has no unit"),
        (a_state("-900"), "shows -0.9 kW, which cannot be negative"),
        (a_state("7200", hours_ago=3), "has shown the same for over 2 hours and is not believed"),
        (a_state("on"), "which is not a number"),
    ],
)
def test_what_a_large_load_cannot_draw_is_named_and_not_used(
    state: EntityState, words: str
) -> None:
    found = sensors({CAR.power: state, WATER.power: a_state("0")}).read(NOW)
    assert "car" not in found.large_kw
    assert words in found.problems[0]


def test_a_load_that_is_off_may_be_silent_for_days() -> None:
    states = {CAR.power: a_state("0", hours_ago=70), WATER.power: a_state("-3", hours_ago=70)}
    found = sensors(states).read(NOW)
    assert found.large_kw == {"car": 0.0, "hot_water": 0.0}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (a_state("-127", "°C"), "shows -127 °C, which no British weather has"),
        (a_state("12", "K"), "must have one of °C, °F"),
        (a_state("12", "°C", hours_ago=7), "has shown the same for over 6 hours"),
    ],
)
def test_a_temperature_that_no_weather_has_is_named_and_not_used(
    state: EntityState, words: str
) -> None:
    states = {CAR.power: a_state("0"), WATER.power: a_state("0"), "sensor.outside": state}
    found = sensors(states, "sensor.outside").read(NOW)
    assert found.outside_c is None
    assert words in found.problems[0]


def test_they_come_with_the_readings_of_the_house() -> None:
    states = {"sensor.soc": a_state("50", "%"), CAR.power: a_state("700"), WATER.power: None}
    meters = EntityMeters(
        read_state=states.get,
        entities=MeterEntities(soc="sensor.soc"),
        battery=Battery(capacity_kwh=10.0, max_charge_kw=3.0, max_discharge_kw=3.0),
        more=sensors(states, "sensor.outside"),  # type: ignore[arg-type]
    )
    telemetry = meters.read(NOW)
    assert telemetry.large_kw == {"car": pytest.approx(0.7)}
    assert telemetry.outside_c is None
    assert [problem.split(" ")[0] for problem in meters.problems()] == [
        "sensor.immersion_power",
        "sensor.outside",
    ]
