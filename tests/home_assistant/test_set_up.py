"""Five lines of settings around a real Home Assistant: what is there is found and used."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appdaemon_process import running
from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.simulate.home.octopus_entities import octopus_entities
from home_assistant.core import SELECT, HomeAssistant
from home_assistant.story import HEALTH, House, Octopus, house
from markdown_pages import README, read_yaml

LARGEST = 16_384


def five_lines(octopus: Octopus) -> dict[str, Any]:
    """The README's, but for Octopus, which is a server of our own."""
    (lines,) = [block.text for block in README.blocks("yaml") if "module:" in block.text]
    assert len(lines.splitlines()) == 5
    apps: dict[str, Any] = read_yaml(lines)
    apps["battery_optimizer"]["rates"] = {"base_url": octopus.url}
    return apps


def test_five_lines_are_enough(tmp_path: Path, core: HomeAssistant, octopus: Octopus) -> None:
    for entity_id, shown in octopus_entities(datetime.now(UTC)).items():
        attributes = json.loads(json.dumps(dict(shown.attributes), default=str))
        core.set_entity(entity_id, shown.state, **attributes)
    with running(
        tmp_path, five_lines(octopus), environment=core.environment, time_zone="Europe/Amsterdam"
    ) as app:
        made = House(core, app, octopus)
        made.wait_for_plan()
        app.wait_for(f"{SELECT} (found by its modes)")
        assert "charges at 5 kW (inverter)" in app.log
        # As the add-on comes.
        assert "set time_zone: Europe/London in appdaemon.yaml" in app.log
        assert "Solcast" in app.log
        assert app.endpoint("plan")["rates"] == "published"
        assert core.state(HEALTH) == "ok", made.problems
        assert made.mode is not None
        assert made.mode.lower().replace(" ", "_") in {
            app.endpoint("recommendation")["mode"],
            "back-up",
            "feed-in_first",
        }


def test_the_longest_plan_fits_into_what_the_recorder_keeps(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    octopus.usual_days()
    with house(tmp_path, core, octopus, planner={"horizon_hours": 168}) as made:
        made.wait_for_plan()
        sizes = {
            entity.id: len(json.dumps(core.attributes(entity.id)).encode()) for entity in ENTITIES
        }
        print(sizes)  # noqa: T201 - shown by `pytest -rP`
        assert max(sizes.values()) < LARGEST
        assert "exceed maximum size" not in core.log
