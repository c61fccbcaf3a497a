"""What is worth a notification: decided from what is shown and from what was already told.

Each event is told once, also over restarts: `Told` is what has to be remembered.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.money import Bill, Otherwise
from battery_optimizer.model.plan import SlotPlan
from battery_optimizer.model.shown import Shown, end_of
from battery_optimizer.model.slots import UK, local_day

STALE_AFTER: Final = timedelta(minutes=20)
"""A sensor that is away for a cycle or three comes back by itself."""
_KEPT_DAYS: Final = 7


class News(StrEnum):
    """Kinds of notifications."""

    PLUNGE = "plunge"
    """Rates below 0 ahead."""
    BREAKER = "breaker"
    """Commands pause after the inverter refused them."""
    STALE = "stale"
    """The battery cannot be read, or no published rate is known for now."""
    SUMMARY = "summary"
    """Yesterday's money, once a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told: days of plunges, the last day summed up, and what goes on and was told of.

    `stale_since` is the time from which data have been missing, `was_stale_told` whether that is
    told; likewise for the breaker.
    """

    plunges: tuple[str, ...] = ()
    summary: str = ""
    breaker: bool = False
    stale_since: str = ""
    was_stale_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A notification."""

    kind: News
    title: str
    message: str


def news(
    shown: Shown, told: Told, kinds: Collection[News], *, summary_hour: int
) -> tuple[list[Note], Told]:
    """What to tell after a cycle, and what is then to be remembered."""
    notes: list[Note] = []
    for kind, look in (
        (News.PLUNGE, _plunges),
        (News.BREAKER, _breaker),
        (News.STALE, _stale),
    ):
        if kind in kinds:
            note, told = look(shown, told)
            notes += [note] if note is not None else []
    if News.SUMMARY in kinds:
        note, told = _summary(shown, told, summary_hour)
        notes += [note] if note is not None else []
    return notes, told


def _money(amount: float) -> str:
    """Money as people say it: `7.2 p`, `£1.23`."""
    return f"{amount:.1f} p" if abs(amount) < 99.95 else f"£{amount / 100:.2f}"  # noqa: PLR2004


def _plunges(shown: Shown, told: Told) -> tuple[Note | None, Told]:
    """Published rates below 0, on days of which nothing was told yet."""
    if shown.is_demo:
        return None, told
    below = [slot for slot in shown.coming if slot.rate_published and slot.import_rate < 0]
    new = [slot for slot in below if _day(slot) not in told.plunges]
    if not new:
        return None, told
    today = local_day(shown.outcome.at)
    days = sorted({_day(slot) for slot in new})
    oldest = (today - timedelta(days=_KEPT_DAYS)).isoformat()
    kept = [day for day in told.plunges if day >= oldest]
    lowest = min(slot.import_rate for slot in new)
    when = ", and ".join(_when(run, shown.outcome.at) for run in _runs(new))
    message = f"You are paid for using electricity {when}: up to {_money(-lowest)} a kWh."
    note = Note(kind=News.PLUNGE, title="Plunge pricing ahead", message=message)
    return note, replace(told, plunges=(*kept, *days))


def _breaker(shown: Shown, told: Told) -> tuple[Note | None, Told]:
    result = shown.outcome.command_result
    if result is not CommandResult.PAUSED:
        # Over only once a command got through: in between there are cycles without one.
        is_over = result in (CommandResult.APPLIED, CommandResult.UNCHANGED)
        return None, replace(told, breaker=False) if is_over else told
    if told.breaker:
        return None, told
    why = f" {_sentence(shown.outcome.problems[0])}" if shown.outcome.problems else ""
    note = Note(
        kind=News.BREAKER,
        title="The inverter does not obey",
        message="Commands pause after repeated failures; Self Use was asked for, and it is tried "
        f"again later.{why}",
    )
    return note, replace(told, breaker=True)


def _stale(shown: Shown, told: Told) -> tuple[Note | None, Told]:
    missing = _missing(shown)
    if not missing:
        return None, replace(told, stale_since="", was_stale_told=False)
    now = shown.outcome.at
    since = datetime.fromisoformat(told.stale_since) if told.stale_since else now
    told = replace(told, stale_since=since.isoformat())
    if told.was_stale_told or now - since < STALE_AFTER:
        return None, told
    note = Note(
        kind=News.STALE,
        title="Battery Optimizer lacks data",
        message=f"Since {since.astimezone(UK):%H:%M} {missing}",
    )
    return note, replace(told, was_stale_told=True)


def _missing(shown: Shown) -> str:
    """What is missing now, in words; empty where nothing is."""
    outcome = shown.outcome
    if outcome.telemetry is None:
        why = _sentence(outcome.problems[0]) if outcome.problems else ""
        return f"the battery cannot be read. {why}".strip()
    if shown.now is not None and not shown.now.rate_published:
        return "no published rate is known for now: the plan goes by forecasts."
    if shown.plan is None and outcome.outlook is None and outcome.problems:
        return f"no plan can be made. {_sentence(outcome.problems[0])}"
    return ""


def _summary(shown: Shown, told: Told, hour: int) -> tuple[Note | None, Told]:
    """Yesterday's bill, once it is known and the hour has come."""
    now = shown.outcome.at
    day = local_day(now) - timedelta(days=1)
    bill = shown.savings.yesterday
    is_time = now.astimezone(UK).hour >= hour
    if not is_time or told.summary >= day.isoformat() or bill is None or bill.last != day:
        return None, told
    note = Note(kind=News.SUMMARY, title=f"{day:%A}'s electricity", message=_of_bill(bill))
    return note, replace(told, summary=day.isoformat())


def _of_bill(bill: Bill) -> str:
    paid = f"cost {_money(bill.bill_p)}" if bill.bill_p >= 0 else f"earned {_money(-bill.bill_p)}"
    charge = ", standing charge included" if bill.standing_p else ""
    saved = bill.saved_against(Otherwise.SELF_USE)
    words = "less" if saved >= 0 else "more"
    about = " (an estimate)" if bill.is_estimate else ""
    sessions_p = bill.actual.sessions_p
    besides = "" if sessions_p is None else f" Sessions pay about {_money(sessions_p)} besides."
    return (
        f"It {paid}{charge}{about}: {_money(abs(saved))} {words} than with Self Use alone. Bought "
        f"{bill.actual.import_kwh:.1f} kWh, sold {bill.actual.export_kwh:.1f} kWh.{besides}"
    )


def _day(slot: SlotPlan) -> str:
    return local_day(slot.start).isoformat()


def _runs(slots: Sequence[SlotPlan]) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of each run of slots without a gap."""
    edges: list[tuple[datetime, datetime]] = []
    for slot in slots:
        if edges and edges[-1][1] == slot.start:
            edges[-1] = (edges[-1][0], end_of(slot))
        else:
            edges.append((slot.start, end_of(slot)))
    yield from edges


def _when(run: tuple[datetime, datetime], now: datetime) -> str:
    """On the house's clock, with its name where the clocks change in between."""
    start, end = (moment.astimezone(UK) for moment in run)
    ahead = (start.date() - now.astimezone(UK).date()).days
    day = {0: "today", 1: "tomorrow"}.get(ahead, f"on {start:%A}")
    zone = start.utcoffset() != end.utcoffset()
    first, last = (f"{each:%H:%M}{f' {each.tzname()}' if zone else ''}" for each in (start, end))
    return f"{day} from {first} to {last}"


def _sentence(words: str) -> str:
    said = words[:1].upper() + words[1:]
    return said if said.endswith(".") else f"{said}."
