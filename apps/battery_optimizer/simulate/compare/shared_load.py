"""A home's load forecasts, made once for all the variants that one process plays of it.

They rest on nothing but what the house drew, which is the same whatever its battery, its tariff or
its panels are; where they are planned from, the solar forecasts and the rates are not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.outlook import Forecaster
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.slots import Horizon, SlotSeries
from battery_optimizer.model.telemetry import Observations, SolarForecast
from battery_optimizer.simulate.days.recorded import RecordedDays

_HOMES: Final = 2
"""So many homes' forecasts are remembered: some 80 MB for a year of half hours each."""
_OTHERS: Final = ("imports", "exports", "solar_")
"""What recorded days have that no load forecast rests on."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The forecasts of one home so far, by their horizon."""

    bands: dict[tuple[datetime, int, timedelta], Band] = field(default_factory=dict)


class SharedLoad:
    """Forecasts as another forecaster does, and remembers what that said of the load."""

    def __init__(self, own: Forecaster, days: RecordedDays) -> None:
        self._own = own
        self._kept = _of_home(_digest(days))

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        """What the house will draw from `horizon.start`, which is now."""
        known, key = self._kept.bands, (horizon.start, horizon.n_slots, horizon.step)
        if key not in known:
            known[key] = self._own.load(observed, horizon)
        return known[key]

    def solar(self, observed: Observations, latest: SolarForecast | None, horizon: Horizon) -> Band:
        """What the panels could give."""
        return self._own.solar(observed, latest, horizon)

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:
        """How both may turn out together."""
        return self._own.futures(load, solar)


@lru_cache(maxsize=_HOMES)
def _of_home(_: bytes) -> _Kept:
    return _Kept()


def _digest(days: RecordedDays) -> bytes:
    """Of all that a load forecast may rest on."""
    digest = blake2b()
    for name, series in _series(days):
        digest.update(f"{name} {series.start}".encode())
        digest.update(series.values.tobytes())
    return digest.digest()


def _series(days: RecordedDays) -> Iterator[tuple[str, SlotSeries]]:
    for each in fields(days):
        value = getattr(days, each.name)
        if each.name.startswith(_OTHERS):
            continue
        if isinstance(value, SlotSeries):
            yield each.name, value
        elif isinstance(value, Mapping):
            yield from ((f"{each.name} {name}", series) for name, series in value.items())
