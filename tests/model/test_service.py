"""A call of a service is done only if Home Assistant says so."""

from typing import Any

import pytest

from battery_optimizer.model.service import failure

DATA = {"entity_id": "select.mode", "option": "Self Use"}


class Service:
    """Answers all calls alike."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        self.calls.append((service, data))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_home_assistant_says_is_done_is_done() -> None:
    service = Service({"success": True, "result": {}, "ad_status": "OK"})
    assert failure(service, "select/select_option", DATA) is None
    assert service.calls == [("select/select_option", DATA)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "was refused: Home Assistant is not connected, or does not answer"),
        ({"success": False, "ad_status": "TIMEOUT"}, "did not answer in time; it may yet be done"),
        ({"success": False, "error": {"message": "no such option"}}, "was refused: no such option"),
        ({"success": False, "error": "no such option"}, "was refused: no such option"),
        ({}, "was refused: None"),
        ("fine", "was refused: the answer was 'fine'"),
        (KeyError("select"), "cannot be called: 'select'"),
    ],
)
def test_what_it_does_not_is_not_done_and_said_why(answer: object, words: str) -> None:
    why = failure(Service(answer), "select/select_option", DATA)
    assert why is not None
    assert why.startswith("select/select_option ")
    assert words in why


def test_which_of_several_calls_it_was_is_said() -> None:
    why = failure(Service(None), "number/set_value", {"value": 2}, about="2")
    assert why is not None
    assert why.startswith("number/set_value was refused (2): ")
