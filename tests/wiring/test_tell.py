"""What Home Assistant is told: by which way, and what of it survives a restart."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from battery_optimizer.adapters.instance import HEARTBEAT, Instance
from battery_optimizer.config import Config
from battery_optimizer.errors import StoreUnavailable
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.wiring.tell import Teller
from shown_values import a_demo_day, a_planned_day

NOW = datetime(2026, 1, 15, tzinfo=UTC)


class Home:
    """Keeps what was set, called and remembered."""

    def __init__(self) -> None:
        self.states: dict[str, object] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.memory: dict[str, str] = {}
        self.answer: object = {"success": True}
        self.is_full = False
        self.heartbeat: EntityState | None = None

    def set_entity(
        self, entity_id: str, /, *, state: str | float, attributes: Mapping[str, Any]
    ) -> None:
        assert isinstance(attributes, Mapping)
        self.states[entity_id] = state

    def call(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        self.calls.append((service, data))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def remember(self, key: str, value: str) -> None:
        if self.is_full:
            raise StoreUnavailable("the disk is full")
        self.memory[key] = value

    def recall(self, key: str) -> str | None:
        if self.is_full:
            raise StoreUnavailable("the disk is full")
        return self.memory.get(key)

    def teller(self, **settings: object) -> Teller:
        host = Host(
            app="app",
            folder=Path(),
            latitude=51.5,
            longitude=0.0,
            call_service=self.call,
            read_state=lambda _: self.heartbeat,
            list_entities=list,
            get_history=None,
            sleep=lambda _: None,
            now=lambda: NOW,
        )
        return Teller(
            Config.from_args({"battery": {"capacity_kwh": 10}} | settings),
            host,
            set_entity=self.set_entity,
            remember=self.remember,
            recall=self.recall,
        )

    @property
    def messages(self) -> list[str]:
        return [data["message"] for service, data in self.calls if "message" in data]


PHONE = {"service": "notify.mobile_app_phone", "kinds": ["plunge"]}


def test_by_default_states_are_set_and_nobody_is_notified() -> None:
    home = Home()
    teller = home.teller()
    teller.tell(a_planned_day())  # with a plunge
    assert home.states["sensor.battery_optimizer_import_rate"] == 10.0
    assert home.calls == []
    teller.leave()
    assert home.states[HEARTBEAT] == "unavailable"


def test_it_says_that_it_is_there_before_it_commands_anything(tmp_path: Path) -> None:
    home = Home()
    instance = Instance(tmp_path, inverter="select.work_mode", app="app")
    try:
        home.teller().arrive(instance, NOW)
        assert home.states == {HEARTBEAT: "2026-01-15T00:00:00+00:00"}
        home.teller(mqtt={"enabled": True}).arrive(instance, NOW)
    finally:
        instance.release()
    sent = {data["topic"]: data["payload"] for _, data in home.calls}
    assert sent["battery_optimizer/availability"] == "online"
    (payload,) = (text for topic, text in sent.items() if "heartbeat" in topic)
    assert '"state":"2026-01-15T00:00:00+00:00"' in payload
    assert instance.id in payload


def test_a_note_is_sent_once_also_over_a_restart() -> None:
    home = Home()
    for _ in range(2):
        teller = home.teller(notify=PHONE)
        teller.tell(a_planned_day())
        teller.tell(a_planned_day())
    assert [service for service, _ in home.calls] == ["notify/mobile_app_phone"]
    assert home.messages == [
        "You are paid for using electricity today from 01:30 to 02:00: up to 2.0 p a kWh."
    ]


def test_a_store_that_is_away_makes_no_repeats_either() -> None:
    home = Home()
    home.is_full = True
    teller = home.teller(notify=PHONE)
    teller.tell(a_planned_day())
    teller.tell(a_planned_day())
    assert len(home.messages) == 1


def test_what_was_remembered_in_another_form_is_forgotten() -> None:
    home = Home()
    home.memory["notifications"] = '{"unheard": 1}'
    home.teller(notify=PHONE).tell(a_planned_day())
    assert len(home.messages) == 1


@pytest.mark.parametrize("answer", [ValueError("no such service"), {"success": False}, None])
def test_a_note_that_cannot_be_sent_stands_in_the_log(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home()
    home.answer = answer
    with caplog.at_level(logging.WARNING):
        home.teller(notify=PHONE).tell(a_planned_day())
    assert "could not be sent: notify/mobile_app_phone" in caplog.text
    assert "You are paid" in caplog.text


def test_by_mqtt_no_plain_state_is_set(caplog: pytest.LogCaptureFixture) -> None:
    home = Home()
    teller = home.teller(mqtt={"enabled": True})
    teller.tell(a_planned_day())
    assert home.states == {}
    assert {service for service, _ in home.calls} == {"mqtt/publish"}
    teller.leave()
    assert home.calls[-1][1]["payload"] == "offline"
    home.answer = ValueError("no such service")
    with caplog.at_level(logging.WARNING):
        teller.tell(a_planned_day())
        teller.tell(a_planned_day())
    assert caplog.text.count("set up the MQTT integration") == 1


def test_mqtt_begins_when_home_assistant_has_let_go_of_the_plain_states(
    caplog: pytest.LogCaptureFixture,
) -> None:
    home = Home()
    home.heartbeat = EntityState(state="unavailable")  # as a plain one takes its leave
    teller = home.teller(mqtt={"enabled": True})
    with caplog.at_level(logging.WARNING):
        teller.tell(a_planned_day())
        teller.tell(a_planned_day())
    assert caplog.text.count("begins with Home Assistant's next restart") == 1
    assert home.calls == []
    assert "sensor.battery_optimizer_mode" in home.states
    teller.leave()
    assert home.states[HEARTBEAT] == "unavailable"
    home.heartbeat = None
    home.states.clear()
    teller.tell(a_planned_day())
    assert home.states == {}
    assert {service for service, _ in home.calls} == {"mqtt/publish"}


def test_a_plunge_by_made_up_rates_is_no_news() -> None:
    home = Home()
    home.teller(notify=PHONE).tell(a_demo_day())
    assert home.messages == []
