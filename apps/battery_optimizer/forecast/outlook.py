"""Everything expected over the horizon, lined up on one grid: what a plan is made from."""

from typing import Protocol

from battery_optimizer.forecast.futures import Band, make_bursts, make_futures
from battery_optimizer.forecast.house_load import HouseLoadForecaster
from battery_optimizer.forecast.load import LoadForecast
from battery_optimizer.forecast.rates import rates_as_far_as_known, terminal_value
from battery_optimizer.forecast.sky import Site
from battery_optimizer.forecast.solar import SolarForecaster
from battery_optimizer.model.house import Battery
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.settings import Attitude
from battery_optimizer.model.slots import Horizon
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations, SolarForecast


class Forecaster(Protocol):
    """Expects load and sun [kWh per slot]; may remember what it learned, decides nothing."""

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        """What the house will draw from `horizon.start`, which is now."""

    def solar(self, observed: Observations, latest: SolarForecast | None, horizon: Horizon) -> Band:
        """What the panels could give."""

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:
        """How both may turn out together; none where only the mean counts."""


class HistoryForecaster:
    """The real thing: everything from what was metered and what the weather people say.

    `peak_kw` is the most that the panels could give, `site` where they are, both optional.
    """

    def __init__(
        self,
        *,
        attitude: Attitude = Attitude.BALANCED,
        peak_kw: float | None = None,
        site: Site | None = None,
    ) -> None:
        self._attitude = attitude
        self._load = HouseLoadForecaster()
        self._solar = SolarForecaster(peak_kw=peak_kw, site=site)

    @property
    def load_forecast(self) -> LoadForecast | None:
        """What was forecast of the load last, and what that rests on."""
        return self._load.latest

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        """What the house will draw [kWh per slot]."""
        return self._load.forecast(observed, horizon)

    def solar(self, observed: Observations, latest: SolarForecast | None, horizon: Horizon) -> Band:
        """What the panels could give [kWh per slot]; ForecastUnavailable if nothing is known."""
        given = self._solar.forecast(
            observed.sun_kw, observed.told, latest, horizon, metered=observed.solar_kw
        )
        return Band(mean_kwh=given.mean_kwh, p10_kwh=given.p10_kwh, p90_kwh=given.p90_kwh)

    def futures(self, load: Band, solar: Band) -> tuple[Future, ...]:
        """As the household's attitude weighs them."""
        return make_futures(load, solar, self._attitude)


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
    horizon, rates = rates_as_far_as_known(known, horizon)
    load, sun = forecaster.load(observed, horizon), forecaster.solar(observed, solar, horizon)
    futures = forecaster.futures(load, sun)
    return Outlook(
        horizon=horizon,
        import_rate=rates.import_rate,
        export_rate=rates.export_rate,
        rate_published=rates.published,
        load_kwh=load.mean_kwh,
        solar_kwh=sun.mean_kwh,
        terminal_value=terminal_value(battery, rates, horizon),
        futures=futures,
        bursts_kwh=make_bursts(load) if futures else None,
        is_demo=known.is_demo,
        large_kwh=load.large_kwh,
    )
