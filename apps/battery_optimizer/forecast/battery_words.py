"""What was learned of a battery, in words for the household."""

from battery_optimizer.forecast.battery_curves import Curve, along, knee
from battery_optimizer.model.house import Battery


def charge_words(battery: Battery, curve: Curve, top: float, n_readings: int) -> str:
    """Of a charge taper that reaches to `top` [share of capacity]."""
    most_kw = battery.max_charge_kw
    begins, before = knee(curve)
    at_end = along(curve, top) * most_kw
    learned = f"(learned from {n_readings} readings)"
    if begins is None:
        return f"charging reaches {before * most_kw:.1f} of {most_kw:.1f} kW {learned}"
    return (
        f"charging slows above {begins:.0%}: {before * most_kw:.1f} kW falls to {at_end:.1f} kW "
        f"when full {learned}"
    )


def discharge_words(battery: Battery, curve: Curve, bottom: float, n_readings: int) -> str:
    """Of a discharge taper that reaches down to `bottom` [share of capacity]."""
    most_kw = battery.max_discharge_kw
    begins, before = knee([(-x, y) for x, y in reversed(curve)])
    at_end = along(curve, bottom) * most_kw
    learned = f"(learned from {n_readings} readings)"
    if begins is None:
        return f"discharging reaches {before * most_kw:.1f} of {most_kw:.1f} kW {learned}"
    return (
        f"discharging slows below {-begins:.0%}: {before * most_kw:.1f} kW falls to "
        f"{at_end:.1f} kW at the reserve {learned}"
    )


def cold_words(battery: Battery, curve: Curve, n_readings: int) -> str:
    """Of a cold limit: its coldest point."""
    celsius, share = curve[0]
    return (
        f"cold slows charging: {share * battery.max_charge_kw:.1f} of "
        f"{battery.max_charge_kw:.1f} kW at {celsius:.0f} °C (learned from {n_readings} readings)"
    )
