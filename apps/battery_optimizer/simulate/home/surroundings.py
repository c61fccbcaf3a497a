"""A plausible house and sky for the simulated home: what it draws, what its panels would give.

Everything is a function of the seed and of time, so a restart goes on with the same day.

* Load: standby, a cycling fridge, humps at breakfast and in the evening (later in the morning and
  fuller at midday on weekends), a level that differs from day to day, and things switched on for
  minutes: a kettle, a washing machine, an oven. About 8 kWh a day.
* Sun: its height and direction by the usual formulas, clear-sky irradiance by Haurwitz (1945),
  four fifths of it taken as coming straight from the sun onto the tilted panels, and clouds: a day
  is clear, mixed or overcast, and its half hours vary around that.
* Forecast: what a forecaster could know of it. It has the day's cloudiness with an error that is
  larger for tomorrow than for today, and nothing of how the half hours vary.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from math import cos, exp, pi, radians, sin
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from battery_optimizer.model.slots import HOUR, SLOT, UK, Floats, day_bounds, local_day
from battery_optimizer.model.solar import SolarArray

MINUTES_PER_DAY: Final = 1440
KNOTS_PER_DAY: Final = 49
PERFORMANCE: Final = 0.85
"""Share of the rated power that wiring, heat and inverter leave."""
DIRECT_SHARE: Final = 0.8
CLEAR_SHARE: Final = 0.3
"""Share of days without clouds; as many again are overcast, the rest mixed."""
SATURDAY: Final = 5
FRIDGE_MINUTES: Final = 45
FRIDGE_ON_MINUTES: Final = 15
WASHES: Final = 0.3
"""Share of days with a wash; twice that on weekends."""
OVENS: Final = 0.6
"""Share of days on which something is baked."""
FORECAST_ERROR: Final = 0.12
"""Spread of the logarithm of a forecast for today; a day further doubles it."""

_LOAD, _CLOUDS, _FORECAST = 1, 2, 3


class Surroundings(Protocol):
    """What the house draws and what the sun offers [kW], at any moment."""

    def load_kw(self, moment: datetime) -> float:
        """Power that the house draws."""

    def solar_kw(self, moment: datetime) -> float:
        """Power that the panels would give."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the house stands."""

    latitude_deg: float = 51.5
    longitude_deg: float = -0.1
    zone: ZoneInfo = UK


@dataclass(frozen=True, kw_only=True)
class PlausibleHome:
    """Surroundings drawn from a seed."""

    place: Place = field(default_factory=Place)
    panels: SolarArray = field(
        default_factory=lambda: SolarArray(peak_kw=5.0, tilt_deg=35.0, azimuth_deg=0.0)
    )
    seed: int = 1

    def load_kw(self, moment: datetime) -> float:
        """Power that the house draws; by the local clock, so that breakfast keeps its time."""
        local = moment.astimezone(self.place.zone)
        minute = local.hour * 60 + local.minute
        return float(_day_of_load(self.seed, local.date())[minute])

    def solar_kw(self, moment: datetime) -> float:
        """Power that the panels would give under the clouds of the moment."""
        clear_kw = self.clear_sky_kw(moment)
        if clear_kw <= 0:
            return 0.0
        midnight = datetime.combine(moment.astimezone(UTC).date(), time(0), tzinfo=UTC)
        day = local_day(moment, self.place.zone)
        knots = _cloud_knots(self.seed, midnight.date())
        variation = float(np.interp((moment - midnight) / SLOT, range(KNOTS_PER_DAY), knots))
        clearness, roughness = _sky(self.seed, day)
        return clear_kw * min(1.0, clearness * exp(roughness * variation))

    def clear_sky_kw(self, moment: datetime) -> float:
        """Power of the panels if there were no clouds."""
        east, north, up = _towards_sun(moment, self.place)
        if up <= 0:
            return 0.0
        tilt, azimuth = radians(self.panels.tilt_deg), radians(self.panels.azimuth_deg)
        facing = -east * sin(tilt) * sin(azimuth) - north * sin(tilt) * cos(azimuth)
        facing += up * cos(tilt)
        # A sun on the horizon shines on an upright panel without end: bounded.
        gain = 1 - DIRECT_SHARE + DIRECT_SHARE * max(0.0, facing) / max(up, 0.15)
        irradiance = 1.098 * up * exp(-0.059 / up)
        return min(self.panels.peak_kw, self.panels.peak_kw * PERFORMANCE * irradiance * gain)

    def forecast(self, day: date, days_ahead: int) -> list[dict[str, float | str]]:
        """Rows of a local day in Solcast's shape: half-hourly average power [kW]."""
        clearness, _ = _sky(self.seed, day)
        rng = np.random.default_rng([self.seed, day.toordinal(), _FORECAST, days_ahead])
        spread = FORECAST_ERROR * (1 + days_ahead)
        share = min(1.0, clearness * exp(spread * rng.normal()))
        low, high = exp(-1.28 * (spread + 0.2)), exp(1.28 * (spread + 0.2))
        start, end = day_bounds(day, self.place.zone)
        rows: list[dict[str, float | str]] = []
        while start < end:
            clear_kw = self._clear_average_kw(start)
            rows.append(
                {
                    "period_start": start.astimezone(self.place.zone).isoformat(),
                    "pv_estimate": round(clear_kw * share, 4),
                    "pv_estimate10": round(clear_kw * share * low, 4),
                    "pv_estimate90": round(clear_kw * min(1.0, share * high), 4),
                }
            )
            start += SLOT
        return rows

    def _clear_average_kw(self, start: datetime) -> float:
        moments = [start + SLOT * share for share in (1 / 6, 3 / 6, 5 / 6)]
        return sum(self.clear_sky_kw(moment) for moment in moments) / len(moments)


