import contextlib
import socket
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.errors import ForecastUnavailable
from json_server import Answer, JsonServer
from solar_fixtures import payload

NOW = datetime(2026, 6, 15, 9, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_returns_what_the_service_answers() -> None:
    with JsonServer(Answer.of({"a": [1, 2]})) as server:
        api = JsonApi(base_url=f"{server.url}/")
        assert api.get("/v1/x", {"q": "1"}, NOW) == {"a": [1, 2]}
    assert [(request.path, request.query) for request in server.requests] == [("/v1/x", {"q": "1"})]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=500), "answered with error 500$"),
        (Answer(status=503, body=b"<html>maintenance</html>"), "answered with error 503$"),
        (Answer.of(payload("open_meteo/error.json"), status=400), "error 400: Latitude must be"),
        (Answer.of(["no"], status=404), "answered with error 404$"),
        (Answer(body=b'{"result": {'), "not JSON"),
        (Answer(body=b"<html>hello</html>"), "not JSON"),
        (Answer(body=b"\xff\xfe\x00", headers={"Content-Type": "application/json"}), "not JSON"),
        (Answer(body=b"{}", breaks_off=True), "broke off"),
    ],
)
def test_says_in_plain_words_what_went_wrong(answer: Answer, words: str) -> None:
    with JsonServer(answer) as server, pytest.raises(ForecastUnavailable, match=words):
        JsonApi(base_url=server.url).get("/", {}, NOW)


def test_a_service_that_hangs_costs_one_time_out() -> None:
    with JsonServer(Answer(hangs=True)) as server:
        api = JsonApi(base_url=server.url, timeout_s=0.1)
        with pytest.raises(ForecastUnavailable, match=r"did not answer within 0\.1 seconds$"):
            api.get("/", {}, NOW)
        with pytest.raises(ForecastUnavailable, match=r"0\.1 seconds; it is asked again at 09:11"):
            api.get("/", {}, NOW + timedelta(seconds=30))
    assert len(server.requests) == 1


def test_a_service_that_is_not_there_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ForecastUnavailable, match="cannot be reached"):
        JsonApi(base_url=f"http://127.0.0.1:{port}").get("/", {}, NOW)


def test_waits_longer_after_each_failure_and_forgets_them_after_a_success() -> None:
    with JsonServer(*[Answer(status=500)] * 3, Answer(), Answer(status=500), Answer()) as server:
        api = JsonApi(base_url=server.url)
        asked_at = []
        for minute in range(20):
            before = len(server.requests)
            with contextlib.suppress(ForecastUnavailable):
                api.get("/", {}, NOW + minute * MINUTE)
            if len(server.requests) > before:
                asked_at.append(minute)
    # Failures at 0, 1 and 3 min; success at 7; failure at 8, so a minute's wait again.
    assert asked_at[:6] == [0, 1, 3, 7, 8, 9]


def test_never_waits_longer_than_an_hour() -> None:
    with JsonServer(Answer(status=500)) as server:
        api = JsonApi(base_url=server.url)
        for hour in range(30):
            with pytest.raises(ForecastUnavailable, match="error 500"):
                api.get("/", {}, NOW + timedelta(hours=hour))
    assert len(server.requests) == 30


def test_waits_as_long_as_a_refusal_asks_for_in_its_header() -> None:
    with JsonServer(Answer(status=429, headers={"Retry-After": "600"}), Answer()) as server:
        api = JsonApi(base_url=server.url)
        with pytest.raises(ForecastUnavailable, match="too many calls"):
            api.get("/", {}, NOW)
        with pytest.raises(ForecastUnavailable, match="asked again at 09:20"):
            api.get("/", {}, NOW + 9 * MINUTE)
        assert api.get("/", {}, NOW + 10 * MINUTE) == {}


def test_waits_as_long_as_forecast_solar_asks_for_in_its_body() -> None:
    refusal = Answer.of(payload("forecast_solar/too_many_calls.json"), status=429)
    with JsonServer(refusal) as server:
        api = JsonApi(base_url=server.url)
        for minutes in (0, 40):
            with pytest.raises(ForecastUnavailable, match="too many calls"):
                api.get("/", {}, NOW + minutes * MINUTE)
        assert len(server.requests) == 1  # it may be asked again at 09:52
        with pytest.raises(ForecastUnavailable):
            api.get("/", {}, NOW + 43 * MINUTE)
    assert len(server.requests) == 2


def test_a_wait_beyond_reason_is_cut_to_a_day() -> None:
    with JsonServer(Answer(status=429, headers={"Retry-After": "1e300"}), Answer()) as server:
        api = JsonApi(base_url=server.url)
        with pytest.raises(ForecastUnavailable):
            api.get("/", {}, NOW)
        assert api.get("/", {}, NOW + timedelta(days=1)) == {}


def test_keeps_to_the_calls_that_an_hour_allows() -> None:
    with JsonServer(Answer()) as server:
        api = JsonApi(base_url=server.url, calls_per_hour=3)
        for minute in (0, 10, 20):
            api.get("/", {}, NOW + minute * MINUTE)
        with pytest.raises(ForecastUnavailable, match=r"3 calls an hour.*again at 10:10"):
            api.get("/", {}, NOW + 59 * MINUTE)
        api.get("/", {}, NOW + 60 * MINUTE)
    assert len(server.requests) == 4


def test_a_clock_that_was_far_ahead_does_not_silence_a_service_for_days() -> None:
    later = NOW + timedelta(days=30)
    with JsonServer(Answer(status=500), Answer.of({})) as server:
        api = JsonApi(base_url=server.url, calls_per_hour=1)
        with pytest.raises(ForecastUnavailable, match="error 500"):
            api.get("/", {}, later)
        assert api.get("/", {}, NOW) == {}
