from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.errors import TelemetryUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.meters import MeterEntities

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
BATTERY = Battery(capacity_kwh=10.0, max_charge_kw=3.68, max_discharge_kw=3.68)
SOC = {"soc": ("50", "%")}


def a_state(state: str, unit: str | None, **times: datetime) -> EntityState:
    return EntityState(
        state=state, attributes={} if unit is None else {"unit_of_measurement": unit}, **times
    )


def meters(
    sensors: dict[str, tuple[str, str | None]],
    battery: Battery = BATTERY,
    **signs: Any,  # noqa: ANN401
) -> EntityMeters:
    states = {f"sensor.{name}": a_state(*value) for name, value in sensors.items()}
    names = {name: f"sensor.{name}" for name in sensors}
    return EntityMeters(
        read_state=states.get,
        entities=MeterEntities(**{"soc": "sensor.soc"} | names | signs),
        battery=battery,
    )


@pytest.mark.parametrize(
    ("state", "unit", "kwh"),
    [
        ("50", "%", 5.0),
        ("0", "%", 0.0),
        ("100.0", "%", 10.0),
        ("5.2", "kWh", 5.2),
        ("5200", "Wh", 5.2),
        ("0.0052", "MWh", 5.2),
        ("10.4", "kWh", 10.0),  # nominal energy of a full battery; the usable one is 10
    ],
)
def test_state_of_charge_in_any_unit_becomes_stored_energy(
    state: str, unit: str, kwh: float
) -> None:
    assert meters({"soc": (state, unit)}).read(NOW).soc_kwh == pytest.approx(kwh)


@pytest.mark.parametrize(
    ("state", "unit", "reason"),
    [
        ("unavailable", "%", "is unavailable: the device or its integration does not answer"),
        ("unknown", "%", "has no value yet (unknown)"),
        ("None", "%", "has no value yet (None)"),
        ("", "%", "has an empty value"),
        ("half", "%", "is 'half', which is not a number"),
        ("nan", "%", "is 'nan', which is not a number"),
        ("inf", "%", "is 'inf', which is not a number"),
        ("100.5", "%", "shows 100.5 %, not between 0 and 100 % of 10 kWh"),
        ("-1", "%", "shows -1 %, not between 0 and 100 % of 10 kWh"),
        ("11.1", "kWh", "shows 11.1 kWh, not between 0 and 100 % of 10 kWh"),
        ("52", "kW", "has the unit 'kW': it must have one of %, Wh, kWh, MWh"),
        ("52", None, "has no unit: it must have one of %, Wh, kWh, MWh"),
    ],
)
def test_a_state_of_charge_that_is_none_is_named_and_explained(
    state: str, unit: str | None, reason: str
) -> None:
    with pytest.raises(TelemetryUnavailable) as caught:
        meters({"soc": (state, unit)}).read(NOW)
    assert caught.value.entity_id == "sensor.soc"
    assert caught.value.reason.startswith(reason)
    assert str(caught.value).startswith("sensor.soc ")


def test_a_state_of_charge_that_does_not_exist_is_named() -> None:
    with pytest.raises(TelemetryUnavailable, match="soc does not exist in Home Assistant: check"):
        meters({}).read(NOW)


def test_powers_are_converted_to_kw() -> None:
    reading = meters(
        SOC | {"load": ("812", "W"), "solar": ("2.5", "kW"), "grid": ("-0.001", "MW")}
    ).read(NOW)
    assert reading.load_kw == pytest.approx(0.812)
    assert reading.solar_kw == pytest.approx(2.5)
    assert reading.grid_kw == pytest.approx(-1.0)
    assert reading.battery_kw is None
    assert reading.battery_temperature_c is None
    assert reading.measured_at == NOW


def test_signs_are_as_set() -> None:
    sensors = SOC | {"grid": ("1.5", "kW"), "battery": ("-2", "kW")}
    as_they_are = meters(sensors).read(NOW)
    assert (as_they_are.grid_kw, as_they_are.battery_kw) == (1.5, -2.0)
    turned = meters(sensors, grid_positive="export", battery_positive="charge").read(NOW)
    assert (turned.grid_kw, turned.battery_kw) == (-1.5, 2.0)


