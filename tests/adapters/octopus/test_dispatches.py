from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.octopus.dispatches import PlannedDispatches
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.telemetry import PlannedRun

NOW = datetime(2026, 1, 15, 20, tzinfo=UTC)
ENTITY = "binary_sensor.octopus_energy_x_intelligent_dispatching"
HOUR = timedelta(hours=1)


def a_row(hours: float, length: float = 1.0, **more: object) -> dict[str, object]:
    start = NOW + hours * HOUR
    return {"start": start.isoformat(), "end": (start + length * HOUR).isoformat()} | more


def dispatches(*rows: object, **attributes: object) -> PlannedDispatches:
    shown = {"planned_dispatches": list(rows)} | attributes
    states = {ENTITY: EntityState(state="off", attributes=shown)}
    return PlannedDispatches(read_state=states.get, entities={"car": ENTITY})


def test_runs_and_their_energies_are_read() -> None:
    source = dispatches(a_row(3, charge_in_kwh=-6.5), a_row(6, 0.5, charge_in_kwh=None))
    assert source.planned(NOW)["car"] == (
        PlannedRun(start=NOW + 3 * HOUR, end=NOW + 4 * HOUR, kwh=6.5),
        PlannedRun(start=NOW + 6 * HOUR, end=NOW + 6.5 * HOUR),
    )
    assert source.problems() == ()


def test_what_is_over_or_far_away_is_left_out() -> None:
    source = dispatches(a_row(-2), a_row(-0.5), a_row(100))
    assert [run.start for run in source.planned(NOW)["car"]] == [NOW - 0.5 * HOUR]


def test_with_nothing_planned_it_is_guessed() -> None:
    source = dispatches()
    assert source.planned(NOW) == {}
    assert source.problems() == ()


def test_an_energy_that_no_charger_gives_is_not_believed() -> None:
    [run] = dispatches(a_row(1, charge_in_kwh=6500)).planned(NOW)["car"]
    assert run.kwh is None


@pytest.mark.parametrize(
    "row",
    [
        {},
        "soon",
        {"start": "2026-01-15T23:00:00+00:00"},
        a_row(3, length=-1),
        a_row(3, length=30),
        {"start": "2026-01-15T23:00:00", "end": "2026-01-16T01:00:00"},
    ],
)
def test_a_row_that_makes_no_sense_has_all_of_it_guessed(row: object) -> None:
    source = dispatches(a_row(3), row)
    assert source.planned(NOW) == {}
    [problem] = source.problems()
    assert problem.startswith(f"{ENTITY} has a row in planned_dispatches without a start")
    assert problem.endswith("; when car runs is guessed")


def test_an_entity_that_is_not_there_or_is_another_is_named() -> None:
    other = dispatches(planned_dispatches=None)
    assert other.planned(NOW) == {}
    assert "has no attribute planned_dispatches" in other.problems()[0]
    nobody: dict[str, EntityState] = {}
    missing = PlannedDispatches(read_state=nobody.get, entities={"car": ENTITY})
    assert missing.planned(NOW) == {}
    assert "does not exist in Home Assistant" in missing.problems()[0]
