"""The sun over a place, and what panels give under a clear sky; for when nobody forecasts.

Textbook geometry, good to about a degree: a whole library (pvlib and the pandas it brings) would
be more exact than the cloud that nobody told of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.model.slots import Floats
from battery_optimizer.model.solar import SolarArray

_SUNLIGHT_KW_PER_M2: Final = 1.353
_TRANSMITTANCE: Final = 0.7
_DIFFUSE_SHARE: Final = 0.12
_SYSTEM_YIELD: Final = 0.85
"""Panels, cables and inverter give so much of their rating under standard light."""

_J2000: Final = 946_728_000.0
"""Noon of 1 January 2000 [s since 1970]."""

_DAY_SECONDS: Final = 86_400.0

Place = tuple[float, float]
"""Latitude and longitude [degrees, north and east positive]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the panels are [degrees, north and east positive], and which they are."""

    latitude: float
    longitude: float
    arrays: tuple[SolarArray, ...]


def sun_position(
    moments: Sequence[datetime], latitude: float, longitude: float
) -> tuple[Floats, Floats]:
    """Height above the horizon and azimuth (0 south, 90 west) [rad], each of shape (n,).

    Latitude and longitude in degrees, north and east positive. Formulas of the Astronomical
    Almanac's low-precision sun.
    """
    days = (np.array([moment.timestamp() for moment in moments]) - _J2000) / _DAY_SECONDS
    mean_longitude = np.radians(280.460 + 0.9856474 * days)
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = mean_longitude + np.radians(1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439 - 0.0000004 * days)
    right_ascension = np.arctan2(np.cos(obliquity) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic))
    sidereal = np.radians((18.697374558 + 24.06570982441908 * days) * 15 + longitude)
    hour_angle = sidereal - right_ascension
    north = np.radians(latitude)
    up = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(
        hour_angle
    )
    west = np.cos(declination) * np.sin(hour_angle)
    south = np.sin(north) * np.cos(declination) * np.cos(hour_angle) - np.cos(north) * np.sin(
        declination
    )
    return np.arcsin(np.clip(up, -1, 1)), np.arctan2(west, south)


def clear_sky_kw(moments: Sequence[datetime], site: Site) -> Floats:
    """AC power of all arrays under a cloudless sky [kW], shape (n,)."""
    height, azimuth = sun_position(moments, site.latitude, site.longitude)
    sine = np.maximum(np.sin(height), 0.0)
    # Kasten and Young (1989), https://doi.org/10.1364/AO.28.004735
    degrees = np.maximum(np.degrees(height), 0.0)
    air_mass = 1.0 / (sine + 0.50572 * (degrees + 6.07995) ** -1.6364)
    direct = np.where(sine > 0, _SUNLIGHT_KW_PER_M2 * _TRANSMITTANCE ** (air_mass**0.678), 0.0)
    power = np.zeros(len(moments))
    for array in site.arrays:
        tilt, faces = np.radians(array.tilt_deg), np.radians(array.azimuth_deg)
        onto = sine * np.cos(tilt) + np.cos(height) * np.sin(tilt) * np.cos(azimuth - faces)
        light = direct * np.maximum(onto, 0.0) + (
            _DIFFUSE_SHARE * direct * np.sqrt(sine) * (1 + np.cos(tilt)) / 2
        )
        power += array.peak_kw * _SYSTEM_YIELD * light
    return np.minimum(power, sum(array.peak_kw for array in site.arrays))
