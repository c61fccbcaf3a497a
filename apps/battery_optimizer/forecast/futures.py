"""A few ways that load and sun may turn out together, from the bands that they are expected in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from battery_optimizer.model.outlook import Future
from battery_optimizer.model.settings import Attitude
from battery_optimizer.model.slots import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What is expected in each slot [kWh], shape (n_slots,) each; quantiles of a slot by itself."""

    mean_kwh: Floats
    p10_kwh: Floats
    p90_kwh: Floats
    bursts_kwh: Floats | None = None
    """How each part of the slot's distribution departs from the mean, shape (n_bursts, n_slots), as
    in `Outlook`; None where it is certain, or not a load's."""
    large_kwh: Mapping[str, Floats] = field(default_factory=dict)
    """What of a load's mean are large loads that were forecast apart."""

    @classmethod
    def certain(cls, kwh: Floats) -> Self:
        """A band of no width."""
        return cls(mean_kwh=kwh, p10_kwh=kwh, p90_kwh=kwh)

    def shifted(self, share: float) -> Floats:
        """The mean moved a share of the way to p90 (positive) or to p10 (negative) [kWh]."""
        towards = self.p90_kwh if share > 0 else self.p10_kwh
        return np.maximum(self.mean_kwh + abs(share) * (towards - self.mean_kwh), 0.0)


_WEIGHTS: Final[Mapping[Attitude, tuple[float, float, float]]] = {
    Attitude.THRIFTY: (0.0, 1.0, 0.0),
    Attitude.BALANCED: (0.3, 0.4, 0.3),
    Attitude.CAUTIOUS: (0.45, 0.4, 0.15),
}
"""Weights of a short, a usual and an ample future. Balanced is Swanson's rule for p10, p50 and p90
(Keefer and Bodily, "Three-point approximations for continuous random variables", 1983)."""

_LOAD_SHARE: Final = 0.3
"""A day's load departs by about this share of what its single half hours do: 0.19 to 0.49 on five
homes; the rest are bursts. A dull day is dull throughout, so the sun's departs in full."""

_BURST_SHARE: Final = (1 - _LOAD_SHARE**2) ** 0.5
"""What the levels leave of the load's spread to single slots: independent parts add in squares."""


def make_futures(load: Band, solar: Band, attitude: Attitude) -> tuple[Future, ...]:
    """C28: short (more load, less sun), usual and ample; none where everything is certain."""
    short, usual, ample = _WEIGHTS[attitude]
    certain = np.array_equal(load.p10_kwh, load.p90_kwh) and np.array_equal(
        solar.p10_kwh, solar.p90_kwh
    )
    if certain or usual == 1.0:
        return ()
    return (
        Future(weight=short, load_kwh=load.shifted(_LOAD_SHARE), solar_kwh=solar.shifted(-1.0)),
        Future(weight=usual, load_kwh=load.mean_kwh, solar_kwh=solar.mean_kwh),
        Future(weight=ample, load_kwh=load.shifted(-_LOAD_SHARE), solar_kwh=solar.shifted(1.0)),
    )


def make_bursts(load: Band) -> Floats | None:
    """What of a load's band is the bursts of single slots [kWh], as in `Outlook`."""
    return None if load.bursts_kwh is None else _BURST_SHARE * load.bursts_kwh
