"""What all of the panels give, asked for array by array."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.solar import SolarArray, require_sound, without_spread
from battery_optimizer.model.telemetry import SolarForecast


def of_all(
    arrays: Sequence[SolarArray],
    kw_of: Callable[[SolarArray, datetime], SlotSeries],
    name: str,
    now: datetime,
) -> SolarForecast:
    """The forecast of all arrays together; ForecastUnavailable where it cannot be right."""
    series = [kw_of(array, now) for array in arrays]
    if len({(each.start, each.end) for each in series}) != 1:
        raise ForecastUnavailable("the panels' forecasts are for different times")
    values = np.sum([each.values for each in series], axis=0)
    forecast = without_spread(name, now, SlotSeries(start=series[0].start, values=values))
    require_sound(forecast, now=now, peak_kw=sum(array.peak_kw for array in arrays))
    return forecast
