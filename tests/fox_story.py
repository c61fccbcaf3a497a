"""A house behind the polled integration with all its traps, for stories through real adapters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from battery_optimizer.adapters.foxess.modbus import FoxEssModbus
from battery_optimizer.adapters.telemetry.house import EntityMeters
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from fox_polled import Polled

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BATTERY = Battery(capacity_kwh=10.0, reserve_kwh=1.0, max_charge_kw=4.0, max_discharge_kw=4.0)
SELECT = "select.foxess_work_mode"
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)
HOLD = InverterCommand(mode=Mode.HOLD)


@dataclass(frozen=True)
class Steady:
    load: float
    sun: float

    def load_kw(self, moment: datetime) -> float:
        return self.load + 0.002 * (moment.minute % 2)  # no house is silent

    def solar_kw(self, _moment: datetime) -> float:
        return self.sun


class Story:
    """A house behind the polled integration, driven and read by the real adapters."""

    def __init__(self, *, load: float = 0.5, sun: float = 0.0, soc_kwh: float = 5.0) -> None:
        house = House(battery=BATTERY, inverter=Inverter(ac_limit_kw=5.0), grid=GridConnection())
        self.inverter = SimulatedInverter(
            house=house, surroundings=Steady(load, sun), now=NOON, soc_kwh=soc_kwh
        )
        self.link = Polled(self.inverter)
        self.fox = SimulatedFoxEss(self.inverter, integration=self.link)
        self.calls = 0
        self.broken = ""
        self.sun = sun
        self.adapter = self.adapter_of()
        self.meters = EntityMeters(
            read_state=self.state,
            entities=MeterEntities(
                soc="sensor.foxess_battery_soc",
                load="sensor.foxess_load_power",
                solar="sensor.foxess_pv_power",
                battery="sensor.foxess_invbatpower",
            ),
            battery=BATTERY,
        )
        self.wait(20)

    def adapter_of(self) -> FoxEssModbus:
        """The app's own adapter, fresh as after a restart."""
        return FoxEssModbus(
            call_service=self.call,
            read_state=self.state,
            list_entities=self.fox.entities,
            battery=BATTERY,
            solar_kw=lambda: self.sun,
            sleep=self.wait,
        )

    def call(self, service: str, /, **data: object) -> object:
        self.calls += 1
        if service == self.broken:
            return {"success": False, "error": "Modbus down"}
        return self.fox.call(service, data)

    def state(self, entity_id: str) -> EntityState | None:
        return self.fox.entities().get(entity_id)

    def wait(self, seconds: float) -> None:
        self.link.advance(self.inverter.now + timedelta(seconds=seconds))
        self.fox.entities()  # Home Assistant looks all the time

    @property
    def shown(self) -> str:
        return self.fox.entities()[SELECT].state

    @property
    def battery_kw(self) -> float:
        """Measured: above 0 it discharges."""
        power_kw = self.meters.read(self.inverter.now).battery_kw
        assert power_kw is not None
        return power_kw
