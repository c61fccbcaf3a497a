from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.control.manual import ManualChange, change_by_others
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.wishes import NO_WISHES, Override, Wishes

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0)
DISCHARGE = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)
HOLD, FEED_IN = InverterCommand(mode=Mode.HOLD), InverterCommand(mode=Mode.FEED_IN)


@pytest.mark.parametrize(
    ("told", "in_force", "tried", "is_somebodys"),
    [
        (SELF_USE, SELF_USE, None, False),
        (SELF_USE, HOLD, None, True),
        (SELF_USE, None, None, True),  # Peak Shaving
        (CHARGE, InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=1.0), None, False),
        (CHARGE, HOLD, None, False),  # the watchdog's
        (DISCHARGE, FEED_IN, None, False),
        (DISCHARGE, HOLD, None, True),
        (SELF_USE, CHARGE, CHARGE, False),  # failed, and carried out later
        (SELF_USE, CHARGE, DISCHARGE, True),
    ],
)
def test_what_is_neither_ours_nor_a_lost_mode_is_somebodys(
    told: InverterCommand,
    in_force: InverterCommand | None,
    tried: InverterCommand | None,
    is_somebodys: bool,  # noqa: FBT001
) -> None:
    change = change_by_others(told, in_force, tried=tried, now=NOON, respected=HOUR)
    assert (change is not None) is is_somebodys


def test_it_is_a_wish_while_it_holds() -> None:
    change = ManualChange(command=HOLD, since=NOON, until=NOON + HOUR)
    assert change.among(NO_WISHES, NOON).order_at(NOON) == HOLD
    assert change.among(NO_WISHES, NOON + HOUR) == NO_WISHES
    assert "12:00" not in change.words  # London's clock, not UTC's
    assert change.words == "somebody else set Hold at 13:00; it is left until 14:00"


def test_a_stated_order_goes_before_it() -> None:
    order = Override(start=NOON, end=NOON + HOUR, command=FEED_IN)
    change = ManualChange(command=HOLD, since=NOON, until=NOON + HOUR)
    wishes = Wishes(overrides=(order,))
    assert change.among(wishes, NOON) == wishes
