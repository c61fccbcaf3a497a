"""Home Assistant's own Forecast.Solar: only each day's energy, its course taken from the sun's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from battery_optimizer.adapters.solar.days import DAYS, has_day, named
from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable
from battery_optimizer.model.entity import KWH_PER_UNIT, EntityState, ListEntities, ReadState
from battery_optimizer.model.slots import SLOT_HOURS, Floats, SlotSeries, day_bounds, local_day
from battery_optimizer.model.solar import require_sound, without_spread
from battery_optimizer.model.telemetry import SolarForecast


@dataclass(frozen=True, kw_only=True)
class ForecastSolarEntities:
    """The entities for today's and tomorrow's energy; `shape` is a clear day's power [any unit].

    Its integration publishes no hours of tomorrow. So each day is as long as the sun stands over
    the house, and as strong as its energy says, that of all roofs together.
    """

    read_state: ReadState
    shape: Callable[[date], Floats]
    list_entities: ListEntities = tuple
    entities: Sequence[str] = ()
    """As set, one for each day; none: those of `list_entities` that are called so."""
    peak_kw: float | None = None
    name = "Forecast.Solar's days"
    refresh_every = timedelta(0)

    def fetch(self, now: datetime) -> SolarForecast:
        """The forecast as the entities have it; ForecastUnavailable says what is wrong with it."""
        by_day = self._by_day()
        roofs = by_day[0]
        days: list[Floats] = []
        for ahead, entity_ids in enumerate(by_day):
            states = {each: self.read_state(each) for each in entity_ids}
            if days and (len(states) < len(roofs) or None in states.values()):
                break  # a later day that is not there makes the forecast shorter, not wrong
            energy_kwh = sum(_energy_kwh(*each) for each in states.items())
            days.append(self._spread(local_day(now) + timedelta(days=ahead), energy_kwh))
        today = self.read_state(roofs[0])
        reported = None if today is None else today.last_reported or today.last_changed
        start = day_bounds(local_day(now))[0]
        kw = SlotSeries(start=start, values=np.concatenate(days))
        forecast = without_spread(self.name, reported or now, kw)
        require_sound(forecast, now=now, peak_kw=self.peak_kw)
        return forecast

    def _by_day(self) -> list[list[str]]:
        """Today's entities, one for each roof, then tomorrow's."""
        if self.entities:
            return [[entity_id] for entity_id in self.entities]
        known = list(self.list_entities())
        by_day = [
            [each for each in named(known, day) if not has_day(self.read_state(each))]
            for day in DAYS[:2]
        ]
        if not by_day[0]:
            raise ForecastAbsent("there is no sensor.energy_production_today")
        return by_day

    def _spread(self, day: date, energy_kwh: float) -> Floats:
        """A day's energy over its half hours [kW]."""
        shape = self.shape(day)
        total = float(shape.sum()) * SLOT_HOURS
        return shape * (energy_kwh / total) if total > 0 else shape * 0.0


def _energy_kwh(entity_id: str, state: EntityState | None) -> float:
    if state is None:
        raise ForecastAbsent(f"there is no {entity_id}")
    if has_day(state):
        raise ForecastAbsent(f"{entity_id} is of Open-Meteo Solar Forecast, not of this")
    factor = KWH_PER_UNIT.get(state.unit or "")
    try:
        energy_kwh = state.number * (factor or 0.0)
    except ValueError as error:
        raise ForecastUnavailable(f"{entity_id} {error}") from error
    if factor is None or energy_kwh < 0:
        raise ForecastUnavailable(f"{entity_id} shows {state.state} {state.unit}, no energy")
    return energy_kwh
