from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.control.writes import Writes, writes_for
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode

HOLD = InverterCommand(mode=Mode.HOLD)


def charge(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


@pytest.mark.parametrize(
    ("before", "command", "count"),
    [
        (SELF_USE, SELF_USE, 0),
        (SELF_USE, HOLD, 1),
        (SELF_USE, charge(2.0), 2),
        (charge(2.0), charge(3.0), 1),
        (charge(2.0), charge(2.01), 0),
        (charge(2.0), SELF_USE, 1),
        (None, SELF_USE, 1),
        (None, charge(2.0), 2),
    ],
)
def test_a_mode_and_its_power_are_a_write_each(
    before: InverterCommand | None, command: InverterCommand, count: int
) -> None:
    assert writes_for(before, command) == count


def test_the_day_is_the_households() -> None:
    evening = datetime(2026, 6, 15, 22, 30, tzinfo=UTC)  # 23:30 in London
    writes = Writes().plus(evening, 5).plus(evening, 2)
    assert writes.on(evening) == 7
    assert writes.on(evening + timedelta(hours=1)) == 0
    assert writes.plus(evening + timedelta(hours=1), 1).on(evening + timedelta(hours=2)) == 1
