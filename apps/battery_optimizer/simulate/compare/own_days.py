"""A house's own history as days to be played: short gaps filled, the longest stretch taken."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from battery_optimizer.config import Config
from battery_optimizer.errors import ConfigError, DataError
from battery_optimizer.model.past import OwnHistory
from battery_optimizer.model.slots import (
    SLOT,
    SLOTS_PER_DAY,
    Floats,
    SlotSeries,
    day_bounds,
    local_day,
)
from battery_optimizer.model.telemetry import SolarForecast
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.files import why

LONGEST_GAP: Final = SLOTS_PER_DAY
"""Half hours that are filled with those of the day before or after; a longer gap ends the run."""
FEWEST: Final = SLOTS_PER_DAY
"""Half hours of a stretch that is worth playing."""


def days_of(
    own: OwnHistory,
    *,
    fixed_import_p: float | None = None,
    fixed_export_p: float | None = None,
) -> RecordedDays:
    """The longest stretch of it without long gaps; `notice` says what was filled and left out.

    The fixed rates [p/kWh] are those of a tariff that has them. DataError where too little
    is known.
    """
    columns = _columns(own, fixed_import_p, fixed_export_p)
    filled = {name: _filled(values) for name, values in columns.items()}
    known = np.all([np.isfinite(values) for values in filled.values()], axis=0)
    first, last = _longest_run(known)
    if last - first < FEWEST:
        raise DataError(
            "the database has no whole day without long gaps (half hours that are known: "
            f"{int(known.sum())}, in a row at most {last - first})"
        )
    n_filled = sum(int(np.isnan(values[first:last]).sum()) for values in columns.values())
    start = own.load_kw.start

    def series(values: Floats) -> SlotSeries:
        return SlotSeries(start=start + first * SLOT, values=values[first:last].copy())

    p10, p50, p90 = _told(own, len(known))
    return RecordedDays(
        imports=series(filled["import"]),
        exports=series(filled["export"]),
        load_kw=series(filled["load"]),
        solar_kw=series(filled["solar"]),
        solar_p10_kw=series(p10),
        solar_p50_kw=series(p50),
        solar_p90_kw=series(p90),
        run_start=start + first * SLOT,
        run_end=start + last * SLOT,
        notice=_notice(own, len(known), last - first, n_filled),
    )


def _columns(
    own: OwnHistory, fixed_import_p: float | None, fixed_export_p: float | None
) -> dict[str, Floats]:
    """What a run needs, by name, each of shape (n_slots,); DataError where one is not known."""
    solar = own.solar_kw.values
    columns = {
        "load": own.load_kw.values,
        # Else there are no panels, or no sensor for them.
        "solar": solar if np.isfinite(solar).any() else _always(0.0, own),
        "import": own.imports.values if fixed_import_p is None else _always(fixed_import_p, own),
        "export": own.exports.values if fixed_export_p is None else _always(fixed_export_p, own),
    }
    for name, values in columns.items():
        if not np.isfinite(values).any():
            is_rate = name in ("import", "export")
            lacking = "rate: name a fixed one" if is_rate else "readings"
            raise DataError(f"the database has no {name} {lacking}")
    return columns


def read_settings(path: Path) -> Config:
    """The app's own settings, from its apps.yaml; secrets are not needed and not read."""
    try:
        apps = yaml.load(path.read_text(encoding="utf-8"), _Settings)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as YAML: {why(error)}") from error
    ours: list[dict[str, Any]] = [
        each
        for each in (apps.values() if isinstance(apps, dict) else ())
        if isinstance(each, dict) and each.get("module") == "battery_optimizer.app"
    ]
    if not ours:
        raise DataError(f"{path}: no app has 'module: battery_optimizer.app'")
    try:
        return Config.from_args(ours[0])
    except ConfigError as error:
        raise DataError(f"{path}: {error}") from error


class _Settings(yaml.SafeLoader):  # type: ignore[misc]
    """Knows AppDaemon's !secret, and leaves it unread."""


_Settings.add_constructor("!secret", lambda _, node: f"(secret {node.value})")


def _always(value: float, own: OwnHistory) -> Floats:
    return np.full(len(own.load_kw.values), value)


def _filled(values: Floats) -> Floats:
    """Gaps of at most a day filled with the same half hours of the day before, or after."""
    filled = values.copy()
    for first, last in _gaps(values):
        if last - first > LONGEST_GAP:
            continue
        for t in range(first, last):
            for other in (t - SLOTS_PER_DAY, t + SLOTS_PER_DAY):
                if 0 <= other < len(values) and np.isfinite(filled[other]):
                    filled[t] = filled[other]
                    break
    return filled


def _gaps(values: Floats) -> list[tuple[int, int]]:
    edges = np.diff(np.isnan(values).astype(int), prepend=0, append=0)
    return list(
        zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
    )


def _longest_run(known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, int]:
    runs = _gaps(np.where(known, np.nan, 0.0))
    return max(runs, key=lambda run: run[1] - run[0]) if runs else (0, 0)


def _told(own: OwnHistory, n_slots: int) -> tuple[Floats, Floats, Floats]:
    """For each half hour what had been forecast last before its local day began; else NaN."""
    start = own.load_kw.start
    told = np.full((3, n_slots), np.nan)
    day = local_day(start)
    while (begin := day_bounds(day)[0]) < start + n_slots * SLOT:
        before = [each for each in own.forecasts if each.issued_at <= begin]
        # Of the first day, and after a pause, the first of the day has to do.
        during = [each for each in own.forecasts if begin < each.issued_at < day_bounds(day)[1]]
        if found := (before[-1:] or during[:1]):
            _put(told, start, day_bounds(day), found[0])
        day += timedelta(days=1)
    return told[0], told[1], told[2]


def _put(
    told: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    start: datetime,
    bounds: tuple[datetime, datetime],
    forecast: SolarForecast,
) -> None:
    first = max(0, (bounds[0] - start) // SLOT)
    last = min(told.shape[1], (bounds[1] - start) // SLOT)
    begin, end = start + first * SLOT, start + last * SLOT
    for row, series in enumerate((forecast.p10_kw, forecast.p50_kw, forecast.p90_kw)):
        told[row, first:last] = series.between(begin, end).values


def _notice(own: OwnHistory, n_slots: int, n_played: int, n_filled: int) -> str:
    parts = []
    if n_played < n_slots:
        parts.append(
            f"of {n_slots} half hours the longest stretch without long gaps is played, {n_played}"
        )
    if n_filled:
        parts.append(
            f"of the values {n_filled} were missing: those of the day before or after serve"
        )
    if own.is_demo:
        parts.append("rates are partly made up (demo)")
    return "; ".join(parts)
