"""What is served over HTTP of the latest cycle, as JSON: recommendation, plan, health, the page's.

AppDaemon serves one path segment after /api/appdaemon/ and /app/. The page asks its own address
with ?data for everything it draws, so that it needs no other permission than it came with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from battery_optimizer.adapters.web.plain import plain_number, plain_time
from battery_optimizer.model.found import Finding
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Plan, SlotPlan
from battery_optimizer.model.shown import DEMO, GONE_AFTER, Shown, end_of
from battery_optimizer.model.slots import local_day

Json = dict[str, Any]

NO_PLAN_YET: Final = "no plan yet: the first one is made within a minute of the start"
_NO_DISCHARGE: Final = (Mode.HOLD, Mode.FORCE_CHARGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known beside the latest cycle: when the app started, and the state of its sources."""

    started_at: datetime
    control: str
    rates_fetched_at: datetime | None = None
    rates_error: str | None = None
    solar_source: str | None = None
    solar_issued_at: datetime | None = None
    app_problem: str | None = None
    """Why no cycle can run at all, if so."""
    found: tuple[Finding, ...] = ()
    """What was found in the house when it was last looked for."""


def recommendation(shown: Shown | None, *, voltage: float | None) -> Json:
    """What to do now; `voltage` is the battery's, nominal [V], None where it is not known.

    `discharge_current` [A] is 0 where the battery must not discharge and null where it follows the
    load. `expected_soc` [%] is the state of charge at the end of the present slot.
    """
    if shown is None:
        return {
            "mode": None,
            "discharge_current": None,
            "reason": NO_PLAN_YET,
            "optimization_status": "starting",
            "expected_soc": None,
        }
    outcome = shown.outcome
    return {
        "mode": outcome.command.mode.value,
        "discharge_current": _discharge_current(outcome.command, voltage),
        "reason": outcome.reason,
        "optimization_status": shown.plan.solve.status if shown.plan else outcome.result.value,
        "expected_soc": shown.percent(shown.now.soc_end_kwh) if shown.now else None,
        "result": outcome.result.value,
        "command_result": outcome.command_result.value,
        "power_kw": outcome.command.power_kw,
        "at": plain_time(outcome.at),
        "rates": _rates_word(shown),
    }


def health(shown: Shown | None, status: Status, now: datetime) -> Json:
    """Whether all is well, and if not, what is wrong in words."""
    problems = [status.app_problem] if status.app_problem else []
    sources = {
        "control": status.control,
        "started_at": plain_time(status.started_at),
        "rates_fetched_at": _time_or_none(status.rates_fetched_at),
        "rates_error": status.rates_error,
        "solar_source": status.solar_source,
        "solar_issued_at": _time_or_none(status.solar_issued_at),
    }
    if shown is None:
        starting = {"status": "failed" if problems else "starting"}
        return {**starting, "problems": problems or [NO_PLAN_YET], **sources}
    outcome, made = shown.outcome, shown.plan
    age = now - outcome.at
    word = "failed" if problems else shown.health
    if age > GONE_AFTER:
        word = "stale"
        problems.append(
            f"the last cycle was {age // timedelta(minutes=1)} minutes ago; see the log"
        )
    return {
        "status": word,
        "problems": [*problems, *shown.problems],
        **sources,
        "last_cycle": plain_time(outcome.at),
        "last_cycle_age_s": round(age.total_seconds()),
        "result": outcome.result.value,
        "command_result": outcome.command_result.value,
        "writes_today": outcome.writes_today,
        "measured_at": plain_time(outcome.telemetry.measured_at) if outcome.telemetry else None,
        "plan_made_at": plain_time(made.made_at) if made else None,
        "rates": _rates_word(shown),
        "rates_until": _time_or_none(shown.rates_until),
        "solver": _solver(made) if made else None,
    }


def plan(shown: Shown | None) -> Json:
    """The plan in force, slot by slot; `slots` is empty while there is none."""
    if shown is None or shown.plan is None:
        why = shown.outcome.reason if shown else NO_PLAN_YET
        return {"slots": [], "reason": why, "made_at": None, "rates": None}
    made = shown.plan
    return {
        "made_at": plain_time(made.made_at),
        "rates": _rates_word(shown),
        "reason": shown.outcome.reason,
        "cost_p": plain_number(shown.cost_p),
        "sessions_p": plain_number(shown.sessions_p),
        "solver": _solver(made),
        "warnings": list(made.warnings),
        "alternatives": [
            {
                "mode": other.command.mode.value,
                "power_kw": plain_number(other.command.power_kw),
                "extra_cost_p": plain_number(other.extra_cost_p),
            }
            for other in shown.alternatives
        ],
        "slots": [_slot(slot, shown) for slot in shown.coming],
    }


