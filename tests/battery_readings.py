"""Nights of a battery that is told all its power, as the store would give them back."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from battery_optimizer.model.flows import flows
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.telemetry import BatteryReadings

STEP_H = 1 / 12
NIGHT_S = 86400.0
FIRST_S = 1_800_000_000 // NIGHT_S * NIGHT_S + 2 * 3600

Row = tuple[float, ...]


def readings(  # noqa: PLR0913 (a night has many sides)
    house: House,
    mode: Mode = Mode.FORCE_CHARGE,
    *,
    nights: int = 8,
    noise: float = 0.0,
    celsius: float | list[float] = 20.0,
    asked_kw: float | None = None,
    from_share: float | None = None,
    **columns: float,
) -> BatteryReadings:
    """Every five minutes of `nights`, each from empty to full, or from full to empty.

    The battery does as `house` is; it is asked for its greatest power if not for `asked_kw`.
    Sensors are off by a `noise` [share], and states of charge whole percents. `celsius` is of all
    nights or of each; `columns` are what sun and meter show.
    """
    random = np.random.default_rng(4)
    rows: list[Row] = []
    for night in range(nights):
        warmth = celsius if isinstance(celsius, float | int) else celsius[night]
        battery = house.battery.at_temperature(warmth)
        start = _start(house.battery, mode, from_share) * (1 + 0.004 * (night % 7))
        for minutes, asked, given, before, after in _night(
            replace(house, battery=battery), mode, start, asked_kw or _most(house.battery, mode)
        ):
            shown = given * (1 + noise * random.standard_normal())
            sign = -1 if mode is Mode.FORCE_CHARGE else 1
            rows.append(
                (
                    FIRST_S + night * NIGHT_S + minutes * 60,
                    STEP_H,
                    sign * asked,
                    sign * shown,
                    _whole_percent(before, battery),
                    _whole_percent(after, battery),
                    columns.get("solar_kw", 0.0),
                    columns.get("grid_kw", sign * -shown),
                    warmth,
                )
            )
    return BatteryReadings.of_rows(rows)


def joined(*parts: BatteryReadings) -> BatteryReadings:
    """All of them, as of one battery."""
    names = vars(parts[0])
    return BatteryReadings(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    )


def _night(
    house: House, mode: Mode, soc_kwh: float, asked_kw: float
) -> Iterator[tuple[float, float, float, float, float]]:
    """Minute, power asked, power given at the end of a step, stored energy before and after."""
    battery = house.battery
    for step in range(1, 60):
        before = soc_kwh
        for _ in range(5):
            given = flows(
                house,
                InverterCommand(mode=mode, power_kw=asked_kw),
                soc_kwh=soc_kwh,
                load_kwh=0.0,
                solar_kwh=0.0,
                hours=1 / 60,
            )
            soc_kwh = battery.soc_after(soc_kwh, given.charge_kwh, given.discharge_kwh)
        power_kw = abs(given.battery_kwh) * 60
        yield step * 5, asked_kw, power_kw, before, soc_kwh


def _most(battery: Battery, mode: Mode) -> float:
    return battery.max_charge_kw if mode is Mode.FORCE_CHARGE else battery.max_discharge_kw


def _start(battery: Battery, mode: Mode, share: float | None) -> float:
    if share is not None:
        return share * battery.capacity_kwh
    return battery.reserve_kwh if mode is Mode.FORCE_CHARGE else 0.97 * battery.capacity_kwh


def _whole_percent(soc_kwh: float, battery: Battery) -> float:
    return round(soc_kwh / battery.capacity_kwh, 2) * battery.capacity_kwh
