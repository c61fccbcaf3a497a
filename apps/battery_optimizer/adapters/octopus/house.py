"""A house's rates, each direction from where it is best had: Octopus itself, or Home Assistant."""

from collections.abc import Callable
from datetime import datetime
from logging import getLogger
from typing import Final

from battery_optimizer.adapters.octopus.events import OctopusEvents
from battery_optimizer.adapters.octopus.rates import OctopusRates
from battery_optimizer.model.tariff import Direction, UnitRate

logger = getLogger(__name__)


class HouseRates:
    """Asks `api` in the directions named by `by_api`, and the integration's `events` in others."""

    is_demo: Final = False

    def __init__(
        self, *, api: OctopusRates, events: OctopusEvents, by_api: frozenset[Direction]
    ) -> None:
        self.api, self.events, self.by_api = api, events, by_api
        self._shown: dict[Direction, str] = {}
        both = len(by_api) == len(Direction)
        of_events = [] if both else [events.name]
        self.name = " ".join([api.name, *of_events] if by_api else of_events)
        self.tariff_name = " ".join([api.tariff_name, *of_events] if by_api else of_events)

    def fetch(
        self,
        direction: Direction,
        start: datetime,
        end: datetime,
        now: datetime,
        report: Callable[[str], None] = logger.warning,
    ) -> list[UnitRate]:
        """Published rates that hold somewhere in [start, end), oldest first."""
        source = self.api if direction in self.by_api else self.events
        if source is self.events:
            self._shown[direction] = self.events.shown(direction)
        return source.fetch(direction, start, end, now, report)

    def has_news(self) -> bool:
        """Whether Home Assistant shows other rates than when they were fetched last.

        An intelligent tariff's cheap half hours come and go with the car's, at any minute.
        """
        return any(
            (shown := self.events.shown(direction)) and shown != before
            for direction, before in self._shown.items()
        )

    def standing_charge(self, now: datetime) -> float:
        """What being connected costs [p/day, inc. VAT]."""
        source = self.api if Direction.IMPORT in self.by_api else self.events
        return source.standing_charge(now)
