"""A house wired of the app's real parts, on a clock of the story, in which things can be broken.

Real are the wiring, the adapters, the cycle, the planner, SQLite in a file and HTTP to a server on
loopback that answers as Octopus does. Simulated are the inverter and its integration, with all the
traps that were seen, and time. Where the real app would wait, the story's time goes on: a service
call that hangs for ten seconds costs the story ten seconds, in which the battery goes on as it was
told.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from battery_optimizer.adapters.foxess.calls import NOT_THERE
from battery_optimizer.adapters.foxess.periods import HELPER
from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.overrides import AUTOMATIC, CHOICE
from battery_optimizer.config import Config
from battery_optimizer.errors import BatteryOptimizerError, ConfigError, InverterError
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import SLOT, day_bounds, local_day
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.fox_periods import NO_PERIODS
from battery_optimizer.simulate.home.inverter import FALLBACKS, SimulatedInverter
from battery_optimizer.simulate.home.surroundings import PlausibleHome, Surroundings
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.running import RunningHouse
from fox_polled import FORCE_POWERS, Link, Polled
from octopus_server import OctopusServer, half_hours

TARIFF = "E-1R-AGILE-24-10-01-C"
SELECT = "select.foxess_work_mode"
SOLCAST = "sensor.solcast_pv_forecast_"
CYCLE = timedelta(minutes=5)
TICK = timedelta(seconds=10)
LOOK_AGAIN = timedelta(seconds=40)
READ_BACK = timedelta(minutes=1)
"""To be confirmed (10 s), felt (20 s), shown by a poll (10 s); the rest for what goes slowly."""
LIMIT = CYCLE + READ_BACK
"""The longest that a forced mode may go on which nobody wants."""
OCTOPUS_SILENCE_S = 15.0
FELT_KW = 0.05
CHEAP = range(2, 4)
"""Hours, UTC, in which electricity is cheap, and the plan fills the battery."""

BATTERY = {"capacity_kwh": 10.0, "reserve_kwh": 1.0, "max_charge_kw": 3.0, "max_discharge_kw": 3.0}
SETTINGS: dict[str, Any] = {
    "battery": BATTERY,
    "inverter": {"ac_limit_kw": 5.0},
    "rates": {
        "import_product": "AGILE-24-10-01",
        "region": "C",
        "fixed_export_p": 5.0,
        "demo": "never",
    },
    "entities": {"prefix": "foxess"},
    "web": {"enabled": False},
}

State = Callable[[EntityState], EntityState | None]
Call = Callable[[str, dict[str, Any]], object]


@dataclass(frozen=True)
class Steady:
    """A house without surprises."""

    load: float = 0.5
    sun: float = 0.0

    def load_kw(self, moment: datetime) -> float:
        return self.load + 0.002 * (moment.minute % 2)  # no house is silent

    def solar_kw(self, _moment: datetime) -> float:
        return self.sun


class _StorySession(requests.Session):
    """Waits for a silent server no longer than it must; the story's time goes on in full."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self._wait = wait

    def get(self, *args: Any, **more: Any) -> requests.Response:  # noqa: ANN401
        try:
            return super().get(*args, **more)
        except requests.Timeout:
            self._wait(OCTOPUS_SILENCE_S)
            raise


