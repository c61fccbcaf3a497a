"""Whether the inverter does what it was told, by measured power: a select alone proves nothing.

What a mode should give is `model.flows` with the load and the sun that are measured. Too
little is not held against the inverter where the battery itself may say no: nearly full, nearly
empty, or cold.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from battery_optimizer.model.flows import flows
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.model.wording import MODE_WORDS

SETTLED_AFTER: Final = timedelta(seconds=30)
"""A mode is felt after some 20 s, and shown with the poll that follows."""
FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=4)
CONVINCING: Final = 2
"""So many bad readings in a row are no chance, as one is when a kettle goes off."""

_MOMENT_H: Final = 1 / 60
_NEAR_SHARE: Final = 0.05
_ROUNDING_KWH: Final = 0.15
"""A percent, and what is metered before the next poll."""
_COLD_C: Final = 16.0
_NOISE_KW: Final = 0.4
_TOO_LITTLE: Final = 0.4
_DANGER_KW: Final = 1.0


class Verdict(StrEnum):
    """What a reading says of the command in force."""

    OBEYS = "obeys"
    UNCLEAR = "unclear"
    """Not measured, or the battery may have reasons of its own."""
    FAILS = "fails"
    """It does too little, or something else."""
    DEFIES = "defies"
    """The battery gives, or takes, far more than it was told to: repaired at any price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, and in words what is wrong."""

    verdict: Verdict
    words: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something is wrong."""
        return self.verdict in (Verdict.FAILS, Verdict.DEFIES)


UNCLEAR: Final = Judgement(verdict=Verdict.UNCLEAR)


def judge(house: House, command: InverterCommand, telemetry: Telemetry) -> Judgement:
    """What the measured powers say of a command that has had its time to be felt."""
    measured_kw = battery_kw(telemetry)
    battery = house.battery.at_temperature(telemetry.battery_temperature_c)
    expected_kw = _expected_kw(replace(house, battery=battery), command, telemetry)
    # A battery that is quicker than its taper, or the cold, would have it obeys.
    quick = replace(
        house.battery,
        max_charge_kw=max(house.battery.max_charge_kw, telemetry.solar_kw or 0.0),
        charge_taper=(),
        discharge_taper=(),
        reserve_kwh=_own_floor_kwh(house, command),
    )
    utmost = _with_all_sun(command, telemetry)
    most = [
        _expected_kw(replace(house, battery=quick), utmost, each) for each in _rounded(telemetry)
    ]
    if measured_kw is None or expected_kw is None:
        return UNCLEAR
    most_kw = min((kw for kw in most if kw is not None), key=lambda kw: abs(kw - measured_kw))
    # Beyond what was told on the side of giving, or of taking; else it does less than told.
    gives_more = measured_kw > max(most_kw, 0.0) + _NOISE_KW
    takes_more = measured_kw < min(most_kw, 0.0) - _NOISE_KW
    if gives_more or takes_more:
        expected_kw = most_kw
    excess_kw = measured_kw - expected_kw
    words = (
        f"the inverter was told {MODE_WORDS[command.mode]} and its battery should "
        f"{_does(expected_kw)}, but it {_does(measured_kw, 's')}"
    )
    if gives_more or takes_more:
        is_far = abs(excess_kw) >= max(_DANGER_KW, abs(expected_kw) / 2)
        return Judgement(verdict=Verdict.DEFIES if is_far else Verdict.FAILS, words=words)
    if abs(measured_kw) >= _TOO_LITTLE * abs(expected_kw) or abs(excess_kw) <= _NOISE_KW:
        return Judgement(verdict=Verdict.OBEYS)
    if _has_reasons(house, telemetry, charging=expected_kw < 0):
        return UNCLEAR
    return Judgement(verdict=Verdict.FAILS, words=words)


def battery_kw(telemetry: Telemetry) -> float | None:
    """The battery's power [kW], above 0 discharging; by difference where it has no sensor."""
    if telemetry.battery_kw is not None:
        return telemetry.battery_kw
    if telemetry.load_kw is None or telemetry.solar_kw is None or telemetry.grid_kw is None:
        return None
    return telemetry.load_kw - telemetry.solar_kw - telemetry.grid_kw


