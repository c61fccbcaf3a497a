"""Made-up households, so that no choice of method leans on the one home that was recorded.

A household is drawn event by event on a five-minute grid from a seed: the same seed, days and
household give the same load on any machine. What is drawn: standby and a cycling fridge; people
who wake, leave, come back and go to bed; kettles, cooking, washing, dishes, showers and lights; a
level that drifts from day to day; weeks away; a heat pump that follows a made-up outdoor
temperature; a car that charges at night, or at once when it comes home. The figures are plausible
for the UK and fitted to no home. What large loads draw, the temperature and a forecast of it are
given apart, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from battery_optimizer.model.slots import (
    SLOT,
    SLOT_HOURS,
    SLOTS_PER_DAY,
    UK,
    Floats,
    local_day,
    local_time,
    require_utc,
)

FINE_STEP: Final = timedelta(minutes=5)
_STEPS_PER_HOUR: Final = 12
_STEPS_PER_DAY: Final = 24 * _STEPS_PER_HOUR
_WEEKEND: Final = (5, 6)
_OUTING: Final = 0.5
"""Share of free days on which everybody is out for some hours."""

_CHARGED_DAYS: Final = 0.4
"""Share of days on which a car is plugged in."""

_FRIDGE_STEPS: Final = 10
_FRIDGE_ON: Final = 0.4
_FORECAST_ERROR_C: Final = 1.2
_NIGHT_UNTIL: Final = 5
_MORNING_UNTIL: Final = 8
_HOURS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who lives there and what they run; rates are per day unless said otherwise."""

    standby_kw: float = 0.08
    active_kw: float = 0.15
    """Power of lights, screens and the like while somebody is in and awake."""
    home_on_workdays: float = 0.3
    """Share of working days on which somebody stays in."""
    cooked_dinners: float = 0.8
    kettles: float = 6.0
    washes: float = 0.4
    dishwashes: float = 0.5
    electric_showers: float = 0.0
    weeks_away_per_year: float = 3.0
    heat_loss_kw_per_k: float = 0.0
    """Heat lost per kelvin between inside and outside; above zero a heat pump covers it."""
    hot_water_kwh: float = 0.0
    """Electricity for hot water a day, at 04:30 and 14:00."""
    car_kwh: float = 0.0
    """Electricity for the car a day, on average."""
    car_waits_for_night: float = 0.8
    """Share of charges that start at 00:30 rather than when the car comes home."""


HOUSEHOLDS: Final[Mapping[str, Household]] = MappingProxyType(
    {
        "flat": Household(
            standby_kw=0.05, active_kw=0.09, cooked_dinners=0.6, kettles=4, washes=0.25,
            dishwashes=0.0, electric_showers=0.9, home_on_workdays=0.15,
        ),
        "family": Household(
            standby_kw=0.16, active_kw=0.35, cooked_dinners=0.95, kettles=8, washes=0.9,
            dishwashes=0.9, electric_showers=1.5, home_on_workdays=0.5,
        ),
        "heat_pump": Household(
            standby_kw=0.15, active_kw=0.25, cooked_dinners=0.9, washes=0.6, dishwashes=0.7,
            home_on_workdays=0.6, heat_loss_kw_per_k=0.19, hot_water_kwh=2.4,
        ),
        "electric_car": Household(
            standby_kw=0.12, active_kw=0.25, washes=0.5, dishwashes=0.7, car_kwh=6.5,
        ),
    }
)  # fmt: skip


def generate_loads(
    household: Household, start: datetime, days: int, seed: int
) -> tuple[Floats, dict[str, Floats]]:
    """House load on the five-minute grid from `start` on [kW], shape (days * 288,), above zero.

    And what of it the car, the heat pump and the hot water draw, if there are.
    """
    drawing = _Drawing(household, start, days, seed)
    return drawing.load_kw(), drawing.large_kw


def generate_temperature(start: datetime, days: int, seed: int) -> Floats:
    """Outdoor temperature on the five-minute grid [deg C], shape (days * 288,)."""
    rng = np.random.default_rng([seed, 1])
    step = np.arange(days * _STEPS_PER_DAY)
    day_of_year = start.timetuple().tm_yday + step / _STEPS_PER_DAY
    hour = start.hour + start.minute / 60 + step / _STEPS_PER_HOUR
    season = 10.5 - 6.5 * np.cos(2 * np.pi * (day_of_year - 20) / 365.25)
    spells = _drift(rng, days + 1, persistence=0.82, spread=3.2)
    spell = np.interp(step / _STEPS_PER_DAY, np.arange(days + 1), spells)
    return np.asarray(season + spell - 3.0 * np.cos(2 * np.pi * (hour - 3) / 24))


