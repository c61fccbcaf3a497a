"""The solar forecast in force: the first source that works, else the one that was stored."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable, StoreUnavailable
from battery_optimizer.model.slots import is_within
from battery_optimizer.model.telemetry import SolarForecast

STORED_MAX_AGE: Final = timedelta(hours=12)
"""Weather told half a day ago still beats the shape of past days, which is what comes after it."""

_STORE_EVERY: Final = timedelta(minutes=30)

_SHORT: Final = timedelta(hours=22)
"""Today and tomorrow reach further at any time of day, today alone does for two hours at most."""


class SolarSource(Protocol):
    """Somebody who knows the weather."""

    @property
    def name(self) -> str:
        """As it is shown to users."""

    @property
    def refresh_every(self) -> timedelta:
        """How long an answer is kept before the source is asked again; 0: it costs nothing."""

    def fetch(self, now: datetime) -> SolarForecast:
        """A sound forecast that covers `now`; ForecastUnavailable says why there is none."""


class ForecastStore(Protocol):
    """Keeps forecasts over a restart."""

    def save_solar_forecast(self, forecast: SolarForecast) -> None:
        """Keep it; StoreUnavailable when it cannot."""

    def solar_forecasts(self, *, start: datetime, end: datetime) -> Sequence[SolarForecast]:
        """Those issued in [start, end), oldest first; StoreUnavailable when it cannot."""

    def latest_solar_forecast(self, now: datetime) -> SolarForecast | None:
        """The one issued last by `now`, if any; StoreUnavailable when it cannot be read."""


class SolarFeed:
    """Asks the sources in order; fulfils `ports.SolarForecasts`.

    If none works, a stored forecast serves while it is young enough and covers now. `problems()`
    has what was wrong the last time, one sentence each: with the sources that the house has, or
    with every one where it has none.
    """

    def __init__(self, *, sources: Sequence[SolarSource], store: ForecastStore) -> None:
        self._sources = tuple(sources)
        self._store = store
        self._fetched: dict[str, tuple[datetime, SolarForecast]] = {}
        self._saved: dict[str, SolarForecast] = {}
        self._problems: list[str] = []
        self.in_force: SolarForecast | None = None
        """What `latest` gave last; None if it had nothing to give."""
        self.was_asked = False

    def problems(self) -> tuple[str, ...]:
        """What went wrong when a forecast was last asked for."""
        return tuple(self._problems)

    def latest(self, now: datetime, without: Collection[str] = ()) -> SolarForecast:
        """The newest usable forecast [kW], of none of the sources in `without`.

        ForecastUnavailable says why there is none.
        """
        self._problems = []
        self.in_force, self.was_asked = None, True
        lost = []
        for source in self._sources:
            if source.name in without:
                continue
            try:
                forecast = self._fetch(source, now)
            except ForecastUnavailable as error:
                self._problems.append(f"{source.name}: {error}")
                # Where one is there, the others need not be; but one that is should work.
                is_there = not isinstance(error, ForecastAbsent) or source.name in self._fetched
                lost += self._problems[-1:] if is_there else []
                continue
            self._problems = lost
            if _ends_early(forecast, now):
                self._problems.append(
                    f"{source.name}: it ends at {forecast.p50_kw.end:%d %b %H:%M} UTC (is the "
                    "entity for tomorrow there?); from then on the sun of recent days is taken"
                )
            self._save(forecast)
            self.in_force = forecast
            return forecast
        if without or lost:
            # Where one did answer, or should, those that the house does not have are not to blame.
            self._problems = lost
        stored = self._stored(now)
        if stored is not None and stored.source not in without:
            self.in_force = stored
            return stored
        raise ForecastUnavailable(
            "; ".join(self._problems)
            or f"no {'other ' * bool(without)}source of solar forecasts is set"
        )

    def issued(self, start: datetime, end: datetime) -> Sequence[SolarForecast]:
        """The forecasts issued in [start, end), oldest first."""
        return self._store.solar_forecasts(start=start, end=end)

    def _fetch(self, source: SolarSource, now: datetime) -> SolarForecast:
        if source.name in self._fetched:
            fetched_at, forecast = self._fetched[source.name]
            if is_within(source.refresh_every, fetched_at, now) and _covers(forecast, now):
                return forecast
        forecast = source.fetch(now)
        self._fetched[source.name] = (now, forecast)
        return forecast

    def _save(self, forecast: SolarForecast) -> None:
        saved = self._saved.get(forecast.source)
        if saved is not None and abs(forecast.issued_at - saved.issued_at) < _STORE_EVERY:
            return
        try:
            self._store.save_solar_forecast(forecast)
        except StoreUnavailable as error:
            self._problems.append(f"the solar forecast is not stored: {error}")
            return
        self._saved[forecast.source] = forecast

    def _stored(self, now: datetime) -> SolarForecast | None:
        try:
            stored = self._store.latest_solar_forecast(now)
        except StoreUnavailable as error:
            self._problems.append(f"no stored solar forecast: {error}")
            return None
        if stored is None or now - stored.issued_at > STORED_MAX_AGE:
            return None
        return stored if _covers(stored, now) else None


def _ends_early(forecast: SolarForecast, now: datetime) -> bool:
    return forecast.p50_kw.end - now < _SHORT


def _covers(forecast: SolarForecast, now: datetime) -> bool:
    return forecast.p50_kw.start <= now < forecast.p50_kw.end
