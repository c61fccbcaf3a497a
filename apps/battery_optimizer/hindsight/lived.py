"""A day as it was lived through: what was known at each step, what was done, and what came."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np

from battery_optimizer.errors import DataError
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import (
    HOUR,
    SLOT,
    Floats,
    Horizon,
    SlotSeries,
    count_slots,
    floor_to_slot,
    local_day,
)


class Input(StrEnum):
    """What a plan needs to know of the time to come."""

    LOAD = "load"
    SOLAR = "solar"
    RATES = "rates"


_WORDS: Final = ("import rates", "export rates", "load", "sun")

Known = frozenset[Input]
"""Inputs made certain."""


@dataclass(frozen=True, kw_only=True)
class Actual:
    """What came: rates [p/kWh], load and solar [kW]; NaN where that is not known yet."""

    imports: SlotSeries
    exports: SlotSeries
    load_kw: SlotSeries
    solar_kw: SlotSeries

    def in_place_of(self, used: Outlook, known: Known) -> Outlook:
        """The outlook with the inputs in `known` as they came, as far as it is known how."""
        load, solar = used.load_kwh, used.solar_kwh
        bought, sold, published = used.import_rate, used.export_rate, used.rate_published
        horizon, futures, bursts = used.horizon, used.futures, used.bursts_kwh
        if Input.LOAD in known:
            load = _as_came(self.load_kw.on(horizon) * horizon.hours, load)
            futures = tuple(replace(future, load_kwh=load) for future in futures)
            bursts = None
        if Input.SOLAR in known:
            solar = _as_came(self.solar_kw.on(horizon) * horizon.hours, solar)
            futures = tuple(replace(future, solar_kwh=solar) for future in futures)
        if Input.RATES in known:
            bought = _as_came(self.imports.on(horizon), bought)
            sold = _as_came(self.exports.on(horizon), sold)
            published = published | np.isfinite(self.imports.on(horizon))
        return replace(
            used,
            import_rate=bought,
            export_rate=sold,
            rate_published=published,
            load_kwh=load,
            solar_kwh=solar,
            futures=() if {Input.LOAD, Input.SOLAR} <= known else futures,
            bursts_kwh=bursts,
        )


def _as_came(came: Floats, expected: Floats) -> Floats:
    return np.where(np.isfinite(came), came, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A step of the day: what was known at its start, and the command in force during it.

    `outlook` is None where no plan could be made.
    """

    at: datetime
    until: datetime
    outlook: Outlook | None
    command: InverterCommand

    @property
    def hours(self) -> float:
        """Length [h]."""
        return (self.until - self.at) / HOUR


@dataclass(frozen=True, kw_only=True)
class LivedDay:
    """A day as it was lived through, and all that is known of it now.

    `before` was in force when it began. `is_played` says that the meter shows just what the
    commands give, as in a simulation: then the inverter lost nothing. `n_bridged` half hours were
    not metered, and are taken as the mean of their neighbours. In `n_sessions` a session was on.
    """

    moments: tuple[Moment, ...]
    before: InverterCommand
    start_soc_kwh: float
    end_soc_kwh: float
    bill_p: float
    discharged_kwh: float
    actual: Actual
    is_played: bool = False
    n_bridged: int = 0
    n_sessions: int = 0

    def __post_init__(self) -> None:
        """Raise DataError unless the day can be lived through again."""
        if all(moment.outlook is None for moment in self.moments):
            raise DataError("no plan was made on this day, so there is nothing to compare")
        actual = self.actual
        series = (actual.imports, actual.exports, actual.load_kw, actual.solar_kw)
        for words, each in zip(_WORDS, series, strict=True):
            values = each.between(floor_to_slot(self.start), self.end).values
            if not np.isfinite(values).all():
                raise DataError(f"not all of the {words} of {local_day(self.start):%d %b} is known")

    @property
    def start(self) -> datetime:
        """The moment at which it begins."""
        return self.moments[0].at

    @property
    def end(self) -> datetime:
        """The moment at which it ends."""
        return self.moments[-1].until

    def in_hindsight(self, start: datetime) -> Outlook:
        """All from `start` to the end of the day's last plan as it came.

        Where that is not known yet, as that plan expected it; its value of energy at the end.
        """
        used = next(moment.outlook for moment in reversed(self.moments) if moment.outlook)
        n_slots = count_slots(start, used.horizon.end)
        horizon = Horizon(start=start, n_slots=n_slots)

        def filled(came: SlotSeries, expected: Floats) -> Floats:
            return _as_came(came.on(horizon), half_hours(used, expected).on(horizon))

        actual, hours = self.actual, used.horizon.hours
        return Outlook(
            horizon=horizon,
            import_rate=filled(actual.imports, used.import_rate),
            export_rate=filled(actual.exports, used.export_rate),
            rate_published=np.ones(n_slots, bool),
            load_kwh=filled(actual.load_kw, used.load_kwh / hours) * horizon.hours,
            solar_kwh=filled(actual.solar_kw, used.solar_kwh / hours) * horizon.hours,
            terminal_value=used.terminal_value,
        )


def half_hours(used: Outlook, values: Floats) -> SlotSeries:
    """Rates or powers on an outlook's steps, averaged by half hour."""
    if used.horizon.step == SLOT:
        return SlotSeries(start=floor_to_slot(used.horizon.start), values=values)
    first = floor_to_slot(used.horizon.start)
    slot = np.array([(start - first) // SLOT for start in used.horizon.starts])
    hours = used.horizon.hours
    average = np.bincount(slot, weights=values * hours) / np.bincount(slot, weights=hours)
    return SlotSeries(start=first, values=average)
