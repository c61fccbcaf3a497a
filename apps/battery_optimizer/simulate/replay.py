"""Decisions made again from a diagnostics file, by the very cycle that made them."""

import gzip
import json
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from battery_optimizer.cycle import Cycle
from battery_optimizer.diagnostics import FORMAT, FORMAT_VERSION, versions
from battery_optimizer.errors import (
    DataError,
    ForecastUnavailable,
    RatesUnavailable,
    TelemetryUnavailable,
)
from battery_optimizer.model.codec import from_plain
from battery_optimizer.model.decision import (
    CycleInputs,
    CycleOutcome,
    CycleResult,
    SentCommand,
)
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import (
    BatteryReadings,
    Observations,
    SolarForecast,
    Telemetry,
)
from battery_optimizer.model.wishes import Wishes
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from battery_optimizer.simulate.files import why

_GZIP: Final = b"\x1f\x8b"
_UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError)
_SURE: Final = "optimal"
"""A solve that ended otherwise was stopped by the clock, and may end elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a diagnostics file holds that decisions can be made from again."""

    cycles: tuple[CycleOutcome, ...]
    rates: KnownRates | None
    versions: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Of a file as the app gives it, compressed or not; DataError says what is wrong."""
        document = _document(path)
        if document.get("format") != FORMAT:
            raise DataError(f"{path} is no diagnostics file of this app")
        written = document.get("format_version")
        if not isinstance(written, int) or written > FORMAT_VERSION:
            raise DataError(
                f"{path} was written by a newer version of this app (format {written}, known is "
                f"{FORMAT_VERSION}): update"
            )
        try:
            cycles = tuple(from_plain(CycleOutcome, each) for each in document["cycles"])
            rates: KnownRates | None = from_plain(KnownRates, document["rates"])
            named = {str(name): str(each) for name, each in document["versions"].items()}
        except _UNREADABLE as error:
            raise DataError(f"{path} is damaged: {type(error).__name__} {error}") from error
        if not cycles:
            raise DataError(f"{path} holds no cycle: ask for it again once there is a plan")
        return cls(cycles=cycles, rates=rates, versions=named)

    def other_versions(self) -> list[str]:
        """What is not as it was, a line for each."""
        here = versions()
        return [
            f"{name} was {self.versions.get(name, 'not there')}, is {here.get(name, 'not there')}"
            for name in sorted(self.versions.keys() | here.keys())
            if self.versions.get(name) != here.get(name)
        ]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one cycle: what differs, or why it could not be made again."""

    at: datetime
    outcome: CycleOutcome | None = None
    """What it comes to now."""
    differs: tuple[str, ...] = ()
    left_out: str | None = None


def replayed(recording: Recording, *, tolerance: float = 0.0) -> Iterator[Verdict]:
    """Each cycle made again; `tolerance` is how far numbers may be apart [p, kW]."""
    planner_with = cache(Planner)
    for was in recording.cycles:
        if was.inputs is None:
            yield Verdict(at=was.at, left_out="it was recorded by an older version of the app")
        elif was.result is CycleResult.FELL_BACK and recording.rates is None:
            yield Verdict(at=was.at, left_out="it followed the rules, and the rates are missing")
        else:
            planner = planner_with(was.inputs.settings)
            now_is = _again(was, was.inputs, planner, recording.rates)
            differs = tuple(_differences(was, now_is, tolerance))
            if differs and was.plan is not None and was.plan.solve.status != _SURE:
                differs = (*differs, f"(its solve ended by {was.plan.solve.status})")
            yield Verdict(at=was.at, outcome=now_is, differs=differs)