@dataclass(kw_only=True)
class World:
    """One house, its app, and time; `live` lets some of it pass."""

    folder: Path
    octopus: OctopusServer
    start: datetime = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
    surroundings: Surroundings = field(default_factory=Steady)
    soc_kwh: float = 6.0
    settings: dict[str, Any] = field(default_factory=dict)
    tick: timedelta = TICK
    has_force_modes: bool = True
    """Else the model has charge periods."""
    days: int = 3
    """For how many days rates are published."""

    shown: Shown | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        house = House(
            battery=Battery(**BATTERY), inverter=Inverter(ac_limit_kw=5.0), grid=GridConnection()
        )
        self.inverter = SimulatedInverter(
            house=house,
            surroundings=self.surroundings,
            now=self.start,
            soc_kwh=self.soc_kwh,
            periods=() if self.has_force_modes else NO_PERIODS,
        )
        self.link = Polled(self.inverter)
        self.fox = SimulatedFoxEss(
            self.inverter, integration=self.link, has_force_modes=self.has_force_modes
        )
        self._offsets: list[tuple[datetime, timedelta]] = [(self.start, timedelta())]
        self._forecasts: dict[tuple[date, int], list[dict[str, float | str]]] = {}
        self.helpers = {CHOICE: AUTOMATIC, HELPER: ""}
        self.changed: dict[str, State] = {}
        """Entities that show something else than they should."""
        self.calls: Call | None = None
        """What answers service calls instead of Home Assistant."""
        self.is_there = True
        """Whether AppDaemon has Home Assistant's entities at all."""
        self.has_solcast = True
        self.bugs: list[str] = []
        self._select_was = ""
        self.house: RunningHouse | None = None
        self.next_cycle, self.next_look = self.start, None
        self.unwanted, self.longest_unwanted = timedelta(), timedelta()
        self.is_deaf = False
        """While nothing that is said can reach the inverter."""
        self.problems: list[str] = []
        self.n_cycles = 0
        self.publish()
        self._wait(20)

    @property
    def true_time(self) -> datetime:
        """The time that really is."""
        return self.inverter.now

    @property
    def now(self) -> datetime:
        """What the machine's clock shows."""
        return self.true_time + self._offsets[-1][1]

    def publish(self) -> None:
        """Rates of every half hour around: cheap at night, else always the same."""
        first = self.start.replace(hour=0, minute=0) - timedelta(days=15)
        n_slots = 48 * (self.days + 18)
        values = [5.0 if (slot % 48) // 2 in CHEAP else 25.0 for slot in range(n_slots)]
        self.octopus.publish(TARIFF, half_hours(first, values))

    def jump(self, by: timedelta) -> None:
        """The machine's clock is set."""
        self._offsets.append((self.true_time, self._offsets[-1][1] + by))

    def order(self, choice: str = AUTOMATIC) -> None:
        """What the household says."""
        self.helpers[CHOICE] = choice

    @property
    def is_forced(self) -> bool:
        """Whether the inverter really forces the battery."""
        option = self.inverter._felt_option
        if self.inverter.period_in_force is not None:
            return True
        if option not in FALLBACKS:
            return False
        charge_kw, discharge_kw = (getattr(self.inverter, name) for name in FORCE_POWERS)
        return (charge_kw if option == "Force Charge" else discharge_kw) > FELT_KW

    @property
    def is_wanted(self) -> bool:
        """Whether the household or the rates want it to."""
        ordered = self.helpers[CHOICE] in ("Charge", "Discharge")
        return ordered or self.now.hour in CHEAP

    def _wait(self, seconds: float) -> None:
        """Time goes by, for the inverter too."""
        until = self.true_time + timedelta(seconds=seconds)
        while self.true_time < until:
            step = min(self.tick, until - self.true_time)
            self.link.advance(self.true_time + step)
            self.fox.entities()  # Home Assistant looks all the time
            self._listen()
            is_bad = self.is_forced and not self.is_wanted and not self.is_deaf
            self.unwanted = self.unwanted + step if is_bad else timedelta()
            self.longest_unwanted = max(self.longest_unwanted, self.unwanted)

    def _listen(self) -> None:
        """AppDaemon calls the app when the select is there again."""
        state = self.read(SELECT)
        before, self._select_was = self._select_was, "" if state is None else state.state
        if before in NOT_THERE and before != self._select_was:
            self.next_look = self.true_time

    def live(self, minutes: float) -> None:
        """Let time pass, with the app in it if it runs."""
        until = self.true_time + timedelta(minutes=minutes)
        while self.true_time < until:
            if self.house is not None and self.true_time >= self.next_cycle:
                self.next_cycle = max(self.next_cycle + CYCLE, self.true_time)
                self.cycle()
            elif self.house is not None and self.next_look and self.true_time >= self.next_look:
                self.next_look = None
                self.cycle()
            self._wait(self.tick.total_seconds())

    def cycle(self) -> None:
        """What the shell does on its timer."""
        assert self.house is not None
        self.n_cycles += 1
        if not self._try(self._run):
            self._make_safe()
        self._try(lambda house, now: house.look_back(now))
        self._try(lambda house, now: house.keep_house(now))

    def _run(self, house: RunningHouse, now: datetime) -> None:
        rival = house.rival(now)
        if rival is not None:
            self.problems.append(rival.words)
            return
        self.shown = house.run(now)
        self.problems += [each for each in self.shown.problems if each not in self.problems]
        if self.shown.outcome.look_again:
            self.next_look = self.true_time + LOOK_AGAIN

    def _try(self, work: Callable[[RunningHouse, datetime], object]) -> bool:
        assert self.house is not None
        try:
            work(self.house, self.now)
        except BatteryOptimizerError as error:
            self.problems.append(str(error))
        except Exception as error:
            logging.getLogger("faults").exception("a bug")
            self.bugs.append(repr(error))
            self.problems.append(f"a cycle failed: {error!r}")
            return False
        return True

    def _make_safe(self) -> None:
        assert self.house is not None
        try:
            self.house.cycle.make_safe()
        except InverterError as error:
            self.problems.append(str(error))

    @property
    def health(self) -> str:
        """What the household is told at the moment."""
        return "" if self.shown is None else "; ".join(self.shown.problems)

    def begin(self, **changes: object) -> None:
        """Start the app."""
        settings = SETTINGS | self.settings | changes
        settings["rates"] = {**settings["rates"], "base_url": self.octopus.url}
        try:
            house = connect(Config.from_args(settings), self._host())
        except (InverterError, ConfigError) as error:
            self.problems.append(str(error))
            return
        house.store._file._busy_seconds = 0.05
        assert isinstance(house.rates._source, HouseRates)
        client = OctopusClient(
            self.octopus.url, timeouts_s=(0.5, 0.25), attempts=2, sleep=self._wait
        )
        client._session = _StorySession(self._wait)
        house.rates._source.api._client = client
        self.house, self.next_cycle, self.next_look = house, self.true_time, None

    def stop(self) -> None:
        """As the shell does at its end."""
        if self.house is None:
            return
        self._make_safe()
        self.die()

    def die(self) -> None:
        """As if killed: nothing more is said to anybody."""
        if self.house is not None:
            self.house.close()
        self.house = None

    def _host(self) -> Host:
        return Host(
            app="app",
            folder=self.folder,
            latitude=51.5,
            longitude=-0.12,
            call_service=self.call,
            read_state=self.read,
            list_entities=lambda: list(self.fox.entities()) if self.is_there else [],
            get_history=lambda *_: None,
            sleep=self._wait,
            now=lambda: self.now,
        )

    def call(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        if not self.is_there:
            return None
        if self.calls is not None:
            return self.calls(service, data)
        return self.answer(service, data)

    def answer(self, service: str, data: dict[str, Any]) -> object:
        """As Home Assistant would."""
        if service == "input_select/select_option":
            self.helpers[str(data["entity_id"])] = str(data["option"])
            return {"success": True}
        if service == "input_text/set_value":
            self.helpers[str(data["entity_id"])] = str(data["value"])
            return {"success": True}
        return self.fox.call(service, data)

    def read(self, entity_id: str) -> EntityState | None:
        if not self.is_there:
            return None
        if entity_id in self.helpers:
            return EntityState(state=self.helpers[entity_id])
        if entity_id.startswith(SOLCAST):
            return self._forecast(entity_id) if self.has_solcast else None
        state = self.fox.entities().get(entity_id)
        if state is not None and entity_id in self.changed:
            state = self.changed[entity_id](state)
        return None if state is None else self._stamped(state)

    def _forecast(self, entity_id: str) -> EntityState:
        """Solcast's, asked an hour ago at most."""
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        if entity_id.endswith("polled"):
            return EntityState(state=hour.isoformat(), last_reported=hour)
        ahead = int(entity_id.endswith("tomorrow"))
        day = local_day(self.now) + timedelta(days=ahead)
        if (day, ahead) not in self._forecasts:
            self._forecasts = {
                each: rows for each, rows in self._forecasts.items() if each[0] >= day
            }
            self._forecasts[day, ahead] = _solcast(self.surroundings, day, ahead)
        rows = self._forecasts[day, ahead]
        return EntityState(state="1", attributes={"detailedForecast": rows}, last_reported=hour)

    def _stamped(self, state: EntityState) -> EntityState:
        """With the times that the machine's clock showed."""
        return replace(
            state,
            last_changed=self._shown_at(state.last_changed),
            last_reported=self._shown_at(state.last_reported),
        )

    def _shown_at(self, moment: datetime | None) -> datetime | None:
        if moment is None:
            return None
        return moment + [by for since, by in self._offsets if since <= moment][-1]


def _solcast(
    surroundings: Surroundings, day: date, days_ahead: int
) -> list[dict[str, float | str]]:
    if isinstance(surroundings, PlausibleHome):
        return surroundings.forecast(day, days_ahead)
    start, end = day_bounds(day)
    n_slots = (end - start) // SLOT
    times = [start + t * SLOT for t in range(n_slots)]
    keys = ("pv_estimate", "pv_estimate10", "pv_estimate90")
    return [
        {"period_start": time.isoformat(), **dict.fromkeys(keys, surroundings.solar_kw(time))}
        for time in times
    ]


@contextmanager
def a_world(folder: Path, **more: Any) -> Iterator[World]:  # noqa: ANN401
    """A world with its own Octopus, and nothing left running at the end."""
    with OctopusServer() as octopus:
        world = World(folder=folder, octopus=octopus, **more)
        try:
            yield world
        finally:
            world.die()


def plausible(start: datetime, seed: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A house that lives."""
    return {"start": start, "surroundings": PlausibleHome(seed=seed), **more}


__all__ = ["Link", "World", "a_world", "plausible"]
