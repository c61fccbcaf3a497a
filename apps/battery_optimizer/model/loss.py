"""What a day's decisions lost against the best possible in hindsight, cause by cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A day's money [p]: the bill, and its distance from the best possible in hindsight in parts.

    `bill_p` has no wear in it; the parts have, where it has a price. `n_bridged` half hours were
    not metered, and were taken as the mean of their neighbours. In `n_sessions` half hours the
    supplier had a session, whose pay is in none of it: what was done for it counts as lost.
    """

    start: datetime
    bill_p: float
    load_p: float
    solar_p: float
    rates_p: float
    inverter_p: float
    mode_p: float
    optimizer_p: float
    n_bridged: int = 0
    n_sessions: int = 0

    @property
    def execution_p(self) -> float:
        """What was lost between the plan and the meter."""
        return self.inverter_p + self.mode_p

    @property
    def parts(self) -> Mapping[str, float]:
        """The parts by name, in the order in which they are shown; they add up to the distance."""
        return {
            "load forecast": self.load_p,
            "solar forecast": self.solar_p,
            "price forecast": self.rates_p,
            "execution": self.execution_p,
            "optimizer": self.optimizer_p,
        }

    @property
    def distance_p(self) -> float:
        """How much less the day could have cost."""
        return sum(self.parts.values())

    @property
    def best_p(self) -> float:
        """The least possible bill, corrected for what it would leave stored for the next day."""
        return self.bill_p - self.distance_p


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastErrors:
    """Mean absolute error and bias (expected less metered) [kW]; None where nothing is known.

    By hour of the local day, of what was expected for the coming 24 hours, and by lead time [h].
    """

    by_hour_kw: tuple[float | None, ...]
    by_hour_bias_kw: tuple[float | None, ...]
    by_lead_kw: tuple[float | None, ...]
    by_lead_bias_kw: tuple[float | None, ...]

    @property
    def next_hour_kw(self) -> float | None:
        """Mean absolute error of what was expected for the next hour."""
        return self.by_lead_kw[0] if self.by_lead_kw else None


NO_ERRORS: Final = ForecastErrors(
    by_hour_kw=(), by_hour_bias_kw=(), by_lead_kw=(), by_lead_bias_kw=()
)
"""Nothing is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yesterday:
    """A day looked back on."""

    split: Split
    load: ForecastErrors
    solar: ForecastErrors
