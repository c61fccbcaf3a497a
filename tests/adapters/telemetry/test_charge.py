"""A charge sensor that jumps: doubted at first, believed once it stays so."""

from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.errors import TelemetryUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.meters import MeterEntities

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


class Sensor:
    """Of a battery of 10 kWh that moves up to 3.68 kW: what it shows, and what is believed."""

    def __init__(self) -> None:
        self.state = "50"
        self.meters = EntityMeters(
            read_state=lambda _: EntityState(
                state=self.state, attributes={"unit_of_measurement": "%"}
            ),
            entities=MeterEntities(soc="sensor.soc"),
            battery=Battery(capacity_kwh=10, max_charge_kw=3.68, max_discharge_kw=3.68),
        )

    def read(self, percent: float | str, minutes: float) -> float:
        """Percent believed, so many minutes after noon."""
        self.state = str(percent)
        at = NOON + timedelta(minutes=minutes)
        return round(10 * self.meters.read(at).soc_kwh, 6)

    def read_each(self, *percent: float, every_minutes: float = 5) -> list[float]:
        return [self.read(each, t * every_minutes) for t, each in enumerate(percent)]


@pytest.fixture
def sensor() -> Sensor:
    return Sensor()


def test_a_swing_to_nothing_and_back_moves_nothing(sensor: Sensor) -> None:
    assert sensor.read_each(55, 0, 55, 0, 54, 0) == [55, 55, 55, 55, 54, 54]


def test_a_doubted_reading_is_told_with_what_is_used_instead(sensor: Sensor) -> None:
    sensor.read(55, 0)
    sensor.read(0, 5)
    [told] = sensor.meters.problems()
    assert told == (
        "sensor.soc shows 0 % but showed 55 % 5 minutes ago, more than the battery can move: 55 % "
        "is used until that has lasted for 8 minutes"
    )
    sensor.read(54, 10)
    assert sensor.meters.problems() == ()


def test_what_stays_is_believed_with_the_third_reading(sensor: Sensor) -> None:
    assert sensor.read_each(55, 95, 95, 94, 93) == [55, 55, 55, 94, 93]
    assert sensor.meters.problems() == ()


def test_readings_in_haste_prove_nothing(sensor: Sensor) -> None:
    assert sensor.read_each(55, 0, 0, 0, 0, 0, every_minutes=0.7) == [55] * 6


def test_two_jumps_to_different_places_are_two_doubts(sensor: Sensor) -> None:
    assert sensor.read_each(50, 0, 100, 0, 100) == [50] * 5


@pytest.mark.parametrize(("percent", "minutes"), [(64, 5), (36, 5), (85, 60), (0, 90)])
def test_what_a_battery_can_move_is_believed_at_once(
    sensor: Sensor, percent: float, minutes: float
) -> None:
    sensor.read(50, 0)
    assert sensor.read(percent, minutes) == percent


def test_after_a_silence_of_the_sensor_all_is_possible(sensor: Sensor) -> None:
    sensor.read(55, 0)
    with pytest.raises(TelemetryUnavailable):
        sensor.read("unavailable", 5)
    assert sensor.read(5, 180) == 5


def test_a_clock_that_was_set_back_is_no_reason_to_doubt_for_ever(sensor: Sensor) -> None:
    assert sensor.read_each(55, 0, 0, 0, every_minutes=-60)[-1] == 0
