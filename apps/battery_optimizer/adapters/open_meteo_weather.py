"""How cold it is outside, past and to come, as Open-Meteo has it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries, floor_to_slot, is_within

_REFRESH: Final = timedelta(hours=1)
_SERVES: Final = timedelta(hours=12)
"""For so long an old answer is better than none."""

_PAST_DAYS: Final = 92
"""As much as is given, at the first time; later what was forecast last becomes what was."""
_PAST_DAYS_LATER: Final = 2
_FORECAST_DAYS: Final = 4
_CELSIUS: Final = (-60.0, 60.0)


class OpenMeteoWeather:
    """Fulfils `ports.Weather`. `get_json` is `JsonApi.get`: it waits by itself after failures."""

    def __init__(
        self,
        *,
        get_json: Callable[[str, Mapping[str, str], datetime], object],
        latitude: float,
        longitude: float,
    ) -> None:
        self._get_json = get_json
        self._place = {"latitude": f"{latitude:.4f}", "longitude": f"{longitude:.4f}"}
        self._known: SlotSeries | None = None
        self._fetched_at: datetime | None = None

    def temperature(self, now: datetime) -> SlotSeries:
        """What it was for three months, and is going to be for three days [deg C]."""
        if self._known is not None and is_within(_REFRESH, self._fetched_at, now):
            return self._known
        try:
            fresh = self._fetch(now)
        except ForecastUnavailable as error:
            if self._known is not None and is_within(_SERVES, self._fetched_at, now):
                return self._known
            raise ForecastUnavailable(f"Open-Meteo, temperature outside: {error}") from error
        self._known = fresh if self._known is None else _joined(self._known, fresh, now)
        self._fetched_at = now
        return self._known

    def _fetch(self, now: datetime) -> SlotSeries:
        params = {
            **self._place,
            "hourly": "temperature_2m",
            "past_days": str(_PAST_DAYS if self._known is None else _PAST_DAYS_LATER),
            "forecast_days": str(_FORECAST_DAYS),
            "timeformat": "unixtime",
            "timezone": "GMT",
        }
        series = _half_hours(self._get_json("/v1/forecast", params, now))
        if not np.isfinite(series.between(floor_to_slot(now), now + _SERVES).values).all():
            raise ForecastUnavailable("the answer does not tell the next hours")
        return series


def _half_hours(payload: object) -> SlotSeries:
    """At the middle of each half hour, between the full hours that are told."""
    try:
        hourly = payload["hourly"]  # type: ignore[index]
        told = {
            int(at): float(celsius)
            for at, celsius in zip(hourly["time"], hourly["temperature_2m"], strict=True)
            if celsius is not None and _CELSIUS[0] <= float(celsius) <= _CELSIUS[1]
        }
        start = floor_to_slot(datetime.fromtimestamp(min(told), UTC))
        seconds = np.array(sorted(told), dtype=np.float64)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ForecastUnavailable(
            "the answer does not have the hourly temperature that was asked for"
        ) from error
    celsius = np.array([told[int(at)] for at in seconds])
    if seconds[-1] - seconds[0] > timedelta(days=_PAST_DAYS + 30).total_seconds():
        raise ForecastUnavailable("the answer's times are too far apart")
    middles = np.arange(seconds[0] + _SLOT_S / 2, seconds[-1], _SLOT_S)
    values: Floats = np.interp(middles, seconds, celsius)
    following = np.searchsorted(seconds, middles)
    values[seconds[following] - seconds[following - 1] > _WIDEST_S] = np.nan
    return SlotSeries(start=start, values=values)


_SLOT_S: Final = SLOT.total_seconds()
_WIDEST_S: Final = 3 * 3600
"""No line is drawn over a wider gap."""


def _joined(older: SlotSeries, fresh: SlotSeries, now: datetime) -> SlotSeries:
    """What is fresh, and before it what was known, as far back as the first answer goes."""
    start = max(older.start, floor_to_slot(now) - timedelta(days=_PAST_DAYS + 1))
    values = older.between(min(start, fresh.start), fresh.end).values.copy()
    offset = (fresh.start - min(start, fresh.start)) // SLOT
    values[offset:] = np.where(np.isfinite(fresh.values), fresh.values, values[offset:])
    return SlotSeries(start=min(start, fresh.start), values=values)
