"""What there is to show after a cycle, read off its outcome: for entities, HTTP and the page."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.model.band import SocBand
from battery_optimizer.model.decision import CycleOutcome, CycleResult
from battery_optimizer.model.loss import Yesterday
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.money import NO_SAVINGS, Savings
from battery_optimizer.model.plan import Alternative, Plan, SlotPlan
from battery_optimizer.model.slots import HOUR, UK, local_day
from battery_optimizer.model.tariff import RateClass, classify
from battery_optimizer.model.wording import MODE_WORDS

DEMO = "demo rates"
GONE_AFTER: Final = timedelta(minutes=11)
"""Two cycles and a bit: who has shown nothing for so long is taken as gone."""
_DAY_HOURS = 24.0
_SOME_P: Final = 0.005
_NEARLY = 0.4
"""Rates this part of the way from the best to the worst are nearly as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to show after a cycle; `capacity_kwh` makes percentages."""

    outcome: CycleOutcome
    capacity_kwh: float
    problems: tuple[str, ...] = ()
    """Of the cycle and of its sources together."""
    instance: str = ""
    """Which running app this is, so that a second one on the same inverter is noticed."""
    inverter: str = ""
    """What that app drives: the id of the entity that sets the mode; empty if it only looks on."""
    yesterday: Yesterday | str = ""
    """What looking back at yesterday found, or why it found nothing."""
    band: SocBand = field(default_factory=dict)
    """How full the battery may be, at the end of each slot [kWh]."""
    savings: Savings = NO_SAVINGS
    """Bills so far, and what the house would have paid otherwise."""

    @property
    def plan(self) -> Plan | None:
        """The plan in force."""
        return self.outcome.plan

    @property
    def is_demo(self) -> bool:
        """Whether the rates are made up."""
        plan, outlook = self.outcome.plan, self.outcome.outlook
        return (plan is not None and plan.is_demo) or (outlook is not None and outlook.is_demo)

    @property
    def now(self) -> SlotPlan | None:
        """The plan's slot at the time of the cycle."""
        return self.coming[0] if self.coming else None

    @property
    def coming(self) -> tuple[SlotPlan, ...]:
        """The plan's slots from the present one on."""
        if self.plan is None:
            return ()
        starts = self.plan.horizon.starts
        first = sum(start <= self.outcome.at for start in starts) - 1
        return self.plan.slots[max(first, 0) :] if self.outcome.at < self.plan.horizon.end else ()

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """What else could be done now; nothing of a plan that was made in another slot."""
        if self.plan is None or self.now is not self.plan.slots[0]:
            return ()
        return self.plan.alternatives

    @property
    def cost_p(self) -> float | None:
        """The bill of the slots to come, the present one whole, less what sessions pay [p]."""
        return sum(slot.cost_p for slot in self.coming) if self.coming else None

    @property
    def sessions_p(self) -> float | None:
        """What of that cost sessions are reckoned to pay [p]; None where they pay nothing."""
        paid_p = sum(slot.bill_p - slot.cost_p for slot in self.coming)
        return paid_p if paid_p > _SOME_P else None

    def percent(self, soc_kwh: float | None) -> float | None:
        """Stored energy as a percentage of the capacity."""
        if soc_kwh is None or self.capacity_kwh <= 0:
            return None
        return round(100 * soc_kwh / self.capacity_kwh, 1)

    @property
    def health(self) -> str:
        """`ok`, `degraded` if planned in spite of problems, else which rung of the ladder."""
        if self.outcome.result is not CycleResult.PLANNED:
            return self.outcome.result.value
        return "ok" if not self.problems else "degraded"

    @property
    def next_mode(self) -> SlotPlan | None:
        """The first slot in which another thing is done than now."""
        now = self.outcome.command.acts_as
        return next((slot for slot in self.coming if slot.command.acts_as is not now), None)

    @property
    def rate_class(self) -> RateClass | None:
        """How the present import rate compares with those of the coming day."""
        if self.now is None:
            return None
        hours = np.cumsum([slot.hours for slot in self.coming])
        around = np.array([slot.import_rate for slot in self.coming])[hours <= _DAY_HOURS]
        return classify(self.now.import_rate, around)

    @property
    def rates_until(self) -> datetime | None:
        """The end of the last slot whose rates are published."""
        published = [slot for slot in self.coming if slot.rate_published]
        return end_of(published[-1]) if published else None

    def window(self, *, cheap: bool, day: date | None = None) -> tuple[SlotPlan, ...]:
        """The run of slots around the lowest, or highest, import rate with rates nearly as good.

        Of the local day, or of all that is to come; of what is published, as far as any of it is.
        """
        coming = [slot for slot in self.coming if day in (None, local_day(slot.start))]
        slots = [slot for slot in coming if slot.rate_published] or coming
        if not slots:
            return ()
        rates = np.array([slot.import_rate for slot in slots]) * (1 if cheap else -1)
        first = last = int(np.argmin(rates))
        near = rates.min() + _NEARLY * (rates.max() - rates.min())
        good = rates <= min(near, np.quantile(rates, 0.25))
        while first > 0 and good[first - 1]:
            first -= 1
        while last + 1 < len(slots) and good[last + 1]:
            last += 1
        return tuple(slots[first : last + 1])

    @property
    def summary(self) -> str:
        """The plan in a line: when something else than Self Use is done, and the bill."""
        if self.cost_p is None:
            return "no plan"
        runs: list[tuple[SlotPlan, SlotPlan]] = []
        for slot in self.coming:
            if runs and runs[-1][1].command.acts_as is slot.command.acts_as:
                runs[-1] = (runs[-1][0], slot)
            else:
                runs.append((slot, slot))
        words = [
            f"{MODE_WORDS[first.command.acts_as]} {_span(first.start, end_of(last))}"
            for first, last in runs
            if first.command.acts_as is not Mode.SELF_USE
        ]
        until = f"{end_of(self.coming[-1]).astimezone(UK):%a %H:%M}"
        rest = "otherwise Self Use" if words else "Self Use throughout"
        demo = f" ({DEMO})" if self.is_demo else ""
        return f"until {until}: {', '.join([*words, rest])}; bill {self.cost_p:.0f} p{demo}"


def _span(start: datetime, end: datetime) -> str:
    start, end = start.astimezone(UK), end.astimezone(UK)
    day = "" if start.date() == end.date() else f"{end:%a} "
    return f"{start:%a %H:%M}-{day}{end:%H:%M}"


def end_of(slot: SlotPlan) -> datetime:
    """The moment at which a slot ends."""
    return slot.start + slot.hours * HOUR
