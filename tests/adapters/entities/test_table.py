"""The table of entities: what Home Assistant takes, and no more than it takes."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from battery_optimizer.adapters.entities.table import ENTITIES, publish
from battery_optimizer.model.shown import Shown
from battery_optimizer.optimize.mapping import PAUSE
from builders import an_outlook
from shown_values import a_demo_day, a_long_plan, a_planned_day, nothing_planned

RECORDER_DROPS_FROM = 16_384
LONGEST_STATE = 255


class Published:
    """Stands for Home Assistant: keeps what was set."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[str | float, dict[str, Any]]] = {}

    def __call__(
        self, entity_id: str, /, *, state: str | float, attributes: Mapping[str, Any]
    ) -> None:
        self.states[entity_id] = (state, dict(attributes))


def published(shown: Shown) -> dict[str, tuple[str | float, dict[str, Any]]]:
    home = Published()
    publish(shown, home)
    return home.states


WORLDS = {
    "planned": a_planned_day,
    "demo": a_demo_day,
    "nothing planned": nothing_planned,
    "48 h of half hours": lambda: a_long_plan(96, timedelta(minutes=30)),
    "48 h of 5 minutes": lambda: a_long_plan(576, timedelta(minutes=5)),
    "a week of half hours": lambda: a_long_plan(336, timedelta(minutes=30)),
    "a week of 5 minutes": lambda: a_long_plan(2016, timedelta(minutes=5)),
}


@pytest.mark.parametrize("world", WORLDS)
def test_home_assistant_takes_every_entity(world: str) -> None:
    for entity_id, (state, attributes) in published(WORLDS[world]()).items():
        assert re.fullmatch(r"(binary_)?sensor\.battery_optimizer_[a-z_]+", entity_id)
        assert len(str(state)) <= LONGEST_STATE, entity_id
        size = len(json.dumps(attributes, allow_nan=False, ensure_ascii=False).encode())
        assert size < RECORDER_DROPS_FROM, (entity_id, size)


def test_ids_are_unique() -> None:
    assert len({entity.id for entity in ENTITIES}) == len(ENTITIES)


def test_a_planned_day_is_shown() -> None:
    states = published(a_planned_day())
    plan = a_planned_day().plan
    assert plan is not None
    assert states["sensor.battery_optimizer_mode"][0] == plan.slots[0].mode.value
    assert states["sensor.battery_optimizer_import_rate"][0] == 10.0
    assert states["sensor.battery_optimizer_reason"][1]["text"] == plan.slots[0].reason
    assert states["binary_sensor.battery_optimizer_problem"][0] == "off"
    forecast = states["sensor.battery_optimizer_import_rate"][1]["forecast"]
    assert forecast[3] == {"start": "2026-01-15T01:30Z", "value": -2.0}
    schedule = states["sensor.battery_optimizer_plan"][1]["schedule"]
    assert schedule[0]["start"] == "2026-01-15T00:00Z"
    assert all(first["end"] == then["start"] for first, then in pairwise(schedule))
    assert states["sensor.battery_optimizer_cheapest_window"] == (
        "2026-01-15T01:00:00+00:00",
        states["sensor.battery_optimizer_cheapest_window"][1],
    )
    assert states["sensor.battery_optimizer_cheapest_window"][1]["average_p_per_kwh"] == 0.5


def test_large_loads_that_are_expected_are_named_with_the_load() -> None:
    shown = a_planned_day()
    outlook = an_outlook([20.0] * 96)
    assert "large_loads" not in published(shown)["sensor.battery_optimizer_load_forecast"][1]
    large = {"car": np.full(outlook.horizon.n_slots, 0.25)}
    outcome = replace(shown.outcome, outlook=replace(outlook, large_kwh=large))
    told = published(replace(shown, outcome=outcome))["sensor.battery_optimizer_load_forecast"][1]
    assert told["large_loads"] == {"car": 12.0}
    assert told["forecast"]


def test_units_and_classes_go_with_each_other() -> None:
    states = published(a_planned_day())
    soc = states["sensor.battery_optimizer_expected_soc"][1]
    assert (soc["unit_of_measurement"], soc["device_class"]) == ("%", "battery")
    cost = states["sensor.battery_optimizer_planned_cost"][1]
    assert (cost["unit_of_measurement"], cost["device_class"]) == ("GBP", "monetary")
    for _, attributes in states.values():
        if attributes.get("device_class") in ("timestamp", "enum"):
            assert "unit_of_measurement" not in attributes
            assert "state_class" not in attributes


def test_demo_rates_are_called_so_wherever_rates_are_shown() -> None:
    real, demo = published(a_planned_day()), published(a_demo_day())
    marked = {entity.id for entity in ENTITIES if entity.shows_rates}
    assert {f"sensor.battery_optimizer_{name}" for name in (
        "import_rate", "export_rate", "reason", "plan", "rate_class", "planned_cost"
    )} <= marked  # fmt: skip
    for entity_id in marked:
        assert demo[entity_id][1]["rates"] == "demo rates"
        assert demo[entity_id][1]["friendly_name"].endswith("(demo rates)")
        assert "demo" not in json.dumps(real[entity_id])


def test_without_a_plan_nothing_is_made_up() -> None:
    states = published(nothing_planned())
    for name in ("import_rate", "expected_soc", "energy_value", "next_mode", "planned_cost"):
        assert states[f"sensor.battery_optimizer_{name}"][0] == "unknown"
    assert states["sensor.battery_optimizer_health"] == (
        "safe_mode",
        states["sensor.battery_optimizer_health"][1],
    )
    assert states["sensor.battery_optimizer_health"][1]["problems"] == ["sensor.soc is unavailable"]
    assert states["binary_sensor.battery_optimizer_problem"][0] == "on"


def test_a_plan_too_long_for_one_entity_says_so() -> None:
    attributes = published(a_long_plan(96, timedelta(minutes=30)))["sensor.battery_optimizer_plan"][
        1
    ]
    assert attributes["complete"] is False
    assert attributes["schedule"][0]["start"] == "2026-01-15T00:00Z"


def test_modes_are_told_in_words_besides() -> None:
    day = a_planned_day()
    assert day.plan is not None
    slots = tuple(
        replace(slot, command=PAUSE) if t == 1 else slot for t, slot in enumerate(day.plan.slots)
    )
    plan = replace(day.plan, slots=slots)
    shown = replace(day, outcome=replace(day.outcome, plan=plan, command=PAUSE))
    states = published(shown)
    assert states["sensor.battery_optimizer_mode"][0] == "force_charge"
    assert states["sensor.battery_optimizer_mode"][1]["words"] == "Hold"
    rows = states["sensor.battery_optimizer_plan"][1]["schedule"]
    assert next(row["words"] for row in rows if row["mode"] == "force_charge") == "Hold"
    others = states["sensor.battery_optimizer_reason"][1]["alternatives"]
    assert {"Self Use", "Hold"} & {other["words"] for other in others}
