"""What the app says of AppDaemon's own door."""

from dataclasses import dataclass

import pytest

from battery_optimizer.wiring.web import is_guarded, open_door


@dataclass
class Server:
    host: str
    password: str | None = None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_a_door_open_to_the_network_is_told(host: str) -> None:
    warning = open_door(Server(host))
    assert warning is not None
    assert "set http: password: in appdaemon.yaml" in warning


@pytest.mark.parametrize(
    "server",
    [
        Server("0.0.0.0", password="secret"),  # noqa: S106 - of a test
        Server("127.0.0.1"),
        Server("localhost"),
        None,  # no http section: nothing is served
    ],
)
def test_a_door_that_is_shut_or_guarded_is_not(server: Server | None) -> None:
    assert open_door(server) is None


def test_appdaemons_own_server_says_whether_it_has_a_password() -> None:
    assert is_guarded(Server("0.0.0.0", password="x"))  # noqa: S106 - of a test
    assert not is_guarded(Server("0.0.0.0"))
    assert not is_guarded(None)
