"""Rates as the Octopus Energy integration has them in Home Assistant (BottlecapDave's).

Its event entities hold the rates of yesterday, today and tomorrow, in pounds. They need no key, and
have what the public tables have not: an intelligent tariff's extra cheap half hours.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import getLogger
from typing import Final

from battery_optimizer.adapters.octopus.api import OctopusClient
from battery_optimizer.adapters.octopus.payloads import Row, Tariff, object_of, rates_of
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.entity import ListEntities, ReadState, finite
from battery_optimizer.model.tariff import Direction, UnitRate

_CURRENT: Final = "_current_day_rates"
_NOW: Final = "_current_rate"
_METER: Final = re.compile(
    rf"event\.octopus_energy_electricity_(?P<meter>[a-z0-9]+_\d+)(?P<export>_export)?{_CURRENT}"
)
_DAYS: Final = ("_next_day_rates", _CURRENT, "_previous_day_rates")
_PENCE: Final = 100.0
_FIRST_FILL: Final = timedelta(days=3)
"""More than this is wanted at the first time only, for the forecasts of rates to learn from."""

logger = getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OctopusEvents:
    """The house's meters as the integration knows them, found by the names of its entities.

    `chosen` says which entity of today's rates is meant where there are several meters. `client`
    is asked for days that are long over, by the tariff code that the entity tells.
    """

    read_state: ReadState
    list_entities: ListEntities
    client: OctopusClient
    chosen: dict[Direction, str]

    name = "octopus integration"
    is_demo = False

    def fetch(
        self,
        direction: Direction,
        start: datetime,
        end: datetime,
        now: datetime,
        report: Callable[[str], None] = logger.warning,
    ) -> list[UnitRate]:
        """Rates that hold somewhere in [start, end), oldest first."""
        entity_id = self.entity(direction)
        rates = rates_of(list(self._rows(entity_id)), entity_id, report)
        if not rates or (rates[-1].end or end) <= now:
            raise RatesUnavailable(
                f"{entity_id} has no {direction} rate for now: see whether the Octopus Energy "
                "integration is connected"
            )
        rates = [*self._earlier(direction, start, rates[0].start), *rates]
        return [rate for rate in rates if rate.start < end and (rate.end or end) > start]

    def standing_charge(self, now: datetime) -> float:  # noqa: ARG002 - the integration knows
        """What being connected costs [p/day, inc. VAT]."""
        entity_id = self.entity(Direction.IMPORT).replace("event.", "sensor.", 1)
        entity_id = entity_id.removesuffix(_CURRENT) + "_current_standing_charge"
        state = self.read_state(entity_id)
        if state is None:
            raise RatesUnavailable(f"{entity_id} does not exist: enable it in Home Assistant")
        try:
            return _PENCE * state.number
        except ValueError as error:
            raise RatesUnavailable(f"{entity_id} {error}: enable it in Home Assistant") from error

    def entity(self, direction: Direction) -> str:
        """The event entity of today's rates; RatesUnavailable where none or several match."""
        if direction in self.chosen:
            return self.chosen[direction]
        entities = list(self.list_entities())
        found = meters(entities)[direction]
        # A meter that was replaced may stay on as an entity, without rates.
        filled = [each for each in found if any(True for _ in self._rows(each))]
        if len(filled) == 1:
            return filled[0]
        if filled:
            raise RatesUnavailable(
                f"more than one {direction} meter is in the Octopus Energy integration: "
                f"{', '.join(filled)}; set rates.{direction}_event to the one that is meant"
            )
        if found:
            raise RatesUnavailable(
                f"{found[0]} has no rates yet: the Octopus Energy integration is still loading, "
                "or not connected"
            )
        if disabled := meters(_as_events(entities))[direction]:
            raise RatesUnavailable(
                f"the Octopus Energy integration shows no {direction} rates but that of the "
                f"moment: enable {disabled[0]} and those of the next and the previous day in Home "
                f"Assistant, or set rates.{direction}_event if they were renamed"
            )
        raise RatesUnavailable(_NONE[direction])

    def shown(self, direction: Direction) -> str:
        """All that is shown of the rates, to be compared; empty while today's are not there."""
        try:
            entity_id = self.entity(direction)
        except RatesUnavailable:
            return ""
        return repr(list(self._rows(entity_id))) if any(self._of(entity_id)) else ""

    def tariff(self, direction: Direction) -> Tariff | None:
        """The tariff that the integration tells, if it does and it is a single-rate one."""
        try:
            state = self.read_state(self.entity(direction))
            code = None if state is None else state.attributes.get("tariff_code")
            return None if code is None else Tariff.from_code(str(code))
        except RatesUnavailable:
            return None

    def _rows(self, entity_id: str) -> Iterator[Row]:
        """The rates of tomorrow, today and yesterday, in the words and unit of Octopus itself."""
        stem = entity_id.removesuffix(_CURRENT)
        for day in _DAYS if entity_id.endswith(_CURRENT) else ("",):
            yield from self._of(f"{stem}{day}")

    def _of(self, entity_id: str) -> Iterator[Row]:
        state = self.read_state(entity_id)
        rates = None if state is None else state.attributes.get("rates")
        return (_row(rate) for rate in (rates if isinstance(rates, list) else ()))

    def _earlier(self, direction: Direction, start: datetime, end: datetime) -> list[UnitRate]:
        """What was published before the entities' first rate, at the first time."""
        tariff = self.tariff(direction)
        if tariff is None or end - start < _FIRST_FILL:
            return []
        try:
            earlier = self.client.unit_rates(tariff, start, end, logger.info)
        except RatesUnavailable as error:
            logger.info("The rates of earlier days are not to be had: %s", error)
            return []
        return [rate for rate in earlier if rate.start < end]


def meters(entities: Iterable[str]) -> dict[Direction, list[str]]:
    """The integration's entities of today's rates, for each direction."""
    found: dict[Direction, list[str]] = {direction: [] for direction in Direction}
    for entity_id in sorted(entities):
        match = _METER.fullmatch(entity_id)
        if match is not None:
            found[Direction.EXPORT if match["export"] else Direction.IMPORT].append(entity_id)
    return found


def _as_events(entities: Iterable[str]) -> Iterator[str]:
    """Names of the entities of today's rates, by the sensors of the rate of the moment."""
    for entity_id in entities:
        if entity_id.endswith(_NOW):
            stem = entity_id.replace("sensor.", "event.", 1).removesuffix(_NOW)
            yield f"{stem}{_CURRENT}"


_NONE: Final = {
    Direction.IMPORT: "no import tariff: install the Octopus Energy integration in Home Assistant, "
    "or set rates.import_product with region or postcode, or account with api_key, or "
    "rates.fixed_import_p",
    Direction.EXPORT: "no export tariff: the Octopus Energy integration shows no export meter; set "
    "rates.fixed_export_p (0 where exports are not paid for), or rates.export_product",
}


def _row(rate: object) -> Row:
    told = object_of(rate) if isinstance(rate, dict) else {}
    pounds = finite(told.get("value_inc_vat"))
    return {
        "valid_from": told.get("start"),
        "valid_to": told.get("end"),
        "value_inc_vat": None if pounds is None else round(_PENCE * pounds, 6),
    }
