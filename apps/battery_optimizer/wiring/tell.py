"""What Home Assistant is told after a cycle: the entities, one way or the other, and the news."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from logging import getLogger
from typing import Final

from battery_optimizer.adapters.entities.mqtt import RESTART_FIRST, MqttEntities, is_plain
from battery_optimizer.adapters.entities.table import SetState, publish
from battery_optimizer.adapters.instance import HEARTBEAT, Instance
from battery_optimizer.config import Config
from battery_optimizer.errors import DataError
from battery_optimizer.host import Host
from battery_optimizer.model.news import News, Note, Told, news
from battery_optimizer.model.service import failure
from battery_optimizer.model.shown import Shown
from battery_optimizer.wiring.running import RunningHouse

_KEY: Final = "notifications"

logger = getLogger(__name__)


class Teller:
    """One house's voice."""

    def __init__(
        self,
        config: Config,
        host: Host,
        *,
        set_entity: SetState,
        remember: Callable[[str, str], None],
        recall: Callable[[str], str | None],
    ) -> None:
        self._notify = config.notify
        self._host = host
        self._set_entity = set_entity
        self._remember, self._recall = remember, recall
        self._told: Told | None = None
        self._mqtt: MqttEntities | None = None
        if config.mqtt.enabled:
            self._mqtt = MqttEntities(call_service=host.call_service, prefix=config.mqtt.prefix)
        self._has_begun, self._waits = False, False
        """Whether anything went out by MQTT, or waits for a restart of Home Assistant."""
        self._problem = ""

    def tell(self, shown: Shown) -> None:
        """Publish the entities, and send what is news."""
        if (mqtt := self._broker()) is None:
            publish(shown, self._set_entity)
        else:
            mqtt.publish(shown)
            self._say(mqtt.problem)
        if self._notify.service:
            self._send_news(shown)

    def arrive(self, instance: Instance, now: datetime) -> None:
        """The first heartbeat, before anything is commanded.

        To Home Assistant's watchdog the app is silent until then: it would undo the first command.
        """
        state, facts = now.isoformat(timespec="seconds"), instance.facts
        instance.beats(now)
        if (mqtt := self._broker()) is None:
            self._set_entity(HEARTBEAT, state=state, attributes=facts)
        else:
            mqtt.arrive(state, facts)

    def leave(self) -> None:
        """Nothing is refreshed any more."""
        if self._mqtt is None or self._waits:
            self._set_entity(HEARTBEAT, state="unavailable", attributes={})
        else:
            self._mqtt.leave()

    def _broker(self) -> MqttEntities | None:
        """MQTT, if it is wanted and can begin: where plain states are, it waits for a restart."""
        if self._mqtt is None or self._has_begun:
            return self._mqtt
        self._waits = is_plain(self._host.read_state(HEARTBEAT))
        if self._waits:
            self._say(RESTART_FIRST)
            return None
        self._has_begun = True
        return self._mqtt

    def _send_news(self, shown: Shown) -> None:
        before = self._before()
        kinds = [News(kind) for kind in self._notify.kinds]
        notes, told = news(shown, before, kinds, summary_hour=self._notify.summary_hour)
        # A note that cannot be sent is not tried again every five minutes: the log has it.
        for note in notes:
            self._send(note)
        if told != before:
            self._told = told
            try:
                self._remember(_KEY, json.dumps(asdict(told)))
            except DataError as error:
                logger.warning("What was told is not remembered over a restart: %s", error)

    def _before(self) -> Told:
        if self._told is None:
            self._told = Told()
            try:
                kept = json.loads(self._recall(_KEY) or "{}")
                self._told = Told(**{**kept, "plunges": tuple(kept.get("plunges", ()))})
            except (DataError, TypeError, ValueError) as error:
                logger.warning("What was told before is not known: %s", error)
        return self._told

    def _send(self, note: Note) -> None:
        service = str(self._notify.service).replace(".", "/", 1)
        said = {"title": note.title, "message": note.message}
        if why := failure(self._host.call_service, service, said):
            logger.warning("%s: %s (it could not be sent: %s)", note.title, note.message, why)
        else:
            logger.info("Told by %s: %s: %s", service, note.title, note.message)

    def _say(self, problem: str) -> None:
        """Once, not every five minutes."""
        if problem and problem != self._problem:
            logger.warning("%s", problem)
        self._problem = problem


def teller_of(house: RunningHouse, set_entity: SetState) -> Teller:
    """The voice of this house, which says at once that it is there, unless another one is.

    A house without a voice is let go of: to Home Assistant's watchdog it would be silent for ever.
    """
    teller = Teller(
        house.config,
        house.host,
        set_entity=set_entity,
        remember=house.store.put_state,
        recall=house.store.get_state,
    )
    now = house.host.now()
    try:
        if house.rival(now) is None:
            teller.arrive(house.instance, now)
    except BaseException:
        house.close()
        raise
    return teller
