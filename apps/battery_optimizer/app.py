"""The AppDaemon shell: hands AppDaemon's callables to the house, sets timers; does not think."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from appdaemon.plugins.hass import Hass

from battery_optimizer.adapters.entities.table import publish_waiting
from battery_optimizer.adapters.foxess.calls import NOT_THERE
from battery_optimizer.adapters.ha_history import Rows
from battery_optimizer.adapters.instance import Rival
from battery_optimizer.adapters.unpruned import unpruned
from battery_optimizer.adapters.web.access import Access
from battery_optimizer.adapters.web.latest import Status
from battery_optimizer.adapters.web.site import Site
from battery_optimizer.config import Config
from battery_optimizer.errors import BatteryOptimizerError, ConfigError, InverterError
from battery_optimizer.host import Host
from battery_optimizer.logbook import LogBook
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.turns import Turns
from battery_optimizer.watch import Watch
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.running import RunningHouse
from battery_optimizer.wiring.tell import Teller, teller_of
from battery_optimizer.wiring.web import diagnosed, is_guarded, open_door, past_of, with_sources

CYCLE: Final = timedelta(minutes=5)
AFTER_THE_BOUNDARY: Final = timedelta(seconds=1)
"""A slot has surely begun when the cycle that starts it asks for the time."""
SOON_S: Final = 1  # what is due in 0 s AppDaemon before 4.5.12 never calls
CONNECT_AGAIN_S: Final = 30
LOOK_AGAIN_S: Final = 40
"""After a command, or something odd: by then a mode is felt and polled."""
SERVED_AS: Final = "battery_optimizer"


class BatteryOptimizer(Hass):
    """Plans and drives one home battery; see docs/settings.md for its settings."""

    _shown: Shown | None = None
    _has_driven = False
    """Whether the inverter may be in a mode that this app wanted."""

    def initialize(self) -> None:
        """Check the settings, claim the inverter, serve, start; a wrong setting ends it here."""
        self._house: RunningHouse | None = None
        self._teller: Teller | None = None
        self._log_book = LogBook(self.logger)
        self._started_at = datetime.now(UTC)
        self._problem: str | None = None
        self._hide_arguments()
        self._timer: str | None = None
        self._watch = Watch(
            every=CYCLE,
            wake=lambda: self.run_in(self._on_wake, SOON_S),
            make_safe=self._on_silence,
            logger=self.logger,
        )
        self._turns = Turns(watch=self._watch, logger=self.logger)
        self._config = self._settings()
        self._log_book.warn(open_door(self.AD.http))
        try:
            self._connect()
        except ConfigError as error:
            self.logger.error("Not started: %s", error)  # noqa: TRY400 - for users
            raise
        if self._config.web.enabled:
            self._serve()
        self.run_in(self._start, SOON_S)

    def terminate(self) -> None:
        """Self-use (unless read_only), whatever else is happening; never raises."""
        turns = getattr(self, "_turns", None)
        if turns is None:
            return
        with turns.last():
            self._watch.stop()
            house = self._house
            if house is None:
                return  # `_connect_again` leaves it, should one come yet
            if self._is_safe(house):
                left = "left as it was" if house.is_read_only else "set to Self Use"
                self.logger.info("Stopped; the inverter is %s", left)
            self._leave(house)

    def _leave(self, house: RunningHouse) -> None:
        try:
            if self._teller is not None:
                self._teller.leave()
        except Exception:
            self.logger.exception("The heartbeat goes on looking alive")
        finally:
            house.close()

    def _hide_arguments(self) -> None:
        """AppDaemon shows an app's arguments, secrets filled in, to all who may read its states."""
        hidden = {"hidden": "they may hold secrets"}
        self.set_state(f"app.{self.name}", namespace="admin", attributes={"args": hidden})

    def _settings(self) -> Config:
        try:
            return Config.from_args(self.args)
        except ConfigError as error:
            for line in str(error).splitlines():
                self.logger.error("Wrong setting: %s", line)  # noqa: TRY400 - for users
            raise

    def _connect(self) -> None:
        """Wire the house, if its inverter is there."""
        try:
            house = connect(self._config, self._host())
            self._teller, self._house = teller_of(house, self._set_entity), house
        except InverterError as error:
            self._wait(error)

    def _connect_again(self) -> None:
        """By now a wrong setting is no end: it may be wrong only beside what the inverter says."""
        try:
            self._connect()
        except ConfigError as error:
            self._wait(error)
        if self._turns.are_over and self._house is not None:
            self._leave(self._house)
            self._house = None

    def _wait(self, error: BatteryOptimizerError) -> None:
        self._problem = str(error)
        self._log_book.wait(self._problem, self._host())
        if not self._config.mqtt.enabled:
            publish_waiting(self._problem, self._set_entity)

    def _start(self, **_: object) -> None:
        """The first cycle, and the timer; later, while the inverter is not there."""
        if self._house is None and not self._turns.take("connecting", self._connect_again):
            self._problem = "connecting failed: see the log"
        if self._turns.are_over:
            return
        if self._house is None:
            self.run_in(self._start, CONNECT_AGAIN_S)
            return
        for problem in self._house.inverter.check():
            self.logger.warning("Inverter: %s", problem)
        self._watch.start()
        for gone in NOT_THERE:  # what is wanted is told as soon as the inverter is back
            self.listen_state(self._on_second_look, self._house.instance.inverter, old=gone)
        self._on_wake()
        # After the first cycle: the inverter may be in a mode that nobody wants any more.
        self._try("learning from Home Assistant's history", RunningHouse.seed)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self.cancel_timer(self._timer, silent=True)
        start = floor_to_slot(datetime.now(UTC), CYCLE) + CYCLE + AFTER_THE_BOUNDARY
        self._timer = self.run_every(self._on_timer, start.astimezone(self.AD.tz), CYCLE)

    def _host(self) -> Host:
        has_home_assistant = self.AD.plugins.get_plugin_object(self.namespace) is not None
        return Host(
            app=self.name,
            folder=Path(self.config_dir),
            latitude=self.AD.latitude,
            longitude=self.AD.longitude,
            call_service=self._call_service,
            read_state=self._read_state,
            # Their ids alone: a copy of all states would hold AppDaemon up.
            list_entities=lambda: list(self.get_state(copy=False) or {}),
            get_history=self._get_history if has_home_assistant else None,
            list_services=lambda: self.list_services(self.namespace),
            now=lambda: datetime.now(UTC),
            time_zone=str(self.AD.time_zone),
            watches_files=not (self.AD.production_mode or __package__ in self.AD.exclude_dirs),
        )

    def _call_service(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        self._turns.require()
        return self.call_service(service, **data)

    def _read_state(self, entity_id: str) -> EntityState | None:
        payload = self.get_state(entity_id, attribute="all") if entity_id else None
        return EntityState.from_payload(payload) if isinstance(payload, Mapping) else None

    def _get_history(self, entity_id: str, start: datetime, end: datetime) -> Sequence[Rows] | None:
        return self.get_history(entity_id=entity_id, start_time=start, end_time=end)

    def _on_wake(self, **_: object) -> None:
        """At the start, and when the timer was lost: a clock was set."""
        self._set_timer()
        self._watch.is_repeated(datetime.now(UTC))
        self._on_period()

    def _on_timer(self, **_: object) -> None:
        if self._watch.is_repeated(datetime.now(UTC)):
            self._set_timer()
            return
        self._on_period()

    def _on_period(self) -> None:
        self._cycle()
        self._try("looking back at yesterday", RunningHouse.look_back)
        self._try("tidying the database", RunningHouse.keep_house)
        self._try("looking around", self._log_book.survey)

    def _on_second_look(self, *_: object, **__: object) -> None:
        self._cycle()

    def _on_refresh(self, **_: object) -> None:
        self._try("refreshing prices", lambda house, now: house.rates.refresh(now))
        self._cycle()

    def _cycle(self) -> None:
        """One cycle; where it cannot be run to its end nobody watches over the inverter."""
        if not self._try("a cycle", self._run_cycle) and self._house is not None:
            self._problem = "a cycle failed: see the log"
            self._is_safe(self._house)

    def _try(self, what: str, work: Callable[[RunningHouse, datetime], object]) -> bool:
        """The last try, which keeps the timer alive; False after a bug."""
        house = self._house
        if house is None:
            return True
        return self._turns.take(what, lambda: work(house, datetime.now(UTC)))

    def _on_silence(self, why: str) -> bool:
        """No cycle comes: self-use, whoever else has the turn; whether that could be done."""
        self._problem = why
        self.logger.error("%s", why)
        return self._house is None or self._is_safe(self._house)

    def _is_safe(self, house: RunningHouse) -> bool:
        """Set self-use, unless read_only, whoever has the turn; whether that could be done."""
        return self._turns.is_done("Self Use could not be set", house.cycle.make_safe)

    def _run_cycle(self, house: RunningHouse, now: datetime) -> None:
        rival = house.rival(now)
        if rival is not None:
            self._stand_aside(house, rival)
            return
        self._problem, self._has_driven = None, True
        shown = house.run(now)
        self._shown = shown = replace(shown, problems=(*shown.problems, *self._turns.bugs))
        self._log_book.say(shown)
        if self._teller is not None:
            self._teller.tell(shown)
        if shown.outcome.look_again:
            self.run_in(self._on_second_look, LOOK_AGAIN_S)

    def _stand_aside(self, house: RunningHouse, rival: Rival) -> None:
        self._problem = rival.words
        self.logger.error("Standing aside: %s", rival.words)
        house.cycle.stand_aside()
        # Who only looks on ends no mode of ours, and its heartbeat pleases the watchdog.
        if self._has_driven and not rival.drives and self._is_safe(house):
            self._has_driven = False

    def _set_entity(
        self, entity_id: str, /, *, state: str | float, attributes: Mapping[str, Any]
    ) -> object:
        return self.set_state(
            entity_id,
            state=str(state),
            attributes={name: unpruned(each) for name, each in attributes.items()},
            replace=True,
            check_existence=False,
        )

    def _serve(self) -> None:
        site = Site(
            shown=lambda: self._shown,
            status=self._status,
            now=lambda: datetime.now(UTC),
            refresh=lambda: self.run_in(self._on_refresh, SOON_S),
            battery=lambda: (self._house.config if self._house else self._config).battery,
            voltage=self._config.web.battery_voltage,
            past=lambda: past_of(self._house),
            access=Access(
                is_guarded=lambda: is_guarded(self.AD.http), serves_all=self._config.web.unguarded
            ),
            diagnostics=lambda: diagnosed(
                self._house, self._shown, self._status(), datetime.now(UTC)
            ),
        )
        for ending, endpoint in site.endpoints().items():
            self.register_endpoint(endpoint, f"{SERVED_AS}_{ending}")
        for ending, route in site.routes().items():
            self.register_route(route, f"{SERVED_AS}{ending}")

    def _status(self) -> Status:
        told = Status(
            started_at=self._started_at,
            control=self._config.control.value,
            app_problem=self._problem,
            found=self._log_book.found,
        )
        return with_sources(told, self._house)
