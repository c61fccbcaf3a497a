import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.solar.forecast_solar import CALLS_PER_HOUR, ForecastSolar
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.solar import SolarArray
from json_server import Answer, JsonServer
from solar_fixtures import payload

NOW = datetime(2026, 6, 15, 9, 10, tzinfo=UTC)
SOUTH = SolarArray(peak_kw=4.0, tilt_deg=35, azimuth_deg=0)
EAST = SolarArray(peak_kw=2.25, tilt_deg=20, azimuth_deg=-90)


def source(server: JsonServer, *arrays: SolarArray) -> ForecastSolar:
    api = JsonApi(base_url=server.url, timeout_s=server.patience_s, calls_per_hour=CALLS_PER_HOUR)
    return ForecastSolar(
        get_json=api.get,
        latitude=51.5,
        longitude=-0.12,
        arrays=arrays or (SOUTH,),
    )


def refusal(answer: Answer, now: datetime = NOW) -> str:
    with JsonServer(answer) as server, pytest.raises(ForecastUnavailable) as caught:
        source(server).fetch(now)
    return str(caught.value)


def answer_with(periods: dict[str, Any]) -> Answer:
    return Answer.of({"result": {"watt_hours_period": periods}, "message": {"code": 0}})


def recorded_periods() -> dict[str, Any]:
    found: dict[str, Any] = payload("forecast_solar/estimate.json")["result"]["watt_hours_period"]
    return copy.deepcopy(found)


def test_energy_of_each_day_is_kept_and_nights_are_dark() -> None:
    recorded = payload("forecast_solar/estimate.json")
    with JsonServer(Answer.of(recorded)) as server:
        forecast = source(server).fetch(NOW)
    # Midnight to midnight in summer time, two days.
    assert forecast.p50_kw.start == datetime(2026, 6, 14, 23, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 96
    kwh = [forecast.p50_kw.values[:48].sum() / 2, forecast.p50_kw.values[48:].sum() / 2]
    stated_wh = list(recorded["result"]["watt_hours_day"].values())
    assert kwh == pytest.approx([wh / 1000 for wh in stated_wh], abs=1e-3)
    assert forecast.p50_kw.at(datetime(2026, 6, 15, 23, 0, tzinfo=UTC)) == 0
    assert forecast.issued_at == NOW


def test_a_time_closes_the_hour_before_it() -> None:
    with JsonServer(Answer.of(payload("forecast_solar/estimate.json"))) as server:
        forecast = source(server).fetch(NOW)
    wh = recorded_periods()["2026-06-15T12:00:00+00:00"]
    assert forecast.p50_kw.at(datetime(2026, 6, 15, 11, 0, tzinfo=UTC)) == pytest.approx(wh / 1000)


def test_asks_for_each_array_with_whole_degrees_and_utc() -> None:
    with JsonServer(Answer.of(payload("forecast_solar/estimate.json"))) as server:
        both = source(server, SOUTH, EAST).fetch(NOW)
        one = source(server, SOUTH).fetch(NOW)
    assert [request.path for request in server.requests] == [
        "/estimate/51.5000/-0.1200/35/0/4",
        "/estimate/51.5000/-0.1200/20/-90/2.25",
        "/estimate/51.5000/-0.1200/35/0/4",
    ]
    assert all(request.query == {"time": "utc"} for request in server.requests)
    assert both.p50_kw.values == pytest.approx(2 * one.p50_kw.values)


def test_the_day_on_which_clocks_go_back_has_50_half_hours() -> None:
    periods = {"2026-10-25T06:41:12+00:00": 0} | {
        f"2026-10-25T{hour:02d}:00:00+00:00": 400 for hour in range(7, 17)
    }
    with JsonServer(answer_with(periods)) as server:
        forecast = source(server).fetch(NOW.replace(month=10, day=25))
    assert forecast.p50_kw.start == datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 50
    assert forecast.p50_kw.values.sum() / 2 == pytest.approx(4.0)


def test_a_hole_in_the_day_is_refused() -> None:
    periods = recorded_periods()
    for hour in (11, 12, 13):
        del periods[f"2026-06-15T{hour}:00:00+00:00"]
    words = refusal(answer_with(periods))
    assert words == "no value for 8 half hours, the first at 15 Jun 10:00 UTC"


@pytest.mark.parametrize("value", [None, "much", "NaN"])
def test_a_value_that_is_no_number_is_a_hole(value: object) -> None:
    periods = recorded_periods() | {"2026-06-15T12:00:00+00:00": value}
    assert "no value for 2 half hours" in refusal(answer_with(periods))


def test_numbers_of_another_size_are_refused() -> None:
    periods = {key: 1000 * wh for key, wh in recorded_periods().items()}
    assert "it looks like W given as kW" in refusal(answer_with(periods))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "no watt_hours_period with UTC times"),
        ([], "no watt_hours_period with UTC times"),
        ({"result": None}, "no watt_hours_period with UTC times"),
        ({"result": {"watt_hours_period": []}}, "no watt_hours_period with UTC times"),
        ({"result": {"watt_hours_period": {}}}, "an empty watt_hours_period"),
        ({"result": {"watt_hours_period": {"2026-06-15 12:00:00": 1}}}, "with UTC times"),
    ],
)
def test_an_answer_of_another_shape_is_refused(body: object, words: str) -> None:
    assert words in refusal(Answer.of(body))


@pytest.mark.parametrize("key", ["9990-01-01T12:00:00+00:00", "9999-12-31T23:30:00+00:00"])
def test_a_date_far_away_is_refused(key: str) -> None:
    assert "the answer is not usable" in refusal(answer_with(recorded_periods() | {key: 1}))


def test_a_time_given_twice_counts_once() -> None:
    twice = recorded_periods()
    twice["2026-06-15T13:00:00+01:00"] = twice["2026-06-15T12:00:00+00:00"]
    with JsonServer(answer_with(twice), answer_with(recorded_periods())) as server:
        forecasts = source(server)
        first, second = forecasts.fetch(NOW), forecasts.fetch(NOW)
    assert list(first.p50_kw.values) == list(second.p50_kw.values)


def test_the_answer_of_another_day_is_refused() -> None:
    recorded = Answer.of(payload("forecast_solar/estimate.json"))
    assert "it is for another day" in refusal(recorded, NOW + timedelta(days=2))


def test_arrays_answered_for_different_days_are_refused() -> None:
    one_day = {key: wh for key, wh in recorded_periods().items() if "-15T" in key}
    answers = (answer_with(recorded_periods()), answer_with(one_day))
    with JsonServer(*answers) as server, pytest.raises(ForecastUnavailable, match="different time"):
        source(server, SOUTH, EAST).fetch(NOW)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer.of(payload("forecast_solar/too_many_calls.json"), status=429), "too many calls"),
        (Answer(status=503), "error 503"),
        (Answer(hangs=True), "did not answer within"),
        (Answer(body=b"oops"), "not JSON"),
    ],
)
def test_a_service_that_fails_gives_no_forecast(answer: Answer, words: str) -> None:
    assert words in refusal(answer)


def test_never_calls_more_than_12_times_an_hour() -> None:
    with JsonServer(Answer.of(payload("forecast_solar/estimate.json"))) as server:
        forecasts = source(server)
        for minute in range(12):
            forecasts.fetch(NOW + timedelta(minutes=minute))
        with pytest.raises(ForecastUnavailable, match="allows 12 calls an hour"):
            forecasts.fetch(NOW + timedelta(minutes=13))
    assert len(server.requests) == 12
