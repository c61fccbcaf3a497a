"""States and attributes of the entities: series, runs of modes, facts, kept short enough.

Home Assistant refuses a state over 255 characters and its recorder drops attributes over 16 kB, so
texts are cut and series thinned.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from battery_optimizer.model.loss import ForecastErrors, Split, Yesterday
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.plan import SlotPlan
from battery_optimizer.model.shown import Shown, end_of
from battery_optimizer.model.slots import local_day
from battery_optimizer.model.wording import MODE_WORDS, command_words

Value = str | float | int | datetime | None
Attributes = Mapping[str, Any]

LONGEST_STATE: Final = 255
MOST_BYTES: Final = 15_000
"""Of an entity's attributes, with a margin below the recorder's 16,384."""
MOST_POINTS: Final = 192
_SOON_HOURS: Final = 24.0


def of_slot(read: Callable[[SlotPlan], float]) -> Callable[[Shown], Value]:
    """A number of the slot that runs now."""
    return lambda shown: round(read(shown.now), 2) if shown.now is not None else None


def series(read: Callable[[SlotPlan], float]) -> Callable[[Shown], Attributes]:
    """`forecast: [{start, value}]`, averages where slots must be taken together."""

    def attributes(shown: Shown) -> Attributes:
        points = [
            {
                "start": short_time(group[0].start),
                "value": round(sum(read(slot) for slot in group) / len(group), 2),
            }
            for group in _grouped(shown.coming)
        ]
        return {"forecast": points}

    return attributes


def load_series(shown: Shown) -> Attributes:
    """As `series` of the load; `large_loads`: kWh of each in a day, where they are forecast."""
    given = series(lambda slot: slot.load_kwh / slot.hours)(shown)
    outlook = shown.outcome.outlook
    if outlook is None or not outlook.large_kwh:
        return given
    soon = np.cumsum(outlook.horizon.hours) <= _SOON_HOURS
    large = {name: round(float(kwh[soon].sum()), 1) for name, kwh in outlook.large_kwh.items()}
    return {**given, "large_loads": large}


def soc_series(shown: Shown) -> Attributes:
    """`forecast: [{start, value}]`: state of charge [%] at each start."""
    points = [
        {"start": short_time(group[0].start), "value": shown.percent(group[0].soc_start_kwh)}
        for group in _grouped(shown.coming)
    ]
    return {"forecast": points}


def _grouped(slots: Sequence[SlotPlan]) -> Iterator[Sequence[SlotPlan]]:
    size = max(1, -(-len(slots) // MOST_POINTS))
    for first in range(0, len(slots), size):
        yield slots[first : first + size]


def schedule(shown: Shown) -> Attributes:
    """Runs of slots with one mode: `[{start, end, mode, words, power_kw, soc_percent, reason}]`.

    `words` are what people see: a forced mode that pauses is `Hold`.
    """
    runs: list[dict[str, Any]] = []
    for slot in shown.coming:
        end = short_time(end_of(slot))
        words = MODE_WORDS[slot.command.acts_as]
        if runs and (runs[-1]["mode"], runs[-1]["words"]) == (slot.mode.value, words):
            runs[-1] |= {"end": end, "soc_percent": shown.percent(slot.soc_end_kwh)}
            continue
        runs.append(
            {
                "start": short_time(slot.start),
                "end": end,
                "mode": slot.mode.value,
                "words": words,
                "power_kw": rounded(slot.command.power_kw),
                "soc_percent": shown.percent(slot.soc_end_kwh),
                "reason": shortened(slot.reason),
            }
        )
    kept = _fitting(runs)
    return {"schedule": kept, "complete": len(kept) == len(runs)}


def _fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    size = 0
    for count, row in enumerate(rows):
        size += len(json.dumps(row)) + 2
        if size > MOST_BYTES - 500:
            return rows[:count]
    return rows


def window_start(*, cheap: bool) -> Callable[[Shown], Value]:
    """When the cheapest, or dearest, window of the plan begins."""
    return lambda shown: next((slot.start for slot in shown.window(cheap=cheap)), None)


def window_facts(*, cheap: bool) -> Callable[[Shown], Attributes]:
    """The window's end and average rate [p/kWh], and whether all its rates are published."""

    def attributes(shown: Shown) -> Attributes:
        slots = shown.window(cheap=cheap)
        if not slots:
            return {}
        rates = [slot.import_rate for slot in slots]
        return {
            "end": short_time(end_of(slots[-1])),
            "average_p_per_kwh": round(sum(rates) / len(rates), 2),
            "published": all(slot.rate_published for slot in slots),
        }

    return attributes


