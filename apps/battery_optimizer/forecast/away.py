"""While the household is away the house draws what it draws when nothing happens."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from battery_optimizer.forecast.cleaning import believable_load
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import SLOTS_PER_DAY, Floats
from battery_optimizer.model.telemetry import Observations

RECENT_HALF_HOURS = 28 * SLOTS_PER_DAY
QUIET = 0.2
"""So many of the half hours draw less: the nights, mostly."""


def while_away(outlook: Outlook, observed: Observations, until: datetime | None) -> Outlook:
    """The outlook with no more load than that of quiet half hours until then."""
    recent = believable_load(observed.load_kw.values[-RECENT_HALF_HOURS:])
    known = recent[np.isfinite(recent)]
    if until is None or not known.size:
        return outlook
    quiet_kw = float(np.quantile(known, QUIET))
    is_away = np.array([start < until for start in outlook.horizon.starts])

    def quietened(load_kwh: Floats) -> Floats:
        most = quiet_kw * outlook.horizon.hours
        return np.where(is_away, np.minimum(load_kwh, most), load_kwh)

    futures = tuple(replace(each, load_kwh=quietened(each.load_kwh)) for each in outlook.futures)
    bursts = outlook.bursts_kwh
    return replace(
        outlook,
        load_kwh=quietened(outlook.load_kwh),
        futures=futures,
        bursts_kwh=None if bursts is None else np.where(is_away, 0.0, bursts),
    )
