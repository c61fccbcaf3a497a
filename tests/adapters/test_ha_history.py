from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.adapters.ha_history import HomeAssistantHistory, Rows, observed_kw

START = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


def rows(*readings: tuple[float, object]) -> Rows:
    """Rows as the recorder gives them, from (minutes after START, state)."""
    return [
        {
            "state": str(state),
            "last_changed": (START + timedelta(minutes=minute)).isoformat(),
        }
        for minute, state in readings
    ]


def observed(readings: Rows, unit: str | None, hours: float = 2.0) -> list[float]:
    end = START + timedelta(hours=hours)
    series = observed_kw(readings, unit=unit, start=START, end=end)
    assert (series.start, series.end) == (START, end)
    return [round(float(value), 6) for value in series.values]


NAN = pytest.approx(float("nan"), nan_ok=True)


def test_a_power_holds_until_the_next_and_is_averaged_by_time() -> None:
    # 10 min at 600 W and 20 min at 1200 W are 1 kW; then 900 W for the rest.
    assert observed(rows((0, 600), (10, 1200), (30, 900)), "W") == [1.0, 0.9, 0.9, 0.9]


def test_a_sensor_that_is_minutes_old_says_nothing_yet() -> None:
    assert observed(rows((110, 0.5)), "kW") == [NAN] * 4
    assert observed(rows(), "kW") == [NAN] * 4


def test_rows_may_be_unordered_and_have_datetimes() -> None:
    unordered = [*reversed(rows((0, 1), (30, 2)))]
    unordered.append({"state": "3", "last_changed": START + timedelta(minutes=60)})
    unordered.append({"state": "9"})
    assert observed(unordered, "kW") == [1, 2, 3, 3]


def test_a_sensor_without_a_value_leaves_a_gap_not_a_zero() -> None:
    readings = rows((0, 1), (30, "unavailable"), (60, "unknown"), (100, 2))
    # The last half hour is known from 100 min on only: more than half of it.
    assert observed(readings, "kW") == [1.0, NAN, NAN, 2.0]


def test_a_half_hour_known_for_less_than_half_is_a_gap() -> None:
    assert observed(rows((0, 1), (10, "unavailable"), (30, 2)), "kW")[0] == NAN


def test_a_power_that_never_changes_is_believed_for_two_hours() -> None:
    assert observed(rows((0, 0.4)), "kW", hours=3) == [0.4] * 4 + [NAN] * 2


def test_no_sun_is_believed_all_night() -> None:
    assert observed(rows((0, 0), (16 * 60, 1.0)), "kW", hours=16) == [0.0] * 32


def test_a_spike_of_power_is_dropped_and_the_power_before_it_holds() -> None:
    assert observed(rows((0, 1), (10, 65535), (11, 1)), "kW", hours=1) == [1, 1]


def test_negative_power_is_a_gap_but_noise_is_nothing() -> None:
    assert observed(rows((0, -0.01), (30, -2), (60, 1)), "kW") == [0, NAN, 1, 1]


def test_energy_of_a_counter_is_spread_over_the_time_it_took() -> None:
    readings = rows((0, 100), (30, 100.5), (45, 101), (90, 101.75), (120, 102.25))
    assert observed(readings, "kWh") == [1.0, 1.5, 1.0, 1.0]
    in_wh = rows((0, 100_000), (120, 104_000))
    assert observed(in_wh, "Wh") == [2.0] * 4


def test_a_counter_that_is_reset_at_midnight_goes_on_from_nothing() -> None:
    assert observed(rows((0, 8), (30, 8.5), (60, 0.25), (120, 1.25)), "kWh") == [1, 0.5, 1, 1]


def test_a_counter_that_wavers_is_not_reset() -> None:
    assert observed(rows((0, 100), (30, 101), (31, 100.9), (60, 102)), "kWh", 1) == [2, 2]


def test_a_spike_of_a_counter_costs_only_the_readings_beside_it() -> None:
    every_5_min = [(minute, 100 + minute / 60) for minute in range(0, 121, 5)]
    for wrong in (999_999, 0):
        spoilt = [(m, wrong if m == 40 else kwh) for m, kwh in every_5_min]
        assert observed(rows(*spoilt), "kWh") == [1, 1, 1, 1]


def test_energy_after_a_long_silence_is_a_gap_unless_hardly_any_flowed() -> None:
    assert observed(rows((0, 100), (180, 106)), "kWh", hours=3) == [NAN] * 6
    assert observed(rows((0, 100), (180, 100.06)), "kWh", hours=3) == [0.02] * 6


