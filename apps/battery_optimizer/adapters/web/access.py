"""Who may have something changed, or see what is private.

AppDaemon asks for its password under /api/appdaemon/ if it has one, and lets everybody in if not.
Then only this machine is served, unless the settings say otherwise. A page of somebody else's in
the household's own browser is kept out in any case: it can send neither JSON nor our address as
its origin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import urlsplit

GUARD_IT: Final = (
    "this needs AppDaemon's password: set one in appdaemon.yaml (http: password:) and send it in "
    "the header x-ad-access. Without one only this machine itself is served, unless "
    "web.unguarded: true is set in apps.yaml"
)
OTHER_PAGE: Final = "this was asked for by another page than this app's, and is refused"
NEEDS_JSON: Final = "send a JSON body, with the header Content-Type: application/json"
NEEDS_NOTHING: Final = "this takes no values: send {} as the body"

_PROXIED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Ingress-Path")
"""Such a request comes from this machine only in its last step."""
_HOST_NAMES: Final = ("localhost", "localhost.localdomain")


class Asked(Protocol):
    """As much of a request as is looked at."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""

    @property
    def remote(self) -> str | None:
        """The address that asks."""

    @property
    def host(self) -> str:
        """The name, and maybe port, by which this server was asked."""

    @property
    def content_type(self) -> str:
        """What the body says that it is."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """`is_guarded` says whether AppDaemon has a password; it has then asked for it."""

    is_guarded: Callable[[], bool] = lambda: False
    serves_all: bool = False

    def refusal(self, asked: Asked) -> tuple[str, int] | None:
        """Why this is not for whoever asks, with the HTTP status; None if it is."""
        origin = asked.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != asked.host.lower():
            return OTHER_PAGE, 403
        if self.is_guarded() or self.serves_all or _is_here(asked):
            return None
        return GUARD_IT, 403

    def refusal_of_change(self, asked: Asked, body: object) -> tuple[str, int] | None:
        """As above, for what changes something and takes an empty object."""
        if (refused := self.refusal(asked)) is not None:
            return refused
        if asked.content_type != "application/json":
            return NEEDS_JSON, 415
        return None if body == {} else (NEEDS_NOTHING, 400)


ONLY_HERE: Final = Access()


def _is_here(asked: Asked) -> bool:
    """Whether it comes from this machine, by its own name: no other name leads here by right."""
    if any(name in asked.headers for name in _PROXIED):
        return False
    host = urlsplit(f"//{asked.host}").hostname or ""
    return _is_loopback(asked.remote or "") and (host in _HOST_NAMES or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
