"""What a program is told: an outlook, a house and some wishes as arrays of equal length."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.wishes import NO_WISHES, Override, Wishes

N_TERMINAL_LINES = 6
"""Most lines that a terminal value may have (C21)."""

ORDER_P_PER_KWH = 2e-3
"""What decides between slots of equal price, too little to decide anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramInputs:
    """The parameters of `program`; each array of shape (n_slots,) where not said otherwise."""

    PER_SLOT: ClassVar[tuple[str, ...]] = (
        "import_rate", "export_rate", "load_kwh", "solar_kwh", "hours", "standby_kwh",
        "charge_limit_kwh", "discharge_limit_kwh", "charge_wanted_kwh", "discharge_wanted_kwh",
        "curtail_limit_kwh", "import_limit_kwh", "export_limit_kwh", "ac_limit_kwh",
        "reserve_kwh", "target_kwh", "ceiling_kwh", "charge_cost", "discharge_cost",
        "reserve_price", "target_price", "fuse_price", "override_price",
        "surplus_charge_kwh", "load_discharge_kwh", "import_most_kwh",
    )  # fmt: skip

    import_rate: Floats
    export_rate: Floats
    load_kwh: Floats
    solar_kwh: Floats
    hours: Floats
    standby_kwh: Floats
    charge_limit_kwh: Floats
    discharge_limit_kwh: Floats
    charge_wanted_kwh: Floats
    """Charge that a person ordered (C25)."""
    discharge_wanted_kwh: Floats
    curtail_limit_kwh: Floats
    import_limit_kwh: Floats
    export_limit_kwh: Floats
    ac_limit_kwh: Floats
    reserve_kwh: Floats
    target_kwh: Floats
    ceiling_kwh: Floats
    charge_cost: Floats
    """[p/kWh]: only the order of equal prices."""
    discharge_cost: Floats
    """[p/kWh]: wear, and the order of equal prices."""
    reserve_price: Floats
    target_price: Floats
    fuse_price: Floats
    override_price: Floats
    surplus_charge_kwh: Floats
    """Most that can be charged while the meter runs backward."""
    load_discharge_kwh: Floats
    """Most that can be discharged while the meter runs forward."""
    import_most_kwh: Floats
    """Most that the house and the battery together could draw."""
    start_soc_kwh: Floats
    """Shape (1,)."""
    terminal_intercept_p: Floats
    """Shape (N_TERMINAL_LINES,)."""
    terminal_slope_p_per_kwh: Floats


