"""Recorded days made into others, with a seed: another household, worse forecasts, loads in spikes.

`python -m battery_optimizer.simulate data` writes them as a file that the backtest reads, and the
referee as well.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, Floats
from battery_optimizer.simulate.days.households import FINE_STEP, HOUSEHOLDS, move_in
from battery_optimizer.simulate.days.recorded import FORECASTS, NEEDED, read_csv
from battery_optimizer.simulate.options import (
    Commands,
    number,
    require_writable,
    whole_number,
)

PER_SLOT: Final = SLOT // FINE_STEP
_STEADY: Final = 0.35
"""Share of a half hour's load that does not come in spikes."""

_WIDER: Final = 1.5
"""How much wider the band of a worse forecast is said to be."""

_LEAST_FACTOR, _MOST_FACTOR = 0.2, 2.0


def worsened(data: pd.DataFrame, spread: float, seed: int) -> pd.DataFrame:
    """Data in the referee's format with a worse solar forecast.

    Each day's p50 is scaled by a random factor of mean 1 and this standard deviation (from 0.2 to
    2), and p10 and p90 lie half as far again from it.
    """
    rng = np.random.default_rng([seed, 2])
    days = np.arange(len(data)) // SLOTS_PER_DAY
    factor = 1 + spread * rng.standard_normal(days[-1] + 1)
    factor = np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR)[days]
    p10, p50, p90 = (data[name].to_numpy(float) for name in FORECASTS)
    middle = p50 * factor
    worse = (middle - _WIDER * (p50 - p10), middle, middle + _WIDER * (p90 - p50))
    columns = zip(FORECASTS, worse, strict=True)
    return data.assign(**{name: np.maximum(values, 0.0).round(4) for name, values in columns})


def spikes(n_slots: int, seed: int) -> Floats:
    """How many times its half hour's load each five minutes draw, shape (n_slots, 6), mean 1.

    A third of it is steady; the rest comes at once in one of the steps, or in two.
    """
    rng = np.random.default_rng([seed, 3])
    shape = np.full((n_slots, PER_SLOT), _STEADY)
    for _ in range(2):
        np.add.at(
            shape,
            (np.arange(n_slots), rng.integers(PER_SLOT, size=n_slots)),
            (1 - _STEADY) * PER_SLOT / 2,
        )
    return shape


def add_data_command(commands: Commands) -> None:
    """Add the command `data`."""
    command = commands.add_parser("data", help=_make.__doc__)
    command.set_defaults(command=_make)
    command.add_argument("--data", type=Path, required=True, help="CSV of half hours to start from")
    command.add_argument("--out", type=Path, required=True, help="CSV to write; .gz compresses it")
    command.add_argument("--household", choices=sorted(HOUSEHOLDS), help="who lives there instead")
    command.add_argument(
        "--worse-solar",
        type=number,
        metavar="SD",
        help="scale each day's solar forecast by a factor of this standard deviation",
    )
    command.add_argument(
        "--seed",
        type=whole_number,
        default=1,
        help="the same seed makes the same file (default %(default)s)",
    )


def _make(options: argparse.Namespace) -> None:
    """Write recorded days made into others: another household, worse solar forecasts."""
    require_writable(options.out)
    data = read_csv(options.data, (*NEEDED, *(FORECASTS if options.worse_solar else ())))
    if options.household:
        data = move_in(data, HOUSEHOLDS[options.household], options.seed)
    if options.worse_solar:
        data = worsened(data, options.worse_solar, options.seed)
    data.to_csv(options.out, index=False)
