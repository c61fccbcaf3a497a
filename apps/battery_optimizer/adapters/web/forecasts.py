"""Forecasts against outcomes: load and sun as expected and as metered, by day, with the errors."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from battery_optimizer.adapters.web.history import Past
from battery_optimizer.model.loss import ForecastErrors, Yesterday
from battery_optimizer.model.slots import SLOT, SLOT_HOURS, day_bounds, local_day
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy

Json = dict[str, Any]

DAYS: Final = 14
_NOTHING: Final = "no half hour that is over was both expected and metered yet"
_READ: Final[dict[str, Callable[[SlotEnergy], float | None]]] = {
    "load": lambda slot: slot.load_kwh,
    "solar": lambda slot: slot.solar_kwh,
}


def forecasts(past: Past, now: datetime, yesterday: Yesterday | str) -> Json:
    """The last fortnight day by day, newest first, and yesterday's errors by lead time.

    What was expected of a half hour is what the last plan before it said. Energies are kWh over the
    half hours that have both; errors are mean absolute ones and biases (expected less metered), kW.
    """
    today = local_day(now)
    start, end = day_bounds(today - timedelta(days=DAYS - 1))[0], now
    pairs = _pairs(past, start, end, now)
    days = sorted({local_day(expected.start) for expected, _ in pairs}, reverse=True)
    return {
        "days": [_day(day, [each for each in pairs if _is_on(each, day)]) for day in days],
        "all": {name: _compared(pairs, name) for name in _READ},
        "reason": None if pairs else _NOTHING,
        "yesterday": None
        if isinstance(yesterday, str)
        else {"load": _leads(yesterday.load), "solar": _leads(yesterday.solar)},
    }


_Pair = tuple[SlotEnergy, SlotEnergy]


def _pairs(past: Past, start: datetime, end: datetime, now: datetime) -> list[_Pair]:
    """Expected and metered of each half hour that is over and has both."""
    expected, metered = (
        {slot.start: slot for slot in past.records.slot_energy(kind=kind, start=start, end=end)}
        for kind in (EnergyKind.EXPECTED, EnergyKind.METERED)
    )
    both = sorted(at for at in expected.keys() & metered.keys() if at + SLOT <= now)
    return [(expected[at], metered[at]) for at in both]


def _is_on(pair: _Pair, day: date) -> bool:
    return local_day(pair[0].start) == day


def _day(day: date, pairs: Sequence[_Pair]) -> Json:
    return {"day": day.isoformat(), **{name: _compared(pairs, name) for name in _READ}}


def _compared(pairs: Sequence[_Pair], name: str) -> Json | None:
    read = _READ[name]
    known = [
        (told, came)
        for expected, metered in pairs
        if (told := read(expected)) is not None and (came := read(metered)) is not None
    ]
    if not known:
        return None
    errors_kw = [(told - came) / SLOT_HOURS for told, came in known]
    return {
        "n_slots": len(known),
        "expected_kwh": round(sum(told for told, _ in known), 2),
        "metered_kwh": round(sum(came for _, came in known), 2),
        "error_kw": round(sum(map(abs, errors_kw)) / len(known), 3),
        "bias_kw": round(sum(errors_kw) / len(known), 3),
    }


def _leads(errors: ForecastErrors) -> list[Json]:
    return [
        {
            "hours_ahead": hours,
            "error_kw": None if error is None else round(error, 3),
            "bias_kw": None if bias is None else round(bias, 3),
        }
        for hours, (error, bias) in enumerate(
            zip(errors.by_lead_kw, errors.by_lead_bias_kw, strict=True)
        )
    ]
