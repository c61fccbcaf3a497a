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
        roofs = [self._roof(entity_ids, now) for entity_ids in self._roofs()]
        # A day of which not all roofs tell makes the forecast shorter, not wrong.
        told = sorted(set.intersection(*({*kwh_by_day} for _, kwh_by_day in roofs)))
        if not told:
            raise ForecastUnavailable("its roofs tell of different days")
        days = [self._spread(day, sum(by_day[day] for _, by_day in roofs)) for day in told]
        kw = SlotSeries(start=day_bounds(told[0])[0], values=np.concatenate(days))
        forecast = without_spread(self.name, min(told_at for told_at, _ in roofs), kw)
        require_sound(forecast, now=now, peak_kw=self.peak_kw)
        return forecast

    def _roof(self, entity_ids: Sequence[str], now: datetime) -> tuple[datetime, dict[date, float]]:
        """When its energies were told, and each day's [kWh].

        The integration asks once an hour: after midnight its "today" is yesterday until then.
        """
        states = {each: self.read_state(each) for each in entity_ids}
        known = [state for state in states.values() if state is not None]
        times = [each.last_reported or each.last_changed for each in known]
        told_at = max((time for time in times if time is not None), default=now)
        first = local_day(told_at)
        energies = {
            first + timedelta(days=ahead): _energy_kwh(entity_id, state)
            for ahead, (entity_id, state) in enumerate(states.items())
            if ahead == 0 or state is not None
        }
        return told_at, energies

    def _roofs(self) -> list[tuple[str, ...]]:
        """Each roof's entities: today's, then tomorrow's if there is one for each of them."""
        if self.entities:
            return [tuple(self.entities)]
        known = list(self.list_entities())
        today, tomorrow = (
            [each for each in named(known, day) if not has_day(self.read_state(each))]
            for day in DAYS[:2]
        )
        if not today:
            raise ForecastAbsent("there is no sensor.energy_production_today")
        if len(tomorrow) < len(today):
            return [(each,) for each in today]
        return list(zip(today, tomorrow, strict=False))

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
