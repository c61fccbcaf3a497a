"""A past day over HTTP: what was planned, what was metered, and each decision with its reason."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, Protocol

from battery_optimizer.adapters.web.plain import plain_number, plain_time
from battery_optimizer.errors import BadRequest, DataError
from battery_optimizer.model.decision import Decision, SentCommand
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Bill
from battery_optimizer.model.slots import SLOT, day_bounds, local_day
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy

Json = dict[str, Any]

FIRST_DAY: Final = date(2000, 1, 1)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FLOWS: Final = (
    "grid_import_kwh",
    "grid_export_kwh",
    "load_kwh",
    "solar_kwh",
    "charge_kwh",
    "discharge_kwh",
)


class Books(Protocol):
    """Where bills are kept; ranges of days are inclusive."""

    def bills(self, first: date, last: date) -> Sequence[Bill]:
        """The bills of these days, oldest first; days without one are left out."""

    def losses(self, first: date, last: date) -> Sequence[Split]:
        """What days lost against the best possible in hindsight, oldest first."""


class Records(Protocol):
    """Remembers what was planned and what came of it; StoreUnavailable when it cannot be read."""

    def decisions(self, start: datetime, end: datetime) -> Sequence[Decision]:
        """One line for each cycle of [start, end), oldest first."""

    def commands(self, start: datetime, end: datetime) -> Sequence[SentCommand]:
        """What was sent to the inverter in [start, end), oldest first."""

    def slot_energy(
        self, *, kind: EnergyKind, start: datetime, end: datetime
    ) -> Sequence[SlotEnergy]:
        """Energies of the known half hours that start in [start, end), oldest first."""

    @property
    def money(self) -> Books:
        """Bills and losses of past days."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """Where past days are read: the records, and the rates of [start, end) as known at a time."""

    records: Records
    known_rates: Callable[[datetime, datetime, datetime], KnownRates]


def day_asked(
    query: Mapping[str, str], now: datetime, key: str = "day", *, default: date | None = None
) -> date:
    """The local day that `?day=YYYY-MM-DD` names; BadRequest for one that cannot have records.

    Without it the default, or today.
    """
    today = local_day(now)
    text = query.get(key)
    if text is None:
        return default or today
    example = f"ask for a day like this: ?{key}={today}"
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise BadRequest(f"{text[:40]!r} is not a day; {example}")
    if day < FIRST_DAY:
        raise BadRequest(f"{day} is before anything was recorded; {example}")
    if day > today:
        raise BadRequest(f"{day} has not begun; today is {today}, and the plan has what is to come")
    return day


def history(past: Past, day: date, now: datetime, *, capacity_kwh: float) -> Json:
    """What was planned for each half hour of the local day, what was metered, and why.

    Energies are kWh as in the plan; `totals` are over the half hours that have both.
    """
    start, end = day_bounds(day)
    decisions = past.records.decisions(start, end)
    by_kind = {
        kind: {
            slot.start: slot for slot in past.records.slot_energy(kind=kind, start=start, end=end)
        }
        for kind in EnergyKind
    }
    expected, metered = by_kind[EnergyKind.EXPECTED], by_kind[EnergyKind.METERED]
    # What is to come is the plan's; the half hour that runs is metered in part.
    known = sorted(moment for moment in {*expected, *metered} if moment <= now)
    rates, is_demo = _rates(past, start, end, now)
    finished = [moment for moment in known if moment + SLOT <= now]
    return {
        "day": day.isoformat(),
        "start": plain_time(start),
        "end": plain_time(end),
        "is_today": day == local_day(now),
        "reason": None if known or decisions else f"nothing was recorded on {day:%d %B %Y}",
        "rates_are_demo": is_demo,
        "n_cycles": len(decisions),
        "n_commands": len(past.records.commands(start, end)),
        "totals": _totals(finished, expected, metered),
        "slots": [
            {
                "start": plain_time(moment),
                "end": plain_time(moment + SLOT),
                "import_rate": plain_number(rates.get(moment, (None, None))[0]),
                "export_rate": plain_number(rates.get(moment, (None, None))[1]),
                "planned": _energies(expected.get(moment), capacity_kwh),
                "metered": _energies(metered.get(moment), capacity_kwh),
            }
            for moment in known
        ],
        "decisions": [_run(run, capacity_kwh) for run in _runs(decisions)],
    }


def _rates(
    past: Past, start: datetime, end: datetime, now: datetime
) -> tuple[dict[datetime, tuple[float | None, float | None]], bool]:
    """Import and export rate of each half hour; none where they are not known any more."""
    try:
        known = past.known_rates(start, end, now)
    except DataError:
        return {}, False
    moments = [start + t * SLOT for t in range((end - start) // SLOT)]
    series = (known.imports, known.exports)
    return {
        moment: (_finite(series[0].at(moment)), _finite(series[1].at(moment))) for moment in moments
    }, known.is_demo


def _totals(
    finished: Sequence[datetime],
    expected: Mapping[datetime, SlotEnergy],
    metered: Mapping[datetime, SlotEnergy],
) -> Json:
    both = [moment for moment in finished if moment in expected and moment in metered]
    sums: Json = {"n_slots": len(both)}
    for flow in _FLOWS:
        pairs = [(getattr(expected[at], flow), getattr(metered[at], flow)) for at in both]
        known = [pair for pair in pairs if None not in pair]
        sums[flow] = {
            "planned": plain_number(sum(planned for planned, _ in known)) if known else None,
            "metered": plain_number(sum(seen for _, seen in known)) if known else None,
        }
    return sums


def _energies(energy: SlotEnergy | None, capacity_kwh: float) -> Json | None:
    if energy is None:
        return None
    flows = {flow: plain_number(getattr(energy, flow)) for flow in _FLOWS}
    return {**flows, "soc_percent": _percent(energy.soc_kwh, capacity_kwh)}


def _runs(decisions: Sequence[Decision]) -> list[list[Decision]]:
    """Decisions that say the same one after another are told once."""

    def words(decision: Decision) -> tuple[object, ...]:
        power = None if decision.power_kw is None else round(decision.power_kw, 1)
        # That a command was sent is told; that it then stayed so is the same decision going on.
        return decision.mode, power, decision.reason, decision.result, decision.problems

    return [list(run) for _, run in groupby(decisions, key=words)]


def _run(run: Sequence[Decision], capacity_kwh: float) -> Json:
    first, last = run[0], run[-1]
    results = list(dict.fromkeys(decision.command_result.value for decision in run))
    return {
        "from": plain_time(first.at),
        "to": plain_time(last.at),
        "n_cycles": len(run),
        "mode": first.mode.value,
        "power_kw": plain_number(first.power_kw),
        "result": first.result.value,
        "command_results": results,
        "reason": first.reason,
        "problems": list(first.problems),
        "soc_percent": _percent(first.soc_kwh, capacity_kwh),
    }


def _percent(soc_kwh: float | None, capacity_kwh: float) -> float | None:
    return None if soc_kwh is None or capacity_kwh <= 0 else round(100 * soc_kwh / capacity_kwh, 1)


def _finite(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124 (NaN: not known)
