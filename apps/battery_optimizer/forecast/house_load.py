"""The load of a house, put together: large loads apart, the cold, and the rest.

Without large loads or a temperature it is what `load` makes of the whole, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Self

import numpy as np

from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.large_loads import LargeLoads
from battery_optimizer.forecast.load import LoadForecast, LoadForecaster
from battery_optimizer.forecast.load_profiles import means_of_parts
from battery_optimizer.forecast.sessions import Sessions, forecast_sessions
from battery_optimizer.forecast.warmth import Outside, Warmth, learn_warmth, temperature_outside
from battery_optimizer.model.outlook import BURST_WEIGHTS
from battery_optimizer.model.slots import (
    Floats,
    Horizon,
    SlotSeries,
    count_slots,
    floor_to_slot,
    local_day,
)
from battery_optimizer.model.telemetry import Observations

_LOW, _HIGH = 0.1, 0.9
_REST_LEVELS: Final = (np.arange(10) + 0.5) / 10
_TAIL_BELOW, _TAIL_ABOVE = 0.25, 0.4
"""How far the load goes beyond p10 and p90, over how far these are from p50."""

_LEAST_SHARE: Final = 0.1
"""Mild weather takes no more than the rest of a half hour's load away."""


@dataclass(frozen=True, slots=True)
class _Mild:
    """What the cold adds, and what is taken out of the past until the local day is over.

    The weather of the past is told a little differently each hour: without this all would be
    learned anew each time.
    """

    warmth: Warmth
    taken_kw: SlotSeries

    @classmethod
    def of(cls, warmth: Warmth, base: SlotSeries, outside: Outside) -> Self:
        taken = warmth.added_kw(outside.degrees, base.start, base.end)
        return cls(warmth, SlotSeries(start=base.start, values=taken))


class HouseLoadForecaster:
    """Forecasts the load of one house; keeps what it learned until the local day is over."""

    def __init__(self) -> None:
        self._forecasters: dict[tuple[str, ...], LoadForecaster] = {}
        self._learned: dict[tuple[str, ...], tuple[date, _Mild | None]] = {}
        self.latest: LoadForecast | None = None
        """What was forecast last, but for what is forecast apart."""

    def forecast(self, observed: Observations, horizon: Horizon) -> Band:
        """The load from `horizon.start`, which is now."""
        loads = LargeLoads.of(observed, horizon.start)
        outside = temperature_outside(observed, horizon.start)
        rest = self.latest = self._rest(loads, outside, horizon)
        if not loads.apart:
            return Band(
                mean_kwh=rest.mean_kwh,
                p10_kwh=rest.p10_kwh,
                p90_kwh=rest.p90_kwh,
                bursts_kwh=rest.bursts_kwh,
            )
        first = floor_to_slot(horizon.start)
        n_slots = count_slots(first, horizon.end)
        sessions = {
            name: forecast_sessions(power, first, n_slots, observed.planned.get(name, ()))
            for name, power in loads.apart.items()
        }
        return _together(rest, sessions, horizon)

    def _rest(self, loads: LargeLoads, outside: Outside | None, horizon: Horizon) -> LoadForecast:
        """What is not forecast apart."""
        now, base = horizon.start, loads.base_kw
        names = tuple(loads.apart)
        forecaster = self._forecasters.setdefault(names, LoadForecaster())
        learned = self._mild(names, base, outside, now)
        if learned is None or outside is None:
            return forecaster.forecast(base, horizon, now)
        warmth, degrees = learned.warmth, outside.degrees
        past = warmth.added_kw(degrees, base.start, base.end)
        taken = learned.taken_kw.between(base.start, base.end).values
        past = np.where(np.isfinite(taken), taken, past)
        mild = np.maximum(base.values - past, _LEAST_SHARE * base.values)
        given = forecaster.forecast(SlotSeries(start=base.start, values=mild), horizon, now)
        first = floor_to_slot(now)
        cold = SlotSeries(start=first, values=warmth.added_kw(degrees, first, horizon.end))
        more = cold.on(horizon) * horizon.hours

        def moved(kwh: Floats) -> Floats:
            return np.maximum(kwh + more, _LEAST_SHARE * kwh)

        return replace(
            given,
            mean_kwh=moved(given.mean_kwh),
            p10_kwh=moved(given.p10_kwh),
            p50_kwh=moved(given.p50_kwh),
            p90_kwh=moved(given.p90_kwh),
        )

    def _mild(
        self, names: tuple[str, ...], base: SlotSeries, outside: Outside | None, now: datetime
    ) -> _Mild | None:
        """As learned of this part of the load today."""
        if outside is None:
            return None
        today = local_day(now)
        if names not in self._learned or self._learned[names][0] != today:
            warmth = learn_warmth(base, outside.degrees, now)
            self._learned[names] = today, _Mild.of(warmth, base, outside) if warmth else None
        return self._learned[names][1]


