"""Whether Home Assistant takes the token it is to be reached with.

AppDaemon only goes on trying, and the app cannot say what is wrong, since it is not started: so
`make run` asks first.
"""

from http import HTTPStatus
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from battery_optimizer.errors import ConfigError

TIMEOUT_S: Final = 5.0


def connection_problem(url: str, token: str) -> str | None:
    """What may yet mend itself; ConfigError for what does not."""
    if not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"Home Assistant's address must begin with http:// or https://, not be {url!r}"
        )
    request = Request(  # noqa: S310 - http, as was just seen
        f"{url.rstrip('/')}/api/", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
            return None
    except HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            raise ConfigError(
                f"Home Assistant at {url} refuses the token, which is wrong or was revoked: make "
                "a long-lived access token there, under your name, Security"
            ) from error
        return f"{url} answers with {error.code}: see whether it is Home Assistant's address"
    except OSError as error:
        return (
            f"Home Assistant cannot be reached at {url} ({error}); AppDaemon goes on trying: see "
            "whether it runs and the address is right"
        )