def test_pairs_of_sensors_become_one_signed_power() -> None:
    reading = meters(
        SOC
        | {"grid_import": ("300", "W"), "grid_export": ("0", "kW")}
        | {"battery_charge": ("1.2", "kW"), "battery_discharge": ("0.0", "kW")}
    ).read(NOW)
    assert reading.grid_kw == pytest.approx(0.3)
    assert reading.battery_kw == pytest.approx(-1.2)


def test_half_a_pair_gives_no_power_and_says_so() -> None:
    house = meters(SOC | {"grid_import": ("300", "W"), "grid_export": ("unknown", "kW")})
    assert house.read(NOW).grid_kw is None
    assert house.problems() == ("sensor.grid_export has no value yet (unknown)",)


@pytest.mark.parametrize(
    ("entities", "words"),
    [
        ({"grid_import": "sensor.a"}, "grid_import and grid_export must be given together"),
        ({"battery_charge": "sensor.a"}, "battery_charge and battery_discharge must be given"),
        (
            {"grid": "sensor.a", "grid_import": "sensor.b", "grid_export": "sensor.c"},
            "give either grid or grid_import and grid_export, not both",
        ),
    ],
)
def test_unclear_settings_are_refused(entities: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MeterEntities(soc="sensor.soc", **entities)


@pytest.mark.parametrize(
    ("name", "state", "unit", "problem"),
    [
        ("load", "unavailable", "kW", "is unavailable"),
        ("load", "-0.3", "kW", "shows -0.3 kW, which cannot be negative"),
        ("solar", "2500", "kW", "shows 2500 kW, more than 100 kW: check its unit"),
        ("grid", "-101", "kW", "shows -101 kW, more than 100 kW: check its unit"),
        ("battery", "nan", "kW", "is 'nan', which is not a number"),
        ("battery", "3", "kWh", "has the unit 'kWh': it must have one of W, kW, MW"),
        ("battery_temperature", "20", None, "has no unit: it must have one of °C, °F"),
        ("battery_temperature", "300", "°C", "shows 300 °C, which no battery has"),
    ],
)
def test_another_sensor_that_cannot_be_read_is_absent_and_explained(
    name: str, state: str, unit: str | None, problem: str
) -> None:
    house = meters(SOC | {name: (state, unit)})
    field = name if name == "battery_temperature" else f"{name}"
    suffix = "_c" if name == "battery_temperature" else "_kw"
    assert getattr(house.read(NOW), field + suffix) is None
    assert len(house.problems()) == 1
    assert house.problems()[0].startswith(f"sensor.{name} {problem}")


def test_a_load_above_what_can_flow_is_a_sensor_that_jumped() -> None:
    states = {"sensor.soc": a_state("50", "%"), "sensor.load": a_state("35.1", "kW")}
    house = EntityMeters(
        read_state=states.get,
        entities=MeterEntities(soc="sensor.soc", load="sensor.load"),
        battery=BATTERY,
        most_load_kw=35.0,
    )
    assert house.read(NOW).load_kw is None
    [problem] = house.problems()
    assert problem == (
        "sensor.load shows 35.1 kW, more than the 35 kW that grid, battery and panels can give: "
        "check its unit, and grid.import_limit_kw in the settings"
    )
    states["sensor.load"] = a_state("34.9", "kW")
    assert house.read(NOW).load_kw == pytest.approx(34.9)
    assert house.problems() == ()


def test_problems_are_those_of_the_last_reading_only() -> None:
    states = {"sensor.soc": a_state("50", "%"), "sensor.load": a_state("unknown", "kW")}
    house = EntityMeters(
        read_state=states.get,
        entities=MeterEntities(soc="sensor.soc", load="sensor.load"),
        battery=BATTERY,
    )
    house.read(NOW)
    assert house.problems()
    states["sensor.load"] = a_state("0.4", "kW")
    assert house.read(NOW).load_kw == 0.4
    assert house.problems() == ()


def test_a_little_below_nothing_is_nothing() -> None:
    reading = meters(SOC | {"solar": ("-6", "W"), "load": ("-0.02", "kW")}).read(NOW)
    assert (reading.solar_kw, reading.load_kw) == (0.0, 0.0)


def test_fahrenheit_becomes_celsius() -> None:
    reading = meters(SOC | {"battery_temperature": ("59", "°F")}).read(NOW)
    assert reading.battery_temperature_c == pytest.approx(15.0)


def stale_house(soc_age_minutes: float, load_age_minutes: float) -> EntityMeters:
    states = {
        "sensor.soc": a_state("50", "%", last_changed=NOW - timedelta(minutes=soc_age_minutes)),
        "sensor.load": a_state(
            "0.4",
            "kW",
            last_changed=NOW - timedelta(hours=9),
            last_reported=NOW - timedelta(minutes=load_age_minutes),
        ),
    }
    return EntityMeters(
        read_state=states.get,
        entities=MeterEntities(soc="sensor.soc", load="sensor.load"),
        battery=BATTERY,
    )


def test_one_steady_sensor_is_no_proof_of_staleness() -> None:
    assert stale_house(soc_age_minutes=300, load_age_minutes=1).read(NOW).soc_kwh == 5.0


def test_readings_are_refused_when_nothing_was_heard_of_for_too_long() -> None:
    with pytest.raises(
        TelemetryUnavailable, match=r"every other sensor.* 15 Jun 11:44 UTC, over 15"
    ):
        stale_house(soc_age_minutes=300, load_age_minutes=16).read(NOW)


def test_entities_without_times_are_not_judged_by_age() -> None:
    assert meters(SOC).read(NOW).soc_kwh == 5.0


def test_a_payload_of_appdaemon_is_read_with_its_times() -> None:
    state = EntityState.from_payload(
        {
            "entity_id": "sensor.battery_soc",
            "state": "55",
            "attributes": {"unit_of_measurement": "%"},
            "last_changed": "2026-06-15T11:00:00.123456+00:00",
            "last_updated": "2026-06-15T12:30:00+01:00",
            "last_reported": "nonsense",
        }
    )
    assert state.last_changed == datetime(2026, 6, 15, 11, 0, 0, 123456, tzinfo=UTC)
    assert state.last_reported == datetime(2026, 6, 15, 11, 30, tzinfo=UTC)
    assert (state.number, state.unit) == (55.0, "%")
    beyond = {"state": "1", "last_changed": "0001-01-01T00:00:00+14:00"}
    assert EntityState.from_payload(beyond).last_changed is None
    assert EntityState.from_payload({"state": None}).state == "unknown"


@given(st.text(), st.one_of(st.none(), st.sampled_from(["%", "kWh", "kW", ""])))
def test_no_state_of_charge_breaks_the_reading_or_is_outside_the_battery(
    state: str, unit: str | None
) -> None:
    try:
        reading = meters({"soc": (state, unit)}).read(NOW)
    except TelemetryUnavailable as error:
        assert error.reason  # noqa: PT017
    else:
        assert 0 <= reading.soc_kwh <= BATTERY.capacity_kwh


def test_a_time_to_come_proves_nothing() -> None:
    """The clock was set back by an hour: what is steady since has the old clock's time."""
    assert stale_house(soc_age_minutes=-60, load_age_minutes=1).read(NOW).soc_kwh == 5.0
    with pytest.raises(TelemetryUnavailable, match="11:44 UTC, over 15 minutes ago"):
        stale_house(soc_age_minutes=-60, load_age_minutes=16).read(NOW)
    frozen = EntityMeters(
        read_state=lambda _: a_state("50", "%", last_reported=NOW + timedelta(hours=1)),
        entities=MeterEntities(soc="sensor.soc"),
        battery=BATTERY,
    )
    with pytest.raises(TelemetryUnavailable, match=r"13:00 UTC.* from now: check the clocks"):
        frozen.read(NOW)
