"""Bills and savings over HTTP: as JSON, as CSV for a spreadsheet, and what the page shows of them.

The same columns serve all: money in pence, energy in kWh; what is not known is null, or empty.
"""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any, Final

from battery_optimizer.adapters.web.history import Books, day_asked
from battery_optimizer.adapters.web.plain import plain_number
from battery_optimizer.errors import BadRequest
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Bill, Otherwise, Savings, by_month, month_of, total
from battery_optimizer.model.slots import DAY, local_day

Json = dict[str, Any]

WAYS: Final = ("day", "month")
KEYS: Final = ("by", "from", "to")
LONGEST: Final = timedelta(days=1100)
"""Three years: as much as is answered at once."""
_MONTHS: Final = 12
_CAUSES: Final = ("load_forecast", "solar_forecast", "price_forecast", "execution", "optimizer")
COLUMNS: Final = (
    "first_day", "last_day", "bill_p", "import_p", "export_p", "standing_p", "import_kwh",
    "export_kwh",
    *(f"{other}_bill_p" for other in Otherwise),
    *(f"saved_against_{other}_p" for other in Otherwise),
    "stored_more_than_self_use_kwh", "stored_more_than_reactive_kwh",
    *(f"lost_{cause}_p" for cause in _CAUSES),
    "lost_days", "lost_half_hours_not_metered", "days", "days_missing",
    "days_without_standing_charge", "half_hours", "half_hours_estimated", "half_hours_missing",
    "is_estimate", "rates_are_demo", "tariff", "sessions_p",
    *(f"{other}_sessions_p" for other in Otherwise),
)  # fmt: skip
"""Of a row, in the order of the CSV."""


def savings(books: Books, query: Mapping[str, str], now: datetime) -> Json:
    """Bills of the days or months asked for, and their sum; BadRequest for a senseless question."""
    by, first, last = _asked(query, now)
    bills = books.bills(first, last)
    losses = {local_day(split.start): split for split in books.losses(first, last)}
    periods = bills if by == "day" else list(by_month(bills, first, last))
    summed = total(bills, first, last)
    return {
        "by": by,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "reason": None if bills else f"there is no bill from {first} to {last}",
        "rows": [row(bill, losses) for bill in periods],
        "total": None if summed is None else row(summed, losses),
    }


def savings_csv(books: Books, query: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """The rows as a table that a spreadsheet opens, and a name for the file."""
    told = savings(books, query, now)
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in each.items()} for each in told["rows"])
    return text.getvalue(), f"savings_by_{told['by']}_{told['from']}_{told['to']}.csv"


def savings_box(found: Savings) -> Json:
    """What the page shows: some periods side by side, and what this month lost, by cause."""
    periods = {
        "Today so far": found.today,
        "Yesterday": found.yesterday,
        "This month": found.month,
        "Last month": found.last_month,
    }
    return {
        "problem": found.problem or None,
        "periods": [
            {"name": name, **row(bill, {})} for name, bill in periods.items() if bill is not None
        ],
        "lost": _lost(found) if found.losses or found.lately else None,
    }


def row(bill: Bill, losses: Mapping[date, Split]) -> Json:
    """A bill and all that goes with it, flat; its own days' are picked from `losses`."""
    if bill.first == bill.last:
        own = [losses[bill.first]] if bill.first in losses else []
    else:
        own = [split for day, split in losses.items() if bill.first <= day <= bill.last]
    others = {other: bill.bill_of(other) for other in Otherwise}
    return {
        "first_day": bill.first.isoformat(),
        "last_day": bill.last.isoformat(),
        "bill_p": plain_number(bill.bill_p),
        "import_p": plain_number(bill.actual.import_p),
        "export_p": plain_number(bill.actual.export_p),
        "standing_p": None if bill.n_no_standing == bill.n_days else plain_number(bill.standing_p),
        "import_kwh": plain_number(bill.actual.import_kwh),
        "export_kwh": plain_number(bill.actual.export_kwh),
        **{f"{other}_bill_p": plain_number(bill_p) for other, bill_p in others.items()},
        **{
            f"saved_against_{other}_p": plain_number(bill.saved_against(other))
            for other in Otherwise
        },
        "stored_more_than_self_use_kwh": plain_number(bill.stored_more_than(Otherwise.SELF_USE)),
        "stored_more_than_reactive_kwh": plain_number(bill.stored_more_than(Otherwise.REACTIVE)),
        **{f"lost_{name}_p": lost for name, lost in _parts(own).items()},
        "lost_days": len(own),
        "lost_half_hours_not_metered": sum(split.n_bridged for split in own),
        "days": bill.n_days,
        "days_missing": bill.n_missing_days,
        "days_without_standing_charge": bill.n_no_standing,
        "half_hours": bill.n_slots,
        "half_hours_estimated": bill.n_estimated,
        "half_hours_missing": bill.n_missing,
        "is_estimate": bill.is_estimate,
        "rates_are_demo": bill.is_demo,
        "tariff": bill.tariff,
        "sessions_p": plain_number(bill.actual.sessions_p),
        **{
            f"{other}_sessions_p": plain_number(account.sessions_p)
            for other, account in bill.others.items()
        },
    }


def _asked(query: Mapping[str, str], now: datetime) -> tuple[str, date, date]:
    unknown = [key for key in query if key not in KEYS]
    if unknown:
        raise BadRequest(f"{unknown[0][:40]!r} cannot be asked for; there are {', '.join(KEYS)}")
    by = query.get("by", WAYS[0])
    if by not in WAYS:
        raise BadRequest(f"'by' must be {' or '.join(WAYS)}, not {by[:40]!r}")
    last = day_asked(query, now, "to")
    begun = last
    for _ in range(_MONTHS - 1 if by == "month" else 0):
        begun = month_of(begun)[0] - DAY
    first = day_asked(query, now, "from", default=month_of(begun)[0])
    if first > last:
        raise BadRequest(f"'from', {first}, must not be after 'to', {last}")
    if last - first > LONGEST:
        raise BadRequest(f"ask for {LONGEST // DAY} days at most, not from {first} to {last}")
    return by, first, last


def _parts(splits: Sequence[Split]) -> dict[str, float | None]:
    if not splits:
        return dict.fromkeys(_CAUSES)
    return {
        cause: plain_number(sum(split.parts[cause.replace("_", " ")] for split in splits))
        for cause in _CAUSES
    }


def _lost(found: Savings) -> Json:
    return {
        "days": len(found.losses),
        "distance_p": plain_number(sum(split.distance_p for split in found.losses)),
        "parts_p": _parts(found.losses),
        "lately": [_lost_on(split) for split in found.lately],
    }


def _lost_on(split: Split) -> Json:
    return {
        "day": local_day(split.start).isoformat(),
        "bill_p": plain_number(split.bill_p),
        "distance_p": plain_number(split.distance_p),
        "parts_p": _parts([split]),
        "half_hours_not_metered": split.n_bridged,
        "half_hours_of_sessions": split.n_sessions,
    }


def _cell(value: object) -> object:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value
