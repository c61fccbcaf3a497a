"""Home Assistant's own Forecast.Solar: only each day's energy, its course taken from the sun's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable
from battery_optimizer.model.entity import KWH_PER_UNIT, EntityState
from battery_optimizer.model.slots import SLOT_HOURS, Floats, SlotSeries, day_bounds, local_day
from battery_optimizer.model.solar import require_sound, without_spread
from battery_optimizer.model.telemetry import SolarForecast

_TABLES: Final = ("wh_period", "watts")
"""What the entities of Open-Meteo Solar Forecast, which are called the same, have besides."""


@dataclass(frozen=True, kw_only=True)
class ForecastSolarEntities:
    """The entities for today's and tomorrow's energy; `shape` is a clear day's power [any unit].

    Its integration publishes no hours. So each day is as long as the sun stands over the house, and
    as strong as its energy says.
    """

    read_state: Callable[[str], EntityState | None]
    entities: Sequence[str]
    shape: Callable[[date], Floats]
    peak_kw: float | None = None
    name: str = "Forecast.Solar's days"
    refresh_every: timedelta = timedelta(0)

    def fetch(self, now: datetime) -> SolarForecast:
        """The forecast as the entities have it; ForecastUnavailable says what is wrong with it."""
        days: list[Floats] = []
        for ahead, entity_id in enumerate(self.entities):
            state = self.read_state(entity_id)
            if state is None and days:
                break  # a later day that is not there makes the forecast shorter, not wrong
            energy_kwh = _energy_kwh(entity_id, state)
            days.append(self._spread(local_day(now) + timedelta(days=ahead), energy_kwh))
        if not days:
            raise ForecastAbsent("no entity for today")
        today = self.read_state(self.entities[0])
        reported = None if today is None else today.last_reported or today.last_changed
        start = day_bounds(local_day(now))[0]
        kw = SlotSeries(start=start, values=np.concatenate(days))
        forecast = without_spread(self.name, reported or now, kw)
        require_sound(forecast, now=now, peak_kw=self.peak_kw)
        return forecast

    def _spread(self, day: date, energy_kwh: float) -> Floats:
        """A day's energy over its half hours [kW]."""
        shape = self.shape(day)
        total = float(shape.sum()) * SLOT_HOURS
        return shape * (energy_kwh / total) if total > 0 else shape * 0.0


def _energy_kwh(entity_id: str, state: EntityState | None) -> float:
    if state is None:
        raise ForecastAbsent(f"there is no {entity_id}")
    if any(table in state.attributes for table in _TABLES):
        raise ForecastAbsent(f"{entity_id} is of Open-Meteo Solar Forecast, not of this")
    factor = KWH_PER_UNIT.get(state.unit or "")
    try:
        energy_kwh = state.number * (factor or 0.0)
    except ValueError as error:
        raise ForecastUnavailable(f"{entity_id} {error}") from error
    if factor is None or energy_kwh < 0:
        raise ForecastUnavailable(f"{entity_id} shows {state.state} {state.unit}, no energy")
    return energy_kwh
