"""The house of a HOME.json, as the benchmark has it."""

import json
from pathlib import Path
from typing import NamedTuple

from battery_optimizer.errors import DataError
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.simulate.files import reading_json


class HomeFile(NamedTuple):
    """A house, its peak solar power [kW], and what its battery holds at the start [kWh]."""

    house: House
    pv_kwp: float
    start_soc_kwh: float


class Numbers:
    """What a file gives; TypeError for anything but a number under the key that is asked for."""

    def __init__(self, given: object) -> None:
        if not isinstance(given, dict):
            raise TypeError("it must be one object, {...}")
        self.given = given

    def __getitem__(self, key: str) -> float:
        value = self.given[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{key} must be a number, not {value!r}")
        return value


def read_home(path: Path) -> HomeFile:
    """What the file says; DataError where that is no house.

    `can_curtail` is true unless the file says otherwise, since the benchmark allows it.
    """
    with reading_json(path):
        home = Numbers(json.loads(path.read_text()))
        house = House(
            battery=Battery(
                capacity_kwh=home["capacity_kwh"],
                reserve_kwh=home["reserve_kwh"],
                max_charge_kw=home["charge_kw"],
                max_discharge_kw=home["discharge_kw"],
                charge_efficiency=home["charge_efficiency"],
                discharge_efficiency=home["discharge_efficiency"],
            ),
            inverter=Inverter(can_curtail=home.given.get("can_curtail", True)),
            grid=GridConnection(
                import_limit_kw=home["import_limit_kw"], export_limit_kw=home["export_limit_kw"]
            ),
        )
        pv_kwp, start_soc_kwh = float(home["pv_kwp"]), float(home["start_soc_kwh"])
    capacity_kwh = house.battery.capacity_kwh
    if not 0 <= start_soc_kwh <= capacity_kwh:
        raise DataError(
            f"{path}: start_soc_kwh must be from 0 to capacity_kwh, {capacity_kwh:g}, "
            f"not {start_soc_kwh:g}"
        )
    if not pv_kwp >= 0:
        raise DataError(f"{path}: pv_kwp must be 0 or more, not {pv_kwp:g}")
    return HomeFile(house, pv_kwp, start_soc_kwh)