def command_facts(shown: Shown) -> Attributes:
    """The modes there are, the present one in words with its power [kW], what came of it."""
    outcome = shown.outcome
    return {
        "words": command_words(outcome.command),
        "options": [mode.value for mode in Mode],
        "power_kw": rounded(outcome.command.power_kw),
        "command_result": outcome.command_result.value,
    }


def alternatives(shown: Shown) -> Attributes:
    """The whole reason, and what each other thing to do now would cost more [p]."""
    return {
        "text": shown.outcome.reason,
        "alternatives": [
            {
                "mode": other.command.mode.value,
                "words": command_words(other.command),
                "extra_cost_p": round(other.extra_cost_p, 2),
            }
            for other in shown.alternatives
        ],
    }


def solver_facts(shown: Shown) -> Attributes:
    """How the plan was solved, and when."""
    if shown.plan is None:
        return {}
    solve = shown.plan.solve
    return {
        "gap_p": round(solve.gap_p, 4),
        "doubtful_slots": solve.n_doubtful,
        "made_at": short_time(shown.plan.made_at),
        "warnings": list(shown.plan.warnings),
    }


def lost_yesterday(shown: Shown) -> Value:
    """How much less yesterday could have cost [p]."""
    found = shown.yesterday
    return None if isinstance(found, str) else round(found.split.distance_p, 2)


def loss_facts(shown: Shown) -> Attributes:
    """Yesterday's bill, the best possible and the causes of the difference [p], which add up.

    The same of the last week's days, newest first, with how much less each could have cost.
    """
    lately = [
        {**_split_facts(split), "lost_p": _p(split.distance_p)} for split in shown.savings.lately
    ]
    found = shown.yesterday
    told = {"why": shortened(found)} if isinstance(found, str) else _split_facts(found.split)
    return {**told, "lately": lately}


def _split_facts(split: Split) -> Attributes:
    return {
        "day": local_day(split.start).isoformat(),
        "bill_p": _p(split.bill_p),
        "best_p": _p(split.best_p),
        **{f"{name.replace(' ', '_')}_p": _p(lost) for name, lost in split.parts.items()},
        "half_hours_not_metered": split.n_bridged,
        "half_hours_of_sessions": split.n_sessions,
    }


def _p(pence: float) -> float:
    return round(pence, 2) + 0.0


def forecast_error(read: Callable[[Yesterday], ForecastErrors]) -> Callable[[Shown], Value]:
    """Yesterday's mean absolute error of what was expected for the hour to come [kW]."""
    return lambda shown: (
        None if isinstance(shown.yesterday, str) else rounded(read(shown.yesterday).next_hour_kw)
    )


def error_facts(read: Callable[[Yesterday], ForecastErrors]) -> Callable[[Shown], Attributes]:
    """Errors [kW] by hour of the local day and by hours ahead; bias is expected less metered."""

    def attributes(shown: Shown) -> Attributes:
        if isinstance(shown.yesterday, str):
            return {"why": shortened(shown.yesterday)}
        errors = read(shown.yesterday)
        rows = {
            "by_hour_kw": errors.by_hour_kw,
            "by_hour_bias_kw": errors.by_hour_bias_kw,
            "by_lead_kw": errors.by_lead_kw,
            "by_lead_bias_kw": errors.by_lead_bias_kw,
        }
        return {name: [rounded(value) for value in values] for name, values in rows.items()}

    return attributes


def short_time(moment: datetime) -> str:
    """UTC, without seconds where there are none: half an hour is written 192 times."""
    seconds = ":%S" if moment.second else ""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M{seconds}}Z"


def shortened(text: str) -> str:
    """As much of the text as a state may have."""
    return text if len(text) <= LONGEST_STATE else f"{text[: LONGEST_STATE - 1]}…"


def rounded(value: float | None) -> float | None:
    """The number with few digits; None stays None."""
    return None if value is None else round(value, 3)
