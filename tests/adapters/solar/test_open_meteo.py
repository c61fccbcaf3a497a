import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.solar.open_meteo import OpenMeteoApi, OpenMeteoEntities
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.solar import SolarArray
from json_server import Answer, JsonServer
from solar_fixtures import home_of, payload

NOW = datetime(2026, 6, 15, 9, 10, tzinfo=UTC)
TODAY, TOMORROW = "sensor.energy_production_today", "sensor.energy_production_tomorrow"
SOUTH = SolarArray(peak_kw=4.0, tilt_deg=35, azimuth_deg=0)
WEST = SolarArray(peak_kw=2.0, tilt_deg=20, azimuth_deg=90)


def recorded(name: str = "today") -> dict[str, Any]:
    found: dict[str, Any] = payload(f"open_meteo_solar/energy_production_{name}.json")
    return found


def with_attributes(**attributes: object) -> dict[str, Any]:
    today = recorded()
    return today | {"attributes": attributes}


def entities(*payloads: dict[str, Any], peak_kw: float | None = 4.0) -> OpenMeteoEntities:
    return OpenMeteoEntities(
        read_state=home_of(*payloads), entities=(TODAY, TOMORROW), peak_kw=peak_kw
    )


def refusal(source: OpenMeteoEntities | OpenMeteoApi, now: datetime = NOW) -> str:
    with pytest.raises(ForecastUnavailable) as caught:
        source.fetch(now)
    return str(caught.value)


def hourly(day: str, offset: str, hours: list[int], wh: float = 500.0) -> dict[str, float]:
    return {f"{day}T{hour:02d}:00:00{offset}": wh for hour in hours}


