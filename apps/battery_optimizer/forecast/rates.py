"""Rates beyond the published ones, from recent days; and what energy left at the end is worth."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.forecast.calendar import wall_positions
from battery_optimizer.model.house import Battery
from battery_optimizer.model.outlook import TerminalValue
from battery_optimizer.model.slots import (
    SLOTS_PER_DAY,
    Bools,
    Floats,
    Horizon,
    SlotSeries,
    count_slots,
    floor_to_slot,
)
from battery_optimizer.model.tariff import KnownRates

RECENT_DAYS = 14
"""How far back rates are read for a forecast."""
_AGE_WEIGHT = 0.8
"""Weight of a day against the day after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateForecast:
    """Rates on a horizon [p/kWh], shape (n_slots,); `published` False where they are forecast."""

    import_rate: Floats
    export_rate: Floats
    published: Bools


def forecast_rates(known: KnownRates, horizon: Horizon) -> RateForecast:
    """The published rates, and beyond them those of recent days at the same wall-clock time.

    Where somebody forecasts import rates, these come before the recent days. Else a forecast rate
    is the mean of the last days' rates in that half hour of the local day, later days weighing
    more. Raises RatesUnavailable where there is nothing to go by.
    """
    import_rate, imports_known = _filled(known.imports, horizon, "import", known.expected_imports)
    export_rate, exports_known = _filled(known.exports, horizon, "export")
    return RateForecast(
        import_rate=import_rate,
        export_rate=export_rate,
        published=imports_known & exports_known,
    )


def rates_as_far_as_known(known: KnownRates, horizon: Horizon) -> tuple[Horizon, RateForecast]:
    """The horizon cut where forecasting must end: all of it, or, with too little history, less.

    Raises RatesUnavailable where not even the present has rates.
    """
    try:
        return horizon, forecast_rates(known, horizon)
    except RatesUnavailable:
        published = np.isfinite(known.imports.on(horizon)) & np.isfinite(known.exports.on(horizon))
        n_slots = int(np.argmin(published))
        if n_slots == 0:
            raise
        shorter = replace(horizon, n_slots=n_slots)
        return shorter, forecast_rates(known, shorter)


def terminal_value(battery: Battery, rates: RateForecast, horizon: Horizon) -> TerminalValue:
    """C21: what stored energy is worth at the horizon's end, from the rates of its last day.

    A kWh kept saves buying it again: in the cheap hours if there is room until then, which there
    is the less the fuller the battery is. So the first kWh is worth what it would save at the
    middle of the day's rates, the last what it would cost in the day's cheapest hours, but no more
    than it would save: nobody buys to use at the same rate.
    """
    day = round(timedelta(days=1) / horizon.step)
    recent = rates.import_rate[-day:]
    cheap, middle = np.quantile(recent, [0.1, 0.5])
    serve = max(0.0, float(middle)) * battery.discharge_efficiency * _SURE
    buy_again = min(max(0.0, float(cheap)) / battery.charge_efficiency, serve)
    shares = np.linspace(0.0, 1.0, _N_LINES)
    slopes = serve + (buy_again - serve) * shares
    # Lines that touch where one share of the battery ends and the next begins.
    starts = battery.capacity_kwh * np.arange(_N_LINES) / _N_LINES
    steps = np.diff(slopes, prepend=slopes[0])
    intercepts = -np.cumsum(steps * starts)
    return TerminalValue(intercept_p=intercepts, slope_p_per_kwh=slopes)


_N_LINES = 4
_SURE = 0.98
"""What a kWh saves now is sure; what it may save after the horizon is worth this share of it."""


def _filled(
    series: SlotSeries, horizon: Horizon, name: str, expected: SlotSeries | None = None
) -> tuple[Floats, Bools]:
    values = series.on(horizon)
    known = np.isfinite(values)
    if expected is not None:
        values = np.where(known, values, expected.on(horizon))
    if np.isfinite(values).all():
        return values, known
    first = floor_to_slot(horizon.start)
    past = series.between(first - timedelta(days=RECENT_DAYS), horizon.end)
    clock = wall_positions(first, count_slots(first, horizon.end)) % SLOTS_PER_DAY
    typical = SlotSeries(start=first, values=_typical_day(past)[clock])
    values = np.where(np.isfinite(values), values, typical.on(horizon))
    if not np.isfinite(values).all():
        raise RatesUnavailable(
            f"no {name} rate is known for {horizon.starts[int(np.argmax(np.isnan(values)))]} "
            "nor for that half hour of recent days; check the tariff settings"
        )
    return values, known


def _typical_day(series: SlotSeries) -> Floats:
    """Weighted mean by half hour of the local day, shape (48,); NaN where none is known."""
    known = np.isfinite(series.values)
    clock = wall_positions(series.start, len(known))[known] % SLOTS_PER_DAY
    share = _AGE_WEIGHT ** ((len(known) - np.flatnonzero(known)) / SLOTS_PER_DAY)
    total = np.bincount(clock, share * series.values[known], SLOTS_PER_DAY)
    weight = np.bincount(clock, share, SLOTS_PER_DAY)
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, total / weight, np.nan)
