"""Who may have something changed: this machine, or whoever AppDaemon has asked for a password."""

from dataclasses import dataclass, field

import pytest

from battery_optimizer.adapters.web.access import GUARD_IT, ONLY_HERE, OTHER_PAGE, Access

GUARDED = Access(is_guarded=lambda: True)
OPEN = Access(serves_all=True)


@dataclass
class Asked:
    remote: str | None = "127.0.0.1"
    host: str = "127.0.0.1:5050"
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


LAN = Asked(remote="192.168.1.7", host="homeassistant.local:5050")


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(host="localhost:5050"),
        Asked(remote="::1", host="[::1]:5050"),
        Asked(remote="::ffff:127.0.0.1", host="localhost"),
        Asked(headers={"Origin": "http://127.0.0.1:5050"}),
    ],
)
def test_this_machine_is_served(asked: Asked) -> None:
    assert ONLY_HERE.refusal(asked) is None
    assert ONLY_HERE.refusal_of_change(asked, {}) is None


@pytest.mark.parametrize(
    "asked",
    [
        LAN,
        Asked(remote=None),
        Asked(remote="172.30.32.1", host="localhost:5050"),
        Asked(remote="unix:"),
        # Through a proxy on this machine, from who knows where.
        Asked(headers={"X-Forwarded-For": "203.0.113.9"}),
        Asked(headers={"Forwarded": "for=203.0.113.9"}),
        # A page whose name was made to lead here.
        Asked(host="evil.example:5050", headers={"Origin": "http://evil.example:5050"}),
        Asked(host=""),
    ],
)
def test_others_need_a_password_or_leave(asked: Asked) -> None:
    assert ONLY_HERE.refusal(asked) == (GUARD_IT, 403)
    assert GUARDED.refusal(asked) is None
    assert OPEN.refusal(asked) is None


@pytest.mark.parametrize("access", [ONLY_HERE, GUARDED, OPEN])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8123", ""])
def test_another_page_is_refused_whatever_the_browser_knows(access: Access, origin: str) -> None:
    assert access.refusal(Asked(headers={"Origin": origin})) == (OTHER_PAGE, 403)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_change_needs_json_which_no_foreign_form_can_send(kind: str) -> None:
    assert GUARDED.refusal_of_change(Asked(content_type=kind), {}) is not None
    refused = OPEN.refusal_of_change(Asked(content_type=kind), {})
    assert refused is not None
    assert refused[1] == 415


@pytest.mark.parametrize("body", [[], "x", None, 1, {"prices": "all"}, [{}]])
def test_a_change_takes_an_empty_object_alone(body: object) -> None:
    refused = ONLY_HERE.refusal_of_change(Asked(), body)
    assert refused is not None
    assert refused[1] == 400


def test_the_refusal_says_what_to_do() -> None:
    for words in ("password", "appdaemon.yaml", "x-ad-access", "web.unguarded"):
        assert words in GUARD_IT