def test_hourly_energy_is_kept_and_falls_on_its_halves_as_the_watts_do() -> None:
    forecast = entities(recorded(), recorded("tomorrow")).fetch(NOW)
    stated_kwh = float(recorded()["state"]) + float(recorded("tomorrow")["state"])
    assert forecast.p50_kw.start == datetime(2026, 6, 14, 23, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 96
    assert forecast.p50_kw.values.sum() / 2 == pytest.approx(stated_kwh, abs=2e-3)
    morning = forecast.p50_kw.values[16:18]  # 07:00 and 07:30 UTC, the sun climbing
    assert morning[0] < morning[1]
    wh = recorded()["attributes"]["wh_period"]["2026-06-15T08:00:00+01:00"]
    assert morning.mean() == pytest.approx(wh / 1000)


def test_while_its_service_fails_it_grows_old_though_it_is_told_each_minute() -> None:
    home: dict[str, EntityState] = {}

    def tell(at: datetime, *payloads: dict[str, Any]) -> None:
        for each in payloads:
            home[each["entity_id"]] = EntityState.from_payload(
                each | {"last_reported": at.isoformat()}
            )

    source = OpenMeteoEntities(read_state=home.get, entities=(TODAY, TOMORROW))
    days = (recorded(), recorded("tomorrow"))
    tell(NOW, *days)
    assert source.fetch(NOW).issued_at == NOW
    at_night = NOW + timedelta(hours=15)
    tell(at_night, days[1] | {"entity_id": TODAY})
    del home[TOMORROW]
    assert source.fetch(at_night).issued_at == NOW, "another day of the same answer"
    late = NOW + timedelta(hours=25)
    tell(late, days[1] | {"entity_id": TODAY})
    assert "more than a day ago" in refusal(source, late)
    tell(late, days[1] | {"entity_id": TODAY, "attributes": doubled(days[1]["attributes"])})
    assert source.fetch(late).issued_at == late


def doubled(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {time: 2 * number for time, number in attributes[name].items()}
        for name in ("watts", "wh_period")
    }


def test_it_is_as_old_as_the_entity_and_has_no_spread() -> None:
    forecast = entities(recorded()).fetch(NOW)
    assert forecast.issued_at == datetime(2026, 6, 15, 9, 7, 0, 3391, tzinfo=UTC)
    assert forecast.source == "Open-Meteo Solar Forecast"
    assert forecast.p10_kw is forecast.p50_kw is forecast.p90_kw


def test_energy_alone_is_spread_evenly_over_its_hour() -> None:
    table = recorded()["attributes"]["wh_period"]
    forecast = entities(with_attributes(wh_period=table)).fetch(NOW)
    assert list(forecast.p50_kw.values[::2]) == list(forecast.p50_kw.values[1::2])
    kwh = forecast.p50_kw.values.sum() / 2
    assert kwh == pytest.approx(sum(table.values()) / 1000, abs=1e-6)


def test_watts_alone_serve_too() -> None:
    table = recorded()["attributes"]["watts"]
    forecast = entities(with_attributes(watts=table)).fetch(NOW)
    kwh = forecast.p50_kw.values.sum() / 2
    assert kwh == pytest.approx(sum(table.values()) / 4000, abs=1e-6)


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_energy_is_kept_whatever_the_step(minutes: int) -> None:
    start = datetime(2026, 6, 15, tzinfo=UTC)
    steps = range(0, 24 * 60, minutes)
    table = {(start + timedelta(minutes=at)).isoformat(): at / 10 for at in steps}
    forecast = entities(with_attributes(wh_period=table), peak_kw=None).fetch(NOW)
    kwh = forecast.p50_kw.values.sum() / 2
    assert kwh == pytest.approx(sum(table.values()) / 1000, abs=1e-6)


def test_local_times_without_an_offset_are_on_the_wall_clock() -> None:
    # 29 March 2026: the hour from 01:00 to 02:00 is not on the clock.
    table = hourly("2026-03-29", "", [0, *range(2, 24)])
    timeless = {"entity_id": TODAY, "state": "12", "attributes": {"wh_period": table}}
    forecast = entities(timeless).fetch(NOW.replace(month=3, day=29))
    assert forecast.p50_kw.start == datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 46
    assert not np.isnan(forecast.p50_kw.values).any()


def test_offsets_tell_the_two_hours_apart_when_clocks_go_back() -> None:
    table = hourly("2026-10-25", "+01:00", [0, 1]) | hourly(
        "2026-10-25", "+00:00", list(range(1, 24))
    )
    timeless = {"entity_id": TODAY, "state": "12", "attributes": {"wh_period": table}}
    forecast = entities(timeless).fetch(NOW.replace(month=10, day=25))
    assert len(forecast.p50_kw.values) == 50


def test_local_times_without_an_offset_tell_the_hour_that_comes_twice_once() -> None:
    table = hourly("2026-10-25", "", list(range(24)))
    timeless = {"entity_id": TODAY, "state": "12", "attributes": {"wh_period": table}}
    forecast = entities(timeless).fetch(NOW.replace(month=10, day=25))
    assert forecast.p50_kw.start == datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 50
    assert not np.isnan(forecast.p50_kw.values).any()


def test_a_day_of_one_fixed_offset_is_whole_on_the_day_clocks_go_back() -> None:
    # As the integration sends it: by the offset that held when it asked.
    table = hourly("2026-10-25", "+01:00", list(range(24)))
    timeless = {"entity_id": TODAY, "state": "12", "attributes": {"wh_period": table}}
    forecast = entities(timeless).fetch(NOW.replace(month=10, day=25))
    assert len(forecast.p50_kw.values) == 48
    assert not np.isnan(forecast.p50_kw.values).any()


def test_without_a_table_there_is_no_forecast() -> None:
    words = f"{TODAY} has neither wh_period nor watts of a whole day"
    assert refusal(entities()) == words
    assert refusal(entities(with_attributes(wh_period="none"))) == words
    nothing = OpenMeteoEntities(read_state=home_of())
    assert "what is called energy_production_today has neither" in refusal(nothing)


def test_bad_tables_are_refused_in_plain_words() -> None:
    every_2_h = hourly("2026-06-15", "+00:00", list(range(0, 24, 2)))
    assert "its steps are 2:00:00, not 15, 30 or 60 minutes" in refusal(
        entities(with_attributes(wh_period=every_2_h))
    )
    one = hourly("2026-06-15", "+00:00", [9])
    assert "its steps are 0:00:00" in refusal(entities(with_attributes(wh_period=one)))
    noon = hourly("2026-06-15", "+00:00", [8, 9]) | {"noon": 1.0}
    assert refusal(entities(with_attributes(wh_period=noon))) == "wh_period has the time 'noon'"
    hole = hourly("2026-06-15", "+00:00", [8, 9, 11, 12])
    assert "no value for 2 half hours" in refusal(entities(with_attributes(wh_period=hole)))
    blank: dict[str, Any] = hourly("2026-06-15", "+00:00", [8, 9, 10]) | {}
    blank["2026-06-15T09:00:00+00:00"] = None
    assert "no value for 2 half hours" in refusal(entities(with_attributes(wh_period=blank)))
    kw_for_w = hourly("2026-06-15", "+00:00", list(range(24)), wh=2_000_000)
    assert "W given as kW" in refusal(entities(with_attributes(wh_period=kw_for_w)))


def test_an_entity_of_yesterday_is_refused() -> None:
    assert "another day" in refusal(entities(recorded()), NOW + timedelta(hours=15))


def found_in(*payloads: dict[str, Any]) -> OpenMeteoEntities:
    names = [each["entity_id"] for each in payloads]
    return OpenMeteoEntities(read_state=home_of(*payloads), list_entities=lambda: names)


def called(name: str, day: str = "today") -> dict[str, Any]:
    return recorded(day) | {"entity_id": name}


@pytest.mark.parametrize("title", ["", "home_", "roof_2_", "energy_production_today_"])
@pytest.mark.parametrize("number", ["", "_2"])
def test_entities_are_found_by_their_tables_whatever_is_before_their_name(
    title: str, number: str
) -> None:
    metered = {"state": "9", "attributes": {"unit_of_measurement": "kWh"}}
    forecast = found_in(
        metered | {"entity_id": "sensor.envoy_12_energy_production_today"},
        called(f"sensor.{title}energy_production_tomorrow{number}", "tomorrow"),
        called(f"sensor.{title}energy_production_today{number}"),
        called(f"sensor.{title}energy_production_today_remaining{number}"),
    ).fetch(NOW)
    set_so = entities(recorded(), recorded("tomorrow")).fetch(NOW)
    assert forecast.p50_kw.values.tolist() == set_so.p50_kw.values.tolist()
    assert forecast.issued_at == set_so.issued_at


def test_a_day_that_is_disabled_makes_it_shorter() -> None:
    after = json.loads(json.dumps(recorded("tomorrow")).replace("2026-06-16", "2026-06-17"))
    home = (called(TODAY), after | {"entity_id": "sensor.energy_production_d2"})
    assert len(found_in(*home).fetch(NOW).p50_kw.values) == 48
    whole = (*home, called(TOMORROW, "tomorrow"))
    assert len(found_in(*whole).fetch(NOW).p50_kw.values) == 3 * 48
    second = called(f"{TODAY}_2"), after | {"entity_id": "sensor.energy_production_d2_2"}
    assert len(found_in(*whole, *second).fetch(NOW).p50_kw.values) == 48, "of one roof only"


def test_roofs_are_added_up_as_far_as_all_of_them_are_told() -> None:
    one = entities(recorded()).fetch(NOW).p50_kw.values
    both = found_in(
        called("sensor.south_energy_production_today"),
        called("sensor.south_energy_production_tomorrow", "tomorrow"),
        called("sensor.west_energy_production_today"),
    ).fetch(NOW)
    assert both.p50_kw.values == pytest.approx(2 * one)
    assert len(both.p50_kw.values) == 48, "of tomorrow's sun only a part is known"


def test_a_roof_that_falls_silent_is_not_left_out() -> None:
    south, west = (called(f"sensor.{roof}_energy_production_today") for roof in ("south", "west"))
    home = {each["entity_id"]: EntityState.from_payload(each) for each in (south, west)}
    source = OpenMeteoEntities(read_state=home.get, list_entities=lambda: home)
    both = source.fetch(NOW)
    home[west["entity_id"]] = EntityState(state="unavailable")
    words = "sensor.west_energy_production_today has neither wh_period nor watts any more"
    assert refusal(source) == words
    del home[west["entity_id"]]
    assert source.fetch(NOW).p50_kw.values == pytest.approx(both.p50_kw.values / 2)


def test_an_hour_that_two_days_of_one_roof_tell_counts_once() -> None:
    # Days of the offset that held when each was asked for.
    today = hourly("2026-10-25", "+01:00", list(range(24)))
    tomorrow = hourly("2026-10-25", "+00:00", [22, 23]) | hourly("2026-10-26", "+00:00", [0, 1])
    home = (
        {"entity_id": TODAY, "state": "12", "attributes": {"wh_period": today}},
        {"entity_id": TOMORROW, "state": "12", "attributes": {"wh_period": tomorrow}},
    )
    forecast = found_in(*home).fetch(NOW.replace(month=10, day=25))
    assert forecast.p50_kw.values.tolist() == [0.5] * 54


def api(server: JsonServer, *arrays: SolarArray) -> OpenMeteoApi:
    return OpenMeteoApi(
        get_json=JsonApi(base_url=server.url, timeout_s=server.patience_s).get,
        latitude=51.5,
        longitude=-0.12,
        arrays=arrays or (SOUTH,),
    )


def test_asks_for_the_irradiance_on_the_panels() -> None:
    with JsonServer(Answer.of(payload("open_meteo/forecast.json"))) as server:
        api(server).fetch(NOW)
    assert server.requests[0].path == "/v1/forecast"
    assert server.requests[0].query == {
        "latitude": "51.5000",
        "longitude": "-0.1200",
        "hourly": "global_tilted_irradiance",
        "tilt": "35",
        "azimuth": "0",
        "forecast_days": "4",
        "timeformat": "unixtime",
        "timezone": "GMT",
    }


def test_power_is_rating_times_irradiance_of_the_hour_before() -> None:
    answer = payload("open_meteo/forecast.json")
    with JsonServer(Answer.of(answer)) as server:
        forecast = api(server).fetch(NOW)
    ends = answer["hourly"]["time"]
    watts = answer["hourly"]["global_tilted_irradiance"]
    noon = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
    expected_kw = 4.0 * watts[ends.index(int(noon.timestamp()))] / 1000 * 0.85
    assert forecast.p50_kw.at(noon - timedelta(hours=1)) == pytest.approx(expected_kw)
    assert forecast.p50_kw.at(noon - timedelta(minutes=1)) == pytest.approx(expected_kw)
    assert forecast.issued_at == NOW


def test_faulty_negative_irradiance_is_night_and_the_blank_end_is_left_out() -> None:
    with JsonServer(Answer.of(payload("open_meteo/forecast.json"))) as server:
        forecast = api(server).fetch(NOW)
    assert forecast.p50_kw.values.min() == 0
    assert forecast.p50_kw.start == datetime(2026, 6, 14, 23, 0, tzinfo=UTC)
    assert forecast.p50_kw.end == datetime(2026, 6, 18, 21, 0, tzinfo=UTC)


def test_several_roofs_are_added_up() -> None:
    with JsonServer(Answer.of(payload("open_meteo/forecast.json"))) as server:
        both = api(server, SOUTH, WEST).fetch(NOW)
        one = api(server, SOUTH).fetch(NOW)
    assert both.p50_kw.values == pytest.approx(1.5 * one.p50_kw.values)
    assert [request.query["azimuth"] for request in server.requests] == ["0", "90", "0"]


def with_hourly(**changed: object) -> dict[str, Any]:
    answer: dict[str, Any] = copy.deepcopy(payload("open_meteo/forecast.json"))
    answer["hourly"] |= changed
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"hourly": None},
        {"hourly": {}},
        with_hourly(time=["2026-06-15T00:00"]),
        with_hourly(time=[1e300] * 96),
        with_hourly(global_tilted_irradiance=["much"] * 96),
        with_hourly(global_tilted_irradiance=[1.0]),
    ],
)
def test_an_answer_of_another_shape_is_refused(answer: object) -> None:
    with JsonServer(Answer.of(answer)) as server:
        assert "does not have the hourly irradiance" in refusal(api(server))


