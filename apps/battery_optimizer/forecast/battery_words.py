"""What was learned of a battery, in words for the household."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from battery_optimizer.forecast.battery_curves import Curve, along, knee
from battery_optimizer.model.house import Battery


def _charging(battery: Battery, n_readings: int) -> str:
    return _slowing(
        "charging",
        "above",
        battery.charge_taper,
        most_kw=battery.max_charge_kw,
        end=battery.ceiling_kwh / battery.capacity_kwh,
        n_readings=n_readings,
    )


def _discharging(battery: Battery, n_readings: int) -> str:
    return _slowing(
        "discharging",
        "below",
        tuple((-x, share) for x, share in reversed(battery.discharge_taper)),
        most_kw=battery.max_discharge_kw,
        end=-battery.reserve_kwh / battery.capacity_kwh,
        n_readings=n_readings,
    )


def _slowing(
    what: str, side: str, curve: Curve, *, most_kw: float, end: float, n_readings: int
) -> str:
    begins, before = knee(curve)
    learned = f"(learned from {n_readings} readings)"
    if begins is None:
        return f"{what} reaches {before * most_kw:.1f} of {most_kw:.1f} kW {learned}"
    return (
        f"{what} slows {side} {abs(begins):.0%}: {before * most_kw:.1f} kW falls to "
        f"{along(curve, end) * most_kw:.1f} kW when {'full' if side == 'above' else 'empty'} "
        f"{learned}"
    )


def _cold(battery: Battery, n_readings: int) -> str:
    celsius, share = battery.cold_limit[0]
    return (
        f"cold slows charging: {share * battery.max_charge_kw:.1f} of "
        f"{battery.max_charge_kw:.1f} kW at {celsius:.0f} °C (learned from {n_readings} readings)"
    )


WORDS: Final[Mapping[str, Callable[[Battery, int], str]]] = MappingProxyType(
    {"cold_limit": _cold, "charge_taper": _charging, "discharge_taper": _discharging}
)
"""A sentence for each curve, from the battery that has it and how many readings it is made of."""
