"""The AppDaemon shell: hands AppDaemon's callables to the house, sets timers; does not think."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp.web import Request, Response, json_response
from appdaemon.plugins.hass import Hass

from battery_optimizer.adapters.entities import publish
from battery_optimizer.adapters.ha_history import Rows
from battery_optimizer.adapters.instance import HEARTBEAT
from battery_optimizer.adapters.web import (
    Json,
    Status,
    health,
    page,
    page_data,
    plan,
    recommendation,
)
from battery_optimizer.config import Config
from battery_optimizer.errors import BatteryOptimizerError, ConfigError, InverterError
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.wiring import Host, RunningHouse, connect

CYCLE: Final = timedelta(minutes=5)
AFTER_THE_BOUNDARY: Final = timedelta(seconds=1)
"""A slot has surely begun when the cycle that starts it asks for the time."""
CONNECT_AGAIN_S: Final = 30
STOP_WITHIN_S: Final = 1.5
"""AppDaemon gives all apps together 3 s to stop."""
TIME_ZONE: Final = "Europe/London"
ENDPOINT: Final = "battery_optimizer"


class BatteryOptimizer(Hass):
    """Plans and drives one home battery; see the README for its settings."""

    def initialize(self) -> None:
        """Check the settings, connect, set the timers; a wrong setting ends it here."""
        self._house: RunningHouse | None = None
        self._shown: Shown | None = None
        self._said: tuple[object, ...] = ()
        self._started_at = datetime.now(UTC)
        self._problem: str | None = None
        # Held while a cycle runs, so that the last word to the inverter is `terminate`'s.
        self._turn = threading.Lock()
        self._stopping: int | None = None
        self._config = self._settings()
        self._check_time_zone()
        if self._config.web.enabled:
            self._serve()
        self._connect()

    def terminate(self) -> None:
        """Self-use (unless read_only), whatever else is happening; never raises."""
        house = getattr(self, "_house", None)
        if house is None:
            return
        self._stopping = threading.get_ident()
        has_turn = self._turn.acquire(timeout=STOP_WITHIN_S)
        try:
            house.cycle.make_safe()
            self.set_state(HEARTBEAT, state="unavailable", check_existence=False)
            self.log(
                "Stopped; %s",
                "the inverter is left as it was"
                if house.is_read_only
                else "the inverter is set to self-use",
            )
        except InverterError as error:
            self.log("Stopped, but self-use could not be set: %s", error, level="ERROR")
        except Exception:
            self.logger.exception("Stopped, but perhaps not in self-use")
        finally:
            house.close()
            if has_turn:
                self._turn.release()

    def _settings(self) -> Config:
        try:
            return Config.from_args(self.args)
        except ConfigError as error:
            for line in str(error).splitlines():
                self.log("Wrong setting: %s", line, level="ERROR")
            raise

    def _check_time_zone(self) -> None:
        zone = str(self.AD.time_zone)
        if zone != TIME_ZONE:
            self.log(
                "AppDaemon's time_zone is %s: set it to %s in appdaemon.yaml, so that the times "
                "in its log are yours (the plan itself does not depend on it)",
                zone,
                TIME_ZONE,
                level="WARNING",
            )

    def _connect(self, **_: object) -> None:
        """Wire the house; later again while the inverter is not there."""
        try:
            self._house = connect(self._config, self._host())
        except InverterError as error:
            self._problem = str(error)
            self.log("Not started yet: %s", error, level="WARNING")
            self.run_in(self._connect, CONNECT_AGAIN_S)
            return
        except ConfigError as error:
            self._problem = str(error)
            self.log("Not started: %s", error, level="ERROR")
            raise
        self._problem = None
        for problem in self._house.inverter.check():
            self.log("Inverter: %s", problem, level="WARNING")
        self.run_in(self._first_cycle, 0)
        now = datetime.now(UTC)
        start = floor_to_slot(now, CYCLE) + CYCLE + AFTER_THE_BOUNDARY
        self.run_every(self._on_timer, start.astimezone(self.AD.tz), CYCLE.total_seconds())

    def _host(self) -> Host:
        has_home_assistant = self.AD.plugins.get_plugin_object(self.namespace) is not None
        return Host(
            app=self.name,
            folder=Path(self.config_dir),
            latitude=self.AD.latitude,
            longitude=self.AD.longitude,
            call_service=self._call_service,
            read_state=self._read_state,
            list_entities=lambda: list(self.get_state() or {}),
            get_history=self._get_history if has_home_assistant else None,
            sleep=time.sleep,
        )

    def _call_service(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        if self._stopping not in (None, threading.get_ident()):
            raise InverterError("the app is being stopped")
        return self.call_service(service, **data)

    def _read_state(self, entity_id: str) -> EntityState | None:
        payload = self.get_state(entity_id, attribute="all") if entity_id else None
        return EntityState.from_payload(payload) if isinstance(payload, Mapping) else None

    def _get_history(self, entity_id: str, start: datetime, end: datetime) -> Sequence[Rows] | None:
        return self.get_history(entity_id=entity_id, start_time=start, end_time=end)

    def _first_cycle(self, **_: object) -> None:
        self._try("learning from Home Assistant's history", lambda house, now: house.seed(now))
        self._on_timer()

    def _on_timer(self, **_: object) -> None:
        self._try("a cycle", self._run_cycle)
        self._try("tidying the database", lambda house, now: house.keep_house(now))

    def _on_refresh(self, **_: object) -> None:
        self._try("refreshing prices", lambda house, now: house.rates.refresh(now))
        self._try("a cycle", self._run_cycle)

    def _try(self, what: str, work: Callable[[RunningHouse, datetime], object]) -> None:
        """The last try, which keeps the timers alive: what comes here is the file's or a bug."""
        if self._house is None or self._stopping is not None:
            return
        try:
            with self._turn:
                work(self._house, datetime.now(UTC))
        except BatteryOptimizerError as error:
            self.log("%s failed: %s", what, error, level="WARNING")
        except Exception:
            self.logger.exception("%s failed: a bug; please report it", what)
            self._problem = f"{what} failed; see the log"
            self._make_safe()

    def _make_safe(self) -> None:
        try:
            if self._house is not None:
                self._house.cycle.make_safe()
        except BatteryOptimizerError as error:
            self.log("Self-use could not be set: %s", error, level="ERROR")

    def _run_cycle(self, house: RunningHouse, now: datetime) -> None:
        self._problem = house.rival(now)
        if self._problem is not None:
            self.log("Standing aside: %s", self._problem, level="ERROR")
            return
        shown = house.run(now)
        self._shown = shown
        self._say(shown)
        publish(shown, self._set_entity)

    def _say(self, shown: Shown) -> None:
        """Log what changed since the last cycle, in plain words."""
        outcome = shown.outcome
        news = (outcome.command.mode, outcome.reason, shown.problems)
        if outcome.command_result is CommandResult.APPLIED:
            self.log("Inverter set to %s and read back", outcome.command.mode)
        if news == self._said:
            return
        self._said = news
        if outcome.command_result is CommandResult.UNCHANGED:
            self.log("Inverter is in %s already, as read back", outcome.command.mode)
        self.log("%s: %s", outcome.command.mode, outcome.reason)
        self.log("Plan %s", shown.summary)
        for problem in shown.problems:
            self.log("Problem: %s", problem, level="WARNING")

    def _set_entity(
        self, entity_id: str, /, *, state: str | float, attributes: Mapping[str, Any]
    ) -> object:
        return self.set_state(
            entity_id,
            state=state,
            attributes=dict(attributes),
            replace=True,
            check_existence=False,
        )

    def _serve(self) -> None:
        html, headers = page()
        voltage = self._config.web.battery_voltage
        answers: dict[str, Callable[[], Json]] = {
            "recommendation": lambda: recommendation(self._shown, voltage=voltage),
            "health": lambda: health(self._shown, self._status(), datetime.now(UTC)),
            "plan": lambda: plan(self._shown),
        }
        for name, answer in answers.items():
            self.register_endpoint(_reading(answer), f"{ENDPOINT}_{name}")
        self.register_endpoint(self._refresh_prices, f"{ENDPOINT}_refresh_prices")

        async def show(request: Request, _: object) -> Response:
            if "data" not in request.query:
                return Response(text=html, content_type="text/html", headers=headers)
            data = page_data(
                self._shown,
                self._status(),
                datetime.now(UTC),
                battery=self._config.battery,
                voltage=voltage,
            )
            return json_response(data, headers={"Cache-Control": "no-store"})

        self.register_route(show, ENDPOINT)

    def _status(self) -> Status:
        rates = None if self._house is None else self._house.rates
        return Status(
            started_at=self._started_at,
            control=self._config.control.value,
            rates_fetched_at=rates.fetched_at if rates else None,
            rates_error=rates.last_error if rates else None,
            app_problem=self._problem,
        )

    def _refresh_prices(self, _: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        if kwargs["request"].method != "POST":
            return {"error": "this endpoint changes something: use POST, with {} as its body"}, 405
        self.run_in(self._on_refresh, 0)
        return {"status": "prices are being fetched; the plan follows"}, 202


def _reading(answer: Callable[[], Json]) -> Callable[[Any, dict[str, Any]], tuple[Json, int]]:
    """An endpoint that only reads."""

    def respond(_: object, kwargs: dict[str, Any]) -> tuple[Json, int]:
        if kwargs["request"].method != "GET":
            return {"error": "this endpoint only reads: use GET"}, 405
        return answer(), 200

    return respond
