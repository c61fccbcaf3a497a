"""AgilePredict (https://agilepredict.com): a forecast of Agile import rates for two weeks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.model.entity import finite, utc_moment
from battery_optimizer.model.slots import SlotSeries, floor_to_slot, is_within

API_URL: Final = "https://agilepredict.com"
CALLS_PER_HOUR: Final = 4
_REFRESH_EVERY: Final = timedelta(hours=3)
_OLDEST: Final = timedelta(days=2)
_MOST_P: Final = 1000.0
"""No rate of a kWh is beyond this, either way: then it is not p/kWh."""


class AgilePredict:
    """Import rates that are expected beyond the published ones.

    `get_json(path, params, now)` is `JsonApi.get` on `API_URL`; `region` a letter.
    """

    name = "AgilePredict"

    def __init__(
        self, *, get_json: Callable[[str, Mapping[str, str], datetime], object], region: str
    ) -> None:
        self._get_json = get_json
        self._region = region
        self._asked: datetime | None = None
        self._rates: SlotSeries | None = None

    def expected(self, now: datetime) -> SlotSeries:
        """Rates [p/kWh] of the days to come, NaN where none is; asked again every three hours.

        ForecastUnavailable says why there are none.
        """
        if self._rates is None or not is_within(_REFRESH_EVERY, self._asked, now):
            try:
                answer = self._get_json(f"/api/{self._region}/", {}, now)
                self._rates, self._asked = _series(answer, now), now
            except ForecastUnavailable:
                if self._rates is None or self._rates.end <= now:
                    raise  # else what it said last still serves
        return self._rates


def _series(payload: object, now: datetime) -> SlotSeries:
    """The newest forecast of an answer."""
    newest = payload[0] if isinstance(payload, list) and payload else payload
    try:
        made_at = utc_moment(newest["created_at"]) if "created_at" in newest else now  # type: ignore[index,operator]
        rows = [(utc_moment(row["date_time"]), row["agile_pred"]) for row in newest["prices"]]  # type: ignore[index]
    except (KeyError, TypeError, ValueError) as error:
        raise ForecastUnavailable("the answer does not have prices with their times") from error
    if now - made_at > _OLDEST:
        raise ForecastUnavailable(f"its forecast is of {made_at:%d %b %H:%M} UTC, too long ago")
    rates: dict[datetime, float] = {}
    for start, value in rows:
        rate = finite(value)
        if start != floor_to_slot(start) or rate is None or abs(rate) > _MOST_P:
            raise ForecastUnavailable(f"it has {value!r} p/kWh at {start:%d %b %H:%M} UTC")
        rates[start] = rate
    if not rates or max(rates) < now:
        raise ForecastUnavailable("it has no rates to come")
    return SlotSeries.from_slots(rates)
