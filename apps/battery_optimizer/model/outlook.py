"""All that is expected over a horizon: what a plan is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from battery_optimizer.model.slots import Bools, Floats, Horizon

BURST_WEIGHTS: Final = np.array([0.3, 0.4, 0.25, 0.05])
"""How likely each part of what a single slot's load may be is, the least first: a house mostly
draws less than its mean, and now and then several times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Future:
    """One way that load and sun may turn out [kWh per slot], shape (n_slots,), with its weight."""

    weight: float
    load_kwh: Floats
    solar_kwh: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalValue:
    """What stored energy is worth at the end of the horizon: the least of some lines.

    value [p] = min over k of intercept_p[k] + slope_p_per_kwh[k] * soc_kwh, concave in soc_kwh.
    """

    intercept_p: Floats
    slope_p_per_kwh: Floats

    @classmethod
    def nothing(cls) -> Self:
        """Energy left at the end is worth nothing."""
        return cls(intercept_p=np.zeros(1), slope_p_per_kwh=np.zeros(1))

    @classmethod
    def flat(cls, p_per_kwh: float) -> Self:
        """Each kWh left at the end is worth the same."""
        return cls(intercept_p=np.zeros(1), slope_p_per_kwh=np.array([p_per_kwh]))

    def of(self, soc_kwh: float) -> float:
        """Worth of this much stored energy [p]."""
        return float(self.of_each(np.array([soc_kwh]))[0])

    def of_each(self, soc_kwh: Floats) -> Floats:
        """Worth of each of these stored energies [p]."""
        lines_p = self.intercept_p + self.slope_p_per_kwh * soc_kwh[:, None]
        return np.asarray(lines_p.min(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Rates [p/kWh], load and available solar [kWh per slot], each of shape (n_slots,).

    `rate_published` is False where the rates of a slot are our own forecast.
    `futures` is empty where the outlook is taken as certain.
    """

    horizon: Horizon
    import_rate: Floats
    export_rate: Floats
    rate_published: Bools
    load_kwh: Floats
    solar_kwh: Floats
    terminal_value: TerminalValue
    futures: tuple[Future, ...] = ()
    bursts_kwh: Floats | None = None
    """How far single slots' loads depart from any future's, shape (n_bursts, n_slots): one each of
    `BURST_WEIGHTS`, nothing on average. None: not at all."""
    is_demo: bool = False
    large_kwh: Mapping[str, Floats] = field(default_factory=dict)
    """What of the load are large loads that were forecast apart; to be shown."""

    def __post_init__(self) -> None:
        """Raise ValueError unless every array fits the horizon and every number is sound."""
        shape = (self.horizon.n_slots,)
        for name in ("import_rate", "export_rate", "load_kwh", "solar_kwh"):
            values: Floats = getattr(self, name)
            if values.shape != shape:
                raise ValueError(f"{name} has shape {values.shape}, not {shape}")
            if not np.isfinite(values).all():
                raise ValueError(f"{name} has values that are not finite")
        if self.bursts_kwh is not None and self.bursts_kwh.shape != (len(BURST_WEIGHTS), *shape):
            raise ValueError(f"bursts_kwh has shape {self.bursts_kwh.shape}")
        if self.rate_published.shape != shape:
            raise ValueError(f"rate_published has shape {self.rate_published.shape}, not {shape}")
        if (self.load_kwh < 0).any() or (self.solar_kwh < 0).any():
            raise ValueError("load_kwh and solar_kwh must not be negative")

    @property
    def net_kwh(self) -> Floats:
        """What the house draws before the battery: load less solar [kWh], shape (n_slots,)."""
        return self.load_kwh - self.solar_kwh

    def expects(self, future: Future) -> bool:
        """Whether this future is just what is expected."""
        return np.array_equal(self.load_kwh, future.load_kwh) and np.array_equal(
            self.solar_kwh, future.solar_kwh
        )
