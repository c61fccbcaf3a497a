"""What a cycle needs from outside, one verb each. Adapters and simulations fulfil these."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from battery_optimizer.model.decision import CycleOutcome, SentCommand
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import (
    BatteryReadings,
    Observations,
    PlannedRun,
    SolarForecast,
    Telemetry,
)


class Meters(Protocol):
    """Reads the house."""

    def read(self, now: datetime) -> Telemetry:
        """What the house measures now; TelemetryUnavailable names the sensor that does not."""


class Rates(Protocol):
    """Knows unit rates, published ones only."""

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        """Rates of [start, end) [p/kWh] as known at `now`; NaN where none is.

        Raises RatesUnavailable if the source of rates cannot be read at all.
        """


class SolarForecasts(Protocol):
    """Knows what the sun will give."""

    def latest(self, now: datetime, without: Collection[str] = ()) -> SolarForecast:
        """The newest usable forecast [kW], of none of these sources.

        ForecastUnavailable says why there is none.
        """

    def issued(self, start: datetime, end: datetime) -> Sequence[SolarForecast]:
        """The forecasts issued in [start, end), oldest first, as far as they were kept.

        StoreUnavailable when it cannot be told now.
        """


class Weather(Protocol):
    """Knows how cold it is outside."""

    def temperature(self, now: datetime) -> SlotSeries:
        """What it was, and what it is going to be [deg C]; ForecastUnavailable says why not."""


class Schedules(Protocol):
    """Knows when large loads are going to run."""

    def planned(self, now: datetime) -> Mapping[str, Sequence[PlannedRun]]:
        """Of each large load the runs that are planned; nothing of those nobody knows of."""


class History(Protocol):
    """Knows what was metered."""

    def observations(self, start: datetime, end: datetime) -> Observations:
        """Load and solar of [start, end) [kW average per half hour]; NaN where not metered."""

    def save_observation(self, telemetry: Telemetry) -> None:
        """Keep a reading for the forecasts to come; StoreUnavailable when it cannot."""

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:
        """What the battery did under forced modes in [start, end), as far as it was kept."""


class Inverter(Protocol):
    """Does as commanded until commanded otherwise."""

    @property
    def abilities(self) -> Abilities:
        """What it can do and be told now."""

    @property
    def renewals(self) -> int:
        """Writes since the start that were made so that a command goes on, besides `apply`."""

    def current(self) -> InverterCommand | None:
        """What the inverter is doing by its own account; None if that is none of our modes.

        InverterError when it cannot be read.
        """

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """What `current` says once this is done: the power that can be reached, if not all of it.

        InverterError when that cannot be told.
        """

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Send and read back; InverterError when refused or not confirmed.

        `other_way` asks for the alternative to a mode that was seen to do nothing.
        """


class Journal(Protocol):
    """Remembers decisions."""

    def record(self, outcome: CycleOutcome) -> None:
        """Write down one cycle; StoreUnavailable when it cannot."""

    def last_plan(self) -> Plan | None:
        """The newest recorded plan, to be followed after a restart."""

    def commands(self, start: datetime, end: datetime) -> Sequence[SentCommand]:
        """What was sent in [start, end), oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that a cycle touches."""

    meters: Meters
    rates: Rates
    solar: SolarForecasts
    history: History
    inverter: Inverter
    journal: Journal
    weather: Weather | None = None
    schedules: Schedules | None = None
    place: tuple[float, float] | None = None
    """Latitude and longitude of the panels [degrees, north and east positive], if known."""