def _towards_sun(moment: datetime, place: Place) -> tuple[float, float, float]:
    """Unit vector to the sun: east, north, up (the sine of its height)."""
    utc = moment.astimezone(UTC)
    day = utc.timetuple().tm_yday
    swing = 2 * pi * (day - 81) / 364
    equation_of_time = (9.87 * sin(2 * swing) - 7.53 * cos(swing) - 1.5 * sin(swing)) / 60
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    solar_hour = (utc - midnight) / HOUR + place.longitude_deg / 15 + equation_of_time
    angle, latitude = radians(15 * (solar_hour - 12)), radians(place.latitude_deg)
    declination = radians(-23.44) * cos(2 * pi * (day + 10) / 365)
    return (
        -cos(declination) * sin(angle),
        cos(latitude) * sin(declination) - sin(latitude) * cos(declination) * cos(angle),
        sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(angle),
    )


@lru_cache(maxsize=8)
def _sky(seed: int, day: date) -> tuple[float, float]:
    """A local day's share of clear sky, and how much its half hours vary around it."""
    rng = np.random.default_rng([seed, day.toordinal(), _CLOUDS, 0])
    kind = rng.random()
    if kind < CLEAR_SHARE:
        return float(rng.uniform(0.9, 1.0)), 0.03
    if kind < 2 * CLEAR_SHARE:
        return float(rng.uniform(0.1, 0.3)), 0.25
    return float(rng.uniform(0.4, 0.8)), 0.45


@lru_cache(maxsize=8)
def _cloud_knots(seed: int, day: date) -> Floats:
    """Normal numbers at the half hours of a UTC day, shape (49,)."""
    rng = np.random.default_rng([seed, day.toordinal(), _CLOUDS, 1])
    return rng.normal(size=KNOTS_PER_DAY)


@lru_cache(maxsize=8)
def _day_of_load(seed: int, day: date) -> Floats:
    """What the house draws in each minute of the local clock [kW], shape (1440,)."""
    rng = np.random.default_rng([seed, day.toordinal(), _LOAD])
    weekend = day.weekday() >= SATURDAY
    minutes = np.arange(MINUTES_PER_DAY)
    load = np.full(MINUTES_PER_DAY, 0.12)
    load += 0.08 * ((minutes + rng.integers(FRIDGE_MINUTES)) % FRIDGE_MINUTES < FRIDGE_ON_MINUTES)
    level = rng.lognormal(0, 0.2)
    humps = ((9.0, 0.3), (13.0, 0.3), (18.5, 0.6)) if weekend else ((7.5, 0.35), (18.5, 0.55))
    for hour, power_kw in (*humps, (21.0, 0.3)):
        centre = 60 * (hour + rng.normal(0, 0.3))
        load += level * power_kw * np.exp(-(((minutes - centre) / 75) ** 2))
    for hour in rng.choice([7, 8, 10, 13, 16, 18, 20], size=5):
        _run(load, 60 * (hour + rng.random()), 3, 2.6)
    if rng.random() < WASHES * (1 + weekend):
        _run(load, 60 * rng.uniform(9, 15), 20, 2.0)
    if rng.random() < OVENS:
        _run(load, 60 * rng.uniform(17.3, 18.5), 40, 1.6)
    return load * rng.lognormal(0, 0.05, MINUTES_PER_DAY)


def _run(load: Floats, first_minute: float, minutes: int, power_kw: float) -> None:
    first = int(first_minute)
    load[first : first + minutes] += power_kw
