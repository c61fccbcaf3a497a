"""The simulated inverter as Home Assistant shows it through foxess_modbus: entities and services.

Names, units and answers are those that the real integration gave. Faults are not here: they can be
put between these and whoever reads and calls them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from battery_optimizer.model.entity import EntityState, finite
from battery_optimizer.simulate.inverter import OPTIONS, SimulatedInverter

GREATEST_FORCE_KW: Final = 15.0
"""The largest Fox ESS; a smaller AC rating goes before it."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor: the ending of its id, what it shows, and how."""

    ending: str
    unit: str
    value: Callable[[SimulatedInverter], float]
    decimals: int = 3

    @property
    def attributes(self) -> dict[str, object]:
        """As Home Assistant shows them; the kind follows from the unit."""
        kind, state_class = _KINDS[self.unit]
        return {
            "unit_of_measurement": self.unit,
            "device_class": kind,
            "state_class": state_class,
            "friendly_name": self.ending.replace("_", " ").title(),
        }


_KINDS: Final = {
    "kW": ("power", "measurement"),
    "kWh": ("energy", "total"),
    "%": ("battery", "measurement"),
    "°C": ("temperature", "measurement"),
}

SENSORS: Final = (
    Sensor(
        ending="battery_soc",
        unit="%",
        value=lambda fox: 100 * fox.soc_kwh / fox.house.battery.capacity_kwh,
        decimals=0,
    ),
    Sensor(ending="battery_temp", unit="°C", value=lambda fox: fox.temperature_c, decimals=1),
    Sensor(ending="bms_kwh_remaining", unit="kWh", value=lambda fox: fox.soc_kwh, decimals=2),
    Sensor(ending="load_power", unit="kW", value=lambda fox: fox.readings.load_kw),
    Sensor(ending="pv_power", unit="kW", value=lambda fox: fox.readings.solar_kw),
    Sensor(ending="battery_charge", unit="kW", value=lambda fox: fox.readings.charge_kw),
    Sensor(ending="battery_discharge", unit="kW", value=lambda fox: fox.readings.discharge_kw),
    Sensor(ending="grid_consumption", unit="kW", value=lambda fox: fox.readings.grid_import_kw),
    Sensor(ending="feed_in", unit="kW", value=lambda fox: fox.readings.grid_export_kw),
    Sensor(
        ending="invbatpower",
        unit="kW",
        value=lambda fox: fox.readings.discharge_kw - fox.readings.charge_kw,
    ),
    Sensor(
        ending="grid_ct",
        unit="kW",
        value=lambda fox: fox.readings.grid_export_kw - fox.readings.grid_import_kw,
    ),
    Sensor(
        ending="load_power_total", unit="kWh", value=lambda fox: fox.counters.load_kwh, decimals=2
    ),
    Sensor(
        ending="solar_energy_total",
        unit="kWh",
        value=lambda fox: fox.counters.solar_kwh,
        decimals=2,
    ),
    Sensor(
        ending="battery_charge_total",
        unit="kWh",
        value=lambda fox: fox.counters.charge_kwh,
        decimals=2,
    ),
    Sensor(
        ending="battery_discharge_total",
        unit="kWh",
        value=lambda fox: fox.counters.discharge_kwh,
        decimals=2,
    ),
    Sensor(
        ending="grid_consumption_energy_total",
        unit="kWh",
        value=lambda fox: fox.counters.grid_import_kwh,
        decimals=2,
    ),
    Sensor(
        ending="feed_in_energy_total",
        unit="kWh",
        value=lambda fox: fox.counters.grid_export_kwh,
        decimals=2,
    ),
)


class SimulatedFoxEss:
    """Entities and services around a simulated inverter; `prefix` as the user would choose it."""

    def __init__(self, inverter: SimulatedInverter, *, prefix: str = "foxess") -> None:
        stem = f"{prefix}_" if prefix else ""
        self.inverter = inverter
        self.select_id = f"select.{stem}work_mode"
        self.charge_power_id = f"number.{stem}force_charge_power"
        self.discharge_power_id = f"number.{stem}force_discharge_power"
        self.soc_kwh_id = f"sensor.{stem}bms_kwh_remaining"
        self._sensor_stem = f"sensor.{stem}"

    def entities(self) -> dict[str, EntityState]:
        """Every entity as it shows now, by its id."""
        fox = self.inverter
        return {
            self.select_id: EntityState(
                state=fox.option,
                attributes={"options": list(OPTIONS), "friendly_name": "Work Mode"},
            ),
            self.charge_power_id: self._number(fox.force_charge_kw, "Force Charge Power"),
            self.discharge_power_id: self._number(fox.force_discharge_kw, "Force Discharge Power"),
            **{
                f"{self._sensor_stem}{sensor.ending}": EntityState(
                    state=_shown(sensor.value(fox), sensor.decimals),
                    attributes=sensor.attributes,
                )
                for sensor in SENSORS
            },
        }

    def call(self, service: str, data: dict[str, Any]) -> Answer:
        """Do a service call such as `select/select_option`; the answer says `success` or why not.

        As in Home Assistant, a call for an entity that does not exist succeeds and does nothing.
        """
        target = (service, data.get("entity_id"))
        if target == ("select/select_option", self.select_id):
            return self._select(str(data.get("option")))
        if target == ("number/set_value", self.charge_power_id):
            return self._set_power("force_charge_kw", data.get("value"))
        if target == ("number/set_value", self.discharge_power_id):
            return self._set_power("force_discharge_kw", data.get("value"))
        return _success()

    @property
    def most_kw(self) -> float:
        """Greatest force power [kW]."""
        return min(self.inverter.house.inverter.ac_limit_kw, GREATEST_FORCE_KW)

    def _select(self, option: str) -> Answer:
        try:
            self.inverter.select(option)
        except ValueError:
            return _refused(
                f"Option {option} is not valid for entity {self.select_id}, "
                f"valid options are: {', '.join(OPTIONS)}."
            )
        return _success()

    def _set_power(self, field: str, value: object) -> Answer:
        power_kw = finite(value)
        if power_kw is None or not 0 <= power_kw <= self.most_kw:
            return _refused(f"Value {value} is outside valid range 0 - {self.most_kw:g}")
        setattr(self.inverter, field, power_kw)
        return _success()

    def _number(self, value_kw: float, name: str) -> EntityState:
        return EntityState(
            state=_shown(value_kw, 3),
            attributes={
                "min": 0.0,
                "max": self.most_kw,
                "step": 0.001,
                "mode": "box",
                "unit_of_measurement": "kW",
                "device_class": "power",
                "friendly_name": name,
            },
        )


def _shown(value: float, decimals: int) -> str:
    return str(round(value, decimals) if decimals else round(value))


def _success() -> Answer:
    return {"success": True, "result": {}, "ad_status": "OK"}


def _refused(message: str) -> Answer:
    error = {"code": "service_validation_error", "message": message}
    return {"success": False, "error": error, "ad_status": "OK"}
