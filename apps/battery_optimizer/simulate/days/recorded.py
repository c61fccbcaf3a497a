"""Recorded days: a CSV of half hours, served without a look ahead."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from battery_optimizer.errors import DataError
from battery_optimizer.model.slots import (
    HOUR,
    SLOT,
    SLOT_HOURS,
    Floats,
    SlotSeries,
)
from battery_optimizer.simulate.files import why

NEEDED = ("import_p", "export_p", "load_kwh", "pv_per_kwp")
NEVER_NEGATIVE = ("load_kwh", "pv_per_kwp")
FORECASTS = ("fc_p10_per_kwp", "fc_p50_per_kwp", "fc_p90_per_kwp")
TEMPERATURES = ("temperature_c", "fc_temperature_c")
"""Outside, metered and forecast, where the file has them; the referee passes them over,"""
LARGE = re.compile(r"large_(\w+)_kwh")
"""as it does what large loads draw of the load."""


@dataclass(frozen=True, kw_only=True)
class RecordedDays:
    """Half hours of a house: rates [p/kWh], load and solar [kW average], solar forecasts [kW].

    `run_start` and `run_end` bound what is played; rows before are history to learn from.
    `notice` says why the run is shorter than the file, if it is.
    """

    imports: SlotSeries
    exports: SlotSeries
    load_kw: SlotSeries
    solar_kw: SlotSeries
    solar_p10_kw: SlotSeries
    solar_p50_kw: SlotSeries
    solar_p90_kw: SlotSeries
    run_start: datetime
    run_end: datetime
    notice: str = ""
    spikes: Floats | None = None
    """How many times its half hour's load each five minutes draw (`worlds.spikes`); None: as much.

    Shape (rows, 6), from the first row of the file on.
    """
    large_kw: Mapping[str, SlotSeries] = field(default_factory=dict)
    """What large loads draw of the load."""
    outside_c: SlotSeries | None = None
    forecast_c: SlotSeries | None = None
    """The temperature outside, metered and as it was forecast."""

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        pv_kwp: float,
        start: str | None = None,
        days: float | None = None,
        fixed_export_p: float | None = None,
    ) -> Self:
        """Read a data file as the benchmark documents it.

        The run ends before the first row that lacks a value. Raises DataError naming the row and
        column that cannot be used.
        """
        table = _read_table(path)
        if fixed_export_p is not None:
            table["export_p"] = fixed_export_p
        first = _row_of(pd.DatetimeIndex(table.index), start) if start else 0
        last, notice = _usable_end(table, first, days, path)
        begin = table.index[0].to_pydatetime()

        def series(name: str, scale: float = 1.0) -> SlotSeries:
            return SlotSeries(start=begin, values=table[name].to_numpy(float) * scale)

        return cls(
            imports=series("import_p"),
            exports=series("export_p"),
            load_kw=series("load_kwh", 1 / SLOT_HOURS),
            solar_kw=series("pv_per_kwp", pv_kwp),
            solar_p10_kw=series("fc_p10_per_kwp", pv_kwp),
            solar_p50_kw=series("fc_p50_per_kwp", pv_kwp),
            solar_p90_kw=series("fc_p90_per_kwp", pv_kwp),
            run_start=begin + first * SLOT,
            run_end=begin + last * SLOT,
            notice=notice,
            large_kw={
                found[1]: series(found[0], 1 / SLOT_HOURS)
                for found in map(LARGE.fullmatch, table.columns)
                if found
            },
            outside_c=series(TEMPERATURES[0]) if TEMPERATURES[0] in table else None,
            forecast_c=series(TEMPERATURES[1]) if TEMPERATURES[1] in table else None,
        )

    def part(self, start: str | None, days: float | None) -> Self:
        """From `start` on, for so many days; what is before is history. As `read` has them."""
        index = pd.date_range(self.run_start, self.run_end, freq="30min", inclusive="left")
        first = _row_of(index, start) if start else 0
        n_slots = len(index) - first
        if days is not None:
            _require_half_hour(days)
            n_slots = min(n_slots, round(days / SLOT_HOURS * 24))
        begin = self.run_start + first * SLOT
        return replace(self, run_start=begin, run_end=begin + n_slots * SLOT)

    def load_kwh(self, now: datetime, step: timedelta) -> float:
        """What the house draws from `now` on for a step, which does not cross a half hour [kWh]."""
        power_kw = self.load_kw.at(now)
        if self.spikes is not None:
            slot, inside = divmod(now - self.load_kw.start, SLOT)
            fine = SLOT / self.spikes.shape[1]
            first, last = round(inside / fine), round((inside + step) / fine)
            power_kw *= float(self.spikes[slot, first:last].mean())
        return float(power_kw * (step / HOUR))

    @property
    def n_slots(self) -> int:
        """Half hours to be played."""
        return (self.run_end - self.run_start) // SLOT


def rates_of(path: Path, column: str) -> SlotSeries:
    """A column of rates of a CSV of half hours [p/kWh]; DataError naming what cannot be used."""
    table = read_csv(path, (column,))
    values = np.asarray(_numbers(table, column, path), np.float64)
    start = pd.Timestamp(_times(table, path)[0]).to_pydatetime()
    return SlotSeries(start=start, values=values)


def read_csv(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """The table of a file; DataError where it cannot be read, or lacks `time` or what is needed."""
    try:
        table = pd.read_csv(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as CSV: {why(error)}") from error
    missing = [name for name in ("time", *needed) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path}: column {missing[0]!r} is missing from row 1; needed are time, "
            f"{', '.join(needed)}"
        )
    if table.empty:
        raise DataError(f"{path}: there is no row below the names of the columns")
    return table


def _read_table(path: Path) -> pd.DataFrame:
    table = read_csv(path, NEEDED)
    for name in NEEDED:
        table[name] = _numbers(table, name, path)
    for name in FORECASTS:
        table[name] = _numbers(table, name, path) if name in table.columns else np.nan
    for name in filter(_is_extra, table.columns):
        table[name] = _numbers(table, name, path)
    table.index = pd.DatetimeIndex(_times(table, path))
    return table


def _is_extra(name: str) -> bool:
    return name in TEMPERATURES or LARGE.fullmatch(name) is not None


def _numbers(table: pd.DataFrame, name: str, path: Path) -> "pd.Series[float]":
    numbers = pd.to_numeric(table[name], errors="coerce")
    wrong = (numbers.isna() & table[name].notna()) | np.isinf(numbers)
    if name in NEVER_NEGATIVE:
        wrong |= numbers < 0
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        least = "a number of 0 or more" if name in NEVER_NEGATIVE else "a number"
        raise DataError(
            f"{path}: row {row + 2}, column {name}: {str(table[name][row])!r} is not {least}"
        )
    return numbers


def _times(table: pd.DataFrame, path: Path) -> "pd.Series[pd.Timestamp]":
    times = pd.to_datetime(table["time"], utc=True, errors="coerce")
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise DataError(
            f"{path}: row {row + 2}, column time: {str(table['time'][row])!r} is no time"
        )
    if times[0] != times[0].floor("30min"):
        raise DataError(
            f"{path}: row 2, column time: {table['time'][0]} is not the start of a half hour"
        )
    steps = times.diff().to_numpy()[1:]
    wrong = steps != np.timedelta64(SLOT)
    if wrong.any():
        row = int(wrong.argmax()) + 1
        raise DataError(
            f"{path}: row {row + 2}, column time: {table['time'][row]} does not follow "
            f"{table['time'][row - 1]} by half an hour; sort the rows and fill the gap"
        )
    return times


def _row_of(index: pd.DatetimeIndex, start: str) -> int:
    try:
        moment = pd.Timestamp(start)
    except ValueError as error:
        raise DataError(f"--start {start!r} is no date; write 2020-01-31") from error
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    row = int(index.searchsorted(moment))
    if row >= len(index):
        raise DataError(f"--start {start} is after the last row, {index[-1]}")
    return row


def _require_half_hour(days: float) -> None:
    if not days * 24 >= SLOT_HOURS:
        raise DataError(f"--days {days:g} is less than a half hour")


def _usable_end(table: pd.DataFrame, first: int, days: float | None, path: Path) -> tuple[int, str]:
    if days is not None:
        _require_half_hour(days)
    wanted = len(table) if days is None else min(len(table), first + round(days / SLOT_HOURS * 24))
    absent = table[list(NEEDED)].iloc[first:wanted].isna()
    rows = absent.any(axis=1).to_numpy()
    if not rows.any():
        return wanted, ""
    gap = int(rows.argmax())
    column = NEEDED[int(absent.iloc[gap].to_numpy().argmax())]
    where = f"row {first + gap + 2}, column {column}"
    if gap == 0 or days is not None:
        raise DataError(f"{path}: {where}: no value at {table.index[first + gap]}")
    return first + gap, f"{path}: {where} has no value; the run ends before it"
