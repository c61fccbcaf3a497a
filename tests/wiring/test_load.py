"""Large loads and the temperature in a house wired of real parts: read, kept, planned, named."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from battery_optimizer.config import Config
from battery_optimizer.config_sections import SolarSettings
from battery_optimizer.errors import ConfigError
from battery_optimizer.model.decision import CycleResult
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.found import Presence
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.wiring.load import most_load_kw, weather
from battery_optimizer.wiring.running import RunningHouse
from battery_optimizer.wiring.sources import panels_place
from simulated_house import BATTERY, NIGHT, SETTINGS, SimulatedHouse, connected

CAR = {"name": "car", "power": "sensor.wallbox_power"}
DISPATCHING = "binary_sensor.octopus_energy_x_intelligent_dispatching"
PANELS = {"peak_kw": 3.0, "tilt_deg": 35, "azimuth_deg": 0}
N_SLOTS = 30 * 48


class CarHouse(SimulatedHouse):
    """A simulated house with a car."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.show("sensor.wallbox_power", "0", "W")

    def show(self, entity_id: str, state: str, unit: str, **attributes: object) -> None:
        self.others[entity_id] = EntityState(
            state=state, attributes={"unit_of_measurement": unit} | attributes, last_reported=NIGHT
        )

    def history(
        self, entity_id: str, start: datetime, end: datetime
    ) -> list[list[Mapping[str, object]]]:
        state = {"sensor.wallbox_power": "7000", "sensor.outside": "3.5"}.get(entity_id, "0.5")
        assert end - start == timedelta(days=10)
        return [[{"state": state, "last_changed": (end - timedelta(hours=1)).isoformat()}]]


def settings(**load: object) -> dict[str, Any]:
    return {"control": "read_only", "load": {"weather": "none"} | load}


def config_of(**load: object) -> Config:
    return Config.from_args(SETTINGS | settings(**load))


def connected_with(home: CarHouse, **load: object) -> AbstractContextManager[RunningHouse]:
    return connected(home, **settings(**load))


def nightly(start: datetime, from_slot: int = 2) -> Observations:
    """A house of half a kilowatt, and a car each night for three hours, mostly from 01:00 on."""
    clock = np.arange(N_SLOTS) % 48 + (start.hour * 2)
    car = np.where((clock % 48 >= from_slot) & (clock % 48 < from_slot + 6), 7.0, 0.0)
    load = car + np.random.default_rng(1).uniform(0.4, 0.6, N_SLOTS)

    def series(values: Floats) -> SlotSeries:
        return SlotSeries(start=start, values=values)

    return Observations(
        load_kw=series(load), solar_kw=series(0 * load), large_kw={"car": series(car)}
    )


def test_a_car_that_is_set_is_read_kept_and_planned_apart(tmp_path: Path) -> None:
    home = CarHouse(tmp_path)
    home.show("sensor.wallbox_power", "7000", "W")
    with connected_with(home, large_loads=[CAR]) as house:
        house.store.seed_observations(nightly(NIGHT - N_SLOTS * SLOT))
        shown = house.run(NIGHT)
        assert shown.outcome.result is CycleResult.PLANNED
        assert not any("car" in problem for problem in shown.problems)
        assert shown.outcome.telemetry is not None
        assert shown.outcome.telemetry.large_kw == {"car": 7.0}
        outlook = shown.outcome.outlook
        assert outlook is not None
        assert outlook.large_kwh["car"][:4] == pytest.approx([3.5] * 4, abs=0.3)
        assert outlook.load_kwh[8:40].max() < 2.0
        # All of it comes back as it was, for a replay.
        kept = house.store.outcome(NIGHT)
        assert kept is not None
        assert kept.outlook is not None
        np.testing.assert_array_equal(kept.outlook.large_kwh["car"], outlook.large_kwh["car"])
        assert kept.telemetry == shown.outcome.telemetry
        seen = house.store.observations(NIGHT, NIGHT + SLOT)
        assert seen.large_kw["car"].at(NIGHT) == 7.0


def test_a_car_that_octopus_plans_is_planned_by_its_schedule(tmp_path: Path) -> None:
    home = CarHouse(tmp_path)
    row = {
        "start": (NIGHT + timedelta(hours=3)).isoformat(),
        "end": (NIGHT + timedelta(hours=4)).isoformat(),
        "charge_in_kwh": -6.0,
    }
    home.show(DISPATCHING, "off", "", planned_dispatches=[row])
    with connected_with(home, large_loads=[CAR | {"schedule": DISPATCHING}]) as house:
        house.store.seed_observations(nightly(NIGHT - N_SLOTS * SLOT, from_slot=4))
        outlook = house.run(NIGHT).outcome.outlook
        assert outlook is not None
        assert outlook.large_kwh["car"][:10] == pytest.approx([0] * 6 + [3, 3, 0, 0])


