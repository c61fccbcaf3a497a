"""The simulated inverter as Home Assistant shows it through foxess_modbus: entities and services.

Names, units and answers are those that the real integration gave.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from battery_optimizer.model.entity import EntityState, finite
from battery_optimizer.simulate.home.fox_periods import UPDATE, ChargePeriod, PeriodEntities
from battery_optimizer.simulate.home.inverter import (
    MOST_AMPERES,
    NATURAL_MODES,
    OPTIONS,
    SimulatedInverter,
)

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


class Integration(Protocol):
    """What stands between the entities and the inverter."""

    @property
    def seen(self) -> SimulatedInverter:
        """The inverter that the sensors show."""

    @property
    def option(self) -> str:
        """What the select says."""

    def number(self, field: str) -> float:
        """What a number says, by the inverter's name for it."""

    def select(self, option: str) -> Answer:
        """Take on a mode that there is."""

    def set_number(self, field: str, value: float) -> Answer:
        """Take on a number that is in range."""

    def set_periods(self, periods: tuple[ChargePeriod, ...]) -> Answer:
        """Write the charge periods."""

    def shown(self, entities: Mapping[str, EntityState]) -> dict[str, EntityState]:
        """The entities as Home Assistant has them."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Nothing in between: each call is done at once, and what is shown is true."""

    seen: SimulatedInverter

    @property
    def option(self) -> str:
        """The mode."""
        return self.seen.option

    def number(self, field: str) -> float:
        """The number."""
        return float(getattr(self.seen, field))

    def select(self, option: str) -> Answer:
        """Set the mode."""
        self.seen.select(option)
        return done()

    def set_number(self, field: str, value: float) -> Answer:
        """Set the number."""
        setattr(self.seen, field, value)
        return done()

    def set_periods(self, periods: tuple[ChargePeriod, ...]) -> Answer:
        """Write them."""
        self.seen.periods = periods
        return done()

    def shown(self, entities: Mapping[str, EntityState]) -> dict[str, EntityState]:
        """As they are."""
        return dict(entities)


class SimulatedFoxEss:
    """Entities and services around a simulated inverter; `prefix` as the user would choose it.

    By itself it is without fault; the tests have an `Integration` with the delays and traps of the
    real one.
    """

    def __init__(
        self,
        inverter: SimulatedInverter,
        *,
        prefix: str = "foxess",
        integration: Integration | None = None,
        has_force_modes: bool = True,
    ) -> None:
        stem = f"{prefix}_" if prefix else ""
        self.inverter = inverter
        self.integration = integration or Direct(inverter)
        self.select_id = f"select.{stem}work_mode"
        self.charge_power_id = f"number.{stem}force_charge_power"
        self.discharge_power_id = f"number.{stem}force_discharge_power"
        self.soc_kwh_id = f"sensor.{stem}bms_kwh_remaining"
        self.options = OPTIONS if has_force_modes else tuple(NATURAL_MODES)
        self._sensor_stem = f"sensor.{stem}"
        self.periods = PeriodEntities(stem, name=prefix)
        powers = {
            self.charge_power_id: "force_charge_kw",
            self.discharge_power_id: "force_discharge_kw",
        }
        self._numbers: Final = {
            **(powers if has_force_modes else {}),
            f"number.{stem}max_charge_current": "charge_a",
            f"number.{stem}max_discharge_current": "discharge_a",
        }

    def entities(self) -> dict[str, EntityState]:
        """Every entity as it shows now, by its id."""
        select = EntityState(
            state=self.integration.option,
            attributes={"options": list(self.options), "friendly_name": "Work Mode"},
        )
        sensors = {
            f"{self._sensor_stem}{sensor.ending}": EntityState(
                state=_shown(sensor.value(self.integration.seen), sensor.decimals),
                attributes=sensor.attributes,
            )
            for sensor in SENSORS
        }
        numbers = {each: self._number(each) for each in self._numbers}
        periods = self.periods.entities(self.integration.seen.periods)
        return self.integration.shown({self.select_id: select, **numbers, **sensors, **periods})

    def call(self, service: str, data: dict[str, Any]) -> Answer:
        """Do a service call such as `select/select_option`; the answer says `success` or why not.

        As in Home Assistant, a call for an entity that does not exist succeeds and does nothing.
        """
        entity_id = str(data.get("entity_id"))
        if (service, entity_id) == ("select/select_option", self.select_id):
            option = str(data.get("option"))
            if option not in self.options:
                return refused(
                    f"Option {option} is not valid for entity {self.select_id}, "
                    f"valid options are: {', '.join(self.options)}."
                )
            return self.integration.select(option)
        if service == "number/set_value" and entity_id in self._numbers:
            value, most = finite(data.get("value")), self._most(entity_id)
            if value is None or not 0 <= value <= most:
                return refused(f"Value {data.get('value')} is outside valid range 0 - {most:g}")
            return self.integration.set_number(self._numbers[entity_id], value)
        if service == UPDATE:
            return self._update_period(data)
        return done()

    def _update_period(self, data: dict[str, Any]) -> Answer:
        if not self.inverter.periods:
            return refused("Inverter does not support setting charge periods")
        try:
            periods = self.periods.updated(self.integration.seen.periods, data)
        except ValueError as error:
            return refused(str(error), "home_assistant_error")
        return self.integration.set_periods(periods)

    @property
    def most_kw(self) -> float:
        """Greatest force power [kW]."""
        return min(self.inverter.house.inverter.ac_limit_kw, GREATEST_FORCE_KW)

    def _most(self, entity_id: str) -> float:
        return MOST_AMPERES if entity_id.endswith("_current") else self.most_kw

    def _number(self, entity_id: str) -> EntityState:
        is_current = entity_id.endswith("_current")
        return EntityState(
            state=_shown(self.integration.number(self._numbers[entity_id]), 3),
            attributes={
                "min": 0.0,
                "max": self._most(entity_id),
                "step": 0.1 if is_current else 0.001,
                "mode": "box",
                "unit_of_measurement": "A" if is_current else "kW",
                "device_class": "current" if is_current else "power",
                "friendly_name": entity_id.partition(".")[2].replace("_", " ").title(),
            },
        )


def _shown(value: float, decimals: int) -> str:
    return str(round(value, decimals) if decimals else round(value))


def done() -> Answer:
    """Home Assistant's answer to a call that succeeded."""
    return {"success": True, "result": {}, "ad_status": "OK"}


def refused(message: str, code: str = "service_validation_error") -> Answer:
    """Home Assistant's answer to a call that did not."""
    error = {"code": code, "message": message}
    return {"success": False, "error": error, "ad_status": "OK"}
