"""Home Assistant's services: how they are called, and whether what was asked was done."""

from collections.abc import Mapping
from typing import Any, Protocol


class CallService(Protocol):
    """Calls a service such as `select/select_option`; returns Home Assistant's answer."""

    def __call__(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        """The answer, in which `success` says whether it was done."""


def failure(
    call_service: CallService, service: str, data: Mapping[str, object], *, about: str = ""
) -> str | None:
    """Call it; None if it was done, else which service was not and why.

    `about` tells this call from others of the same service.
    """
    try:
        answer = call_service(service, **data)
    except Exception as error:  # noqa: BLE001 - the host's own kinds, which we must not import
        return f"{service} cannot be called: {error}"
    why = _refusal(answer)
    which = f" ({about})" if about else ""
    return None if why is None else f"{service} was refused{which}: {why}"


def _refusal(answer: object) -> str | None:
    """Why the call was not done, or None if it was."""
    if answer is None:
        return "Home Assistant is not connected, or does not answer"
    if not isinstance(answer, Mapping):
        return f"the answer was {answer!r}"
    if answer.get("success") is True:
        return None
    if answer.get("ad_status") == "TIMEOUT":
        return "Home Assistant did not answer in time; it may yet be done"
    error = answer.get("error")
    return str(error.get("message", error) if isinstance(error, Mapping) else error)
