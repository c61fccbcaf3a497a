"""Worlds of one line: a battery, a house, an outlook, and what is planned for them.

The battery is a round one unless said otherwise: 10 kWh, 2 kWh per half hour either way, no losses.
Rates and energies are given per slot, or as one number for all slots.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.plan import Plan, Schedule
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Floats, Horizon
from battery_optimizer.model.wishes import NO_WISHES, Wishes
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.optimize.relaxation import Optimum

MIDNIGHT = datetime(2026, 1, 15, tzinfo=UTC)
"""A winter's day: UTC is also what the clock on the wall shows."""

WATT_HOUR = 1e-3
PENCE = 0.03
"""How far apart two equal costs may be: what is proven, and the order of equal prices."""

PerSlot = float | Sequence[float] | Floats


def a_battery(*, efficiency: float = 1.0, **changes: object) -> Battery:
    """A battery; `efficiency` is that of charging and that of discharging."""
    values = {
        "capacity_kwh": 10.0,
        "max_charge_kw": 4.0,
        "max_discharge_kw": 4.0,
        "charge_efficiency": efficiency,
        "discharge_efficiency": efficiency,
    }
    return Battery(**(values | changes))


def a_house(
    battery: Battery | None = None,
    *,
    ac_limit_kw: float = 1000.0,
    can_curtail: bool = False,
    import_limit_kw: float = 1000.0,
    export_limit_kw: float = 1000.0,
) -> House:
    """A house whose limits are out of the way unless given."""
    return House(
        battery=battery or a_battery(),
        inverter=Inverter(ac_limit_kw=ac_limit_kw, can_curtail=can_curtail),
        grid=GridConnection(import_limit_kw=import_limit_kw, export_limit_kw=export_limit_kw),
    )


def a_horizon(n_slots: int = 4, start: datetime = MIDNIGHT, step: timedelta = SLOT) -> Horizon:
    """Some slots from `start` on."""
    return Horizon(start=start, n_slots=n_slots, step=step)


def an_outlook(  # noqa: PLR0913 (a world has many sides)
    import_rate: PerSlot,
    export_rate: PerSlot = 0.0,
    load_kwh: PerSlot = 0.0,
    solar_kwh: PerSlot = 0.0,
    *,
    end_value: TerminalValue | float = 0.0,
    published: bool | Sequence[bool] = True,
    start: datetime = MIDNIGHT,
    n_slots: int | None = None,
) -> Outlook:
    """Rates [p/kWh] and energies [kWh per slot]; as many slots as there are import rates.

    `end_value` is what energy left at the end is worth [p/kWh, or a whole terminal value].
    """
    n_slots = n_slots or len(np.atleast_1d(import_rate))

    def per_slot(values: PerSlot) -> Floats:
        return np.broadcast_to(np.asarray(values, float), n_slots).copy()

    return Outlook(
        horizon=a_horizon(n_slots, start),
        import_rate=per_slot(import_rate),
        export_rate=per_slot(export_rate),
        rate_published=np.broadcast_to(np.asarray(published, bool), n_slots).copy(),
        load_kwh=per_slot(load_kwh),
        solar_kwh=per_slot(solar_kwh),
        terminal_value=end_value
        if isinstance(end_value, TerminalValue)
        else TerminalValue.flat(end_value),
    )


@cache
def a_planner(settings: PlannerSettings | None = None) -> Planner:
    """One planner for all tests: compiling a program is what takes time."""
    return Planner(settings or PlannerSettings(switching_price_p=0.0))


def optimum_for(  # noqa: PLR0913 (a world has many sides)
    import_rate: PerSlot,
    export_rate: PerSlot = 0.0,
    load_kwh: PerSlot = 0.0,
    solar_kwh: PerSlot = 0.0,
    *,
    house: House | Battery | None = None,
    soc_kwh: float = 0.0,
    wishes: Wishes = NO_WISHES,
    **outlook: object,
) -> Optimum:
    """The best schedule for a world given in one line, with its proof."""
    world = an_outlook(import_rate, export_rate, load_kwh, solar_kwh, **outlook)
    return a_planner().optimum(_house(house), world, soc_kwh, wishes)


def schedule_for(*args: object, **world: object) -> Schedule:
    """The best schedule for a world as `optimum_for` takes it."""
    return optimum_for(*args, **world).schedule


def plan_for(  # noqa: PLR0913 (a world has many sides)
    import_rate: PerSlot,
    export_rate: PerSlot = 0.0,
    load_kwh: PerSlot = 0.0,
    solar_kwh: PerSlot = 0.0,
    *,
    house: House | Battery | None = None,
    soc_kwh: float = 0.0,
    wishes: Wishes = NO_WISHES,
    in_force: InverterCommand | None = None,
    settings: PlannerSettings | None = None,
    **outlook: object,
) -> Plan:
    """The plan for a world given in one line."""
    world = an_outlook(import_rate, export_rate, load_kwh, solar_kwh, **outlook)
    return a_planner(settings).plan(_house(house), world, soc_kwh, in_force=in_force, wishes=wishes)


def _house(house: House | Battery | None) -> House:
    return house if isinstance(house, House) else a_house(house)
