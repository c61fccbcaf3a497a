"""A made-up world of any size, the same on any machine, to measure growth by."""

from datetime import UTC, datetime, timedelta

import numpy as np

from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.slots import HOUR, SLOT, Horizon
from battery_optimizer.simulate.bench.case import Case


def made_up(hours: int, step_minutes: int) -> Case:
    """A plausible world of any size from midnight on: a family, 4 kW of panels, an Agile tariff."""
    rng = np.random.default_rng(1)
    step = timedelta(minutes=step_minutes)
    n_slots = round(hours * HOUR / step)
    clock = np.arange(n_slots) * (step / HOUR) % 24
    half_hours = np.arange(hours * 2) / 2 % 24
    rate = 19 - 7 * np.cos((half_hours - 15) / 24 * 2 * np.pi) * (half_hours < 7)  # noqa: PLR2004
    rate += np.where((half_hours >= 16) & (half_hours < 19), 15.0, 0.0)  # noqa: PLR2004
    rate = np.repeat(rate + rng.normal(0, 1.5, len(rate)), SLOT // step)
    load_kw = 0.3 + 0.4 * np.exp(-((clock - 7.5) ** 2)) + 0.9 * np.exp(-((clock - 18) ** 2) / 4)
    sun_kw = 2.8 * np.maximum(0, np.sin((clock - 7) / 11 * np.pi)) * (clock > 7) * (clock < 18)  # noqa: PLR2004
    return Case(
        name=f"{hours} h at {step_minutes} min",
        house=House(
            battery=Battery(
                capacity_kwh=10.4, reserve_kwh=1.04, max_charge_kw=3.68, max_discharge_kw=3.68
            ),
            inverter=Inverter(),
            grid=GridConnection(export_limit_kw=6.0),
        ),
        outlook=Outlook(
            horizon=Horizon(start=datetime(2026, 3, 10, tzinfo=UTC), n_slots=n_slots, step=step),
            import_rate=rate,
            export_rate=0.6 * rate,
            rate_published=np.ones(n_slots, bool),
            load_kwh=load_kw * rng.uniform(0.6, 1.4, n_slots) * (step / HOUR),
            solar_kwh=sun_kw * rng.uniform(0.5, 1.0, n_slots) * (step / HOUR),
            terminal_value=TerminalValue.flat(12.0),
        ),
        soc_kwh=5.2,
    )
