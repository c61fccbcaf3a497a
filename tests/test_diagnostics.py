"""The file for a report: what is in it, and what of the cycles before a restart."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.config import Config
from battery_optimizer.diagnostics import FORMAT, MOST_CYCLES, Diagnosis, Recent
from battery_optimizer.model.decision import CycleInputs, CycleOutcome
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import Horizon
from builders import MIDNIGHT, a_house, an_outlook, plan_for
from shown_values import an_outcome

CONFIG = Config.from_args({"battery": {"capacity_kwh": 10}, "rates": {"fixed_import_p": 25}})
FIVE = timedelta(minutes=5)
INPUTS = CycleInputs(house=a_house(), settings=PlannerSettings())


def a_plan_at(at: datetime) -> Plan:
    plan = plan_for([10, 30], 0, 1, soc_kwh=1)
    return replace(plan, made_at=at)


def a_cycle(at: datetime, **changes: object) -> CycleOutcome:
    outlook = replace(an_outlook([10, 30], 0, 1), horizon=Horizon(start=at, n_slots=2))
    made = replace(an_outcome(a_plan_at(at)), at=at, outlook=outlook, inputs=INPUTS)
    return replace(made, **changes)


def test_as_many_cycles_are_kept_as_are_wanted(tmp_path: Path) -> None:
    recent, store = Recent(), Store(tmp_path / "store.db")
    for n in range(MOST_CYCLES + 5):
        recent.add(a_cycle(MIDNIGHT + n * FIVE))
    kept = recent.with_older(store, MIDNIGHT + timedelta(hours=3))
    store.close()
    assert [each.at for each in kept] == [MIDNIGHT + n * FIVE for n in range(5, MOST_CYCLES + 5)]


def test_after_a_restart_those_of_the_database_go_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    for n in range(18):
        store.record(a_cycle(MIDNIGHT + n * FIVE))
    useless = a_cycle(MIDNIGHT + 18 * FIVE, inputs=None)
    store.record(useless)
    recent = Recent()
    newest = a_cycle(MIDNIGHT + 20 * FIVE)
    recent.add(newest)
    kept = recent.with_older(store, MIDNIGHT + 21 * FIVE)
    store.close()
    # Of each half hour the first has its outlook; without it no decision can be made again.
    assert [(each.at - MIDNIGHT) // FIVE for each in kept] == [0, 6, 12, 20]
    assert kept[0].inputs == INPUTS


def test_the_document_is_json_and_says_what_made_it() -> None:
    made = Diagnosis(
        made_at=MIDNIGHT, config=CONFIG, health={"status": "ok"}, cycles=[a_cycle(MIDNIGHT)]
    )
    document = json.loads(json.dumps(made.document(), allow_nan=False))
    assert document["format"] == FORMAT
    assert len(document["versions"]["app"]) == 16
    assert document["versions"]["app"].isalpha()  # digits could be taken for a meter's number
    assert document["settings"]["battery"]["capacity_kwh"] == 10
    assert "battery.reserve_kwh" in document["found_out"]
    assert document["cycles"][0]["inputs"]["house"]["battery"]["capacity_kwh"] == 10
    assert document["health"] == {"status": "ok"}


def test_entities_are_shown_with_what_matters_of_them() -> None:
    entities = {
        "select.fox_work_mode": EntityState(
            state="Self Use", attributes={"options": ["Self Use", "Back-up"], "icon": "mdi:cog"}
        ),
        "number.fox_force_charge_power": EntityState(
            state="3.0",
            attributes={"min": 0, "max": 5.0, "unit_of_measurement": "kW"},
            last_reported=MIDNIGHT,
        ),
    }
    made = Diagnosis(made_at=MIDNIGHT, config=CONFIG, health={}, cycles=[], entities=entities)
    shown = made.document()["entities"]
    assert shown["select.fox_work_mode"] == {
        "state": "Self Use",
        "last_reported": None,
        "options": ["Self Use", "Back-up"],
    }
    assert shown["number.fox_force_charge_power"]["max"] == 5.0
    assert shown["number.fox_force_charge_power"]["last_reported"].startswith("2026-01-15T00:00")


def test_what_is_secret_is_in_no_part_of_it() -> None:
    config = Config.from_args(
        {
            "battery": {"capacity_kwh": 10},
            "rates": {"account": "A-MARKED99", "api_key": "marked_secret"},
        }
    )
    cycle = a_cycle(
        MIDNIGHT,
        reason="https://marked_secret:x@octopus/v1/accounts/A-MARKED99/ did not answer",
        problems=("401 for A-MARKED99 with marked_secret",),
    )
    made = Diagnosis(made_at=MIDNIGHT, config=config, health={"p": "A-MARKED99"}, cycles=[cycle])
    text = json.dumps(made.document())
    assert "MARKED" not in text
    assert "marked_secret" not in text