def _rounded(telemetry: Telemetry) -> list[Telemetry]:
    """As shown, and as it may be: at the floor and at the top a rounded percent tells nothing."""
    return [
        replace(telemetry, soc_kwh=max(0.0, telemetry.soc_kwh + by_kwh))
        for by_kwh in (0.0, _ROUNDING_KWH, -_ROUNDING_KWH)
    ]


def _with_all_sun(command: InverterCommand, telemetry: Telemetry) -> InverterCommand:
    """A forced charge takes no less than the sun gives: it need not pass the inverter's AC side."""
    if command.mode is not Mode.FORCE_CHARGE:
        return command
    return replace(command, power_kw=max(command.power_kw or 0.0, telemetry.solar_kw or 0.0))


def _own_floor_kwh(house: House, command: InverterCommand) -> float:
    """Where a mode that follows the load ends by itself: at the inverter's min SoC, if known."""
    battery, least = house.battery, house.abilities.soc_limits.least
    if command.mode.is_forced or least == 0:
        return battery.reserve_kwh
    return min(battery.reserve_kwh, least * battery.capacity_kwh)


def _expected_kw(house: House, command: InverterCommand, telemetry: Telemetry) -> float | None:
    follows_load = not command.mode.is_forced
    if follows_load and (telemetry.load_kw is None or telemetry.solar_kw is None):
        return None
    given = flows(
        house,
        command,
        soc_kwh=telemetry.soc_kwh,
        load_kwh=(telemetry.load_kw or 0.0) * _MOMENT_H,
        solar_kwh=(telemetry.solar_kw or 0.0) * _MOMENT_H,
        hours=_MOMENT_H,
    )
    return -given.battery_kwh / _MOMENT_H


def _has_reasons(house: House, telemetry: Telemetry, *, charging: bool) -> bool:
    """Whether the battery may rightly do less than told."""
    battery = house.battery
    near_kwh = _NEAR_SHARE * battery.capacity_kwh
    if not charging:
        return telemetry.soc_kwh <= battery.reserve_kwh + near_kwh
    celsius = telemetry.battery_temperature_c
    is_cold = celsius is not None and celsius < _COLD_C
    return is_cold or telemetry.soc_kwh >= battery.ceiling_kwh - near_kwh


def _does(power_kw: float, ending: str = "") -> str:
    if abs(power_kw) < _NOISE_KW / 2:
        return f"do{'es' if ending else ''} nothing"
    return f"{'charge' if power_kw < 0 else 'discharge'}{ending} at {abs(power_kw):.1f} kW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """How often in a row the inverter was found wanting, and what was tried about it."""

    mode: Mode | None = None
    """The mode that was not done; another one's success says nothing of it."""
    misses: int = 0
    tried: int = 0
    not_before: datetime | None = None
    """The next repair waits so long: each time twice as long."""

    def after(self, judgement: Judgement, mode: Mode, now: datetime) -> "Repairs":
        """One more reading, of an inverter in this mode."""
        if self.not_before is not None and now - self.not_before > LONGEST_WAIT:
            return Repairs().after(judgement, mode, now)  # long ago
        is_other = self.mode not in (None, mode)
        match judgement.verdict:
            case Verdict.UNCLEAR:
                return self
            case Verdict.OBEYS:
                return self if is_other else Repairs()
            case Verdict.FAILS | Verdict.DEFIES:
                before = Repairs() if is_other else self
                return replace(before, mode=mode, misses=before.misses + 1)

    @property
    def is_suspicion(self) -> bool:
        """Whether one more reading should tell, soon."""
        return 0 < self.misses < CONVINCING

    def is_due(self, now: datetime) -> bool:
        """Whether something should be done about it now."""
        waits = self.not_before is not None and now < self.not_before
        return self.misses >= CONVINCING and not waits

    def after_try(self, now: datetime) -> "Repairs":
        """Something was done; it is judged anew, and the next try comes later than this one did."""
        wait = min(FIRST_WAIT * 2**self.tried, LONGEST_WAIT) - SETTLED_AFTER
        return replace(self, misses=0, tried=self.tried + 1, not_before=now + wait)
