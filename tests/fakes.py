"""In-memory ports of a cycle: they do what the real ones do, and fail when a test says so.

Setting a fake's `fault` makes it raise from then on, as its adapter would; None mends it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from battery_optimizer.errors import (
    ForecastUnavailable,
    InverterError,
    RatesUnavailable,
    SolverFailed,
    StoreUnavailable,
    TelemetryUnavailable,
)
from battery_optimizer.forecast.futures import Band
from battery_optimizer.model.decision import CycleOutcome, SentCommand
from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import (
    BatteryReadings,
    Observations,
    SolarForecast,
    Telemetry,
)
from battery_optimizer.model.wishes import Wishes


@dataclass
class FakeMeters:
    """Reads the same house each time."""

    soc_kwh: float = 5.0
    battery_temperature_c: float | None = None
    battery_kw: float | None = None
    grid_kw: float | None = None
    fault: str | None = None

    def read(self, now: datetime) -> Telemetry:
        if self.fault is not None:
            raise TelemetryUnavailable("sensor.battery_soc", self.fault)
        return Telemetry(
            measured_at=now,
            soc_kwh=self.soc_kwh,
            load_kw=0.5,
            solar_kw=0.0,
            battery_kw=self.battery_kw,
            grid_kw=self.grid_kw,
            battery_temperature_c=self.battery_temperature_c,
        )


@dataclass
class FixedRates:
    """Knows these rates [p/kWh] and no others."""

    imports: SlotSeries
    exports: SlotSeries
    fault: str | None = None

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:  # noqa: ARG002
        if self.fault is not None:
            raise RatesUnavailable(self.fault)
        return KnownRates(
            imports=self.imports.between(start, end), exports=self.exports.between(start, end)
        )


@dataclass
class FlatSun:
    """Forecasts the same power [kW] around the clock."""

    kw: float = 0.0
    fault: str | None = None

    def issued(self, start: datetime, end: datetime) -> tuple[SolarForecast, ...]:  # noqa: ARG002
        return ()

    def latest(self, now: datetime, without: Collection[str] = ()) -> SolarForecast:
        if "flat" in without:
            raise ForecastUnavailable("nobody else is there")
        if self.fault is not None:
            raise ForecastUnavailable(self.fault)
        start = floor_to_slot(now) - 48 * SLOT
        kw = SlotSeries(start=start, values=np.full(5 * 48, self.kw))
        return SolarForecast(source="flat", issued_at=now, p10_kw=kw, p50_kw=kw, p90_kw=kw)


@dataclass
class MemoryHistory:
    """Remembers what it is given; knows of nothing before."""

    saved: list[Telemetry] = field(default_factory=list)
    fault: str | None = None

    def observations(self, start: datetime, end: datetime) -> Observations:  # noqa: ARG002
        nothing = SlotSeries.empty(end)
        return Observations(load_kw=nothing, solar_kw=nothing)

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:  # noqa: ARG002
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        return BatteryReadings.of_rows(())

    def save_observation(self, telemetry: Telemetry) -> None:
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        self.saved.append(telemetry)


@dataclass
class FakeInverter:
    """Does as commanded; `tried` holds every command sent, refused ones too."""

    doing: InverterCommand | None = SELF_USE
    abilities: Abilities = field(default_factory=Abilities)
    renewals: int = 0
    fault: str | None = None
    unreadable: str | None = None
    other_way: bool = False
    tried: list[InverterCommand] = field(default_factory=list)

    def current(self) -> InverterCommand | None:
        if self.unreadable is not None:
            raise InverterError(self.unreadable)
        return self.doing

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        if self.unreadable is not None:
            raise InverterError(self.unreadable)
        return command

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        self.tried.append(command)
        self.other_way = other_way
        if self.fault is not None:
            raise InverterError(self.fault)
        self.doing = command


@dataclass
class MemoryJournal:
    """Keeps every outcome; `remembered` is the plan from before a restart."""

    outcomes: list[CycleOutcome] = field(default_factory=list)
    remembered: Plan | None = None
    sent: list[SentCommand] = field(default_factory=list)
    fault: str | None = None

    def commands(self, start: datetime, end: datetime) -> list[SentCommand]:
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        return [each for each in self.sent if start <= each.at < end]

    def record(self, outcome: CycleOutcome) -> None:
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        self.outcomes.append(outcome)

    def last_plan(self) -> Plan | None:
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        return self.remembered


@dataclass
class FlatForecaster:
    """Expects the same load [kW] around the clock, and the sun as it is forecast."""

    load_kw: float = 0.5

    def load(self, observed: Observations, horizon: Horizon) -> Band:  # noqa: ARG002
        return Band.certain(self.load_kw * horizon.hours)

    def solar(
        self,
        observed: Observations,  # noqa: ARG002
        latest: SolarForecast | None,
        horizon: Horizon,
    ) -> Band:
        nothing = np.zeros(horizon.n_slots)
        return Band.certain(
            nothing if latest is None else latest.p50_kw.on(horizon) * horizon.hours
        )

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:  # noqa: ARG002
        return ()


class FailingPlanner:
    """Stands in for a solver that finds nothing in time."""

    def plan(
        self,
        house: House,  # noqa: ARG002
        outlook: Outlook,  # noqa: ARG002
        soc_kwh: float,  # noqa: ARG002
        *,
        in_force: InverterCommand | None = None,  # noqa: ARG002
        wishes: Wishes | None = None,  # noqa: ARG002
    ) -> Plan:
        raise SolverFailed("Time limit reached")


def daily(first: datetime, last: datetime, by_clock: dict[str, float]) -> SlotSeries:
    """The same rates each day from `first` until `last`, UTC; {"HH:MM": rate from then on}."""
    changes = sorted((_half_hours(clock), rate) for clock, rate in by_clock.items())
    day = np.full(48, changes[-1][1])
    for half_hour, rate in changes:
        day[half_hour:] = rate
    start = floor_to_slot(first)
    n_slots = max(0, (last - start) // SLOT)
    offset = (start - start.replace(hour=0, minute=0)) // SLOT
    return SlotSeries(start=start, values=np.resize(np.roll(day, -offset), n_slots))


def moved(plan: Plan, by: timedelta) -> Plan:
    """The plan as if it had been made later or earlier."""
    horizon = replace(plan.horizon, start=plan.horizon.start + by)
    slots = tuple(replace(slot, start=slot.start + by) for slot in plan.slots)
    return replace(plan, made_at=plan.made_at + by, horizon=horizon, slots=slots)


def _half_hours(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 2 * int(hours) + int(minutes) // 30
