"""Sessions of the supplier in a house of real parts: counted, told, and never joined."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from logging import DEBUG
from pathlib import Path

import pytest

from battery_optimizer.adapters.entities.table import publish
from battery_optimizer.adapters.web.latest import Status, health
from battery_optimizer.config import Config
from battery_optimizer.config_private import REMOVED, cleaned, secrets_of, without_private
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.found import Presence
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy
from battery_optimizer.simulate.replay import Recording, replayed
from battery_optimizer.wiring.running import RunningHouse
from simulated_house import SETTINGS, SimulatedHouse, connected
from store_values import put_energy

MONDAY = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
SAVING = "event.octopus_energy_a_1234abcd_octoplus_saving_session_events"
FREE = "event.octopus_energy_a_1234abcd_octoplus_free_electricity_session_events"
UPDATED = "2026-11-23T17:00:00+00:00"


def at(start: datetime, **more: object) -> dict[str, object]:
    """A session of an hour."""
    return {"start": start.isoformat(), "end": (start + 2 * SLOT).isoformat()} | more


def joined(start: datetime, points: object = 1800) -> EntityState:
    rows = [at(start, id=1, octopoints_per_kwh=points, rewarded_octopoints=None)]
    return EntityState(state=UPDATED, attributes={"joined_events": rows, "available_events": []})


def announced(start: datetime) -> EntityState:
    return EntityState(state=UPDATED, attributes={"events": [at(start, code="FREE_1")]})


@contextmanager
def a_house(
    folder: Path, others: dict[str, EntityState], *, known_days: int = 30, **settings: object
) -> Iterator[tuple[SimulatedHouse, RunningHouse]]:
    """A house at the start of the session, its meter known for some days."""
    home = SimulatedHouse(folder, now=MONDAY, others=others)
    with connected(home, **settings) as house:
        for n in range(1, 48 * known_days):
            energy = SlotEnergy(
                start=MONDAY - n * SLOT, grid_import_kwh=0.4, grid_export_kwh=0.0, n_samples=6
            )
            put_energy(house.store, EnergyKind.METERED, energy)
        yield home, house


def test_in_a_joined_saving_session_the_battery_gives_all_it_can(tmp_path: Path) -> None:
    with a_house(tmp_path, {SAVING: joined(MONDAY)}) as (home, house):
        shown = house.run(MONDAY)
        assert shown.problems == ()
        assert shown.outcome.inputs is not None
        [event] = shown.outcome.inputs.wishes.events
        assert event.reward_p_per_kwh == 225
        assert event.usual_kwh == pytest.approx((0.4, 0.4))
        assert shown.outcome.command.mode is Mode.FORCE_DISCHARGE
        assert home.fox.entities()["select.foxess_work_mode"].state == "Force Discharge"
        words = "A saving session pays 225 p for each kWh less than usual until 18:30."
        assert shown.outcome.reason.endswith(words)
        assert shown.outcome.plan is not None
        assert shown.outcome.plan.slots[0].import_rate < 100
        assert shown.outcome.plan.slots[0].cost_p < -100


def test_without_a_session_it_does_not(tmp_path: Path) -> None:
    with a_house(tmp_path, {}) as (_, house):
        shown = house.run(MONDAY)
        assert shown.outcome.command.mode is not Mode.FORCE_DISCHARGE
        assert "session" not in shown.outcome.reason
        assert shown.outcome.inputs is not None
        assert shown.outcome.inputs.wishes.events == ()


def test_a_free_session_ahead_is_waited_for(tmp_path: Path) -> None:
    start = MONDAY + timedelta(hours=2.5)
    with a_house(tmp_path, {FREE: announced(start)}) as (_, house):
        plan = house.run(MONDAY).outcome.plan
        assert plan is not None
        during = [slot for slot in plan.slots if start <= slot.start < start + 2 * SLOT]
        assert [slot.mode for slot in during] == [Mode.FORCE_CHARGE] * 2
        assert "gives you what is drawn beyond the usual until 21:00" in during[0].reason
        assert during[0].cost_p < 0.5 * during[0].import_rate * during[0].grid_import_kwh


def test_where_what_is_usual_is_not_known_nothing_is_counted_and_that_is_said(
    tmp_path: Path,
) -> None:
    with a_house(tmp_path, {SAVING: joined(MONDAY)}, known_days=3) as (_, house):
        shown = house.run(MONDAY)
        assert shown.outcome.command.mode is not Mode.FORCE_DISCHARGE
        [problem] = shown.problems
        assert problem == (
            "the saving session of Mon 23 Nov 17:30 is not counted: of the last 10 weekdays 0 were "
            "metered at 17:30, and 5 are needed to know what is usual"
        )
        assert shown.outcome.reason.endswith("what is usual at this time is not known.")


def test_a_session_that_makes_no_sense_is_told_in_health_and_not_counted(tmp_path: Path) -> None:
    with a_house(tmp_path, {SAVING: joined(MONDAY, "lots")}) as (_, house):
        shown = house.run(MONDAY)
        assert shown.outcome.command.mode is not Mode.FORCE_DISCHARGE
        told = health(shown, Status(started_at=MONDAY, control="active"), MONDAY)["problems"]
        assert any("octopoints_per_kwh 'lots'" in problem for problem in told)


def test_while_the_store_fails_nothing_is_counted(tmp_path: Path) -> None:
    with a_house(tmp_path, {SAVING: joined(MONDAY)}) as (_, house):
        house.store.close()
        shutil.rmtree(tmp_path)
        tmp_path.write_text("no folder any more")
        [event] = house.wishes.wishes(MONDAY).events
        assert event.usual_kwh == ()
        [problem] = house.wishes.problems()
        assert problem.startswith("the saving session of Mon 23 Nov 17:30 is not counted: ")


def test_sessions_can_be_ignored(tmp_path: Path) -> None:
    others = {SAVING: joined(MONDAY, "lots"), FREE: announced(MONDAY)}
    with a_house(tmp_path, others, sessions={"enabled": False}) as (_, house):
        shown = house.run(MONDAY)
        assert shown.problems == ()
        assert shown.outcome.inputs is not None
        assert shown.outcome.inputs.wishes.events == ()
        assert not [each for each in house.survey.look(MONDAY) if "session" in each.about.lower()]


def test_what_is_found_is_told(tmp_path: Path) -> None:
    others = {SAVING: joined(MONDAY), FREE: announced(MONDAY - timedelta(days=2))}
    with a_house(tmp_path, others) as (_, house):
        found = {each.about: each.words for each in house.survey.look(MONDAY)}
        assert found["Saving sessions"] == (
            "in the Octopus Energy integration: Mon 23 Nov 17:30-18:30"
        )
        assert found["Free electricity"] == (
            "in the Octopus Energy integration: none announced to come"
        )


def test_sessions_that_are_not_known_are_no_sessions_that_are_not_announced(
    tmp_path: Path,
) -> None:
    """As the integration shows them before its first answer, and the free ones without end."""
    silent = {each: EntityState(state="unknown") for each in (SAVING, FREE)}
    with a_house(tmp_path, silent) as (_, house):
        found = {each.about: each for each in house.survey.look(MONDAY)}
        for about in ("Saving sessions", "Free electricity"):
            assert found[about].words == "not known"
            assert found[about].presence is Presence.MISSING
            assert "calendar of these sessions" in found[about].advice
            assert "1234" not in found[about].advice


@pytest.mark.parametrize("points", [1800, "lots"])
def test_the_account_is_in_nothing_that_is_shown_and_nothing_is_joined(
    tmp_path: Path, points: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(DEBUG)
    told: list[object] = []
    settings = {"saving_event": SAVING, "free_event": FREE}
    with a_house(tmp_path, {SAVING: joined(MONDAY, points)}, sessions=settings) as (home, house):
        services: list[str] = []
        call = home.fox.call
        home.fox.call = lambda service, data: (services.append(service), call(service, data))[1]
        shown = house.run(MONDAY)
        assert any("sessions.free_event" in each for each in shown.problems)
        publish(shown, lambda entity_id, **state: told.append((entity_id, state)))
        told += [health(shown, Status(started_at=MONDAY, control="active"), MONDAY), shown.problems]
        told += [house.survey.look(MONDAY), caplog.text, shown.outcome]
        diagnosis = house.diagnosis(MONDAY, health={}).document()
    assert "1234abcd" not in repr(told).lower()
    assert "1234abcd" not in json.dumps(diagnosis).lower()
    assert not any("octopus" in service for service in services)


def test_a_day_with_a_session_is_replayed_alike(tmp_path: Path) -> None:
    with a_house(tmp_path, {SAVING: joined(MONDAY)}) as (home, house):
        house.run(MONDAY)
        document = house.diagnosis(home.now, health={}).document()
    path = tmp_path / "diagnostics.json"
    path.write_text(json.dumps(document, allow_nan=False))
    recording = Recording.read(path)
    assert recording.cycles[0].inputs.wishes.events
    assert [verdict.differs for verdict in replayed(recording)] == [()]


def test_the_entities_are_private_settings() -> None:
    config = Config.from_args(SETTINGS | {"sessions": {"saving_event": SAVING}})
    shown = cleaned(without_private(config), secrets_of(config))
    assert shown["sessions"] == {"enabled": True, "saving_event": REMOVED, "free_event": None}
    assert cleaned(f"about {SAVING}", secrets_of(config)) == f"about {REMOVED}"
