"""A house whose meters agree as real ones do: losses, bursts, readings at other moments."""

import numpy as np

from battery_optimizer.model.slots import Floats

LOAD, SOLAR, BATTERY, GRID = range(4)
CAPACITY_KWH = 10.0
_STEPS = 6
"""Readings of a half hour."""


def metered_flows(n_days: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Load, solar, battery and grid [kW average per half hour], (4, n), and what is stored [kWh].

    The battery charges by night and serves the house by day. Sun and battery are metered on the DC
    side of an inverter that draws 60 W; the load is read five minutes before the grid.
    """
    rng = np.random.default_rng(seed)
    n_steps = n_days * 48 * _STEPS
    hour = np.arange(n_steps) / (2 * _STEPS) % 24
    kettle = np.where(rng.random(n_steps) < 0.03, rng.uniform(1.0, 8.0, n_steps), 0.0)
    evening = 0.5 * np.exp(-(((hour - 18.5) / 2) ** 2))
    load = 0.2 + 0.1 * (rng.random(n_steps) < 0.4) + evening + kettle * (hour > 6)
    clouds = np.repeat(rng.uniform(0.2, 1.0, n_steps // _STEPS), _STEPS)
    sun = np.maximum(3.5 * np.cos((hour - 12.5) / 15 * np.pi), 0.0) * clouds
    sun *= rng.uniform(0.7, 1.3, n_steps)
    flows, stored_kwh = np.empty((4, n_steps)), np.empty(n_steps)
    kwh = CAPACITY_KWH / 2
    for step in range(n_steps):
        need = load[step] + 0.06 - sun[step]
        wanted = -3.0 if 2 <= hour[step] < 4 else need
        most, least = 12 * 0.95 * kwh, -12 * (CAPACITY_KWH - kwh) / 0.95
        battery = float(np.clip(wanted, max(least, -4.0), min(most, 4.0)))
        kwh -= battery / 12 / 0.95 if battery > 0 else battery / 12 * 0.95
        dc = battery / 0.96 if battery > 0 else battery * 0.96
        flows[:, step] = load[step - 1], sun[step] / 0.96, dc, need - battery
        stored_kwh[step] = kwh
    percent = np.round(stored_kwh[_STEPS - 1 :: _STEPS] / CAPACITY_KWH, 2)
    return flows.reshape(4, -1, _STEPS).mean(axis=2), percent * CAPACITY_KWH
