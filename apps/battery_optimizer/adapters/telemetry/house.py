"""Reads the house from Home Assistant's entities: units, signs, ranges and staleness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.telemetry.charge import BelievedCharge
from battery_optimizer.adapters.telemetry.more import MoreSensors
from battery_optimizer.adapters.telemetry.units import (
    MAX_POWER_KW,
    celsius_of,
    number_and_unit,
    power_kw,
    wrong_unit,
)
from battery_optimizer.errors import TelemetryUnavailable
from battery_optimizer.model.entity import KWH_PER_UNIT, EntityState, ReadState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.telemetry import Telemetry

MAX_AGE: Final = timedelta(minutes=15)

_NOISE_KW: Final = 0.05
"""Sensors that cannot be negative are, by a little: solar at night, a load found by difference."""

_OVERFULL: Final = 1.1
"""A battery may report its nominal energy while the usable one is set: full is then over 100 %."""


class EntityMeters:
    """The house's sensors; fulfils `ports.Meters`.

    Only the state of charge must be readable, and where it jumps its last value stands in for a
    while. Any other sensor that is not readable gives None. The reasons stay in `problems()` until
    the next reading.

    A steady sensor reports nothing: Home Assistant passes a reading on only when it changes, and a
    full battery was seen to be silent for five minutes and right. So one sensor's age proves
    nothing. While the inverter answers at all, something of it changes (the load does, every few
    seconds), so the readings are refused only when none of the entities was heard of for `max_age`.

    A load above `most_load_kw` is that of a sensor that jumped, and not believed.
    """

    def __init__(
        self,
        *,
        read_state: ReadState,
        entities: MeterEntities,
        battery: Battery,
        max_age: timedelta = MAX_AGE,
        more: MoreSensors | None = None,
        most_load_kw: float = MAX_POWER_KW,
    ) -> None:
        self._most_load_kw = most_load_kw
        self._more = more or MoreSensors(read_state=read_state)
        self._read_state = read_state
        self._entities = entities
        self._battery = battery
        self._believed = BelievedCharge(battery)
        self._max_age = max_age
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """What was wrong with optional sensors at the last reading, one sentence each."""
        return self._problems

    def read(self, now: datetime) -> Telemetry:
        """What the house measures now; TelemetryUnavailable names the sensor that does not."""
        self._problems = ()
        states = {entity_id: self._read_state(entity_id) for entity_id in self._entities.ids}
        soc_kwh = self._soc_kwh(states[self._entities.soc])
        self._require_heard_of(states, now)
        entities = self._entities
        soc_kwh, doubt = self._believed.of(soc_kwh, now)
        sensors = _OptionalSensors(states, [] if doubt is None else [f"{entities.soc} {doubt}"])
        grid_sign = 1 if entities.grid_positive == "import" else -1
        battery_sign = 1 if entities.battery_positive == "discharge" else -1
        more = self._more.read(now)
        telemetry = Telemetry(
            measured_at=now,
            soc_kwh=soc_kwh,
            load_kw=sensors.load_kw(entities.load, self._most_load_kw),
            solar_kw=sensors.flow_kw(entities.solar),
            grid_kw=sensors.net_kw(
                (entities.grid, grid_sign), (entities.grid_import, entities.grid_export)
            ),
            battery_kw=sensors.net_kw(
                (entities.battery, battery_sign),
                (entities.battery_discharge, entities.battery_charge),
            ),
            battery_temperature_c=sensors.temperature_c(entities.battery_temperature),
            large_kw=more.large_kw,
            outside_c=more.outside_c,
        )
        self._problems = (*sensors.problems, *more.problems)
        return telemetry

    def _soc_kwh(self, state: EntityState | None) -> float:
        capacity_kwh = self._battery.capacity_kwh
        try:
            return min(_stored_kwh(state, capacity_kwh), capacity_kwh)
        except ValueError as error:
            raise TelemetryUnavailable(self._entities.soc, str(error)) from error

    def _require_heard_of(self, states: Mapping[str, EntityState | None], now: datetime) -> None:
        times = [
            time
            for state in states.values()
            if state is not None
            for time in (state.last_reported, state.last_changed)
            if time is not None
        ]
        # A time well to come is of a clock that was set back since: it proves nothing.
        heard = max((time for time in times if time - now <= self._max_age), default=None)
        if times and (heard is None or now - heard > self._max_age):
            minutes = f"{self._max_age / timedelta(minutes=1):g} minutes"
            when = f"over {minutes} ago: check that the inverter's integration still gets data"
            if heard is None:
                when = f"over {minutes} from now: check the clocks"
            raise TelemetryUnavailable(
                self._entities.soc,
                "and every other sensor of the inverter last reported at "
                f"{heard or min(times):%d %b %H:%M} UTC, {when}",
            )


@dataclass(frozen=True)
class _OptionalSensors:
    """Reads what may be absent, and notes why it is."""

    states: Mapping[str, EntityState | None]
    problems: list[str]

    def flow_kw(self, entity_id: str | None) -> float | None:
        """Power of a sensor that cannot be negative [kW]."""
        kw = self._read(entity_id, power_kw)
        if entity_id is None or kw is None:
            return None
        if kw < -_NOISE_KW:
            self.problems.append(f"{entity_id} shows {kw:g} kW, which cannot be negative")
            return None
        return max(kw, 0.0)

    def load_kw(self, entity_id: str | None, most_kw: float) -> float | None:
        """Power that the house draws [kW], if it can draw so much."""
        kw = self.flow_kw(entity_id)
        if kw is not None and kw > most_kw:
            self.problems.append(
                f"{entity_id} shows {kw:g} kW, more than the {most_kw:.3g} kW that grid, battery "
                "and panels can give: check its unit, and grid.import_limit_kw in the settings"
            )
            return None
        return kw

    def net_kw(
        self, signed: tuple[str | None, int], pair: tuple[str | None, str | None]
    ) -> float | None:
        """Power of one signed sensor times its sign, or first less second of a pair [kW]."""
        entity_id, sign = signed
        if entity_id is not None:
            kw = self._read(entity_id, power_kw)
            return None if kw is None else sign * kw
        first_kw, second_kw = (self.flow_kw(entity_id) for entity_id in pair)
        return None if first_kw is None or second_kw is None else first_kw - second_kw

    def temperature_c(self, entity_id: str | None) -> float | None:
        """Temperature [degrees C]."""
        return self._read(entity_id, celsius_of)

    def _read(
        self, entity_id: str | None, convert: Callable[[EntityState | None], float]
    ) -> float | None:
        if entity_id is None:
            return None
        try:
            return convert(self.states[entity_id])
        except ValueError as error:
            self.problems.append(f"{entity_id} {error}")
            return None


def _stored_kwh(state: EntityState | None, capacity_kwh: float) -> float:
    number, unit = number_and_unit(state)
    if unit == "%":
        kwh, greatest_kwh = number / 100 * capacity_kwh, capacity_kwh
    elif unit in KWH_PER_UNIT:
        kwh, greatest_kwh = number * KWH_PER_UNIT[unit], _OVERFULL * capacity_kwh
    else:
        raise ValueError(wrong_unit(unit, ("%", *KWH_PER_UNIT)))
    if not 0 <= kwh <= greatest_kwh:
        raise ValueError(
            f"shows {number:g} {unit}, not between 0 and 100 % of {capacity_kwh:g} kWh"
        )
    return kwh
