"""A Fox ESS inverter with its battery and house, stepped through time.

What it does in a mode is `model.flows`; here are the maker's words and the maker's meaning of
a force power: the power P at the inverter's AC side, the sun's power going to the battery on top.

    Force Charge      takes P from the AC side: the battery charges P + solar
    Force Discharge   gives P to the AC side: the battery discharges P - solar, or, when the sun
                      gives more than P, charges what is over

At max SoC a forced charge acts as Back-up, and at min SoC a forced discharge gives only the sun.

A real one has habits that a test can give it: a `lag` before a new mode is felt, options that do
what others should (`misfires`), a BMS that takes nothing, and a `watchdog` that ends a force mode
which nobody refreshes, in its `FALLBACKS` and not in Self Use.

Models that cannot be forced have `periods` in which they charge, daily, by a clock of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Final

from battery_optimizer.model.flows import Flows, flows
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.slots import HOUR, UK, require_utc
from battery_optimizer.simulate.home.fox_periods import ChargePeriod
from battery_optimizer.simulate.home.surroundings import Surroundings

LONGEST_STEP: Final = timedelta(minutes=1)
FORCE_CHARGE: Final = "Force Charge"
FORCE_DISCHARGE: Final = "Force Discharge"
NATURAL_MODES: Final[Mapping[str, Mode]] = MappingProxyType(
    {"Self Use": Mode.SELF_USE, "Feed-in First": Mode.FEED_IN, "Back-up": Mode.HOLD}
)
OPTIONS: Final = (*NATURAL_MODES, FORCE_CHARGE, FORCE_DISCHARGE)
FALLBACKS: Final[Mapping[str, str]] = MappingProxyType(
    {FORCE_CHARGE: "Back-up", FORCE_DISCHARGE: "Feed-in First"}
)
"""Where the watchdog leaves the inverter."""
MOST_AMPERES: Final = 50.0
BATTERY_VOLTS: Final = 200.0

HEAT_C_PER_KWH: Final = 0.8
"""What a kWh through the battery warms it by [C/kWh]."""
COOLING_HOURS: Final = 6.0
"""In which a battery loses two thirds of its warmth over the room's [h]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the inverter's sensors show [kW], each >= 0, averages of the last step."""

    load_kw: float = 0.0
    solar_kw: float = 0.0
    charge_kw: float = 0.0
    discharge_kw: float = 0.0
    grid_import_kw: float = 0.0
    grid_export_kw: float = 0.0


@dataclass(slots=True, kw_only=True)
class Counters:
    """Energies counted since the start [kWh]."""

    load_kwh: float = 0.0
    solar_kwh: float = 0.0
    charge_kwh: float = 0.0
    discharge_kwh: float = 0.0
    grid_import_kwh: float = 0.0
    grid_export_kwh: float = 0.0


@dataclass(kw_only=True)
class SimulatedInverter:
    """The inverter at `now`; `advance` takes it on, in the mode that its `option` says.

    With `speed` above 1 the battery and the counters run that much faster than the clock, so that
    a watcher sees the battery fill; powers and the time of day stay true.
    """

    house: House
    surroundings: Surroundings
    now: datetime
    soc_kwh: float
    option: str = "Self Use"
    force_charge_kw: float = 0.0
    force_discharge_kw: float = 0.0
    temperature_c: float = 18.0
    room_c: float = 15.0
    speed: float = 1.0
    charge_a: float = MOST_AMPERES
    """Greatest charging current, a register that outlives everything [A]."""
    discharge_a: float = MOST_AMPERES
    bms_charge_kw: float | None = None
    """What the battery's own electronics let in at most [kW]; None: all that it can take."""
    periods: tuple[ChargePeriod, ...] = ()
    """Registers that outlive everything; empty for models without."""
    clock_off: timedelta = timedelta(0)
    """How far its clock is ahead of the UK's."""
    lag: timedelta = timedelta(0)
    """For how long a new mode is not felt; about 20 s were seen on leaving Force Discharge."""
    watchdog: timedelta | None = None
    """After how long without `refresh` a force mode ends; None: never."""
    misfires: Mapping[str, str] = field(default_factory=dict)
    """Options that do what another should."""
    readings: Readings = field(default_factory=Readings, init=False)
    counters: Counters = field(default_factory=Counters, init=False)

    def __post_init__(self) -> None:
        """Raise ValueError for what no such house can be."""
        require_utc(self.now)
        self._felt, self._felt_from = self.option, self.now
        self.select(self.option)
        if not 0 <= self.soc_kwh <= self.house.battery.capacity_kwh:
            raise ValueError(f"soc_kwh must be within the battery, not {self.soc_kwh!r}")
        if self.speed <= 0:
            raise ValueError(f"speed must be above 0, not {self.speed!r}")

    def select(self, option: str) -> None:
        """Take on a mode by the maker's word; ValueError names the words that there are."""
        if option not in OPTIONS:
            raise ValueError(f"{option!r} is none of {', '.join(OPTIONS)}")
        if option != self.option:
            self._felt, self._felt_from = self._felt_option, self.now + self.lag
        self.option = option
        self.refresh()

    def refresh(self) -> None:
        """A word from the integration, which keeps a force mode alive."""
        self._refreshed_at = self.now

    def advance(self, to: datetime) -> None:
        """Live on until `to`, a minute at a time at most; a time gone by changes nothing."""
        require_utc(to)
        while self.now < to:
            step = min(LONGEST_STEP, to - self.now, *self._until_a_change())
            self._live(step)
            self.now += step
            self._watch()

    def _until_a_change(self) -> Iterator[timedelta]:
        """How long until the mode that is felt becomes another by itself."""
        if self.now < self._felt_from:
            yield self._felt_from - self.now
        if any(each.is_set for each in self.periods):
            yield timedelta(seconds=60 - self.now.second)
        if self.watchdog is not None and self.option in FALLBACKS:
            yield self._refreshed_at + self.watchdog - self.now

    def _watch(self) -> None:
        if self.watchdog is None or self.option not in FALLBACKS:
            return
        if self.now >= self._refreshed_at + self.watchdog:
            self.select(FALLBACKS[self.option])

    @property
    def period_in_force(self) -> ChargePeriod | None:
        """The charge period that runs now; a mode that is forced goes before it."""
        if self._felt_option in FALLBACKS:
            return None
        clock: time = (self.now + self.clock_off).astimezone(UK).time()
        return next((each for each in self.periods if each.runs_at(clock)), None)

    @property
    def _felt_option(self) -> str:
        option = self._felt if self.now < self._felt_from else self.option
        return self.misfires.get(option, option)

    def _live(self, step: timedelta) -> None:
        hours = step / HOUR * self.speed
        load_kw = self.surroundings.load_kw(self.now)
        solar_kw = self.surroundings.solar_kw(self.now)
        battery = self._battery()
        flowed = flows(
            replace(self.house, battery=battery),
            self.command(solar_kw),
            soc_kwh=self.soc_kwh,
            load_kwh=load_kw * hours,
            solar_kwh=solar_kw * hours,
            hours=hours,
        )
        left = battery.soc_after(self.soc_kwh, flowed.charge_kwh, flowed.discharge_kwh)
        left -= battery.standby_kw * hours
        self.soc_kwh = min(max(left, 0.0), battery.capacity_kwh)
        self._warm(flowed, step / HOUR)
        self._read(flowed, load_kw, hours)

    def _battery(self) -> Battery:
        """As it is now: cold, and held back by currents and by its own electronics."""
        battery = self.house.battery.at_temperature(self.temperature_c)
        most_kw = [battery.max_charge_kw, self.charge_a * BATTERY_VOLTS / 1000]
        if self.bms_charge_kw is not None:
            most_kw.append(self.bms_charge_kw)
        return replace(
            battery,
            max_charge_kw=min(most_kw),
            max_discharge_kw=min(battery.max_discharge_kw, self.discharge_a * BATTERY_VOLTS / 1000),
        )

    def command(self, solar_kw: float) -> InverterCommand:
        """What the option means for the battery while the sun gives so much [kW]."""
        option, period = self._felt_option, self.period_in_force
        if period is not None and not period.from_grid:
            return InverterCommand(mode=Mode.HOLD)
        if period is not None:
            most_kw = self.house.battery.max_charge_kw
            return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=most_kw)
        if option == FORCE_CHARGE:
            return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=self.force_charge_kw + solar_kw)
        if option == FORCE_DISCHARGE:
            surplus_kw = solar_kw - self.force_discharge_kw
            mode = Mode.FORCE_CHARGE if surplus_kw > 0 else Mode.FORCE_DISCHARGE
            return InverterCommand(mode=mode, power_kw=abs(surplus_kw))
        return InverterCommand(mode=NATURAL_MODES[option])

    def _warm(self, flowed: Flows, clock_hours: float) -> None:
        through_kwh = (flowed.charge_kwh + flowed.discharge_kwh) / self.speed
        cooled_c = (self.temperature_c - self.room_c) * clock_hours / COOLING_HOURS
        self.temperature_c += HEAT_C_PER_KWH * through_kwh - cooled_c

    def _read(self, flowed: Flows, load_kw: float, hours: float) -> None:
        self.readings = Readings(
            load_kw=load_kw,
            solar_kw=flowed.solar_kwh / hours,
            charge_kw=flowed.charge_kwh / hours,
            discharge_kw=flowed.discharge_kwh / hours,
            grid_import_kw=flowed.grid_import_kwh / hours,
            grid_export_kw=flowed.grid_export_kwh / hours,
        )
        self.counters.load_kwh += load_kw * hours
        self.counters.solar_kwh += flowed.solar_kwh
        self.counters.charge_kwh += flowed.charge_kwh
        self.counters.discharge_kwh += flowed.discharge_kwh
        self.counters.grid_import_kwh += flowed.grid_import_kwh
        self.counters.grid_export_kwh += flowed.grid_export_kwh
