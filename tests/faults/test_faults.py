"""Every fault on the story's clock: what the inverter did, and what the household was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.simulate.home.fox_periods import NO_PERIODS
from faults.fault import Fault, Seen, tell
from faults.house_faults import FAULTS as HOUSE_FAULTS
from faults.house_faults import swinging, whole_again
from faults.other_faults import CLOCK_CHANGES, disk_gone
from faults.other_faults import FAULTS as OTHER_FAULTS
from faults.period_faults import FAULTS as PERIOD_FAULTS
from faults.tables import as_cell, names, write
from faults.world import BATTERY, LIMIT, a_world

FAULTS = (*HOUSE_FAULTS, *PERIOD_FAULTS, *OTHER_FAULTS)
QUICK = (
    "charge unavailable", "all sensors frozen", "select without its options", "calls dropped",
    "only the select refuses", "inverter's link refused", "Octopus answers 500",
    "database overwritten", "clock an hour back", "solver out of time", "period: app killed",
    "period: writes dropped",
)  # fmt: skip
"""Those of the normal suite."""
ROWS: dict[str, str] = {}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.name, marks=() if fault.name in QUICK else pytest.mark.slow)
        for fault in FAULTS
    ],
)
def test_no_fault_leaves_the_battery_forced(tmp_path: Path, fault: Fault) -> None:
    with a_world(tmp_path, has_force_modes=fault.has_force_modes) as world:
        try:
            seen = tell(fault, world)
        finally:
            if hasattr(world, "has_disk"):
                disk_gone(world)
    ROWS[fault.name] = _row(fault, seen)


@pytest.mark.parametrize("name", CLOCK_CHANGES)
def test_the_night_of_a_clock_change_is_a_night_like_others(tmp_path: Path, name: str) -> None:
    with a_world(tmp_path, start=CLOCK_CHANGES[name], soc_kwh=2.0) as world:
        world.begin()
        world.live(8 * 60)
        assert world.problems == []
        assert world.bugs == []
        assert world.longest_unwanted <= LIMIT
        assert world.inverter.counters.charge_kwh > 5  # in the cheap hours
    seen = Seen(told="", longest=world.longest_unwanted, limit=LIMIT, ended="well")
    fault = replace(FAULTS[0], name=name, how="the whole night, charging in its cheap hours",
                    expected="a night like others", is_deaf=False)  # fmt: skip
    ROWS[name] = _row(fault, seen)


def test_a_night_is_charged_by_charge_periods_alone(tmp_path: Path) -> None:
    """Planned in the cheap hours, moved on while it lasts, and none is left in the morning."""
    start = datetime(2026, 6, 14, 23, 0, tzinfo=UTC)
    with a_world(tmp_path, start=start, soc_kwh=2.0, has_force_modes=False) as world:
        world.begin()
        world.live(8 * 60)
        assert world.problems == []
        assert world.bugs == []
        assert world.inverter.counters.charge_kwh == pytest.approx(2 * 3.0, abs=0.1)
        assert world.longest_unwanted <= LIMIT
        assert world.inverter.periods == NO_PERIODS
        assert world.shown is not None
        # Held at the reserve; then set, moved on twice, and cleared.
        assert world.shown.outcome.writes_today == 6


def test_an_order_after_the_clock_was_set_back_is_carried_out_at_once(tmp_path: Path) -> None:
    """Charging was told, by the new clock, in an hour: that is no reason to wait."""
    with a_world(tmp_path) as world:
        world.begin(commands={"dwell_minutes": 10})
        world.order("Charge")
        world.live(12)
        world.jump(timedelta(hours=-1))
        world.order("Discharge")
        world.live(6)
        assert world.inverter.option == "Force Discharge"


def test_the_reserve_is_kept_though_self_use_is_ordered(tmp_path: Path) -> None:
    """The simulated inverter itself would go on down to 1 kWh."""
    with a_world(tmp_path, soc_kwh=5.2) as world:
        world.begin(battery={**BATTERY, "reserve_kwh": 5.0})
        world.order("Self use")
        world.live(120)
        assert world.inverter.soc_kwh > 4.9
        assert world.inverter.option == "Back-up"
        assert world.shown is not None
        assert world.shown.outcome.writes_today == 1
        assert not any("but it" in each for each in world.problems)


def test_a_charge_that_swings_to_0_and_back_changes_no_mode(tmp_path: Path) -> None:
    with a_world(tmp_path, soc_kwh=5.2) as world:
        world.begin()
        world.live(20)
        assert world.shown is not None
        before = world.shown.outcome.writes_today
        swinging(world)
        world.live(60)
        assert world.shown.outcome.writes_today == before
        assert any("battery_soc shows 0 %" in each for each in world.problems)
        whole_again(world)
        world.live(6)
        assert world.health == ""


def test_the_table_is_written() -> None:
    write(
        "clock",
        (
            f"The limit is {LIMIT.seconds // 60} minutes.",
            "",
            "| Fault | How | Expected | Told | Longest unwanted force |",
            "|---|---|---|---|---|",
            *ROWS.values(),
        ),
        is_whole=len(ROWS) == len(FAULTS) + len(CLOCK_CHANGES),
    )


def test_the_page_has_every_fault() -> None:
    assert names("clock") == [*(fault.name for fault in FAULTS), *CLOCK_CHANGES]


def _row(fault: Fault, seen: Seen) -> str:
    words = as_cell(seen.told)
    minutes, seconds = divmod(round(seen.longest.total_seconds()), 60)
    longest = f"{minutes} min {seconds:02d} s"
    deaf = ", not counting the time in which nothing that is said reaches the inverter"
    return (
        f"| {fault.name} | {fault.how} | {fault.expected} | {words or 'nothing to tell'} | "
        f"{longest}{deaf if fault.is_deaf else ''} |"
    )
