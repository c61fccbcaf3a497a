"""From the ports to an outlook: what is known of rates, load and sun, and what is expected.

And to the battery that it is planned for: as set, with what was learned of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol

from battery_optimizer.errors import ForecastUnavailable, StoreUnavailable
from battery_optimizer.forecast.away import while_away
from battery_optimizer.forecast.battery_limits import WINDOW, learned_limits
from battery_optimizer.forecast.house_load import load_doubts
from battery_optimizer.forecast.load import HISTORY_DAYS
from battery_optimizer.forecast.meters import Judged, judge_meters
from battery_optimizer.forecast.outlook import Forecaster, build_outlook
from battery_optimizer.forecast.rates import RECENT_DAYS
from battery_optimizer.forecast.solar import TOLD_DAYS
from battery_optimizer.forecast.suspects import forecast_doubt, forecast_remark
from battery_optimizer.forecast.told import Told
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import Horizon, SlotSeries, floor_to_slot, local_day
from battery_optimizer.model.telemetry import Observations, PlannedRun, SolarForecast
from battery_optimizer.model.wishes import Wishes
from battery_optimizer.ports import History, Ports

_RECENT_SUN = "the sun of recent days is taken instead"


class Foreseen(Protocol):
    """Knows what is planned for: forecast and learned, or in a replay as it was recorded."""

    def outlook(
        self, now: datetime, wishes: Wishes, battery: Battery
    ) -> tuple[Outlook, tuple[str, ...]]:
        """The outlook from `now` on, and what is wrong with it; DataError where there is none."""

    def learned(self, house: House, now: datetime) -> Learned:
        """The house's battery with what is known of it; as set where nothing is."""


class Foresight:
    """Forecasts from what the ports know."""

    def __init__(self, ports: Ports, forecaster: Forecaster, settings: PlannerSettings) -> None:
        self._ports = ports
        self._forecaster = forecaster
        self._settings = settings
        self._limits = LearnedLimits(ports.history)
        self._last_seen: Observations | None = None
        self._last_told: tuple[datetime, Told] | None = None

    def outlook(
        self, now: datetime, wishes: Wishes, battery: Battery
    ) -> tuple[Outlook, tuple[str, ...]]:
        """All that is expected, and what stood in for what could not be had."""
        horizon = Horizon.of_hours(now, self._settings.horizon_hours, self._settings.step)
        slot = floor_to_slot(now)
        known = self._ports.rates.known_rates(slot - timedelta(days=RECENT_DAYS), horizon.end, now)
        seen, gaps = self._seen(slot - timedelta(days=HISTORY_DAYS), now)
        weather, unknown = self._weather(now)
        seen = replace(seen, weather_c=weather, planned=self._planned(now))
        solar, judged, problems = self._solar(now, seen)
        observed = judged.observed
        outlook = build_outlook(self._forecaster, battery, horizon, known, observed, solar)
        doubts = load_doubts(observed, now)
        away = while_away(outlook, judged.away, wishes.away_until)
        return away, (*gaps, *unknown, *problems, *judged.doubts, *doubts)

    def learned(self, house: House, now: datetime) -> Learned:
        """The battery with what was learned of it by today."""
        return self._limits.learned(house, now)

    def _weather(self, now: datetime) -> tuple[SlotSeries | None, tuple[str, ...]]:
        """How cold it was and will be, if anybody is asked, and why nobody knows."""
        if self._ports.weather is None:
            return None, ()
        try:
            return self._ports.weather.temperature(now), ()
        except ForecastUnavailable as error:
            return None, (f"{error}; the load is forecast without the temperature",)

    def _planned(self, now: datetime) -> Mapping[str, Sequence[PlannedRun]]:
        return {} if self._ports.schedules is None else self._ports.schedules.planned(now)

    def _seen(self, start: datetime, now: datetime) -> tuple[Observations, tuple[str, ...]]:
        """What was metered; as last read while it cannot be read: there is no need to know more."""
        try:
            self._last_seen = self._ports.history.observations(start, now)
        except StoreUnavailable as error:
            if self._last_seen is None:
                raise
            return self._last_seen, (str(error),)
        return self._last_seen, ()

    def _told(self, now: datetime) -> Told:
        """What was forecast of the sun for past half hours; read once a day."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._last_told is None or self._last_told[0] != today:
            told = Told(today - timedelta(days=TOLD_DAYS), today)
            try:
                issued = self._ports.solar.issued(told.start, now)
            except StoreUnavailable:
                # The store says what is wrong with it; the next cycle asks again.
                return self._last_told[1] if self._last_told else told
            for forecast in issued:
                told.add(forecast)
            self._last_told = (today, told)
        return self._last_told[1]

    def _solar(
        self, now: datetime, seen: Observations
    ) -> tuple[SolarForecast | None, Judged, tuple[str, ...]]:
        """The first forecast that may be used, what was metered, and what is wrong with both.

        Each source is held against what it told before, and the meters against it.
        """
        told = self._told(now)
        refused: dict[str, str] = {}
        judged: Judged | None = None
        while True:
            try:
                latest = self._ports.solar.latest(now, tuple(refused))
            except ForecastUnavailable as error:
                if judged is not None:
                    return None, judged, _not_used(refused, _RECENT_SUN)
                judged = judge_meters(replace(seen, told=told.by()), None, now)
                return None, judged, (f"{error}; {_RECENT_SUN}",)
            told.add(latest)
            judged = judge_meters(replace(seen, told=told.by(latest.source)), latest, now)
            doubt = forecast_doubt(latest, judged.observed, now, self._ports.place)
            if doubt is None:
                break
            refused[latest.source] = doubt
        remark = forecast_remark(latest, judged.observed, now)
        remarks = () if remark is None else (f"the solar forecast of {latest.source}: {remark}",)
        return (
            latest,
            judged,
            (*_not_used(refused, f"that of {latest.source} is used instead"), *remarks),
        )


def _not_used(refused: Mapping[str, str], instead: str) -> tuple[str, ...]:
    return tuple(
        f"the solar forecast of {source} is not used: {doubt}; {instead}"
        for source, doubt in refused.items()
    )


class LearnedLimits:
    """Learns once a day from the readings that were kept."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._last: tuple[House, date, Learned] | None = None

    def learned(self, house: House, now: datetime) -> Learned:
        """As learned today; as before, or as set, while the readings cannot be had."""
        before, today = self._last, local_day(now)
        if before is not None and before[:2] == (house, today):
            return before[2]
        try:
            readings = self._history.battery_readings(now - WINDOW, now)
        except StoreUnavailable:
            # `record` says what is wrong with the store; the next cycle asks again.
            if before is not None and before[0] == house:
                return before[2]
            return Learned(battery=house.battery)
        learned = learned_limits(house, readings)
        self._last = (house, today, learned)
        return learned