def test_a_sensor_that_is_gone_is_told_and_the_load_is_whole(tmp_path: Path) -> None:
    home = CarHouse(tmp_path)
    home.show("sensor.wallbox_power", "unavailable", "W")
    with connected_with(home, large_loads=[CAR | {"schedule": DISPATCHING}]) as house:
        seen = nightly(NIGHT - (N_SLOTS + 8) * SLOT)
        house.store.seed_observations(seen)
        house.store.seed_observations(replace(nightly(NIGHT - N_SLOTS * SLOT), large_kw={}))
        shown = house.run(NIGHT)
        problems = "\n".join(shown.problems)
        assert "sensor.wallbox_power (car) is unavailable" in problems
        assert (
            "car is forecast with the rest of the house: its sensor has given nothing" in problems
        )
        assert f"{DISPATCHING} does not exist in Home Assistant" in problems
        outlook = shown.outcome.outlook
        assert outlook is not None
        assert outlook.large_kwh == {}
        assert outlook.load_kwh[:4].min() > 2  # of the whole: the car is in it
        found = {each.about: each for each in house.survey.look(NIGHT)}
        assert found["Large load car"].presence is Presence.MISSING


def test_what_home_assistant_remembers_of_them_is_learned_at_start(tmp_path: Path) -> None:
    home = CarHouse(tmp_path, has_home_assistant=True)
    home.show("sensor.outside", "3.5", "°C")
    with connected_with(home, large_loads=[CAR], outside_temperature="sensor.outside") as house:
        house.seed(NIGHT)
        seen = house.store.observations(NIGHT - SLOT, NIGHT)
        assert seen.large_kw["car"].values.tolist() == [7.0]
        assert seen.outside_c is not None
        assert seen.outside_c.values.tolist() == [3.5]


def test_what_looks_like_a_large_load_is_pointed_out(tmp_path: Path) -> None:
    home = CarHouse(tmp_path)
    home.show(DISPATCHING, "off", "", planned_dispatches=[])
    with connected_with(home) as house:
        found = {each.about: each for each in house.survey.look(NIGHT)}["Large load"]
        assert found.presence is Presence.OPTIONAL
        assert found.advice.endswith(
            f"{{name: car, power: sensor.wallbox_power, schedule: {DISPATCHING}}}"
        )
    with connected_with(home, large_loads=[CAR]) as house:
        named = [each for each in house.survey.look(NIGHT) if "arge load" in each.about]
        assert [each.words for each in named] == ["sensor.wallbox_power (0 W)"]


def test_without_such_sensors_nothing_is_pointed_out(tmp_path: Path) -> None:
    home = CarHouse(tmp_path)
    del home.others["sensor.wallbox_power"]
    with connected_with(home) as house:
        assert not [each for each in house.survey.look(NIGHT) if "arge load" in each.about]


def test_open_meteo_is_asked_only_where_it_is_wanted() -> None:
    def asked(**load: object) -> bool:
        return weather(config_of(**load).load, (51.5, -0.12)) is not None

    assert not asked(weather="auto")
    assert not asked(outside_temperature="sensor.outside")
    assert asked(weather="auto", outside_temperature="sensor.outside")
    assert asked(weather="open_meteo")


def test_the_panels_are_where_they_are_set_to_be_or_where_appdaemon_is(tmp_path: Path) -> None:
    host = CarHouse(tmp_path).host()
    assert panels_place(SolarSettings(), host) == (host.latitude, host.longitude)
    assert panels_place(SolarSettings(latitude=57.5), host) == (57.5, host.longitude)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"large_loads": [CAR, CAR]}, "load.large_loads must not have the name car twice"),
        (
            {"large_loads": [CAR | {"name": "My car"}]},
            "load.large_loads[0].name must be a word of small letters, digits and _, not 'My car'",
        ),
        ({"large_loads": [{"name": "car"}]}, "load.large_loads[0].power must be given"),
        ({"weather": "bbc"}, "load.weather must be 'auto', 'open_meteo' or 'none', not 'bbc'"),
    ],
)
def test_mistakes_in_the_settings_are_named(load: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(**load)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("changes", "most_kw"),
    [
        ({}, 1.25 * (20 + 4 + 10)),
        ({"solar": {"arrays": [PANELS, PANELS]}}, 1.25 * (20 + 4 + 6)),
        ({"inverter": {"ac_limit_kw": 5.0}, "grid": {"import_limit_kw": 16.0}}, 1.25 * (16 + 5)),
    ],
)
def test_no_house_draws_more_than_fuse_battery_and_panels_give(
    changes: dict[str, Any], most_kw: float
) -> None:
    config = Config.from_args({"battery": BATTERY} | changes)
    assert most_load_kw(config) == pytest.approx(most_kw)
