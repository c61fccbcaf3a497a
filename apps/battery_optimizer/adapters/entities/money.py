"""Bills and savings as entities: pounds, with what they are made of and how sure they are."""

from collections.abc import Callable
from typing import Any, Final

from battery_optimizer.adapters.entities.facts import (
    Attributes,
    Value,
    short_time,
    shortened,
)
from battery_optimizer.adapters.entities.row import Entity
from battery_optimizer.model.money import Bill, Otherwise, Savings
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import day_bounds

_NOT_YET: Final = "no half hour of it is over and metered yet"

ReadBill = Callable[[Savings], Bill | None]


def of_today(savings: Savings) -> Bill | None:
    """Today's bill so far."""
    return savings.today


def of_month(savings: Savings) -> Bill | None:
    """This month's bill so far."""
    return savings.month


def bill(read: ReadBill) -> Callable[[Shown], Value]:
    """What was paid so far [GBP]."""

    def value(shown: Shown) -> Value:
        found = read(shown.savings)
        return None if found is None else _pounds(found.bill_p)

    return value


def saved(read: ReadBill) -> Callable[[Shown], Value]:
    """How much less than with Self Use alone [GBP]."""

    def value(shown: Shown) -> Value:
        found = read(shown.savings)
        return None if found is None else _pounds(found.saved_against(Otherwise.SELF_USE))

    return value


def bill_facts(read: ReadBill) -> Callable[[Shown], Attributes]:
    """What the bill is made of [GBP, kWh], and what of it is estimated or missing."""

    def attributes(shown: Shown) -> Attributes:
        found = read(shown.savings)
        if found is None:
            return {"why": shortened(shown.savings.problem or _NOT_YET)}
        return {
            **_since(found),
            "import_cost": _pounds(found.actual.import_p),
            "export_income": _pounds(found.actual.export_p),
            "standing_charge": _standing(found),
            "import_kwh": round(found.actual.import_kwh, 3),
            "export_kwh": round(found.actual.export_kwh, 3),
            **_of_sessions("sessions_estimate", found.actual.sessions_p),
            **_sureness(found),
        }

    return attributes


def saving_facts(read: ReadBill) -> Callable[[Shown], Attributes]:
    """What was saved against each other way [GBP], and what else the battery holds [kWh]."""

    def attributes(shown: Shown) -> Attributes:
        found = read(shown.savings)
        if found is None:
            return {"why": shortened(shown.savings.problem or _NOT_YET)}
        more = found.stored_more_than(Otherwise.SELF_USE)
        return {
            **_since(found),
            **{f"against_{other}": _pounds(found.saved_against(other)) for other in Otherwise},
            "stored_more_than_self_use_kwh": None if more is None else round(more, 3),
            **_of_sessions("sessions_estimate", found.sessions_more_than(Otherwise.SELF_USE)),
            **_sureness(found),
        }

    return attributes


def _standing(found: Bill) -> float | None:
    """What of it is known; None where it is of no day."""
    return None if found.n_no_standing == found.n_days else _pounds(found.standing_p)


def _of_sessions(name: str, pence: float | None) -> dict[str, Any]:
    """What sessions pay besides, by our own reckoning [GBP]; nothing where none was on."""
    return {} if pence is None else {name: _pounds(pence)}


def plan_money(shown: Shown) -> Attributes:
    """Until when the plan goes, and what sessions pay of its cost."""
    if shown.plan is None:
        return {}
    return {
        "until": short_time(shown.plan.horizon.end),
        **_of_sessions("sessions_estimate", shown.sessions_p),
    }


def _since(found: Bill) -> dict[str, Any]:
    """Statistics begin anew there."""
    return {"last_reset": day_bounds(found.first)[0].isoformat()}


def _sureness(found: Bill) -> dict[str, Any]:
    return {
        "is_estimate": found.is_estimate,
        "half_hours": found.n_slots,
        "half_hours_estimated": found.n_estimated,
        "half_hours_missing": found.n_missing,
        "days": found.n_days,
        "days_missing": found.n_missing_days,
        "days_without_standing_charge": found.n_no_standing,
    }


def _pounds(pence: float) -> float:
    return round(pence / 100, 4)


def _bill(name: str, read: ReadBill) -> Entity:
    return Entity(
        name=name,
        value=bill(read),
        unit="GBP",
        device_class="monetary",
        state_class="total",
        icon="mdi:receipt-text-outline",
        attributes=bill_facts(read),
        shows_rates=True,
    )


def _saving(name: str, read: ReadBill) -> Entity:
    return Entity(
        name=name,
        value=saved(read),
        unit="GBP",
        device_class="monetary",
        state_class="total",
        icon="mdi:piggy-bank-outline",
        attributes=saving_facts(read),
        shows_rates=True,
    )


MONEY: Final = (
    _bill("Bill today", of_today),
    _saving("Saved today", of_today),
    _bill("Bill this month", of_month),
    _saving("Saved this month", of_month),
)