def program_inputs(
    house: House, outlook: Outlook, soc_kwh: float, wishes: Wishes = NO_WISHES
) -> ProgramInputs:
    """The program's parameters for one plan; `soc_kwh` is the energy stored now [kWh]."""
    battery, grid = house.battery, house.grid
    hours, load, solar = outlook.horizon.hours, outlook.load_kwh, outlook.solar_kwh
    n_slots = len(hours)
    surplus = np.maximum(solar - load, 0.0)
    export_limit = grid.export_limit_kw * hours
    if not wishes.battery_may_export:  # C23
        export_limit = np.minimum(export_limit, surplus)
    charge_limit = battery.max_charge_kw * hours
    if wishes.max_grid_charge_p_per_kwh is not None:  # C24
        dear = outlook.import_rate > wishes.max_grid_charge_p_per_kwh
        charge_limit = np.where(dear, np.minimum(charge_limit, surplus), charge_limit)
    discharge_limit = battery.max_discharge_kw * hours
    ordered = _orders(outlook, wishes.overrides, charge_limit, discharge_limit)
    curtail_limit = _curtail_limit(house, outlook)
    # Missing a wish must cost more than any rate could pay for missing it.
    dearest = 100.0 + 2 * float(
        max(np.abs(outlook.import_rate).max(), np.abs(outlook.export_rate).max())
    )
    target, target_price = _targets(outlook, wishes)
    lines = _padded(outlook.terminal_value)
    return ProgramInputs(
        import_rate=outlook.import_rate,
        export_rate=outlook.export_rate,
        load_kwh=load,
        solar_kwh=solar,
        hours=hours,
        standby_kwh=battery.standby_kw * hours,
        charge_limit_kwh=ordered.charge_limit,
        discharge_limit_kwh=ordered.discharge_limit,
        charge_wanted_kwh=ordered.charge_wanted,
        discharge_wanted_kwh=ordered.discharge_wanted,
        curtail_limit_kwh=curtail_limit,
        import_limit_kwh=grid.import_limit_kw * hours,
        export_limit_kwh=export_limit,
        ac_limit_kwh=house.inverter.ac_limit_kw * hours,
        reserve_kwh=np.full(n_slots, battery.reserve_kwh),
        target_kwh=target,
        # A battery fuller than wanted (C5) may empty at its leisure: never infeasible.
        ceiling_kwh=np.full(n_slots, max(battery.ceiling_kwh, soc_kwh)),
        charge_cost=_charge_order(outlook),
        discharge_cost=battery.wear_p_per_kwh + ORDER_P_PER_KWH * np.arange(n_slots) / n_slots,
        reserve_price=np.full(n_slots, dearest),
        target_price=target_price,
        fuse_price=np.full(n_slots, dearest),
        override_price=np.full(n_slots, dearest),
        surplus_charge_kwh=np.minimum(ordered.charge_limit, surplus),
        load_discharge_kwh=np.minimum(
            ordered.discharge_limit, np.maximum(load - solar + curtail_limit, 0.0)
        ),
        import_most_kwh=load + ordered.charge_limit,
        start_soc_kwh=np.array([soc_kwh]),
        terminal_intercept_p=lines.intercept_p,
        terminal_slope_p_per_kwh=lines.slope_p_per_kwh,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    charge_limit: Floats
    discharge_limit: Floats
    charge_wanted: Floats
    discharge_wanted: Floats


def _orders(
    outlook: Outlook, overrides: tuple[Override, ...], charge: Floats, discharge: Floats
) -> _Orders:
    """C25: in the slots of an override the battery does what its mode does, as far as it can."""
    charge, discharge = charge.copy(), discharge.copy()
    charge_wanted, discharge_wanted = np.zeros_like(charge), np.zeros_like(discharge)
    net = outlook.net_kwh
    for override in overrides:
        for t, start in enumerate(outlook.horizon.starts):
            if not override.start <= start < override.end:
                continue
            power = (override.command.power_kw or 0.0) * outlook.horizon.hours[t]
            most_charge, most_discharge = {
                Mode.SELF_USE: (max(-net[t], 0.0), max(net[t], 0.0)),
                Mode.HOLD: (max(-net[t], 0.0), 0.0),
                Mode.FEED_IN: (0.0, max(net[t], 0.0)),
                Mode.FORCE_CHARGE: (power, 0.0),
                Mode.FORCE_DISCHARGE: (0.0, power),
            }[override.command.mode]
            charge[t] = charge_wanted[t] = min(charge[t], most_charge)
            discharge[t] = discharge_wanted[t] = min(discharge[t], most_discharge)
    return _Orders(
        charge_limit=charge,
        discharge_limit=discharge,
        charge_wanted=charge_wanted,
        discharge_wanted=discharge_wanted,
    )


def _curtail_limit(house: House, outlook: Outlook) -> Floats:
    """All of the sun where the inverter can be told to; else only what nothing can take (C14)."""
    solar, hours = outlook.solar_kwh, outlook.horizon.hours
    if house.inverter.can_curtail:
        return solar
    sellable = outlook.load_kwh + house.grid.export_limit_kw * hours
    return np.maximum(solar - np.minimum(house.inverter.ac_limit_kw * hours, sellable), 0.0)


def _targets(outlook: Outlook, wishes: Wishes) -> tuple[Floats, Floats]:
    """C22: energy wanted at each slot's end [kWh], and what missing it costs [p/kWh]."""
    horizon = outlook.horizon
    wanted, price = np.zeros(horizon.n_slots), np.zeros(horizon.n_slots)
    for target in wishes.targets:
        if horizon.start < target.by <= horizon.end:
            # The last boundary that is not after the moment.
            t = max(0, horizon.index_of(target.by) - 1) if target.by < horizon.end else -1
            if target.soc_kwh > wanted[t]:
                wanted[t], price[t] = target.soc_kwh, target.price_p_per_kwh
    return wanted, price


def _charge_order(outlook: Outlook) -> Floats:
    """What decides between equal prices: late, since sun may come.

    But where a rate is only our forecast, it may rise: so before that, and there early.
    """
    n_slots = outlook.horizon.n_slots
    position = np.arange(n_slots) / n_slots
    return ORDER_P_PER_KWH * np.where(outlook.rate_published, 1.0 - position, 1.0 + position)


def _padded(value: TerminalValue) -> TerminalValue:
    missing = N_TERMINAL_LINES - len(value.intercept_p)
    if missing < 0:
        raise ValueError(f"a terminal value has at most {N_TERMINAL_LINES} lines")
    return TerminalValue(
        intercept_p=np.pad(value.intercept_p, (0, missing), mode="edge"),
        slope_p_per_kwh=np.pad(value.slope_p_per_kwh, (0, missing), mode="edge"),
    )
