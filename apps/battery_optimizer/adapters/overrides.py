"""What the household orders, read from Home Assistant's input helpers.

The helpers come with the package in `docs/home_assistant`; without them there are no orders. What
was read is kept, so that an order goes on through restarts of this app and of Home Assistant. An
order that is over sets its helper back to Automatic.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Final

from battery_optimizer.errors import DataError
from battery_optimizer.model.entity import ReadState, finite, utc_moment
from battery_optimizer.model.house import Battery
from battery_optimizer.model.memory import Memory
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.service import CallService, failure
from battery_optimizer.model.slots import UK, local_day, local_time
from battery_optimizer.model.wishes import NO_WISHES, Override, Target, Wishes

CHOICE: Final = "input_select.battery_optimizer_override"
UNTIL: Final = "input_datetime.battery_optimizer_override_until"
POWER: Final = "input_number.battery_optimizer_override_power"
TARGET: Final = "input_number.battery_optimizer_target"
TARGET_BY: Final = "input_datetime.battery_optimizer_target_by"

AUTOMATIC: Final = "Automatic"
PAUSE: Final = "Pause"
AWAY: Final = "Away"
MODES: Final[Mapping[str, Mode]] = MappingProxyType(
    {
        PAUSE: Mode.SELF_USE,
        "Self use": Mode.SELF_USE,
        "Hold": Mode.HOLD,
        "Feed in": Mode.FEED_IN,
        "Charge": Mode.FORCE_CHARGE,
        "Discharge": Mode.FORCE_DISCHARGE,
    }
)
OPTIONS: Final = (AUTOMATIC, *MODES, AWAY)
FORCED_FOR: Final = timedelta(hours=1)
"""How long a forced mode is ordered for where no time to come is set."""
OPEN_END: Final = timedelta(days=7)
"""Planned with where an order has no end."""
TARGET_DAYS: Final = 3
_KEY: Final = "the household's orders"
_NO_STATE: Final = ("unavailable", "unknown", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The helpers as last read, and when the order that they give ends (None: it is open)."""

    choice: str = AUTOMATIC
    until: str = ""
    power: str = ""
    target: str = ""
    target_by: str = ""
    ends: str | None = None

    @property
    def end(self) -> datetime | None:
        """The end of the order."""
        return None if self.ends is None else datetime.fromisoformat(self.ends)

    def is_over(self, now: datetime) -> bool:
        """Whether the order has ended."""
        return self.end is not None and now >= self.end


class HouseholdOrders:
    """Orders and targets of the household, as wishes for a plan."""

    def __init__(
        self,
        *,
        read_state: ReadState,
        call_service: CallService,
        memory: Memory,
        battery: Battery,
    ) -> None:
        self._read_state = read_state
        self._call_service = call_service
        self._memory = memory
        self._battery = battery
        self._orders: Orders | None = None
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the helpers, one sentence each."""
        return self._problems

    def wishes(self, now: datetime) -> Wishes:
        """All that is ordered at this moment."""
        self._problems = ()
        before = self._orders or self._remembered()
        orders = self._read(now, before)
        if orders.is_over(now) and orders.choice != AUTOMATIC:
            self._back_to_automatic()
        if orders != before:
            with suppress(DataError):  # `record` says what is wrong with the store
                self._memory.put_state(_KEY, json.dumps(asdict(orders)))
        self._orders = orders
        return self._wishes(now, orders)

    def _read(self, now: datetime, before: Orders) -> Orders:
        shown = {
            name: self._shown(entity_id, getattr(before, name))
            for name, entity_id in (
                ("choice", CHOICE),
                ("until", UNTIL),
                ("power", POWER),
                ("target", TARGET),
                ("target_by", TARGET_BY),
            )
        }
        if self._read_state(CHOICE) is None and before.end is None:
            shown["choice"] = AUTOMATIC  # the helpers were taken away: nothing open goes on
        if shown["choice"] not in OPTIONS:
            self._problems = (
                f"{CHOICE} is {shown['choice']!r}, which is none of {', '.join(OPTIONS)}",
            )
            shown["choice"] = AUTOMATIC
        orders = replace(before, **shown)
        if (orders.choice, orders.until) == (before.choice, before.until):
            return orders
        return replace(orders, ends=self._ends(now, orders))

    def _shown(self, entity_id: str, before: str) -> str:
        state = self._read_state(entity_id)
        if state is None or state.state in _NO_STATE:
            return before  # Home Assistant is starting
        stamp = finite(state.attributes.get("timestamp"))
        if entity_id == UNTIL and stamp is not None:
            return datetime.fromtimestamp(stamp, UTC).isoformat()
        return state.state

    def _ends(self, now: datetime, orders: Orders) -> str | None:
        """When a new order ends: at the time set if that is to come, else it is open."""
        with suppress(ValueError):
            until = utc_moment(orders.until, UK)
            if until > now:
                return until.isoformat()
        mode = MODES.get(orders.choice)
        is_forced = mode is not None and mode.is_forced
        return (now + FORCED_FOR).isoformat() if is_forced else None

    def _wishes(self, now: datetime, orders: Orders) -> Wishes:
        wishes = replace(NO_WISHES, targets=tuple(self._targets(now, orders)))
        if orders.choice == AUTOMATIC or orders.is_over(now):
            return wishes
        end = orders.end or now + OPEN_END
        if orders.choice == AWAY:
            return replace(wishes, away_until=end)
        order = Override(start=now, end=end, command=self._command(orders))
        return replace(wishes, overrides=(order,), is_paused=orders.choice == PAUSE)

    def _command(self, orders: Orders) -> InverterCommand:
        mode = MODES[orders.choice]
        if not mode.is_forced:
            return InverterCommand(mode=mode)
        is_charge = mode is Mode.FORCE_CHARGE
        most_kw = self._battery.max_charge_kw if is_charge else self._battery.max_discharge_kw
        wanted_kw = finite(orders.power) or most_kw
        return InverterCommand(mode=mode, power_kw=min(max(wanted_kw, 0.0), most_kw))

    def _targets(self, now: datetime, orders: Orders) -> list[Target]:
        """So full by that time, today and on the days to come; none at 0 %."""
        percent = finite(orders.target)
        if not percent or percent < 0:
            return []
        soc_kwh = min(percent / 100 * self._battery.capacity_kwh, self._battery.ceiling_kwh)
        try:
            clock = time.fromisoformat(orders.target_by.split(" ")[-1])
        except ValueError:
            self._problems = (*self._problems, f"{TARGET_BY} is no time of day")
            return []
        days = (local_day(now) + timedelta(days=n) for n in range(TARGET_DAYS))
        times = (local_time(day, clock) for day in days)
        return [Target(by=by, soc_kwh=soc_kwh) for by in times if by > now]

    def _back_to_automatic(self) -> None:
        if self._read_state(CHOICE) is None:
            return  # there is nothing to set
        data = {"entity_id": CHOICE, "option": AUTOMATIC}
        if why := failure(self._call_service, "input_select/select_option", data):
            # An order that is over stays over, whatever the helper shows.
            words = f"the household's order is over, but is still shown: {why}"
            self._problems = (*self._problems, words)

    def _remembered(self) -> Orders:
        try:
            kept = self._memory.get_state(_KEY)
            return Orders(**json.loads(kept)) if kept else Orders()
        except (DataError, ValueError, TypeError):
            # Of another version, or damaged: the helpers say it anew.
            return Orders()
