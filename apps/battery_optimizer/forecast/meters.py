"""What is wrong with what is metered, in words."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.forecast.cleaning import believable_load, believable_solar
from battery_optimizer.model.slots import floor_to_slot
from battery_optimizer.model.telemetry import Observations

_DAY: Final = timedelta(days=1)
_JUDGED_DAYS: Final = 28
"""History that shows what is usual, as `cleaning` needs it."""

_MANY_SLOTS: Final = 4
"""So many unbelievable half hours in a day are no passing fault."""


def sensor_doubts(observed: Observations, now: datetime) -> tuple[str, ...]:
    """What the meters of load and sun said in the last day that cannot be."""
    end = floor_to_slot(now)
    start = end - _JUDGED_DAYS * _DAY
    load = observed.load_kw.between(start, end).values
    solar = observed.solar_kw.between(start, end).values
    kinds = (
        ("load", load, believable_load(load)),
        ("solar power", solar, believable_solar(solar, np.inf)),
    )
    doubts = []
    for name, metered, believed in kinds:
        lost = int((np.isfinite(metered) & ~np.isfinite(believed))[-48:].sum())
        if lost >= _MANY_SLOTS:
            doubts.append(
                f"the {name} metered in {lost} half hours of the last day cannot be (negative, "
                "far too much, nothing at all, or not changing) and is not learned from: check "
                "its sensor"
            )
    return tuple(doubts)