def page_data(
    shown: Shown | None,
    status: Status,
    now: datetime,
    *,
    battery: Battery,
    voltage: float | None = None,
) -> Json:
    """All that the page draws."""
    telemetry = shown.outcome.telemetry if shown else None
    return {
        "now": plain_time(now),
        "recommendation": recommendation(shown, voltage=voltage),
        "health": health(shown, status, now),
        "plan": plan(shown),
        "outlook": _ahead(shown) if shown else None,
        "found": [
            {
                "about": each.about,
                "words": each.words,
                "presence": each.presence.value,
                "advice": each.advice,
            }
            for each in status.found
        ],
        "house": {
            "reserve_percent": 100 * battery.reserve_kwh / (battery.capacity_kwh or 1.0),
            "capacity_kwh": battery.capacity_kwh,
        },
        "measured": {
            "soc_percent": shown.percent(telemetry.soc_kwh) if shown and telemetry else None,
            "load_kw": plain_number(telemetry.load_kw) if telemetry else None,
            "solar_kw": plain_number(telemetry.solar_kw) if telemetry else None,
            "battery_kw": plain_number(telemetry.battery_kw) if telemetry else None,
            "grid_kw": plain_number(telemetry.grid_kw) if telemetry else None,
        },
    }


def _ahead(shown: Shown) -> Json:
    """The present rate among those around it, and what comes."""
    turn = shown.next_mode
    return {
        "rate_class": shown.rate_class.value if shown.rate_class else None,
        "days": [_day(shown, name, ahead) for ahead, name in enumerate(("today", "tomorrow"))],
        "next": {
            "at": plain_time(turn.start),
            "mode": turn.command.acts_as.value,
            "power_kw": plain_number(turn.command.power_kw),
        }
        if turn
        else None,
    }


def _day(shown: Shown, name: str, ahead: int) -> Json:
    """The cheapest and the dearest hours of what is to come of a day; None where nothing is."""
    day = local_day(shown.outcome.at) + timedelta(days=ahead)
    return {
        "name": name,
        "cheapest": _window(shown.window(cheap=True, day=day)),
        "dearest": _window(shown.window(cheap=False, day=day)),
    }


def _window(slots: Sequence[SlotPlan]) -> Json | None:
    if not slots:
        return None
    rates = [slot.import_rate for slot in slots]
    return {
        "start": plain_time(slots[0].start),
        "end": plain_time(end_of(slots[-1])),
        "lowest": plain_number(min(rates)),
        "highest": plain_number(max(rates)),
        "is_published": all(slot.rate_published for slot in slots),
    }


def _slot(slot: SlotPlan, shown: Shown) -> Json:
    low_kwh, high_kwh = shown.band.get(slot.start, (None, None))
    return {
        "start": plain_time(slot.start),
        "end": plain_time(end_of(slot)),
        "mode": slot.mode.value,
        "power_kw": plain_number(slot.command.power_kw),
        "reason": slot.reason,
        "import_rate": plain_number(slot.import_rate),
        "export_rate": plain_number(slot.export_rate),
        "rate_published": slot.rate_published,
        "load_kw": plain_number(slot.load_kwh / slot.hours),
        "solar_kw": plain_number(slot.solar_kwh / slot.hours),
        "battery_kw": plain_number((slot.discharge_kwh - slot.charge_kwh) / slot.hours),
        "grid_kw": plain_number((slot.grid_import_kwh - slot.grid_export_kwh) / slot.hours),
        "soc_start_percent": shown.percent(slot.soc_start_kwh),
        "soc_end_percent": shown.percent(slot.soc_end_kwh),
        "soc_low_percent": shown.percent(low_kwh),
        "soc_high_percent": shown.percent(high_kwh),
        "energy_value": plain_number(slot.energy_value_p_per_kwh),
        "cost_p": plain_number(slot.cost_p),
    }


def _solver(made: Plan) -> Json:
    return {
        "status": made.solve.status,
        "gap_p": plain_number(made.solve.gap_p, 4),
        "seconds": plain_number(made.solve.seconds, 4),
    }


def _discharge_current(command: InverterCommand, voltage: float | None) -> float | None:
    if command.mode in _NO_DISCHARGE:
        return 0.0
    if command.mode is not Mode.FORCE_DISCHARGE or command.power_kw is None or voltage is None:
        return None
    return round(1000 * command.power_kw / voltage, 1)


def _rates_word(shown: Shown) -> str:
    return DEMO if shown.is_demo else "published"


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else plain_time(moment)
