"""Faults of models that are charged by a charge period, a register that nobody's death clears."""

from datetime import time, timedelta

from battery_optimizer.adapters.foxess.periods import HELPER
from battery_optimizer.simulate.home.fox_periods import UPDATE, ChargePeriod
from faults.fault import Change, Fault
from faults.house_faults import (
    REFUSED,
    TIMEOUT,
    answering,
    answers_again,
    home_assistant_back,
    home_assistant_gone,
    link,
    link_up,
    only_refusing,
    showing,
    whole_again,
)
from faults.other_faults import corrupt, killed, reloaded, started_again
from faults.world import Link, World

SWITCH = "binary_sensor.foxess_time_period_2_enable_force_charge"
START, END = "sensor.foxess_time_period_2_start", "sensor.foxess_time_period_2_end"


def dropping(world: World) -> None:
    """The inverter drops what is written, which is shown for some seconds all the same."""
    world.link.drops_writes = True


def keeping(world: World) -> None:
    world.link.drops_writes = False


def without_database(*, helper: bool) -> Change:
    """Killed, and its database is gone: who set the period?"""

    def begin(world: World) -> None:
        world.die()
        for path in world.folder.glob("battery_optimizer.db*"):
            path.unlink()
        if not helper:
            del world.helpers[HELPER]

    return begin


def in_the_way(world: World) -> None:
    """Somebody else takes ours away, and sets the first one for later."""
    first = ChargePeriod(start=time(12, 50), end=time(13, 40), from_grid=True)
    world.inverter.periods = (first, ChargePeriod())


def out_of_the_way(world: World) -> None:
    world.inverter.periods = (ChargePeriod(), *world.inverter.periods[1:])


def clock_off(**by: float) -> Change:
    return lambda world: setattr(world.inverter, "clock_off", timedelta(**by))


def by_hand(world: World) -> None:
    """Somebody ends it in the Fox app."""
    world.inverter.periods = (world.inverter.periods[0], ChargePeriod())


def period(name: str, how: str, says: str, begin: Change, **more: object) -> Fault:
    given = {"order": "Charge", "has_force_modes": False, "minutes": 15.0, **more}
    return Fault(name=f"period: {name}", how=how, says=says, begin=begin, **given)  # type: ignore[arg-type]


CLEARED = "cleared with the first cycle that can"

FAULTS = (
    period("app reloaded", "stopped and started again at once", "", reloaded,
           expected="cleared by the stop"),
    period("app killed", "while it charges; started 15 minutes later", "", killed,
           end=started_again, is_deaf=True, expected="cleared with the first cycle"),
    period("app killed for three hours", "the period has ended, and would come back tomorrow",
           "", killed, end=started_again, is_deaf=True, minutes=180.0,
           expected="cleared with the first cycle"),
    period("app killed, database gone", "Home Assistant's helper says whose it is", "",
           without_database(helper=True), end=started_again, is_deaf=True,
           expected="cleared with the first cycle"),
    period("database corrupt", "overwritten while it charges", "was damaged", corrupt,
           leaves="was damaged|a new one begun|database", expected="remembered, and cleared"),
    period("Home Assistant gone an hour", "stopped, while the inverter goes on by itself",
           "not connected|no inverter|does not exist", home_assistant_gone,
           end=home_assistant_back, is_deaf=True, minutes=60.0,
           expected="ends by itself; cleared when Home Assistant is back"),
    period("link refused", "Modbus refuses connections for 25 minutes",
           "Connection refused|is unavailable", link(Link.REFUSED), end=link_up, is_deaf=True,
           minutes=25.0, recovers_within=1.0, expected="cleared as soon as the link is back"),
    period("link hangs", "the adapter does not answer for 25 minutes",
           "did not answer in time|is unavailable", link(Link.HANGING), end=link_up, is_deaf=True,
           minutes=25.0, recovers_within=1.0, expected="cleared as soon as the link is back"),
    period("service refused", "update_charge_period is refused", "was refused",
           only_refusing(UPDATE), end=answers_again, is_deaf=True, recovers_within=36.0,
           expected=CLEARED),
    period("all calls refused", "every call answers success: false", "was refused",
           answering(REFUSED), end=answers_again, is_deaf=True, recovers_within=36.0,
           expected=CLEARED),
    period("calls hang 10 s", "every call waits 10 s, then TIMEOUT", "did not answer in time",
           answering(TIMEOUT, after_s=10), end=answers_again, is_deaf=True,
           recovers_within=36.0, expected=CLEARED),
    period("writes dropped", "the service succeeds and shows it for 5 s, the inverter has not",
           "was to be cleared, but is there", dropping, end=keeping, is_deaf=True,
           expected="what is shown then is believed, and it is cleared again"),
    period("switch unavailable", "its binary sensor shows unavailable", "is unavailable",
           showing(SWITCH, state="unavailable"), end=whole_again, is_deaf=True,
           recovers_within=36.0, expected=CLEARED),
    period("times unknown", "the sensors of its times show unknown", "is unknown",
           showing(START, END, state="unknown"), end=whole_again, is_deaf=True,
           recovers_within=36.0, expected=CLEARED),
    period("ended by hand", "in the Fox app, while charging is ordered", "somebody else set Self",
           by_hand, stays=True, minutes=5.0, expected="said, and set again: the order stands"),
    period("another one in the way", "somebody set period 1, so that it is refused",
           "overlaps existing charge period 1", in_the_way, end=out_of_the_way, minutes=5.0,
           stays=True, expected="not touched; said"),
    period("inverter's clock an hour slow", "it does not know of summer: nothing is charged",
           "battery should charge", clock_off(hours=-1), end=clock_off(), expected="noticed by "
           "its power while it is wanted; cleared when it is not", minutes=8.0),
)  # fmt: skip
