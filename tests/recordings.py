"""Made-up recorded days in the benchmark's format, small enough to be played in a test."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

HOME: dict[str, float] = {
    "capacity_kwh": 10.0,
    "reserve_kwh": 1.0,
    "charge_kw": 3.6,
    "discharge_kw": 3.6,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "export_limit_kw": 6.0,
    "import_limit_kw": 20.0,
    "pv_kwp": 3.0,
    "start_soc_kwh": 5.0,
}


def recorded_days(start: str = "2026-01-14", n_slots: int = 3 * 48, seed: int = 1) -> pd.DataFrame:
    """Half hours from `start` (UTC): cheap nights, dear evenings, sun at noon, a busy house."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=n_slots, freq="30min", tz="UTC")
    local = times.tz_convert("Europe/London")
    hour = local.hour + local.minute / 60
    import_p = 18 + 4 * rng.normal(size=n_slots)
    import_p = np.where(hour < 5, import_p - 10, import_p)
    import_p = np.where((hour >= 16) & (hour < 19), import_p + 15, import_p)
    pv = np.maximum(0, np.sin(np.pi * (hour - 8) / 8)) * (hour > 8) * (hour < 16)
    load = 0.15 + 0.35 * ((hour >= 17) & (hour < 22)) + 0.1 * rng.random(n_slots)
    return pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "import_p": np.round(import_p, 2),
            "export_p": np.round(0.5 * import_p, 2),
            "load_kwh": np.round(load, 3),
            "pv_per_kwp": np.round(pv * rng.uniform(0.3, 0.9), 3),
            "fc_p10_per_kwp": np.round(pv * 0.3, 3),
            "fc_p50_per_kwp": np.round(pv * 0.6, 3),
            "fc_p90_per_kwp": np.round(pv * 0.8, 3),
        }
    )


def written(table: pd.DataFrame, folder: Path, name: str = "data.csv") -> Path:
    """The table as a file."""
    path = folder / name
    table.to_csv(path, index=False)
    return path


def a_home(folder: Path, **changes: float | None) -> Path:
    """A HOME.json; a value of None leaves its key out."""
    home = {name: value for name, value in (HOME | changes).items() if value is not None}
    path = folder / "home.json"
    path.write_text(json.dumps(home))
    return path
