"""A simulated house that plays recorded days: the ports of a cycle, with a clock passed in."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from typing import Final

import numpy as np

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.forecast.futures import Band
from battery_optimizer.model.decision import CycleOutcome, SentCommand
from battery_optimizer.model.flows import Flows, flows, stored_after
from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.slots import (
    HOUR,
    SLOT,
    SLOTS_PER_DAY,
    Horizon,
    SlotSeries,
    floor_to_slot,
)
from battery_optimizer.model.tariff import KnownRates, published_until
from battery_optimizer.model.telemetry import (
    BatteryReadings,
    Observations,
    SolarForecast,
    Telemetry,
)
from battery_optimizer.simulate.days.recorded import RecordedDays


def as_played(house: House) -> House:
    """With an inverter that stops at floors and ceilings by itself, as a played one does."""
    return replace(house, abilities=replace(house.abilities, keeps_limits=True))


_RECORDED: Final = "recorded"


class PlayedHouse:
    """The house of the recording, with a battery of its own.

    Fulfils every port. What is asked at `now` is answered with what was known by then: the
    recording is cut there, so that no forecast can see ahead. `knows_all_rates` is for the
    prescient policy alone.
    """

    renewals: Final = 0

    def __init__(
        self, house: House, days: RecordedDays, *, soc_kwh: float, knows_all_rates: bool = False
    ) -> None:
        self._house = as_played(house)
        self._days = days
        self._knows_all_rates = knows_all_rates
        self._command: InverterCommand = SELF_USE
        self.soc_kwh = soc_kwh
        self._metered_solar_kw = SlotSeries(
            start=days.solar_kw.start, values=days.solar_kw.values.copy()
        )
        self.outcome: CycleOutcome | None = None

    @property
    def abilities(self) -> Abilities:
        """The house's, limits kept."""
        return self._house.abilities

    def read(self, now: datetime) -> Telemetry:
        """The stored energy now, and the powers of the half hour that just ended."""
        before = floor_to_slot(now) - SLOT
        load_kw, solar_kw = self._days.load_kw.at(before), self._days.solar_kw.at(before)
        return Telemetry(
            measured_at=now,
            soc_kwh=self.soc_kwh,
            load_kw=None if isnan(load_kw) else load_kw,
            solar_kw=None if isnan(solar_kw) else solar_kw,
        )

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        """The rates published by `now`."""
        known_end = end if self._knows_all_rates else min(end, published_until(now))
        return KnownRates(
            imports=self._days.imports.between(start, known_end),
            exports=self._days.exports.between(start, known_end),
        )

    def latest(self, now: datetime, without: Collection[str] = ()) -> SolarForecast:
        """The recorded forecast, as if issued now."""
        if _RECORDED in without or not self._days.solar_p50_kw.at(now) >= 0:
            raise ForecastUnavailable("the recording has no solar forecast for now")
        return SolarForecast(
            source=_RECORDED,
            issued_at=now,
            p10_kw=self._days.solar_p10_kw,
            p50_kw=self._days.solar_p50_kw,
            p90_kw=self._days.solar_p90_kw,
        )

    def issued(self, start: datetime, end: datetime) -> Sequence[SolarForecast]:
        """None apart: what is asked for now holds the past as well."""
        return ()

    def observations(self, start: datetime, end: datetime) -> Observations:
        """What was metered in the half hours that ended by `end`."""
        last = floor_to_slot(end)
        first = max(start, self._days.load_kw.start)
        days = self._days
        return Observations(
            load_kw=days.load_kw.between(first, last),
            solar_kw=self._metered_solar_kw.between(first, last),
            large_kw={name: kw.between(first, last) for name, kw in days.large_kw.items()},
            outside_c=days.outside_c.between(first, last) if days.outside_c else None,
        )

    def temperature(self, now: datetime) -> SlotSeries:
        """The temperature outside: as it was, and from now on as it was forecast."""
        told = outside_at(self._days, now)
        if told is None:
            raise ForecastUnavailable("the recording has no temperatures")
        return told

    def save_observation(self, telemetry: Telemetry) -> None:
        """The recording remembers by itself."""

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:
        """None: the recording is of another battery."""
        return BatteryReadings.of_rows(())

    def current(self) -> InverterCommand:
        """What the inverter was last told."""
        return self._command

    def as_shown(self, command: InverterCommand) -> InverterCommand:
        """The command."""
        return command

    def apply(self, command: InverterCommand, *, other_way: bool = False) -> None:
        """Do this from now on."""
        self._command = command

    def record(self, outcome: CycleOutcome) -> None:
        """Remember the last cycle."""
        self.outcome = outcome

    def last_plan(self) -> Plan | None:
        """Nothing from before the run."""
        return None

    def commands(self, start: datetime, end: datetime) -> Sequence[SentCommand]:
        """Nothing from before the run."""
        return ()

    def step(self, now: datetime, step: timedelta) -> Flows:
        """Live through one step under the command in force."""
        hours = step / HOUR
        given = flows(
            self._house,
            self._command,
            soc_kwh=self.soc_kwh,
            load_kwh=self._days.load_kwh(now, step),
            solar_kwh=self._days.solar_kw.at(now) * hours,
            hours=hours,
        )
        if given.lost_kwh > 0:
            # What was turned down says nothing about the sun; live, `is_held_back` tells it.
            turned_down = (now - self._metered_solar_kw.start) // SLOT
            self._metered_solar_kw.values[turned_down] = np.nan
        self.soc_kwh = stored_after(self._house.battery, self.soc_kwh, given, hours)
        return given


def outside_at(days: RecordedDays, now: datetime) -> SlotSeries | None:
    """The temperature outside: as it was, and from `now` on as it was forecast."""
    metered, forecast = days.outside_c, days.forecast_c
    if metered is None or forecast is None:
        return None
    known = (floor_to_slot(now) - metered.start) // SLOT
    values = np.concatenate([metered.values[:known], forecast.values[known:]])
    return SlotSeries(start=metered.start, values=values)


class PerfectForecaster:
    """Knows the load and the sun to come: for `--forecast perfect` and the prescient policy.

    Past the end of the recording it expects what was a day before.
    """

    def __init__(self, days: RecordedDays) -> None:
        self._load_kw = _continued(days.load_kw)
        self._solar_kw = _continued(days.solar_kw)

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        """What the house will draw [kWh per slot]."""
        return Band.certain(self._load_kw.on(horizon) * horizon.hours)

    def solar(
        self,
        observed: Observations,
        latest: SolarForecast | None,
        horizon: Horizon,
    ) -> Band:
        """What the panels could give [kWh per slot]."""
        return Band.certain(self._solar_kw.on(horizon) * horizon.hours)

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:
        """One future is certain."""
        return ()


def _continued(series: SlotSeries) -> SlotSeries:
    values = np.concatenate([series.values, np.full(_MOST_AHEAD, np.nan)])
    for t in np.flatnonzero(np.isnan(values)):
        values[t] = values[t - SLOTS_PER_DAY] if t >= SLOTS_PER_DAY else 0.0
    return SlotSeries(start=series.start, values=values)


_MOST_AHEAD = 7 * SLOTS_PER_DAY
