from datetime import UTC, datetime

import pytest

from battery_optimizer.model.held_back import is_held_back
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.telemetry import Telemetry
from builders import a_house

FEED_IN = InverterCommand(mode=Mode.FEED_IN)
FULL = 10.0


def read(
    solar_kw: float | None, battery_kw: float | None, grid_kw: float | None, soc_kwh: float = FULL
) -> Telemetry:
    """In a house that draws 0.5 kW."""
    return Telemetry(
        measured_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
        soc_kwh=soc_kwh,
        load_kw=0.5,
        solar_kw=solar_kw,
        battery_kw=battery_kw,
        grid_kw=grid_kw,
    )


@pytest.mark.parametrize(
    ("seen", "in_force", "expected"),
    [
        pytest.param(read(4.2, 0.0, -3.66), SELF_USE, True, id="at the export limit, full"),
        pytest.param(read(3.5, 0.0, -3.0), SELF_USE, False, id="below the limit"),
        pytest.param(read(8.2, -4.0, -3.68, 5), SELF_USE, True, id="and it charges all it can"),
        pytest.param(read(4.2, None, -3.68), None, True, id="by whoever commands"),
        pytest.param(read(None, 0.0, -3.68), SELF_USE, False, id="no panels to see"),
        pytest.param(read(4.2, 0.0, None), SELF_USE, False, id="no meter to see"),
        pytest.param(read(6.0, -1.82, -3.68, 5), FEED_IN, False, id="the battery takes the rest"),
        pytest.param(read(4.18, 0.0, -3.68, 5), FEED_IN, True, id="the battery takes nothing"),
        pytest.param(
            read(0.0, 0.0, 0.5), InverterCommand(mode=Mode.HOLD, curtail=True), True, id="by us"
        ),
    ],
)
def test_at_the_export_limit(
    seen: Telemetry, in_force: InverterCommand | None, *, expected: bool
) -> None:
    assert is_held_back(a_house(export_limit_kw=3.68), in_force, seen) is expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(read(4.95, 0.0, -4.45), True, id="all through the inverter"),
        pytest.param(read(4.95, None, -4.45), True, id="by load and grid"),
        pytest.param(read(4.0, 0.0, -3.5), False, id="below"),
        pytest.param(read(None, None, None), False, id="nothing to see"),
    ],
)
def test_at_the_inverters_rating(seen: Telemetry, *, expected: bool) -> None:
    assert is_held_back(a_house(ac_limit_kw=5.0), SELF_USE, seen) is expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(read(0.5, 0.0, 0.0), True, id="full, and more would have nowhere to go"),
        pytest.param(read(4.5, -4.0, 0.0, 5), True, id="charging all it can"),
        pytest.param(read(2.5, -2.0, 0.0, 5), False, id="charging what there is"),
        pytest.param(read(0.2, 0.3, 0.0, 5), False, id="discharging"),
        pytest.param(read(0.2, 0.0, 0.3), False, id="buying"),
    ],
)
def test_where_nothing_may_be_sold(seen: Telemetry, *, expected: bool) -> None:
    assert is_held_back(a_house(export_limit_kw=0.0), SELF_USE, seen) is expected


def test_without_limits_it_never_is() -> None:
    assert not is_held_back(a_house(), SELF_USE, read(30.0, 0.0, -29.5))
