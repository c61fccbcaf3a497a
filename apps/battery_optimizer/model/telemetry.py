"""What the house measures now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import numpy as np

from battery_optimizer.model.slots import Floats, SlotSeries

FEWEST_READINGS: Final = 3
"""Of a half hour; its average from fewer is an estimate, by which nothing else is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """One reading of the house; every number fresh and within range, or None where absent.

    Powers are averages of the moment [kW]: `battery_kw` > 0 discharges, `grid_kw` > 0 imports.
    """

    measured_at: datetime
    soc_kwh: float
    load_kw: float | None = None
    solar_kw: float | None = None
    battery_kw: float | None = None
    grid_kw: float | None = None
    battery_temperature_c: float | None = None
    large_kw: Mapping[str, float] = field(default_factory=dict)
    """What named large loads draw of the house's load, as far as their sensors can be read."""
    outside_c: float | None = None


@dataclass(frozen=True, kw_only=True)
class SolarForecast:
    """Generation expected [kW average per half hour] by somebody who knows the weather.

    p10 and p90 equal p50 where the source gives no spread.
    """

    source: str
    issued_at: datetime
    p10_kw: SlotSeries
    p50_kw: SlotSeries
    p90_kw: SlotSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A time in which a large load is going to run, known from whoever starts it."""

    start: datetime
    end: datetime
    kwh: float | None = None
    """What it will draw in all; None: as much as it usually does in such a time."""


@dataclass(frozen=True, kw_only=True)
class MeteredFlows:
    """What grid and battery did, half hour by half hour; NaN where it was not metered.

    `grid_kw` > 0 imports, `battery_kw` > 0 discharges [average kW]; `soc_kwh` is stored at the end.
    """

    grid_kw: SlotSeries
    battery_kw: SlotSeries
    soc_kwh: SlotSeries


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What was metered, half hour by half hour, average power [kW]; NaN where nothing was."""

    load_kw: SlotSeries
    solar_kw: SlotSeries
    told: SolarForecast | None = None
    """What had been forecast for these half hours before they began, if that was kept."""
    large_kw: Mapping[str, SlotSeries] = field(default_factory=dict)
    """What named large loads drew of the load."""
    outside_c: SlotSeries | None = None
    """Metered outside."""
    weather_c: SlotSeries | None = None
    """The temperature outside as a weather service has it: what was, and what is to come."""
    planned: Mapping[str, Sequence[PlannedRun]] = field(default_factory=dict)
    """When large loads are known to run; one that is not named here is guessed."""
    held_back: SlotSeries | None = None
    """1 in the half hours in which the panels may have been kept from giving all, if any."""
    flows: MeteredFlows | None = None
    """What the other meters said of these half hours, if that was kept."""
    away: SlotSeries | None = None
    """1 in the half hours in which the household had said that nobody was at home, if any."""

    @property
    def sun_kw(self) -> SlotSeries:
        """The solar power where it shows what the panels could give; else NaN."""
        if self.held_back is None:
            return self.solar_kw
        held_back = self.held_back.between(self.solar_kw.start, self.solar_kw.end).values
        values = np.where(held_back == 1, np.nan, self.solar_kw.values)
        return SlotSeries(start=self.solar_kw.start, values=values)


@dataclass(frozen=True, kw_only=True)
class BatteryReadings:
    """What the battery did under forced modes, one value each per reading; NaN where not known.

    `at` is in epoch seconds; of the reading `hours` before, when the order was given that holds
    since, `soc_before_kwh` is the stored energy. Powers above 0 discharge [kW], `grid_kw` imports.
    """

    at: Floats
    hours: Floats
    asked_kw: Floats
    battery_kw: Floats
    soc_before_kwh: Floats
    soc_kwh: Floats
    solar_kw: Floats
    grid_kw: Floats
    temperature_c: Floats

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[float | None]]) -> Self:
        """From rows in the order of the fields; None is not known."""
        table = np.array(rows, dtype=np.float64).reshape(-1, len(fields(cls)))
        names = (field.name for field in fields(cls))
        return cls(**dict(zip(names, table.T, strict=True)))


class EnergyKind(StrEnum):
    """Whether a slot's energies were planned or measured."""

    EXPECTED = "expected"
    """By the last plan made before the slot began."""
    METERED = "metered"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEnergy:
    """What flows in one half hour [kWh, each >= 0], battery on the AC side; None if not known.

    `soc_kwh` is what is stored at its end; `n_samples` how many readings it is averaged from, of
    the meter that has the fewest.
    """

    start: datetime
    grid_import_kwh: float | None = None
    grid_export_kwh: float | None = None
    load_kwh: float | None = None
    solar_kwh: float | None = None
    charge_kwh: float | None = None
    discharge_kwh: float | None = None
    soc_kwh: float | None = None
    n_samples: int = 0
