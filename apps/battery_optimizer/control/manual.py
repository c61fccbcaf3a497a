"""Who else sets the inverter: a person, the maker's app, another automation. Noticed, respected."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.slots import UK
from battery_optimizer.model.wishes import Override, Wishes
from battery_optimizer.model.wording import MODE_WORDS

FALLBACKS: Final = MappingProxyType(
    {Mode.FORCE_CHARGE: Mode.HOLD, Mode.FORCE_DISCHARGE: Mode.FEED_IN}
)
"""Where a Fox ESS falls by itself when its force mode is lost: nobody's wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualChange:
    """Somebody set this mode (None: one of which we know nothing), and may have it until then."""

    command: InverterCommand | None
    since: datetime
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it is still left alone."""
        return now < self.until

    @property
    def words(self) -> str:
        """For the household."""
        mode = "a mode that this app does not use"
        if self.command is not None:
            mode = MODE_WORDS[self.command.mode]
        what = f"somebody else set {mode} at {self.since.astimezone(UK):%H:%M}"
        if self.until <= self.since:
            return f"{what}; it is taken back"
        return f"{what}; it is left until {self.until.astimezone(UK):%H:%M}"

    def among(self, wishes: Wishes, now: datetime) -> Wishes:
        """The wishes with this one, so that it is planned with; a stated order goes before it."""
        if self.command is None or not self.holds(now) or wishes.order_at(now) is not None:
            return wishes
        order = Override(start=now, end=self.until, command=self.command)
        return replace(wishes, overrides=(*wishes.overrides, order))


def change_by_others(
    told: InverterCommand,
    in_force: InverterCommand | None,
    *,
    tried: InverterCommand | None,
    now: datetime,
    respected: timedelta,
) -> ManualChange | None:
    """The change that somebody made, if the mode in force is neither ours nor a lost one.

    `tried` is a command that failed: integrations were seen to carry it out much later.
    """
    if in_force is not None:
        late = tried is not None and in_force.mode is tried.mode
        if late or in_force.mode in (told.mode, FALLBACKS.get(told.mode)):
            return None
    return ManualChange(command=in_force, since=now, until=now + respected)
