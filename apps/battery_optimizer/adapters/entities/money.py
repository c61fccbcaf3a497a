"""Bills and savings as entities: pounds, with what they are made of and how sure they are."""

from collections.abc import Callable, Mapping
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

_ReadBill = Callable[[Savings], Bill | None]


def _number(read: _ReadBill, pence: Callable[[Bill], float]) -> Callable[[Shown], Value]:
    """An amount of a bill [GBP]; None while there is no bill."""

    def value(shown: Shown) -> Value:
        found = read(shown.savings)
        return None if found is None else _pounds(pence(found))

    return value


def _facts(
    read: _ReadBill, parts: Callable[[Bill], Mapping[str, Any]]
) -> Callable[[Shown], Attributes]:
    """Parts of a bill, since when it goes and how sure it is; else why there is none."""

    def attributes(shown: Shown) -> Attributes:
        found = read(shown.savings)
        if found is None:
            return {"why": shortened(shown.savings.problem or _NOT_YET)}
        return {**_since(found), **parts(found), **_sureness(found)}

    return attributes


def _of_bill(found: Bill) -> Mapping[str, Any]:
    """What it is made of [GBP, kWh]."""
    return {
        "import_cost": _pounds(found.actual.import_p),
        "export_income": _pounds(found.actual.export_p),
        "standing_charge": _standing(found),
        "import_kwh": round(found.actual.import_kwh, 3),
        "export_kwh": round(found.actual.export_kwh, 3),
        **_of_sessions(found.actual.sessions_p),
    }


def _of_saving(found: Bill) -> Mapping[str, Any]:
    """What was saved against each other way [GBP], and what else the battery holds [kWh]."""
    more = found.stored_more_than(Otherwise.SELF_USE)
    return {
        **{f"against_{other}": _pounds(found.saved_against(other)) for other in Otherwise},
        "stored_more_than_self_use_kwh": None if more is None else round(more, 3),
        **_of_sessions(found.sessions_more_than(Otherwise.SELF_USE)),
    }


def _standing(found: Bill) -> float | None:
    """What of it is known; None where it is of no day."""
    return None if found.n_no_standing == found.n_days else _pounds(found.standing_p)


def _of_sessions(pence: float | None) -> dict[str, Any]:
    """What sessions pay besides, by our own reckoning [GBP]; nothing where none was on."""
    return {} if pence is None else {"sessions_estimate": _pounds(pence)}


def plan_money(shown: Shown) -> Attributes:
    """Until when the plan goes, and what sessions pay of its cost."""
    if shown.plan is None:
        return {}
    return {
        "until": short_time(shown.plan.horizon.end),
        **_of_sessions(shown.sessions_p),
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


def _money(
    name: str, icon: str, value: Callable[[Shown], Value], attributes: Callable[[Shown], Attributes]
) -> Entity:
    return Entity(
        name=name,
        value=value,
        unit="GBP",
        device_class="monetary",
        state_class="total",
        icon=icon,
        attributes=attributes,
        shows_rates=True,
    )


def _bill(name: str, read: _ReadBill) -> Entity:
    value = _number(read, lambda found: found.bill_p)
    return _money(name, "mdi:receipt-text-outline", value, _facts(read, _of_bill))


def _saving(name: str, read: _ReadBill) -> Entity:
    value = _number(read, lambda found: found.saved_against(Otherwise.SELF_USE))
    return _money(name, "mdi:piggy-bank-outline", value, _facts(read, _of_saving))


MONEY: Final = (
    _bill("Bill today", lambda savings: savings.today),
    _saving("Saved today", lambda savings: savings.today),
    _bill("Bill this month", lambda savings: savings.month),
    _saving("Saved this month", lambda savings: savings.month),
)
