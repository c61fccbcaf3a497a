"""What a fault is, what is seen of it, and the story in which it comes and goes.

In the usual story the household orders a forced discharge at noon, on a day on which the rates want
nothing to be forced. The fault comes; two minutes later the order is withdrawn; later the fault is
mended. Asked is how long the inverter goes on forcing though nobody wants it, whether the household
is told, and whether all is well again by itself: the inverter is as the app wants it, which is
self-use, or a battery that rests where the same rate all afternoon makes that even.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from battery_optimizer.adapters.foxess.models import CONTROLS
from battery_optimizer.model.modes import Mode
from faults.world import LIMIT, World

Change = Callable[[World], None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of a fault."""

    told: str
    """What the household was told, in the app's words."""
    longest: timedelta
    """The longest time in a forced mode that nobody wanted."""
    limit: timedelta
    ended: str
    """How it was in the end."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: how it is injected, and what must come of it."""

    name: str
    how: str
    expected: str
    says: str
    """A pattern that must be among what the household is told while the fault lasts."""
    begin: Change
    end: Change = lambda _: None
    minutes: float = 25.0
    recovers_within: float = 11.0
    """After so many minutes [min] all must be well, and nothing of the fault be said any more."""
    before: Change = lambda _: None
    """Before the app starts."""
    is_deaf: bool = False
    """Whether nothing can reach the inverter meanwhile: then nobody can end a forced mode."""
    order: str = "Discharge"
    leaves: str = ""
    """A pattern of what may still be said afterwards."""
    limit: timedelta = LIMIT
    has_force_modes: bool = True
    """Else it befalls a model with charge periods."""
    stays: bool = False
    """Whether the order stands through it all: then it must be followed again in the end."""


def tell(fault: Fault, world: World) -> Seen:
    """The story; AssertionError if it goes wrong."""
    fault.before(world)
    world.begin()
    world.live(10)
    world.order(fault.order)
    world.live(10)
    assert fault.order not in ("Charge", "Discharge") or world.is_forced, "it began forced"
    world.problems.clear()
    world.is_deaf = fault.is_deaf
    fault.begin(world)
    world.live(2)
    if not fault.stays:
        world.order()
    world.live(fault.minutes)
    told = next((each for each in world.problems if re.search(fault.says, each)), "")
    assert told or not fault.says, f"nothing of {fault.says!r} in {world.problems}"
    fault.end(world)
    world.is_deaf = False
    world.live(fault.recovers_within)
    if fault.stays:
        assert world.is_forced, "the order is followed again"
        world.order()
        world.live(6)
    return _judged(fault, world, told)


def _judged(fault: Fault, world: World, told: str) -> Seen:
    assert not world.bugs, world.bugs
    assert world.longest_unwanted <= fault.limit, f"forced for {world.longest_unwanted}"
    assert world.house is not None, "the app runs again"
    assert not world.is_forced
    assert world.shown is not None
    wanted = world.shown.outcome.command
    assert wanted.acts_as in (Mode.SELF_USE, Mode.HOLD), wanted
    assert world.inverter.option == CONTROLS[0].options[wanted.mode], world.inverter.option
    kept = world.inverter.periods[1:]
    assert not any(each.is_set for each in kept), f"comes back tomorrow: {kept}"
    left = [each for each in world.health.split("; ") if each]
    wrong = [each for each in left if not fault.leaves or not re.search(fault.leaves, each)]
    assert not wrong, f"still said: {wrong}"
    return Seen(
        told=told,
        longest=world.longest_unwanted,
        limit=fault.limit,
        ended="well; self-use",
    )
