"""What flows in a house whose inverter was told something.

The same physics serves the plan's slots, the prices of alternatives and the simulated house.
"""

from dataclasses import dataclass

from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Energy that flowed in a step [kWh], each >= 0; battery on the AC side, grid at the meter.

    `solar_kwh` is what the panels gave, `lost_kwh` what they could have given besides.
    """

    charge_kwh: float
    discharge_kwh: float
    grid_import_kwh: float
    grid_export_kwh: float
    solar_kwh: float
    lost_kwh: float

    @property
    def battery_kwh(self) -> float:
        """Net energy into the battery, AC side, discharge negative."""
        return self.charge_kwh - self.discharge_kwh

    def bill_p(self, import_rate: float, export_rate: float) -> float:
        """What is bought less what is sold, at these rates [p/kWh]."""
        return import_rate * self.grid_import_kwh - export_rate * self.grid_export_kwh


def flows(
    house: House,
    command: InverterCommand,
    *,
    soc_kwh: float,
    load_kwh: float,
    solar_kwh: float,
    hours: float,
) -> Flows:
    """What flows in one step if the command holds throughout it.

    `load_kwh` is what the house draws in the step, `solar_kwh` what the sun would give.
    Solar that neither the house, the battery, nor the meter can take is lost.
    """
    inverter, grid = house.inverter, house.grid
    solar = 0.0 if command.curtail else solar_kwh
    charge, discharge = _moved(house.battery, command, soc_kwh, load_kwh - solar, hours)
    # The rating is shared (C11): where the load is followed the sun goes first, while what the
    # battery is forced to give leaves less for the sun.
    rating = inverter.ac_limit_kw * hours
    discharge = min(discharge, rating if command.mode.is_forced else max(0.0, rating - solar))
    passed = min(solar, rating + charge - discharge)
    at_meter = load_kwh + charge - discharge - passed
    surplus = max(0.0, -at_meter)
    export = min(surplus, grid.export_limit_kw * hours)
    unsold = surplus - export
    # At the export limit the sun is turned down first; a discharge only by what is then left.
    turned_down = min(unsold, passed)
    held_back = unsold - turned_down
    return Flows(
        charge_kwh=charge,
        discharge_kwh=discharge - held_back,
        grid_import_kwh=max(0.0, at_meter),
        grid_export_kwh=export,
        solar_kwh=passed - turned_down,
        lost_kwh=solar_kwh - passed + turned_down,
    )


def _moved(
    battery: Battery, command: InverterCommand, soc_kwh: float, net_kwh: float, hours: float
) -> tuple[float, float]:
    """What the battery is charged and discharged by, apart from what the inverter can pass [kWh].

    `net_kwh` is what the house draws less the sun, AC side.
    """
    floor = max(battery.reserve_kwh, command.floor_kwh or 0.0)
    ceiling = min(
        battery.ceiling_kwh,
        battery.ceiling_kwh if command.ceiling_kwh is None else command.ceiling_kwh,
    )
    room = max(0.0, ceiling - soc_kwh) / battery.charge_efficiency
    stored = max(0.0, soc_kwh - floor) * battery.discharge_efficiency
    most_charge = min(battery.most_charge_kwh(soc_kwh, hours), room)
    most_discharge = min(battery.most_discharge_kwh(soc_kwh, hours), stored)
    match command.mode:
        case Mode.FORCE_CHARGE:
            return min((command.power_kw or 0.0) * hours, most_charge), 0.0
        case Mode.FORCE_DISCHARGE:
            return 0.0, min((command.power_kw or 0.0) * hours, most_discharge)
        case Mode.SELF_USE:
            return min(max(-net_kwh, 0.0), most_charge), min(max(net_kwh, 0.0), most_discharge)
        case Mode.HOLD:
            return min(max(-net_kwh, 0.0), most_charge), 0.0
        case Mode.FEED_IN:
            return 0.0, min(max(net_kwh, 0.0), most_discharge)


def stored_after(battery: Battery, soc_kwh: float, given: Flows, hours: float) -> float:
    """What is stored at the end of a step in which this flowed [kWh]; C2 with its standby draw."""
    return battery.soc_after(
        soc_kwh - battery.standby_kw * hours, given.charge_kwh, given.discharge_kwh
    )
