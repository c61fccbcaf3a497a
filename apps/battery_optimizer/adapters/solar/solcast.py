"""Solcast's forecast, from the entities of the Home Assistant integration (BJReplay)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable
from battery_optimizer.model.entity import ListEntities, ReadState, finite, utc_moment
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.solar import require_sound
from battery_optimizer.model.spans import Span, half_hourly
from battery_optimizer.model.telemetry import SolarForecast

_ESTIMATES: Final = {"p10_kw": "pv_estimate10", "p50_kw": "pv_estimate", "p90_kw": "pv_estimate90"}

_NAME: Final = re.compile(r"sensor\..*(solcast|forecast).*")
"""Who has had the integration for long, or speaks another language, has other names than these."""
_LAST_DAY: Final = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class SolcastEntities:
    """`detailedForecast` of the entities for today, tomorrow and any further days, in that order.

    Where none of them is there, those of `list_entities` serve that have it. Each row is a half
    hour's average power [kW], of all roofs together. Solcast is asked by the integration some ten
    times a day; when last, only `last_polled` knows (its state is that time,
    `sensor.solcast_pv_forecast_api_last_polled`). Without it the age of the entity must do.
    """

    read_state: ReadState
    entities: Sequence[str]
    list_entities: ListEntities = tuple
    last_polled: str | None = None
    peak_kw: float | None = None
    """Rated power of all panels [kWp]: what is far above it is refused."""
    name = "Solcast"
    refresh_every = timedelta(0)

    def fetch(self, now: datetime) -> SolarForecast:
        """The forecast as the entities have it; ForecastUnavailable says what is wrong with it."""
        entities = self._entities(now)
        days = [self._rows(entity_id) for entity_id in entities]
        if not days[0]:
            raise ForecastUnavailable(
                f"{entities[0]} has no detailedForecast (are half-hourly detail attributes enabled "
                "in Solcast's options?)"
            )
        # A later day that is not there makes the forecast shorter, not wrong.
        rows = {start: row for day in days for start, row in day.items()}
        forecast = SolarForecast(
            source=self.name,
            issued_at=self._issued_at(entities, now),
            **{field: _series(rows, key, now) for field, key in _ESTIMATES.items()},
        )
        require_sound(forecast, now=now, peak_kw=self.peak_kw)
        return forecast

    def _entities(self, now: datetime) -> Sequence[str]:
        if any(self.read_state(entity_id) for entity_id in self.entities):
            return self.entities
        named = [entity_id for entity_id in self.list_entities() if _NAME.fullmatch(entity_id)]
        starts = {name: min(rows) for name in sorted(named) if (rows := self._rows(name))}
        found = [name for name, start in starts.items() if start < now + _LAST_DAY]
        if not found:
            raise ForecastAbsent(f"there is no {self.entities[0] if self.entities else 'entity'}")
        return sorted(found, key=starts.__getitem__)

    def _rows(self, entity_id: str) -> dict[datetime, Mapping[str, object]]:
        state = self.read_state(entity_id)
        rows = state.attributes.get("detailedForecast") if state is not None else None
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            return {}
        try:
            return {utc_moment(row["period_start"]): row for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise ForecastUnavailable(
                f"{entity_id} has a row in detailedForecast with no usable period_start"
            ) from error

    def _issued_at(self, entities: Sequence[str], now: datetime) -> datetime:
        state = None if self.last_polled is None else self.read_state(self.last_polled)
        if self.last_polled is None or (state is None and entities is not self.entities):
            state = self.read_state(entities[0])
            return (state.last_reported or state.last_changed or now) if state else now
        try:
            return utc_moment(state.state if state is not None else None)
        except ValueError as error:
            raise ForecastUnavailable(
                f"{self.last_polled} does not say when Solcast was last asked"
            ) from error


def _series(rows: Mapping[datetime, Mapping[str, object]], key: str, now: datetime) -> SlotSeries:
    spans = []
    for start, row in rows.items():
        end, middle = start + SLOT, row.get("pv_estimate")
        # Of what was before it was set up Solcast gives an estimate, whose spread is told as 0.
        is_without_spread = end <= now and not row.get("pv_estimate90")
        # Without a spread the middle estimate is all that is known.
        kw = finite(middle if is_without_spread else row.get(key, middle))
        spans.append(Span(start=start, end=end, kw=float("nan") if kw is None else kw))
    try:
        return half_hourly(spans)
    except ValueError as error:
        raise ForecastUnavailable(f"detailedForecast is not half-hourly: {error}") from error