@pytest.mark.parametrize("unit", [None, "%", "A"])
def test_an_unknown_unit_gives_no_values(unit: str | None) -> None:
    assert observed(rows((0, 1), (60, 2)), unit) == [NAN] * 4


def test_nothing_recorded_is_nothing_known() -> None:
    assert observed([], "kW") == [NAN] * 4
    assert observed(rows((-300, "unknown")), "kW") == [NAN] * 4


def test_a_clock_change_needs_no_thought() -> None:
    # 25 October 2026: 01:30 is on the wall clock twice.
    start = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    readings: Rows = [
        {"state": "1", "last_changed": "2026-10-25T01:00:00+01:00"},
        {"state": "2", "last_changed": "2026-10-25T01:30:00+01:00"},
        {"state": "3", "last_changed": "2026-10-25T01:30:00+00:00"},
    ]
    series = observed_kw(readings, unit="kW", start=start, end=start + timedelta(hours=2))
    assert list(series.values) == [1, 2, 2, 3]


def history(
    recorded: dict[str, Sequence[Rows] | None], units: dict[str, str]
) -> HomeAssistantHistory:
    return HomeAssistantHistory(
        get_history=lambda entity_id, _start, _end: recorded.get(entity_id),
        unit_of=units.get,
        load="sensor.load",
        solar="sensor.solar",
    )


def test_load_and_solar_are_read_from_the_lists_that_appdaemon_gives() -> None:
    reader = history(
        {"sensor.load": [rows((0, 500))], "sensor.solar": [rows((0, 7), (60, 9))]},
        {"sensor.load": "W", "sensor.solar": "kWh"},
    )
    found = reader.observations(START, START + timedelta(hours=1))
    assert list(found.load_kw.values) == [0.5, 0.5]
    assert list(found.solar_kw.values) == [2.0, 2.0]


@pytest.mark.parametrize("nothing", [None, [], [[]]])
def test_without_home_assistant_nothing_is_known(nothing: Sequence[Rows] | None) -> None:
    reader = history({"sensor.load": nothing}, {"sensor.load": "W"})
    found = reader.observations(START, START + timedelta(hours=1))
    assert found.load_kw.values.shape == (2,)
    assert np.isnan(found.load_kw.values).all()
    assert np.isnan(found.solar_kw.values).all()


def test_it_may_be_asked_at_any_moment() -> None:
    reader = HomeAssistantHistory(
        get_history=lambda *_: [rows((0, 1), (35, 3))], unit_of=lambda _: "kW", load="sensor.load"
    )
    start = START + timedelta(minutes=7, microseconds=5)
    load = reader.observations(start, start + timedelta(hours=1)).load_kw
    assert load.start == START
    assert [round(float(value), 2) for value in load.values] == [1.0, 2.67]


def test_large_loads_and_the_temperature_are_remembered_too() -> None:
    recorded = {
        "sensor.load": [rows((0, 500))],
        "sensor.car": [rows((0, 0), (60 * 30, 7000), (60 * 31, 0))],
        "sensor.outside": [rows((0, -2), (60, 4))],
    }
    units = {"sensor.load": "W", "sensor.car": "W", "sensor.outside": "°C"}
    reader = HomeAssistantHistory(
        get_history=lambda entity_id, _start, _end: recorded.get(entity_id),
        unit_of=units.get,
        load="sensor.load",
        large={"car": "sensor.car"},
        outside="sensor.outside",
    )
    found = reader.observations(START, START + timedelta(hours=40))
    car = found.large_kw["car"].values
    assert car[:62].tolist() == [0.0] * 60 + [7.0] * 2  # off for a day and a half, and known to be
    assert car[62:].tolist() == [0.0] * 18
    assert found.outside_c is not None
    assert found.outside_c.values[:4].tolist() == [-2, -2, 4, 4]
    assert np.isnan(found.outside_c.values[-1])


def test_a_temperature_in_another_unit_is_not_taken() -> None:
    reader = HomeAssistantHistory(
        get_history=lambda *_: [rows((0, 50))],
        unit_of={"sensor.load": "W", "sensor.outside": "°F"}.get,
        load="sensor.load",
        outside="sensor.outside",
    )
    found = reader.observations(START, START + timedelta(hours=1)).outside_c
    assert found is not None
    assert len(found.values) == 0
