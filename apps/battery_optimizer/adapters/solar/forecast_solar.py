"""Forecast.Solar's estimate, asked by ourselves: no key needed, 12 calls an hour."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from battery_optimizer.adapters.solar.arrays import of_all
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.entity import finite, utc_moment
from battery_optimizer.model.slots import (
    HOUR,
    SlotSeries,
    day_bounds,
    local_day,
)
from battery_optimizer.model.solar import SolarArray
from battery_optimizer.model.spans import Span, half_hourly
from battery_optimizer.model.telemetry import SolarForecast

API_URL: Final = "https://api.forecast.solar"
CALLS_PER_HOUR: Final = 12

_LONGEST_STEP: Final = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class ForecastSolar:
    """Forecast.Solar asked by ourselves, one call for each array of panels.

    `get_json(path, params, now)` is `JsonApi.get` on `API_URL` with `CALLS_PER_HOUR`. The
    answer is made of days of the panels' wall clock.
    """

    get_json: Callable[[str, Mapping[str, str], datetime], object]
    latitude: float
    longitude: float
    arrays: Sequence[SolarArray]
    name = "Forecast.Solar"
    refresh_every = timedelta(minutes=30)

    def fetch(self, now: datetime) -> SolarForecast:
        """A forecast as Forecast.Solar gives it now; ForecastUnavailable says why there is none."""
        return of_all(self.arrays, self._kw, self.name, now)

    def _kw(self, array: SolarArray, now: datetime) -> SlotSeries:
        path = (
            f"/estimate/{self.latitude:.4f}/{self.longitude:.4f}"
            f"/{array.tilt_deg:.0f}/{array.azimuth_deg:.0f}/{array.peak_kw:g}"
        )
        energies = _energies(self.get_json(path, {"time": "utc"}, now))
        try:
            return half_hourly(_spans(energies))
        except (ValueError, OverflowError) as error:
            raise ForecastUnavailable(f"the answer is not usable: {error}") from error


def _energies(payload: object) -> list[tuple[datetime, float]]:
    """End of each stretch (UTC), oldest first, and its energy [kWh]."""
    try:
        table = payload["result"]["watt_hours_period"]  # type: ignore[index]
        energies = {utc_moment(end): finite(wh) for end, wh in table.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ForecastUnavailable("the answer has no watt_hours_period with UTC times") from error
    if not energies:
        raise ForecastUnavailable("the answer has an empty watt_hours_period")
    return sorted((end, float("nan") if wh is None else wh / 1000) for end, wh in energies.items())


def _spans(energies: Sequence[tuple[datetime, float]]) -> list[Span]:
    """Average power between one time and the next, from midnight to midnight.

    A time closes the stretch that the time before it opened. A day's first time is sunrise (0 Wh),
    its last is sunset, to the second: outside of them it is night.
    """
    (sunrise, _), (sunset, _) = energies[0], energies[-1]
    midnight, _ = day_bounds(local_day(sunrise))
    _, last_midnight = day_bounds(local_day(sunset))
    spans = [
        Span(start=midnight, end=sunrise, kw=0.0),
        Span(start=sunset, end=last_midnight, kw=0.0),
    ]
    for (start, _), (end, kwh) in pairwise(energies):
        is_hole = end - start > _LONGEST_STEP and local_day(start) == local_day(end)
        if not is_hole:
            spans.append(Span(start=start, end=end, kw=kwh / ((end - start) / HOUR)))
    return spans
