"""A simulated Fox ESS H1: registers as foxess_modbus reads and writes them over AUX, and physics.

How its remote control ends is as it was told by others, never seen here: when no register of it was
written for the time that 44001 says, it is off, and the work mode of 41000 stands.
"""

import time
from dataclasses import dataclass, field
from enum import IntEnum
from threading import RLock
from typing import Final

MODEL: Final = "H1-5.0-E"
REMOTE_ON, REMOTE_TIMEOUT, REMOTE_POWER = 44000, 44001, 44002
WORK_MODE, MAX_CHARGE_A, MAX_DISCHARGE_A = 41000, 41007, 41008
MIN_SOC, MAX_SOC, MIN_SOC_ON_GRID = 41009, 41010, 41011
BATTERY_LIMIT: Final = 44012
KEPT: Final = range(41000, 44003)
"""Registers that may be written."""


class WorkMode(IntEnum):
    """As register 41000 has them."""

    SELF_USE = 0
    FEED_IN_FIRST = 1
    BACK_UP = 2


_WORDS: Final = {
    WorkMode.SELF_USE: "Self Use",
    WorkMode.FEED_IN_FIRST: "Feed-in First",
    WorkMode.BACK_UP: "Back-up",
}
_AT_FIRST: Final = {
    **{30000 + at: ord(letter) for at, letter in enumerate(MODEL)},
    WORK_MODE: WorkMode.SELF_USE,
    MAX_CHARGE_A: 250,
    MAX_DISCHARGE_A: 250,
    MIN_SOC: 10,
    MIN_SOC_ON_GRID: 10,
    MAX_SOC: 100,
    REMOTE_ON: 0,
    REMOTE_TIMEOUT: 20,
    REMOTE_POWER: 0,
}


@dataclass
class Powers:
    """What flows [kW]; battery above 0 discharging, grid above 0 exporting, as the H1 has it."""

    battery: float = 0.0
    solar: float = 0.0
    grid: float = 0.0

    @property
    def inverter(self) -> float:
        """Out of its AC side."""
        return self.battery + self.solar


@dataclass
class H1:
    """Without losses; what stands first is for tests to turn."""

    load_kw: float = 0.5
    sun_kw: float = 0.0
    soc_kwh: float = 6.0
    bms_kw: float = 10.0
    """What the battery takes at most."""
    capacity_kwh: float = 10.0
    rating_kw: float = 5.0
    volts: float = 200.0
    registers: dict[int, int] = field(default_factory=lambda: dict(_AT_FIRST))

    def __post_init__(self) -> None:
        self._lock = RLock()
        self._stepped_at = self._kicked_at = time.monotonic()

    @property
    def soc_percent(self) -> int:
        return round(100 * self.soc_kwh / self.capacity_kwh)

    @property
    def work_mode(self) -> WorkMode:
        return WorkMode(self.registers[WORK_MODE])

    @property
    def is_remote(self) -> bool:
        with self._lock:
            if time.monotonic() - self._kicked_at > self.registers[REMOTE_TIMEOUT]:
                self.registers[REMOTE_ON] = 0
            return self.registers[REMOTE_ON] == 1

    @property
    def remote_kw(self) -> float:
        """Above 0 out of the AC side."""
        return _signed(self.registers[REMOTE_POWER]) / 1000

    @property
    def does(self) -> str:
        """In the words of the integration's select, as the inverter itself would have them."""
        if self.is_remote:
            return "Force Charge" if self.remote_kw <= 0 else "Force Discharge"
        return _WORDS[self.work_mode]

    @property
    def powers(self) -> Powers:
        """What flows now."""
        with self._lock:
            wanted = self._wanted_kw()
            battery = min(max(wanted, -self._most_charge_kw()), self._most_discharge_kw())
            room = self.rating_kw - battery
            if self.is_remote:
                room = self.remote_kw - battery  # the sun fills what the battery leaves of it
            solar = min(self.sun_kw, max(room, 0.0))
            return Powers(battery, solar, battery + solar - self.load_kw)

    def write(self, address: int, value: int) -> bool:
        """Whether there is such a register to write to."""
        if address not in KEPT:
            return False
        with self._lock:
            self.step()
            self.registers[address] = value
            if address in (REMOTE_ON, REMOTE_TIMEOUT, REMOTE_POWER):
                self._kicked_at = time.monotonic()
            return True

    def read(self, address: int) -> int:
        """A register; 0 where nothing is known of it."""
        with self._lock:
            self.step()
            shown = self._measured().get(address, self.registers.get(address, 0))
            return int(shown) & 0xFFFF

    def step(self) -> None:
        """Bring what is stored up to now."""
        with self._lock:
            now = time.monotonic()
            hours, self._stepped_at = (now - self._stepped_at) / 3600, now
            stored = self.soc_kwh - self.powers.battery * hours
            self.soc_kwh = min(max(stored, 0.0), self.capacity_kwh)

    def _wanted_kw(self) -> float:
        """What the battery is to give."""
        need = self.load_kw - self.sun_kw
        if self.is_remote:
            return self.remote_kw - self.sun_kw
        return {
            WorkMode.SELF_USE: need,
            WorkMode.FEED_IN_FIRST: max(need, 0.0),
            WorkMode.BACK_UP: min(need, 0.0),
        }[self.work_mode]

    def _most_charge_kw(self) -> float:
        # By force it goes beyond max SoC, which is why foxess_modbus looks at that itself.
        ceiling = 100 if self.is_remote else self.registers[MAX_SOC]
        if self.soc_kwh >= ceiling / 100 * self.capacity_kwh:
            return 0.0
        return min(self.registers[MAX_CHARGE_A] / 10 * self.volts / 1000, self.bms_kw)

    def _most_discharge_kw(self) -> float:
        floor = max(self.registers[MIN_SOC], self.registers[MIN_SOC_ON_GRID])
        if self.soc_kwh <= floor / 100 * self.capacity_kwh:
            return 0.0
        most = self.registers[MAX_DISCHARGE_A] / 10 * self.volts / 1000
        return min(
            most, self.rating_kw if self.is_remote else max(0.0, self.rating_kw - self.sun_kw)
        )

    def _measured(self) -> dict[int, float]:
        now = self.powers
        is_light = now.solar > 0 or self.sun_kw > 0
        return {
            11000: 3000 if is_light else 200,
            11001: now.solar / 0.3 * 10 if is_light else 0,
            11002: now.solar * 1000,
            11006: self.volts * 10,
            11007: now.battery * 1000 / self.volts * 10,
            11008: now.battery * 1000,
            11009: 2400,
            11010: abs(now.inverter) * 1000 / 240 * 10,
            11011: now.inverter * 1000,
            11014: 5000,
            11021: now.grid * 1000,
            11023: self.load_kw * 1000,
            11024: 350,
            11025: 300,
            11034: self.volts * 10,
            11035: now.battery * 1000 / self.volts * 10,
            11036: self.soc_percent,
            11037: self.soc_kwh * 100,
            11038: 210,
            11056: 2,
            11058: 1,
            BATTERY_LIMIT: -1000 * self._most_charge_kw(),
        }


def _signed(value: int) -> int:
    return value - 0x10000 if value & 0x8000 else value
