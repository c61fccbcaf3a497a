"""What a house has lived through, as its database remembers it."""

from dataclasses import dataclass

from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.telemetry import SolarForecast


@dataclass(frozen=True, kw_only=True)
class OwnHistory:
    """Load and solar [kW average per half hour] and rates [p/kWh]; NaN where nothing is known.

    `forecasts` of the sun are as they were issued, oldest first. `is_demo` where the rates are made
    up.
    """

    load_kw: SlotSeries
    solar_kw: SlotSeries
    imports: SlotSeries
    exports: SlotSeries
    forecasts: tuple[SolarForecast, ...] = ()
    is_demo: bool = False
