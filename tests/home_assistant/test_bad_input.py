"""What a householder may get wrong: each is named at the start, with what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from battery_optimizer.errors import ConfigError
from battery_optimizer.simulate.connection import connection_problem
from home_assistant.core import HERE, PACKAGE, SELECT, HomeAssistant
from home_assistant.story import Octopus, house

# Further inverters in the same Home Assistant, each with its own mistake.
INVERTERS = {
    "garage": {},
    "evo": {", 'Force Charge', 'Force Discharge'": ""},
    "watts": {
        "unit_of_measurement: kW\n        min: 0\n        max: 5\n": (
            "unit_of_measurement: W\n        min: 0\n        max: 5000\n"
        )
    },
    "narrow": {
        "unit_of_measurement: kW\n        min: 0\n        max: 5\n": (
            "unit_of_measurement: kW\n        min: -5\n        max: 0\n"
        )
    },
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    made = HomeAssistant(tmp_path_factory.mktemp("core"))
    made.add_package(PACKAGE)
    for name, mistakes in INVERTERS.items():
        made.add_package(HERE / "inverter.yaml", {"foxess_": f"{name}_", **mistakes}, name)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def what_is_said(
    folder: Path, core: HomeAssistant, octopus: Octopus, words: str, **changes: object
) -> str:
    """The log as soon as it has these words."""
    with house(folder, core, octopus, **changes) as made:
        made.app.wait_for(words, 180)
        log = made.app.log
    assert "Traceback" not in log
    assert "this is a bug" not in log
    return log


def test_a_wrong_token_is_named(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By AppDaemon, which then goes on trying; `make run` says what to do, and does not start."""
    with pytest.raises(ConfigError, match="make a long-lived access token there"):
        connection_problem(core.url, "of-nobody")
    assert connection_problem(core.url, core.token) is None
    monkeypatch.setattr(core, "token", "of-nobody")
    what_is_said(tmp_path, core, octopus, "Failed to authenticate to Home Assistant")


def test_two_inverters_that_match_are_named(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    log = what_is_said(tmp_path, core, octopus, "Not started yet: more than one inverter matches")
    assert f"{SELECT}, select.garage_work_mode" in log
    assert "set entities.prefix" in log


def test_with_the_prefix_said_the_other_inverter_is_left_alone(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    octopus.sell_now()
    with house(tmp_path, core, octopus, entities={"prefix": "garage"}) as made:
        made.wait_for_plan()
        core.wait_for_state("select.garage_work_mode", "Force Discharge")
        assert made.mode == "Feed-in First"


@pytest.mark.parametrize(
    ("entities", "words"),
    [
        (
            {"prefix": "foxes"},
            (
                "select.foxes_work_mode does not exist: set its entity id or the prefix to what "
                "Home Assistant shows"
            ),
        ),
        (
            {"prefix": "foxess", "soc": "sensor.foxess_soc"},
            "sensor.foxess_soc does not exist in Home Assistant: check the name in the settings",
        ),
        (
            {"prefix": "foxess", "load": "sensor.foxess_lod_power"},
            "sensor.foxess_lod_power does not exist in Home Assistant: check the name",
        ),
        (
            {"prefix": "foxess", "force_charge_power": "number.charge_power"},
            "number.charge_power does not exist: set its entity id",
        ),
        (
            {"prefix": "evo"},
            (
                "select.evo_work_mode does not offer Force Charge, only Self Use, Feed-in First, "
                "Back-up: check the inverter model"
            ),
        ),
        (
            {"prefix": "watts"},
            (
                "number.watts_force_charge_power is in W, not kW: set the entity id of "
                "foxess_modbus's own, or set its unit back to kW in Home Assistant"
            ),
        ),
        (
            {"prefix": "narrow"},
            "number.narrow_force_charge_power allows -5.0 to 0.0 kW, which is no range to charge",
        ),
        (
            {"prefix": "foxess", "load": "sensor.foxess_battery_soc"},
            "sensor.foxess_battery_soc has the unit '%': it must have one of W, kW",
        ),
    ],
)
def test_a_wrong_entity_is_named_with_what_to_do(
    tmp_path: Path,
    core: HomeAssistant,
    octopus: Octopus,
    entities: dict[str, str],
    words: str,
) -> None:
    what_is_said(tmp_path, core, octopus, words, entities=entities)


def test_an_inverter_without_forced_modes_is_driven_with_those_it_has(
    tmp_path: Path, core: HomeAssistant, octopus: Octopus
) -> None:
    octopus.sell_now()
    with house(tmp_path, core, octopus, entities={"prefix": "evo"}) as made:
        made.wait_for_plan()
        assert core.state("select.evo_work_mode") in ("Self Use", "Feed-in First", "Back-up")
        assert core.state("sensor.battery_optimizer_mode") not in (
            "force_charge",
            "force_discharge",
        )
