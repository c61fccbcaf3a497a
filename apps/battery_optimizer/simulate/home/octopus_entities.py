"""What the Octopus Energy integration shows in Home Assistant, for a simulated home on Agile."""

from datetime import datetime, timedelta
from math import cos, pi
from typing import Final

from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.slots import SLOT, UK, day_bounds, local_day

METER: Final = "22l0000000_2000000000000"
_STEM: Final = "octopus_energy_electricity_"
_TARIFFS: Final = {"": "E-1R-AGILE-24-10-01-C", "_export": "E-1R-AGILE-OUTGOING-19-05-13-C"}
_PUBLISHED_HOUR: Final = 16
"""When tomorrow's are out, on the house's clock."""


def octopus_entities(now: datetime, *, plunges: bool = False) -> dict[str, EntityState]:
    """The rates of yesterday, today and, from 16:00 on, tomorrow, for both directions.

    With `plunges` an hour in four is below 0, so that one is ahead at any time.
    """
    today = local_day(now)
    days = {"previous": today - timedelta(days=1), "current": today}
    if now.astimezone(UK).hour >= _PUBLISHED_HOUR:
        days["next"] = today + timedelta(days=1)
    entities = {}
    for addition, tariff in _TARIFFS.items():
        for name, day in days.items():
            start, end = day_bounds(day)
            entities[f"event.{_STEM}{METER}{addition}_{name}_day_rates"] = EntityState(
                state=now.isoformat(),
                attributes={
                    "tariff_code": tariff,
                    "rates": [
                        _rate(start + t * SLOT, is_export=bool(addition), plunges=plunges)
                        for t in range(round((end - start) / SLOT))
                    ],
                },
            )
    entities[f"sensor.{_STEM}{METER}_current_standing_charge"] = EntityState(
        state="0.4785", attributes={"unit_of_measurement": "GBP"}
    )
    return entities


def _rate(start: datetime, *, is_export: bool, plunges: bool) -> dict[str, object]:
    hour = start.astimezone(UK).hour
    is_peak = 16 <= hour < 19  # noqa: PLR2004 - when Agile is dearest
    p_per_kwh = 18.0 - 6.0 * cos(2 * pi * (hour - 3) / 24) + (14.0 if is_peak else 0.0)
    if plunges and hour % 4 == 1:
        p_per_kwh = -3.0
    if is_export:
        p_per_kwh = 0.6 * p_per_kwh
    return {
        "start": start.astimezone(UK).isoformat(),
        "end": (start + SLOT).astimezone(UK).isoformat(),
        "value_inc_vat": round(p_per_kwh / 100, 6),
        "is_capped": False,
    }