def test_an_answer_with_nothing_or_with_holes_is_refused() -> None:
    blank = with_hourly(global_tilted_irradiance=[None] * 96)
    values = payload("open_meteo/forecast.json")["hourly"]["global_tilted_irradiance"]
    hole = with_hourly(global_tilted_irradiance=[*values[:30], None, *values[31:]])
    with JsonServer(Answer.of(blank), Answer.of(hole)) as server:
        assert "the answer is not usable: no values" in refusal(api(server))
        assert "no value for 2 half hours" in refusal(api(server))


def test_roofs_answered_for_different_hours_are_refused() -> None:
    answer = payload("open_meteo/forecast.json")
    shorter = with_hourly(
        time=answer["hourly"]["time"][:48],
        global_tilted_irradiance=answer["hourly"]["global_tilted_irradiance"][:48],
    )
    with JsonServer(Answer.of(answer), Answer.of(shorter)) as server:
        assert "different times" in refusal(api(server, SOUTH, WEST))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=429), "too many calls"),
        (Answer(status=502), "error 502"),
        (Answer(hangs=True), "did not answer within"),
        (Answer(body=b"{"), "not JSON"),
    ],
)
def test_a_service_that_fails_gives_no_forecast(answer: Answer, words: str) -> None:
    with JsonServer(answer) as server:
        assert words in refusal(api(server))
