"""Everything expected over the horizon, lined up on one grid: what a plan is made from."""

from datetime import datetime
from typing import Protocol

from battery_optimizer.forecast.load import LoadForecaster
from battery_optimizer.forecast.rates import forecast_rates, terminal_value
from battery_optimizer.forecast.sky import Site
from battery_optimizer.forecast.solar import SolarForecaster
from battery_optimizer.model.house import Battery
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.slots import Floats, Horizon
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations, SolarForecast


class Forecaster(Protocol):
    """Expects load and sun [kWh per slot]; may remember what it learned, decides nothing."""

    def load_kwh(self, observed: Observations, horizon: Horizon, now: datetime) -> Floats:
        """What the house will draw."""

    def solar_kwh(
        self,
        observed: Observations,
        forecast: SolarForecast | None,
        horizon: Horizon,
        now: datetime,
    ) -> Floats:
        """What the panels could give."""


class HistoryForecaster:
    """The real thing: everything from what was metered and what the weather people say.

    `peak_kw` is the most that the panels could give, `site` where they are, both optional.
    """

    def __init__(self, *, peak_kw: float | None = None, site: Site | None = None) -> None:
        self._load = LoadForecaster()
        self._solar = SolarForecaster(peak_kw=peak_kw, site=site)

    def load_kwh(self, observed: Observations, horizon: Horizon, now: datetime) -> Floats:
        """What the house will draw [kWh per slot]."""
        return self._load.forecast(observed.load_kw, horizon, now).mean_kwh

    def solar_kwh(
        self,
        observed: Observations,
        forecast: SolarForecast | None,
        horizon: Horizon,
        now: datetime,  # noqa: ARG002
    ) -> Floats:
        """What the panels could give [kWh per slot]; ForecastUnavailable if nothing is known."""
        return self._solar.forecast(observed.solar_kw, observed.told, forecast, horizon).mean_kwh


def build_outlook(
    forecaster: Forecaster,
    battery: Battery,
    horizon: Horizon,
    known: KnownRates,
    observed: Observations,
    solar: SolarForecast | None,
) -> Outlook:
    """The outlook from `horizon.start` on, with nothing in it that was not known by then.

    Raises RatesUnavailable where neither published nor recent rates cover a slot.
    """
    now = horizon.start
    rates = forecast_rates(known, horizon)
    return Outlook(
        horizon=horizon,
        import_rate=rates.import_rate,
        export_rate=rates.export_rate,
        rate_published=rates.published,
        load_kwh=forecaster.load_kwh(observed, horizon, now),
        solar_kwh=forecaster.solar_kwh(observed, solar, horizon, now),
        terminal_value=terminal_value(battery, rates, horizon),
        is_demo=known.is_demo,
    )
