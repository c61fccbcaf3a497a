"""Open-Meteo's weather as solar power: from Home Assistant's entities, or asked by ourselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from battery_optimizer.adapters.solar.arrays import of_all
from battery_optimizer.adapters.solar.days import DAYS, has_day, named
from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable
from battery_optimizer.model.entity import EntityState, ListEntities, ReadState, finite, utc_moment
from battery_optimizer.model.slots import HOUR, SLOT, UK, SlotSeries
from battery_optimizer.model.solar import SolarArray, require_sound, without_spread
from battery_optimizer.model.spans import Span, half_hourly
from battery_optimizer.model.telemetry import SolarForecast

API_URL: Final = "https://api.open-meteo.com"

PERFORMANCE_RATIO: Final = 0.85
"""What reaches the house of what the panels' rating promises: heat, dirt, cables, inverter."""

_STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60))
_STANDARD_IRRADIANCE_W_PER_M2: Final = 1000.0
_FORECAST_DAYS: Final = 4


@dataclass(frozen=True, kw_only=True)
class OpenMeteoEntities:
    """The Open-Meteo Solar Forecast integration's entities for today, tomorrow and further days.

    `wh_period` {start: Wh}, hourly, has the energies; `watts` {start: W}, every 15 minutes, says
    how an hour's energy falls on its halves, or does alone where there is no `wh_period`.
    The integration's times have an offset. Those without one (of a template) are on our wall
    clock, and the hour that comes twice is told once. Several roofs are added up, as far ahead as
    there are tables of all of them.
    """

    read_state: ReadState
    list_entities: ListEntities = tuple
    entities: Sequence[str] = ()
    """As set; none: those of `list_entities` that are called so and have a table."""
    peak_kw: float | None = None
    """Rated power of all panels [kWp]: what is far above it is refused."""
    name = "Open-Meteo Solar Forecast"
    refresh_every = timedelta(0)
    _seen: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Entities that had a table."""
    _last: list[SolarForecast] = field(default_factory=list, init=False, repr=False, compare=False)
    """What they had when last looked at, if ever."""

    def fetch(self, now: datetime) -> SolarForecast:
        """The forecast as the entities have it; ForecastUnavailable says what is wrong with it."""
        states = self._states()
        energies = self._table(states, "wh_period", now)
        powers = self._table(states, "watts", now)
        if not (energies or powers):
            who = self.entities[0] if self.entities else "what is called energy_production_today"
            raise ForecastAbsent(f"{who} has neither wh_period nor watts of a whole day")
        try:
            kw = _half_hours(energies, powers)
        except ValueError as error:
            raise ForecastUnavailable(f"the table is not usable: {error}") from error
        forecast = without_spread(self.name, self._issued_at(states, kw, now), kw)
        self._last[:] = [forecast]
        require_sound(forecast, now=now, peak_kw=self.peak_kw)
        return forecast

    def _issued_at(self, states: Iterable[EntityState], kw: SlotSeries, now: datetime) -> datetime:
        """When the answer came, as far as known.

        The integration writes its entities each minute, and keeps its last answer while its service
        fails. So what says the same as before is as old as before.
        """
        for before in self._last:
            old = before.p50_kw
            both = max(old.start, kw.start), min(old.end, kw.end)
            if both[0] < both[1] and np.array_equal(
                old.between(*both).values, kw.between(*both).values, equal_nan=True
            ):
                return before.issued_at
        times = (each.last_reported or each.last_changed for each in states)
        return max((time for time in times if time is not None), default=now)

    def _states(self) -> list[EntityState]:
        """Those with a table; ForecastUnavailable if one roof of several has lost its own."""
        known = [] if self.entities else list(self.list_entities())
        read = self.read_state
        states = {entity_id: read(entity_id) for entity_id in self.entities}
        tabled = {name: state for name, state in states.items() if state and has_day(state)}
        n_roofs = 0
        for day in DAYS:
            found = {name: read(name) for name in named(known, day, titled=True)}
            of_day = {name: state for name, state in found.items() if state and has_day(state)}
            if len(of_day) < n_roofs:
                break  # a later day that is not there makes the forecast shorter, not wrong
            n_roofs = n_roofs or len(of_day)
            tabled |= of_day
        lost = [
            name for name in named(known, DAYS[0], titled=True) if name in self._seen - {*tabled}
        ]
        if tabled and lost:
            raise ForecastUnavailable(f"{lost[0]} has neither wh_period nor watts any more")
        self._seen.update(tabled)
        return list(tabled.values())

    def _table(
        self, states: Iterable[EntityState], attribute: str, now: datetime
    ) -> dict[datetime, float]:
        """One attribute of all days and roofs in one, by start (UTC), in order.

        NaN for what is no number.
        """
        told: dict[datetime, list[float]] = {}
        for state in states:
            for moment, number in self._day(state, attribute).items():
                told.setdefault(moment, []).append(number)
        n_roofs = len(told[max(begun)]) if (begun := [each for each in told if each <= now]) else 1
        return {
            # An hour that two days of one roof have is told twice, not to be counted twice.
            moment: sum(numbers) / len(numbers) * n_roofs
            for moment, numbers in sorted(told.items())
            if len(numbers) >= n_roofs
        }

    def _day(self, state: EntityState, attribute: str) -> dict[datetime, float]:
        day = state.attributes.get(attribute)
        if not isinstance(day, Mapping):
            return {}
        table: dict[datetime, float] = {}
        for key, value in day.items():
            try:
                moment = datetime.fromisoformat(str(key))
            except ValueError as error:
                raise ForecastUnavailable(f"{attribute} has the time {key!r}") from error
            number = finite(value)
            known = float("nan") if number is None else number
            table[utc_moment(moment, UK)] = known
            table.setdefault(utc_moment(moment.replace(fold=1), UK), known)
        return table


@dataclass(frozen=True, kw_only=True)
class OpenMeteoApi:
    """Open-Meteo asked by ourselves: power = rating x irradiance / 1000 W/m2 x performance ratio.

    The irradiance [W/m2] is that on the tilted panels, direct and diffuse, averaged over the hour
    before each time. `get_json(path, params, now)` is `JsonApi.get` on `API_URL`.
    """

    get_json: Callable[[str, Mapping[str, str], datetime], object]
    latitude: float
    longitude: float
    arrays: Sequence[SolarArray]
    name = "Open-Meteo"
    refresh_every = timedelta(minutes=30)

    def fetch(self, now: datetime) -> SolarForecast:
        """A forecast as Open-Meteo gives it now; ForecastUnavailable says why there is none."""
        return of_all(self.arrays, self._kw, self.name, now)

    def _kw(self, array: SolarArray, now: datetime) -> SlotSeries:
        params = {
            "latitude": f"{self.latitude:.4f}",
            "longitude": f"{self.longitude:.4f}",
            "hourly": "global_tilted_irradiance",
            "tilt": f"{array.tilt_deg:g}",
            "azimuth": f"{array.azimuth_deg:g}",
            "forecast_days": str(_FORECAST_DAYS),
            "timeformat": "unixtime",
            "timezone": "GMT",
        }
        hours = _irradiance(self.get_json("/v1/forecast", params, now))
        kw_per_irradiance = array.peak_kw * PERFORMANCE_RATIO / _STANDARD_IRRADIANCE_W_PER_M2
        try:
            return half_hourly(
                # Slightly (and at dusk not so slightly) negative irradiance is a known fault of
                # the tilting formula (open-meteo issue 1355).
                Span(start=end - HOUR, end=end, kw=max(watts, 0.0) * kw_per_irradiance)
                for end, watts in hours
            )
        except ValueError as error:
            raise ForecastUnavailable(f"the answer is not usable: {error}") from error


def _irradiance(payload: object) -> list[tuple[datetime, float]]:
    """End of each hour (UTC) and its mean irradiance [W/m2]; hours that are null are left out."""
    try:
        hourly = payload["hourly"]  # type: ignore[index]
        pairs = list(zip(hourly["time"], hourly["global_tilted_irradiance"], strict=True))
        return [
            (datetime.fromtimestamp(int(end), UTC), float(watts))
            for end, watts in pairs
            if watts is not None
        ]
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ForecastUnavailable(
            "the answer does not have the hourly irradiance that was asked for"
        ) from error


def _half_hours(energies: dict[datetime, float], powers: dict[datetime, float]) -> SlotSeries:
    powers_kw = [
        Span(start=start, end=start + _step(powers), kw=watts / 1000)
        for start, watts in powers.items()
    ]
    if not energies:
        return half_hourly(powers_kw)
    step = _step(energies)
    energies_kw = [
        Span(start=start, end=start + step, kw=wh / 1000 / (step / HOUR))
        for start, wh in energies.items()
    ]
    if step <= SLOT or not powers:
        return half_hourly(energies_kw)
    shape = half_hourly(powers_kw)
    return half_hourly(half for span in energies_kw for half in _halves(span, shape))


def _halves(hour: Span, shape: SlotSeries) -> tuple[Span, Span]:
    """Two half hours that share the hour's energy as `shape` [kW] does, equally if it is blank."""
    middle = hour.start + SLOT
    first, second = shape.at(hour.start), shape.at(middle)
    share = first / (first + second) if first >= 0 and second >= 0 and first + second > 0 else 0.5
    return (
        Span(start=hour.start, end=middle, kw=hour.kw * 2 * share),
        Span(start=middle, end=hour.end, kw=hour.kw * 2 * (1 - share)),
    )


def _step(table: Mapping[datetime, float]) -> timedelta:
    step = min((later - earlier for earlier, later in pairwise(table)), default=timedelta(0))
    if step not in _STEPS:
        raise ValueError(f"its steps are {step}, not 15, 30 or 60 minutes")
    return step
