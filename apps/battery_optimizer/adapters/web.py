"""What is served over HTTP: JSON made of the latest cycle, and the page that draws it.

AppDaemon serves one path segment after /api/appdaemon/ and /app/. The page asks its own address
with ?data for everything it draws, so that it needs no other permission than it came with.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Plan, SlotPlan
from battery_optimizer.model.shown import DEMO, Shown, end_of

Json = dict[str, Any]

NO_PLAN_YET: Final = "no plan yet: the first one is made within a minute of the start"
_PAGE: Final = Path(__file__).with_name("page")
_NO_DISCHARGE: Final = (Mode.HOLD, Mode.FORCE_CHARGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is known beside the latest cycle: when the app started, and the state of its sources."""

    started_at: datetime
    control: str
    rates_fetched_at: datetime | None = None
    rates_error: str | None = None
    app_problem: str | None = None
    """Why no cycle can run at all, if so."""


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
        "at": _time(outcome.at),
        "rates": _rates_word(shown),
    }


def health(shown: Shown | None, status: Status, now: datetime) -> Json:
    """Whether all is well, and if not, what is wrong in words."""
    problems = [status.app_problem] if status.app_problem else []
    if shown is None:
        return {
            "status": "starting" if not problems else "failed",
            "problems": problems or [NO_PLAN_YET],
            "control": status.control,
            "started_at": _time(status.started_at),
            "rates_fetched_at": _time_or_none(status.rates_fetched_at),
            "rates_error": status.rates_error,
        }
    outcome, plan = shown.outcome, shown.plan
    return {
        "status": shown.health if not problems else "failed",
        "problems": [*problems, *shown.problems],
        "control": status.control,
        "started_at": _time(status.started_at),
        "last_cycle": _time(outcome.at),
        "last_cycle_age_s": round((now - outcome.at).total_seconds()),
        "result": outcome.result.value,
        "command_result": outcome.command_result.value,
        "measured_at": _time(outcome.telemetry.measured_at) if outcome.telemetry else None,
        "plan_made_at": _time(plan.made_at) if plan else None,
        "rates": _rates_word(shown),
        "rates_until": _time_or_none(shown.rates_until),
        "rates_fetched_at": _time_or_none(status.rates_fetched_at),
        "rates_error": status.rates_error,
        "solver": _solver(plan) if plan else None,
    }


def plan(shown: Shown | None) -> Json:
    """The plan in force, slot by slot; `slots` is empty while there is none."""
    if shown is None or shown.plan is None:
        why = shown.outcome.reason if shown else NO_PLAN_YET
        return {"slots": [], "reason": why, "made_at": None, "rates": None}
    made = shown.plan
    return {
        "made_at": _time(made.made_at),
        "rates": _rates_word(shown),
        "reason": shown.outcome.reason,
        "cost_p": _rounded(made.cost_p),
        "solver": _solver(made),
        "warnings": list(made.warnings),
        "alternatives": [
            {
                "mode": other.command.mode.value,
                "power_kw": _rounded(other.command.power_kw),
                "extra_cost_p": _rounded(other.extra_cost_p),
            }
            for other in made.alternatives
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
        "now": _time(now),
        "recommendation": recommendation(shown, voltage=voltage),
        "health": health(shown, status, now),
        "plan": plan(shown),
        "house": {
            "reserve_percent": 100 * battery.reserve_kwh / (battery.capacity_kwh or 1.0),
            "capacity_kwh": battery.capacity_kwh,
        },
        "measured": {
            "soc_percent": shown.percent(telemetry.soc_kwh) if shown and telemetry else None,
            "load_kw": _rounded(telemetry.load_kw) if telemetry else None,
            "solar_kw": _rounded(telemetry.solar_kw) if telemetry else None,
            "battery_kw": _rounded(telemetry.battery_kw) if telemetry else None,
            "grid_kw": _rounded(telemetry.grid_kw) if telemetry else None,
        },
    }


@cache
def page() -> tuple[str, Mapping[str, str]]:
    """The page as one document, and the headers to send with it.

    The headers let it run its own script, ask its own address, and nothing else.
    """
    files = {
        name: (_PAGE / name).read_text(encoding="utf-8")
        for name in ("index.html", "page.css", "page.js")
    }
    html = files["index.html"]
    html = html.replace("/* page.css */", files["page.css"])
    html = html.replace("/* page.js */", files["page.js"])
    digest = b64encode(sha256(files["page.js"].encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return html, {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _slot(slot: SlotPlan, shown: Shown) -> Json:
    return {
        "start": _time(slot.start),
        "end": _time(end_of(slot)),
        "mode": slot.mode.value,
        "power_kw": _rounded(slot.command.power_kw),
        "reason": slot.reason,
        "import_rate": _rounded(slot.import_rate),
        "export_rate": _rounded(slot.export_rate),
        "rate_published": slot.rate_published,
        "load_kw": _rounded(slot.load_kwh / slot.hours),
        "solar_kw": _rounded(slot.solar_kwh / slot.hours),
        "battery_kw": _rounded((slot.discharge_kwh - slot.charge_kwh) / slot.hours),
        "grid_kw": _rounded((slot.grid_import_kwh - slot.grid_export_kwh) / slot.hours),
        "soc_start_percent": shown.percent(slot.soc_start_kwh),
        "soc_end_percent": shown.percent(slot.soc_end_kwh),
        "energy_value": _rounded(slot.energy_value_p_per_kwh),
        "cost_p": _rounded(slot.cost_p),
    }


def _solver(made: Plan) -> Json:
    return {
        "status": made.solve.status,
        "gap_p": _rounded(made.solve.gap_p, 4),
        "seconds": _rounded(made.solve.seconds, 4),
    }


def _discharge_current(command: InverterCommand, voltage: float | None) -> float | None:
    if command.mode in _NO_DISCHARGE:
        return 0.0
    if command.mode is not Mode.FORCE_DISCHARGE or command.power_kw is None or voltage is None:
        return None
    return round(1000 * command.power_kw / voltage, 1)


def _rates_word(shown: Shown) -> str:
    return DEMO if shown.is_demo else "published"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else _time(moment)


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
