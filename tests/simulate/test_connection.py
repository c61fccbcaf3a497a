"""`make run` around a Home Assistant that cannot be had says so before AppDaemon starts."""

from pathlib import Path

import pytest

from appdaemon_process import NOWHERE, free_url
from battery_optimizer.errors import ConfigError
from battery_optimizer.simulate.connection import connection_problem
from battery_optimizer.simulate.live import main
from json_server import Answer, JsonServer


def test_a_home_assistant_that_answers_is_no_problem() -> None:
    with JsonServer(Answer.of({"message": "API running."})) as server:
        assert connection_problem(f"{server.url}/", "a-token") is None
        assert [request.path for request in server.requests] == ["/api/"]


def test_a_refused_token_is_an_error_that_says_where_to_make_another() -> None:
    with (
        JsonServer(Answer(status=401)) as server,
        pytest.raises(ConfigError, match=r"refuses the token, .* make a long-lived access token"),
    ):
        connection_problem(server.url, "revoked")


def test_what_is_no_address_is_an_error() -> None:
    with pytest.raises(ConfigError, match="must begin with http"):
        connection_problem("homeassistant.local:8123", "a-token")


def test_something_else_at_the_address_is_named() -> None:
    with JsonServer(Answer(status=404)) as server:
        assert "answers with 404" in str(connection_problem(server.url, "a-token"))


def test_home_assistant_may_come_later() -> None:
    assert "cannot be reached" in str(connection_problem(NOWHERE, "a-token"))


def test_make_run_ends_where_the_token_is_refused_and_goes_on_where_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    became: list[str] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: became.extend(arguments))
    monkeypatch.setenv("HA_TOKEN", "of-nobody")
    with JsonServer(Answer(status=401)) as server:
        monkeypatch.setenv("HA_URL", server.url)
        with pytest.raises(SystemExit, match="refuses the token"):
            main(["--folder", str(tmp_path), "--url", free_url()])
    assert became == []
    monkeypatch.setenv("HA_URL", NOWHERE)
    main(["--folder", str(tmp_path), "--url", free_url()])
    assert became
    assert "cannot be reached" in capsys.readouterr().err
