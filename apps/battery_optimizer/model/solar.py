"""What stands on the roof, and when a forecast of its power is fit to be used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import numpy as np

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.ranges import Range, check_ranges
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.telemetry import SolarForecast

OLDEST_FORECAST = timedelta(days=1)
"""Weather told longer ago is not used."""

_CLOCKS_APART = timedelta(hours=2)
"""Summer time taken for UTC is within it; more would keep a forecast from ever being old."""

MOST_OVER_PEAK = 1.3
"""Cold, clear air and light from cloud edges beat the rating, but not by more than this."""

_TOLERANCE_KW = 0.01

_LIKELY_WATTS = 20.0
"""More than so many times the rating [kWp] must be W: even a dull day peaks above 2 % of it."""

_MOST_KW = 100.0
"""No home's panels give more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarArray:
    """Panels of one tilt and direction."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    peak_kw: Annotated[float, Range(0.01, 1000)]
    """Rated power of all the panels together [kWp]."""
    tilt_deg: Annotated[float, Range(0, 90)]
    """0 lies flat, 90 stands upright [degrees]."""
    azimuth_deg: Annotated[float, Range(-180, 180)]
    """-90 faces east, 0 south, 90 west, 180 north [degrees]."""

    def __post_init__(self) -> None:
        """Raise ValueError naming each value that no panels can have."""
        check_ranges(self)


def without_spread(source: str, issued_at: datetime, kw: SlotSeries) -> SolarForecast:
    """A forecast of a source that does not say how unsure it is."""
    return SolarForecast(source=source, issued_at=issued_at, p10_kw=kw, p50_kw=kw, p90_kw=kw)


def require_sound(forecast: SolarForecast, *, now: datetime, peak_kw: float | None = None) -> None:
    """Raise ForecastUnavailable unless the forecast is new, whole, in order and of a likely size.

    `peak_kw` is the rated power of all panels [kWp]; without it only what no home's panels give is
    refused.
    """
    _require_new(forecast, now)
    for name in ("p10", "p50", "p90"):
        series = getattr(forecast, f"{name}_kw")
        missing = np.flatnonzero(~np.isfinite(series.values))
        if len(missing):
            first = series.start + int(missing[0]) * SLOT
            raise ForecastUnavailable(
                f"no value for {len(missing)} half hours, the first at {first:%d %b %H:%M} UTC"
            )
    _require_order(forecast)
    _require_likely_size(forecast, peak_kw)


def _require_new(forecast: SolarForecast, now: datetime) -> None:
    if now - forecast.issued_at > OLDEST_FORECAST:
        raise ForecastUnavailable(
            f"it was made at {forecast.issued_at:%d %b %H:%M} UTC, more than a day ago"
        )
    if forecast.issued_at - now > _CLOCKS_APART:
        raise ForecastUnavailable(
            f"it says that it was made at {forecast.issued_at:%d %b %Y %H:%M} UTC, which is still "
            f"to come (it is now {now:%d %b %Y %H:%M}): check its clock and time zone"
        )
    series = forecast.p50_kw
    if not series.start <= now < series.end:
        raise ForecastUnavailable(
            f"it is for another day: {series.start:%d %b %H:%M} to {series.end:%d %b %H:%M} UTC, "
            f"while it is now {now:%d %b %H:%M}"
        )


def _require_order(forecast: SolarForecast) -> None:
    p10, p50, p90 = (forecast.p10_kw, forecast.p50_kw, forecast.p90_kw)
    if not (p10.start == p50.start == p90.start and p10.end == p50.end == p90.end):
        raise ForecastUnavailable("its low, middle and high estimates are for different hours")
    if (p10.values < -_TOLERANCE_KW).any():
        raise ForecastUnavailable("it has negative power")
    for low, high, words in (
        (p10, p50, "the low estimate (10 %) is above the middle one"),
        (p50, p90, "the middle estimate is above the high one (90 %)"),
    ):
        wrong = np.flatnonzero(low.values > high.values + _TOLERANCE_KW)
        if len(wrong):
            moment = p50.start + int(wrong[0]) * SLOT
            raise ForecastUnavailable(
                f"{words} at {moment:%d %b %H:%M} UTC: "
                f"{low.values[wrong[0]]:g} and {high.values[wrong[0]]:g} kW"
            )


def _require_likely_size(forecast: SolarForecast, peak_kw: float | None) -> None:
    greatest = max(float(forecast.p50_kw.values.max()), float(forecast.p90_kw.values.max()))
    if peak_kw is None:
        if greatest > _MOST_KW:
            raise ForecastUnavailable(f"it has {greatest:g} kW: it looks like W given as kW")
        return
    most = MOST_OVER_PEAK * peak_kw
    if greatest <= most:
        return
    likely_watts = _LIKELY_WATTS * peak_kw < greatest <= 1000 * most
    raise ForecastUnavailable(
        f"it has {greatest:g} kW, while the panels are rated {peak_kw:g} kWp: "
        + ("it looks like W given as kW" if likely_watts else "check the size of the panels")
    )
