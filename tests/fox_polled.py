"""foxess_modbus between Home Assistant and the inverter as it was seen to be: polled, not truthful.

The habits, each seen with the real integration (Home Assistant Core, a simulated H1):

* The sensors and a changed force power come with the next poll, every 10 s; the select at once.
* A force mode is the integration's own, refreshed at each poll; unrefreshed, the inverter's
  watchdog ends it in Back-up or Feed-in First. If that happens in silence (an outage of 28 s) the
  select goes on saying Force ..., and selecting the same option again writes nothing.
* Link refused: calls fail, yet a failed force call is carried out when the link is back. After five
  failed polls everything is unavailable; calls then succeed and are dropped.
* Adapter hangs: calls time out, what is shown freezes, and only after 131 s is it unavailable. When
  it is back, the first of the writes that waited is carried out and the others are not.
* Charge periods are no entity's: while unavailable, writing them fails. What was written is shown
  until the next poll whatever the inverter has, which may have dropped it (`drops_writes`).
* Home Assistant stopped: the force mode is lost, and the select is unknown for the first seconds.
* By day the first poll of Force Charge commands nothing.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from battery_optimizer.model.entity import EntityState
from battery_optimizer.simulate.home.fox_entities import Answer, done, refused
from battery_optimizer.simulate.home.fox_periods import ChargePeriod
from battery_optimizer.simulate.home.inverter import FALLBACKS, FORCE_CHARGE, SimulatedInverter

POLL: Final = timedelta(seconds=10)
LEAVING: Final = timedelta(seconds=20)
"""How long a forced discharge was seen to go on after another mode was set."""
FORCE_POWERS: Final = ("force_charge_kw", "force_discharge_kw")
"""Numbers that the integration keeps to itself until a poll."""


class Link(StrEnum):
    """What stands between the integration and the inverter."""

    UP = "up"
    REFUSED = "refused"
    HANGING = "hanging"
    STOPPED = "stopped"
    """Home Assistant itself is not running."""


UNAVAILABLE_AFTER: Final = {Link.REFUSED: 5, Link.HANGING: 14}
"""Failed polls until the entities say so."""


class Polled:
    """The integration with its delays; set `link` to make it suffer, `advance` to pass the time."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        inverter.watchdog, inverter.lag = 2 * POLL, LEAVING
        self.inverter = inverter
        self.option = inverter.option
        self._link = Link.UP
        self._failed_polls = 0
        self.is_unavailable = False
        self._force: str | None = None
        self._is_pending = False
        self._waiting: list[Callable[[], object]] = []
        self.drops_writes = False
        self._is_known = True
        self._powers: dict[str, float] = {name: getattr(inverter, name) for name in FORCE_POWERS}
        self._next_poll = inverter.now + POLL
        self._before: dict[str, EntityState] = {}
        self._look()

    @property
    def link(self) -> Link:
        """As it is now."""
        return self._link

    @link.setter
    def link(self, link: Link) -> None:
        if link is Link.STOPPED:
            # What the integration itself remembers is gone.
            self._force, self._is_pending, self._waiting = None, False, []
        if self._link is Link.STOPPED:
            self._is_known = False
        self._link = link

    def advance(self, to: datetime) -> None:
        """Live on, poll by poll."""
        while self._next_poll <= to:
            self.inverter.advance(self._next_poll)
            self._poll()
            self._next_poll += POLL
        self.inverter.advance(to)

    def shown(self, entities: Mapping[str, EntityState]) -> dict[str, EntityState]:
        """With the times at which they were last heard of: a steady one reports nothing."""
        if self._link is Link.STOPPED:
            return {}
        for each, state in entities.items():
            before = self._before.get(each)
            if before is None or before.state != state.state:
                looked = self.seen.now
                self._before[each] = replace(state, last_changed=looked, last_reported=looked)
        if self.is_unavailable or not self._is_known:
            word = "unavailable" if self.is_unavailable else "unknown"
            return {each: replace(state, state=word) for each, state in entities.items()}
        return dict(self._before)

    def number(self, field: str) -> float:
        """Force powers are the integration's own, currents the inverter's."""
        return self._powers.get(field, float(getattr(self.seen, field)))

    def select(self, option: str) -> Answer:
        """As the link allows."""
        if self._link is Link.STOPPED:
            return refused("Home Assistant is not connected", "not_connected")
        if self.is_unavailable:
            return done()  # and dropped
        if self._link is Link.HANGING:
            self._waiting.append(partial(self._carry_out, option))
            return {"success": False, "ad_status": "TIMEOUT"}
        if self._link is Link.REFUSED:
            if option in FALLBACKS:
                self._force, self._is_pending = option, True
            return refused("Connection refused", "home_assistant_error")
        if option != self.option:
            self._carry_out(option)
        return done()

    def set_number(self, field: str, value: float) -> Answer:
        """A force power needs no link; a current does, and shows what was written."""
        if self._link is Link.STOPPED:
            return refused("Home Assistant is not connected", "not_connected")
        if self.is_unavailable:
            return done()
        if field in self._powers:
            self._powers[field] = value
            return done()
        if self._link is Link.HANGING:
            return {"success": False, "ad_status": "TIMEOUT"}
        if self._link is Link.REFUSED:
            return refused("Connection refused", "home_assistant_error")
        setattr(self.inverter, field, value)
        setattr(self.seen, field, value)
        return done()

    def set_periods(self, periods: tuple[ChargePeriod, ...]) -> Answer:
        """By a service of the integration itself, which wants to know the other period."""
        if self._link is Link.STOPPED:
            return refused("Home Assistant is not connected", "not_connected")
        if not self._is_known:
            return refused("Data for charge period 1 is not available", "home_assistant_error")
        if self._link is Link.HANGING:
            self._waiting.append(partial(self._write, periods))
            return {"success": False, "ad_status": "TIMEOUT"}
        if self._link is Link.REFUSED:
            return refused("Connection refused", "unknown_error")
        self._write(periods)
        return done()

    def _write(self, periods: tuple[ChargePeriod, ...]) -> None:
        if not self.drops_writes:
            self.inverter.periods = periods
        self.seen.periods = periods

    def _carry_out(self, option: str) -> None:
        self.option, self._is_pending = option, False
        self._force = option if option in FALLBACKS else None
        self.inverter.select(option)
        self._command_powers()
        if option == FORCE_CHARGE and self.inverter.readings.solar_kw > 0:
            self.inverter.force_charge_kw = 0.0

    def _command_powers(self) -> None:
        for name, power_kw in self._powers.items():
            setattr(self.inverter, name, power_kw)

    def _poll(self) -> None:
        if self._link is not Link.UP:
            self._failed_polls += 1
            after = UNAVAILABLE_AFTER.get(self._link)
            self.is_unavailable |= after is not None and self._failed_polls >= after
            return
        self._failed_polls, self.is_unavailable, self._is_known = 0, False, True
        waiting, self._waiting = self._waiting, []
        if waiting:
            waiting[0]()
        if self._force is not None and self._is_pending:
            self._carry_out(self._force)
        elif self._force is None:
            self.option = self.inverter.option
        elif self.inverter.option == self._force:
            self._command_powers()
            self.inverter.refresh()
        self._look()

    def _look(self) -> None:
        self.seen = copy(self.inverter)
        self.seen.counters = replace(self.inverter.counters)