def _document(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if data.startswith(_GZIP) else data
        document = json.loads(text)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {why(error)}") from error
    if not isinstance(document, dict):
        raise DataError(f"{path} is no diagnostics file of this app")
    return document


def _again(
    was: CycleOutcome, inputs: CycleInputs, planner: Planner, rates: KnownRates | None
) -> CycleOutcome:
    """The cycle, with all that it knew as it was, and hands that touch nothing."""
    world = _World(was, inputs, rates)
    ports = Ports(
        meters=world, rates=world, solar=world, history=world, inverter=world, journal=world
    )
    cycle = Cycle(house=inputs.house, ports=ports, foresight=world, planner=planner)
    return cycle.run(was.at, inputs.wishes)


class _World:
    """Every port, and what was foreseen, as it was."""

    renewals: Final = 0

    def __init__(self, was: CycleOutcome, inputs: CycleInputs, rates: KnownRates | None) -> None:
        self._was = was
        self._in_force = inputs.in_force
        self._learned = inputs.learned
        self._rates = rates if was.result is CycleResult.FELL_BACK else None
        self.abilities = inputs.house.abilities

    def read(self, now: datetime) -> Telemetry:
        if self._was.telemetry is None:
            raise TelemetryUnavailable("the battery", "was not measured")
        return self._was.telemetry

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        if self._rates is None:
            raise RatesUnavailable("no rates were known")
        return KnownRates(
            imports=self._rates.imports.between(start, end),
            exports=self._rates.exports.between(start, end),
            is_demo=self._rates.is_demo,
        )

    def latest(self, now: datetime, without: Collection[str] = ()) -> SolarForecast:
        raise ForecastUnavailable(f"the outlook of {now} is recorded as a whole")

    def issued(self, start: datetime, end: datetime) -> tuple[SolarForecast, ...]:
        return ()

    def observations(self, start: datetime, end: datetime) -> Observations:
        nothing = SlotSeries.empty(end)
        return Observations(load_kw=nothing, solar_kw=nothing)

    def save_observation(self, telemetry: Telemetry) -> None:
        """Nothing is kept."""

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:
        return BatteryReadings.of_rows(())

    def learned(self, house: House, now: datetime) -> Learned:
        return Learned(battery=house.battery, curves=self._learned)

    def outlook(
        self, now: datetime, wishes: Wishes, battery: Battery
    ) -> tuple[Outlook, tuple[str, ...]]:
        if self._was.result is not CycleResult.PLANNED or self._was.outlook is None:
            raise DataError("; ".join(self._was.problems) or "there was no plan")
        return self._was.outlook, ()

    def current(self) -> InverterCommand | None:
        return self._in_force

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """The command."""
        return command

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Nothing is touched."""

    def record(self, outcome: CycleOutcome) -> None:
        """Nothing is kept."""

    def last_plan(self) -> Plan | None:
        return self._was.plan if self._was.result is CycleResult.KEPT_LAST_PLAN else None

    def commands(self, start: datetime, end: datetime) -> tuple[SentCommand, ...]:
        return ()


def _differences(was: CycleOutcome, now_is: CycleOutcome, tolerance: float) -> Iterator[str]:
    """In words, the most important first."""

    def compared(name: str, before: object, after: object) -> Iterator[str]:
        if isinstance(before, float) and isinstance(after, float):
            if abs(before - after) <= tolerance or before == after:
                return
        elif before == after:
            return
        yield f"{name} was {before!r}, is {after!r}"

    yield from compared("result", was.result.value, now_is.result.value)
    yield from compared("mode", was.command.mode.value, now_is.command.mode.value)
    yield from compared("power_kw", was.command.power_kw, now_is.command.power_kw)
    if was.plan is None or now_is.plan is None:
        return
    yield from compared("cost_p", was.plan.cost_p, now_is.plan.cost_p)
    yield from compared("objective_p", was.plan.objective_p, now_is.plan.objective_p)
    yield from compared("slots", len(was.plan.slots), len(now_is.plan.slots))
    for before, after in zip(was.plan.slots, now_is.plan.slots, strict=False):
        at = f"{before.start:%d %b %H:%M} UTC"
        yield from compared(f"{at}: mode", before.mode.value, after.mode.value)
        yield from compared(f"{at}: cost_p", before.cost_p, after.cost_p)
        yield from compared(f"{at}: soc_end_kwh", before.soc_end_kwh, after.soc_end_kwh)