def load_doubts(observed: Observations, now: datetime) -> tuple[str, ...]:
    """What is wrong with the sensors of large loads and of the temperature, in words."""
    outside = temperature_outside(observed, now)
    doubt = None if outside is None else outside.doubt
    return (*LargeLoads.of(observed, now).doubts, *([doubt] if doubt else []))


def _together(rest: LoadForecast, sessions: Mapping[str, Sessions], horizon: Horizon) -> Band:
    """The sum of what is independent: means add up, quantiles of all combinations are taken."""
    first = floor_to_slot(horizon.start)
    slots = np.arange(count_slots(first, horizon.end), dtype=np.float64)
    numbered = SlotSeries(start=first, values=slots)
    of_step = numbered.on(horizon).astype(np.intp)
    large_kwh = {name: each.mean_kw[of_step] * horizon.hours for name, each in sessions.items()}
    levels = _levels(rest)
    wanted = (*_REST_LEVELS, _LOW, _HIGH)
    p10, p90, bursts = rest.p10_kwh, rest.p90_kwh, rest.bursts_kwh
    for each in sessions.values():
        added = each.levels_kw[:, of_step] * horizon.hours
        every = (levels[:, None] + added).reshape(-1, horizon.n_slots)
        *_, p10, p90 = quantiles = np.quantile(every, wanted, axis=0)
        levels = quantiles[: len(_REST_LEVELS)]
        bursts = _bursts_with(bursts, added)
    return Band(
        mean_kwh=rest.mean_kwh + sum(large_kwh.values()),
        p10_kwh=p10,
        p90_kwh=p90,
        bursts_kwh=bursts,
        large_kwh=large_kwh,
    )


def _bursts_with(bursts_kwh: Floats, levels_kwh: Floats) -> Floats:
    """Bursts of a sum with something independent, whose levels are equally likely [kWh]."""
    every = bursts_kwh[:, None] + (levels_kwh - levels_kwh.mean(axis=0))
    every = every.reshape(-1, every.shape[-1])
    weights = np.repeat(BURST_WEIGHTS, len(levels_kwh)) / len(levels_kwh)
    order = np.argsort(every, axis=0)
    parts = means_of_parts(np.take_along_axis(every, order, axis=0), weights[order])
    return np.asarray(parts - BURST_WEIGHTS @ parts)


def _levels(rest: LoadForecast) -> Floats:
    """Ten equally likely levels of what three quantiles are known of [kWh], (10, n_slots)."""
    low, middle, high = rest.p10_kwh, rest.p50_kwh, rest.p90_kwh
    known = np.stack(
        [
            np.maximum(low - _TAIL_BELOW * (middle - low), 0.0),
            low,
            middle,
            high,
            high + _TAIL_ABOVE * (high - middle),
        ]
    )
    place = np.interp(_REST_LEVELS, (0.0, _LOW, 0.5, _HIGH, 1.0), range(len(known)))
    row = place.astype(int)
    part = (place - row)[:, None]
    return np.asarray((1 - part) * known[row] + part * known[row + 1])
