"""Unit rates and solar forecasts in the store, as they were fetched."""

import math
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import Final

from battery_optimizer.adapters.store.schema import epoch, moment_of
from battery_optimizer.model.codec import encode
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import SolarForecast

_ADD_SERIES: Final = "INSERT OR IGNORE INTO rate_series (direction, source) VALUES (?, ?)"

_SAVE_RATE: Final = """
INSERT INTO rates (series, start, end, p_per_kwh, fetched_at)
SELECT id, :start, :end, :p_per_kwh, :fetched_at FROM rate_series
    WHERE direction = :direction AND source = :source
ON CONFLICT (series, start) DO UPDATE
    SET end = excluded.end, p_per_kwh = excluded.p_per_kwh, fetched_at = excluded.fetched_at
    WHERE excluded.fetched_at >= rates.fetched_at"""

_RATES: Final = """
SELECT rates.start, rates.end, p_per_kwh FROM rates JOIN rate_series ON series = id
WHERE direction = ? AND source = ? AND rates.start < ? AND (rates.end IS NULL OR rates.end > ?)
ORDER BY rates.start"""

_SAVE_FORECAST: Final = """
INSERT OR REPLACE INTO solar_forecasts (issued_at, source, body) VALUES (?, ?, ?)"""

_LATEST_FORECAST: Final = """
SELECT body FROM solar_forecasts WHERE issued_at <= ? ORDER BY issued_at DESC LIMIT 1"""

_FORECASTS: Final = """
SELECT body FROM solar_forecasts WHERE issued_at >= ? AND issued_at < ? ORDER BY issued_at"""


def insert_rates(
    connection: Connection,
    direction: Direction | str,
    source: str,
    rates: Sequence[UnitRate],
    fetched_at: datetime,
) -> None:
    """Put rates in, those that are numbers; what was fetched later than these stays."""
    connection.execute(_ADD_SERIES, (direction, source))
    rows = [
        {
            "direction": direction,
            "source": source,
            "start": epoch(rate.start),
            "end": None if rate.end is None else epoch(rate.end),
            "p_per_kwh": rate.p_per_kwh,
            "fetched_at": epoch(fetched_at),
        }
        for rate in rates
        if math.isfinite(rate.p_per_kwh)
    ]
    connection.executemany(_SAVE_RATE, rows)


def select_rates(
    connection: Connection, direction: Direction | str, source: str, start: datetime, end: datetime
) -> list[UnitRate]:
    """Rates that hold anywhere in [start, end), oldest first."""
    rows = connection.execute(_RATES, (direction, source, epoch(end), epoch(start)))
    return [
        UnitRate(
            start=moment_of(first),
            end=None if last is None else moment_of(last),
            p_per_kwh=p_per_kwh,
        )
        for first, last, p_per_kwh in rows
    ]


def insert_forecast(connection: Connection, forecast: SolarForecast) -> None:
    """Put a forecast in; one of the same source and time is replaced."""
    row = (epoch(forecast.issued_at), forecast.source, encode(forecast))
    connection.execute(_SAVE_FORECAST, row)


def select_latest_forecast(connection: Connection, now: datetime) -> bytes | None:
    """The encoded forecast issued last, but not after `now`."""
    row: tuple[bytes] | None = connection.execute(_LATEST_FORECAST, (epoch(now),)).fetchone()
    return None if row is None else row[0]


def select_forecasts(connection: Connection, start: datetime, end: datetime) -> list[bytes]:
    """The encoded forecasts issued in [start, end), oldest first."""
    return [body for (body,) in connection.execute(_FORECASTS, (epoch(start), epoch(end)))]
