from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.open_meteo_weather import OpenMeteoWeather
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.slots import HOUR
from json_server import Answer, JsonServer

NOW = datetime(2026, 1, 15, 9, 10, tzinfo=UTC)
TODAY = datetime(2026, 1, 15, tzinfo=UTC)


def answer(past_days: int = 2, *, add: float = 0.0, hours: int = 96, **more: Any) -> Answer:  # noqa: ANN401
    """Hour n since midnight of the first day has n / 100 degrees."""
    start = TODAY - timedelta(days=past_days)
    count = 24 * past_days + hours
    hourly = {
        "time": [int((start + n * HOUR).timestamp()) for n in range(count)],
        "temperature_2m": [(n - 24 * past_days) / 100 + add for n in range(count)],
    }
    return Answer.of({"hourly": hourly | more})


def weather(server: JsonServer) -> OpenMeteoWeather:
    return OpenMeteoWeather(
        get_json=JsonApi(base_url=server.url).get, latitude=51.5, longitude=-0.12
    )


def test_it_is_told_for_the_middle_of_each_half_hour() -> None:
    with JsonServer(answer(past_days=92)) as server:
        celsius = weather(server).temperature(NOW)
    assert celsius.start == TODAY - timedelta(days=92)
    assert celsius.at(TODAY) == pytest.approx(0.0025)
    assert celsius.at(TODAY + 1.5 * HOUR) == pytest.approx(0.0175)
    assert celsius.end == TODAY + 95 * HOUR
    [request] = server.requests
    assert request.path == "/v1/forecast"
    assert request.query["hourly"] == "temperature_2m"
    assert (request.query["past_days"], request.query["latitude"]) == ("92", "51.5000")


def test_it_is_asked_once_an_hour_and_then_for_the_last_days_only() -> None:
    with JsonServer(answer(past_days=92), answer(add=1.0)) as server:
        source = weather(server)
        first = source.temperature(NOW)
        assert source.temperature(NOW + timedelta(minutes=59)) is first
        later = source.temperature(NOW + HOUR)
    assert [request.query["past_days"] for request in server.requests] == ["92", "2"]
    assert later.start == first.start
    assert later.at(TODAY - timedelta(days=40)) == first.at(TODAY - timedelta(days=40))
    assert later.at(TODAY) == pytest.approx(first.at(TODAY) + 1.0)


def test_an_old_answer_serves_for_half_a_day() -> None:
    with JsonServer(answer(), Answer(status=500)) as server:
        source = weather(server)
        first = source.temperature(NOW)
        assert source.temperature(NOW + 2 * HOUR) is first
        with pytest.raises(ForecastUnavailable, match="Open-Meteo, temperature outside: "):
            source.temperature(NOW + 13 * HOUR)


def test_a_clock_that_is_set_back_has_it_asked_anew() -> None:
    with JsonServer(answer()) as server:
        source = weather(server)
        source.temperature(NOW)
        source.temperature(NOW - HOUR)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Answer.of({}),
        Answer.of([]),
        Answer.of({"hourly": {"time": [], "temperature_2m": []}}),
        Answer.of({"hourly": {"time": ["x"], "temperature_2m": [1]}}),
        Answer.of({"hourly": {"time": [1, 2], "temperature_2m": [1]}}),
        Answer.of({"hourly": {"time": [0, 4e9], "temperature_2m": [1, 2]}}),
        answer(hours=4),
        answer(temperature_2m=[None] * 144),
        answer(temperature_2m=[270.0] * 144),
        Answer(body=b"<html>"),
    ],
)
def test_an_answer_that_cannot_be_used_is_none(wrong: Answer) -> None:
    with JsonServer(wrong) as server, pytest.raises(ForecastUnavailable):
        weather(server).temperature(NOW)


def test_no_line_is_drawn_over_a_long_gap() -> None:
    values: list[float | None] = [1.0] * 144
    values[10:16] = [None] * 6
    with JsonServer(answer(temperature_2m=values)) as server:
        celsius = weather(server).temperature(NOW)
    gap = celsius.between(TODAY - timedelta(days=2) + 9 * HOUR, TODAY - timedelta(days=1.25))
    assert np.isnan(gap.values).sum() == 14