def forecast_temperature(temperature_c: Floats, seed: int) -> Floats:
    """The temperature of half hours as it is forecast: off by some days' mood [deg C]."""
    rng = np.random.default_rng([seed, 4])
    days = np.arange(len(temperature_c)) / SLOTS_PER_DAY
    off_c = rng.normal(0, _FORECAST_ERROR_C, int(len(temperature_c) / SLOTS_PER_DAY) + 2)
    return np.asarray(temperature_c + np.interp(days, np.arange(len(off_c)), off_c))


def half_hours(fine: Floats) -> Floats:
    """Averages per half hour of values on the five-minute grid."""
    return np.asarray(fine.reshape(-1, SLOT // FINE_STEP).mean(axis=1))


def move_in(data: pd.DataFrame, household: Household, seed: int) -> pd.DataFrame:
    """Data in the referee's format, another household's `load_kwh` in place of its own.

    `data` has one row per half hour; its index, or its column `time`, holds the starts (UTC). Added
    are `large_NAME_kwh`, of the load what each large load draws, and `temperature_c` outside with
    its forecast `fc_temperature_c`.
    """
    times = pd.DatetimeIndex(pd.to_datetime(data.get("time", data.index), utc=True))
    start = times[0].to_pydatetime()
    days = -(-len(data) // SLOTS_PER_DAY)
    load_kw, large_kw = generate_loads(household, start, days, seed)
    powers = {"load_kwh": load_kw} | {f"large_{name}_kwh": kw for name, kw in large_kw.items()}
    columns = {name: half_hours(kw) * SLOT_HOURS for name, kw in powers.items()}
    outside = half_hours(generate_temperature(start, days, seed))
    columns |= {"temperature_c": outside, "fc_temperature_c": forecast_temperature(outside, seed)}
    rounded = {name: values[: len(data)].round(4) for name, values in columns.items()}
    moved_out = [name for name in data.columns if name.startswith("large_")]
    return data.drop(columns=moved_out).assign(**rounded)


def _drift(rng: np.random.Generator, count: int, persistence: float, spread: float) -> Floats:
    """A slow wandering around zero of this standard deviation, shape (count,)."""
    shocks = rng.normal(0, spread * np.sqrt(1 - persistence**2), count)
    value = rng.normal(0, spread)
    path = np.empty(count)
    for index, shock in enumerate(shocks):
        value = persistence * value + shock
        path[index] = value
    return path


class _Drawing:
    """One household's load while it is being drawn."""

    def __init__(self, household: Household, start: datetime, days: int, seed: int) -> None:
        require_utc(start)
        self._household = household
        self._start = start
        self._n_steps = days * _STEPS_PER_DAY
        self._rng = np.random.default_rng([seed, 0])
        self._temperature_c = generate_temperature(start, days, seed)
        self._kw = np.zeros(self._n_steps)
        self.large_kw: dict[str, Floats] = {}
        """What large loads drew of it, by name."""
        first = local_day(start)
        self._days = [first + timedelta(days=n) for n in range(days + 1)]

    def load_kw(self) -> Floats:
        """The whole load, shape (n_steps,)."""
        rng, home = self._rng, self._household
        level = np.exp(_drift(rng, len(self._days), persistence=0.8, spread=0.15))
        away = self._days_away()
        for day, factor, is_away in zip(self._days, level, away, strict=True):
            if not is_away:
                self._live(day, float(factor))
            self._heat(day, setback=is_away)
        phase = rng.uniform(0, _FRIDGE_STEPS)
        fridge = 0.09 * (
            (np.arange(self._n_steps) + phase) % _FRIDGE_STEPS < _FRIDGE_ON * _FRIDGE_STEPS
        )
        noise = rng.gamma(20, 1 / 20, self._n_steps)
        return np.asarray(self._kw + (home.standby_kw + fridge) * noise)

    def _days_away(self) -> list[bool]:
        chance = self._household.weeks_away_per_year / 365
        away = np.zeros(len(self._days) + 14, dtype=bool)
        for index in np.flatnonzero(self._rng.random(len(self._days)) < chance):
            away[index : index + self._rng.integers(3, 13)] = True
        return [bool(flag) for flag in away[: len(self._days)]]

    def _live(self, day: date, level: float) -> None:
        """A day with somebody living in the house."""
        rng, home = self._rng, self._household
        free = day.weekday() in _WEEKEND
        stays_in = free or rng.random() < home.home_on_workdays
        wake = rng.normal(8.2 if free else 6.7, 0.5)
        bed = rng.normal(23.3 if free else 22.6, 0.6)
        leave, back = (rng.normal(8.3, 0.3), rng.normal(17.4, 0.8)) if not stays_in else (13, 13)
        if free and rng.random() < _OUTING:
            leave = rng.uniform(10, 14)
            back = leave + rng.uniform(1.5, 6)
        for begin, end in ((wake, leave), (back, bed)):
            self._be_active(day, begin, end, home.active_kw * level)
        self._run_appliances(day, wake, max(back, 13.0), level)
        self._charge_car(day, back)

    def _be_active(self, day: date, begin: float, end: float, power_kw: float) -> None:
        """Screens, lights and odds and ends between two hours of the local clock."""
        first, last = self._step_at(day, begin), self._step_at(day, end)
        if last <= first:
            return
        mood = np.exp(_drift(self._rng, last - first, persistence=0.93, spread=0.6))
        self._kw[first:last] += power_kw * mood
        dusk = 18.2 - 2.3 * np.cos(2 * np.pi * (day.timetuple().tm_yday + 10) / 365.25)
        lit = max(first, self._step_at(day, dusk))
        self._kw[lit:last] += 0.6 * power_kw

    def _run_appliances(self, day: date, wake: float, back: float, level: float) -> None:
        rng, home = self._rng, self._household
        for _ in range(rng.poisson(home.kettles)):
            hour = rng.choice([wake + rng.exponential(0.5), back + rng.uniform(0, 5)])
            self._run(day, hour, 1, 1.7)
        for _ in range(rng.poisson(home.electric_showers)):
            self._run(day, rng.choice([wake + 0.3, 21.0]) + rng.normal(0, 0.3), 2, 5.5)
        dinner = max(rng.normal(18.2, 0.6), back + 0.2)
        if rng.random() < home.cooked_dinners:
            self._run(day, dinner, int(rng.integers(5, 13)), rng.uniform(1.0, 2.4) * level)
        if rng.random() < home.dishwashes:
            begin = dinner + rng.uniform(0.7, 2.5)
            for offset, power in ((0.0, 2.0), (0.9, 1.9)):
                self._run(day, begin + offset, 4, power)
        weekend = 1.8 if day.weekday() in _WEEKEND else 0.7
        for _ in range(rng.poisson(home.washes * weekend)):
            begin = (
                rng.uniform(9, 19) if weekend > 1 else rng.choice([wake, back]) + rng.uniform(0, 1)
            )
            self._run(day, begin, 4, 2.0)
            self._run(day, begin + 0.4, 12, 0.25)

    def _charge_car(self, day: date, back: float) -> None:
        rng, home = self._rng, self._household
        if home.car_kwh <= 0 or rng.random() >= _CHARGED_DAYS:
            return
        energy_kwh = home.car_kwh / _CHARGED_DAYS * rng.gamma(4, 1 / 4)
        hour = 24.5 if rng.random() < home.car_waits_for_night else back + 0.3
        steps = max(1, round(energy_kwh / 7.2 * _STEPS_PER_HOUR))
        self._run(day, hour, steps, 7.2, large="car")

    def _heat(self, day: date, *, setback: bool) -> None:
        """Heat pump and hot water of one day."""
        home = self._household
        if home.heat_loss_kw_per_k <= 0:
            return
        first, last = self._step_at(day, 0), self._step_at(day + timedelta(days=1), 0)
        outside = self._temperature_c[first:last]
        hour = np.arange(len(outside)) / _STEPS_PER_HOUR
        effort = np.where(hour < _NIGHT_UNTIL, 0.55, np.where(hour < _MORNING_UNTIL, 1.5, 1.0))
        effort *= 0.4 if setback else 1.0
        heat_kw = home.heat_loss_kw_per_k * np.maximum(0, 17.0 - outside) * effort
        performance = np.clip(2.7 + 0.08 * outside, 1.8, 4.5)
        power_kw = heat_kw / performance
        # Below its least power the pump cycles: on for a part of every forty minutes.
        duty = np.minimum(1, power_kw / 0.7)
        running = (np.arange(len(outside)) % 8) < np.round(8 * duty)
        wobble = self._rng.gamma(30, 1 / 30, len(outside))
        drawn_kw = running * power_kw / np.maximum(duty, 1e-9) * wobble
        self._kw[first:last] += drawn_kw
        self._large("heat_pump")[first:last] += drawn_kw
        for begin in () if setback else (4.5, 14.0):
            self._run(day, begin, 9, home.hot_water_kwh / 2 / 0.75, large="hot_water")

    def _run(self, day: date, hour: float, steps: int, power_kw: float, *, large: str = "") -> None:
        """Something that draws `power_kw` for some steps from an hour of the local clock on."""
        first = self._step_at(day, hour)
        self._kw[first : first + steps] += power_kw
        if large:
            self._large(large)[first : first + steps] += power_kw

    def _large(self, name: str) -> Floats:
        return self.large_kw.setdefault(name, np.zeros(self._n_steps))

    def _step_at(self, day: date, hour: float) -> int:
        """Index of the step at which the local clock shows `hour`, which may be over 24."""
        days, hour = divmod(max(0.0, hour), _HOURS)
        whole, minutes = timedelta(days=days), int(hour * 60)
        clock = (datetime.min + timedelta(minutes=minutes)).time()  # noqa: DTZ901 - a clock face
        moment = local_time(day + whole, clock, UK)
        return min(self._n_steps, max(0, (moment - self._start) // FINE_STEP))
