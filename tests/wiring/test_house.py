"""A house wired of real parts around the simulated inverter, without AppDaemon."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from battery_optimizer.adapters.instance import HEARTBEAT
from battery_optimizer.adapters.store.sqlite import Retention
from battery_optimizer.config import Config
from battery_optimizer.errors import ConfigError, InverterError
from battery_optimizer.model.decision import CommandResult, CycleResult
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.found import Presence
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import SLOT, SlotSeries, day_bounds, local_day
from battery_optimizer.model.solar import SolarArray
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.octopus_entities import METER, octopus_entities
from battery_optimizer.simulate.replay import Recording, replayed
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.tell import teller_of
from simulated_house import NIGHT, SETTINGS, SimulatedHouse, connected

NO_SERVICE = "Home Assistant has no service notify.mobile_app_anne now: set notify.service right"


@pytest.mark.parametrize("shown", ["unknown", "unavailable"])
def test_limits_are_not_read_before_the_inverter_was(tmp_path: Path, shown: str) -> None:
    """After a start of Home Assistant all is unknown for some seconds, the voltage, too."""
    home = SimulatedHouse(tmp_path)
    select = home.fox.entities()["select.foxess_work_mode"]
    home.others["select.foxess_work_mode"] = replace(select, state=shown)
    given = {"battery": {"capacity_kwh": 10.0}}
    with pytest.raises(InverterError, match=f"is {shown}: wait until foxess_modbus has read"):
        connect(Config.from_args(SETTINGS | given), home.host())
    with connected(home):  # nothing is read from it
        pass
    del home.others["select.foxess_work_mode"]
    with connected(home, **given):
        pass


def test_the_first_heartbeat_comes_at_once_but_not_over_another_ones(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    told: dict[str, object] = {}

    def set_entity(entity_id: str, /, *, state: object, attributes: Mapping[str, object]) -> None:
        told[entity_id] = (state, attributes["inverter"])

    with connected(home) as house:
        teller_of(house, set_entity)
        assert told == {HEARTBEAT: (NIGHT.isoformat(), "select.foxess_work_mode")}
        told.clear()
        others = {"instance": "of-another", "inverter": "select.foxess_work_mode"}
        home.others[HEARTBEAT] = EntityState(state=NIGHT.isoformat(), attributes=others)
        teller_of(house, set_entity)
        assert told == {}


def test_what_the_inverter_offers_only_later_is_planned_with_and_looked_back_at(
    tmp_path: Path,
) -> None:
    home, select = SimulatedHouse(tmp_path), "select.foxess_work_mode"
    home.others[select] = EntityState(state="unavailable")
    with connected(home) as house:
        offered = {"options": ["Self Use", "Feed-in First"]}
        home.others[select] = EntityState(state="Self Use", attributes=offered)
        inputs = house.run(NIGHT).outcome.inputs
        assert inputs is not None
        assert inputs.house.abilities == house.inverter.abilities
        assert Mode.FORCE_DISCHARGE not in inputs.house.modes
        assert house.review._house().abilities == inputs.house.abilities


def test_a_house_plans_commands_and_remembers(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    home.fox.inverter.select("Back-up")
    with connected(home) as house:
        shown = house.run(NIGHT)
        assert shown.outcome.result is CycleResult.PLANNED
        assert shown.outcome.command_result is CommandResult.APPLIED
        assert shown.is_demo
        assert shown.inverter == "select.foxess_work_mode"
        house.keep_house(NIGHT)
        house.cycle.make_safe()
        assert house.inverter.current().mode is Mode.SELF_USE  # type: ignore[union-attr]
    with connected(home) as again:
        plan = again.store.last_plan()
        assert plan is not None
        assert plan.made_at == NIGHT


def test_what_the_settings_forbid_is_kept_and_told(tmp_path: Path) -> None:
    limits = {"battery_may_export": False, "max_grid_charge_p_per_kwh": -20}
    modes: list[set[Mode]] = []
    for planner in ({}, limits):
        with connected(SimulatedHouse(tmp_path), planner=planner) as house:
            plan = house.run(NIGHT).outcome.plan
            assert plan is not None
            modes.append({slot.mode for slot in plan.slots if slot.command.power_kw})
            told = [each.words for each in house.survey.look(NIGHT) if each.about == "Wishes"]
    assert any(mode.is_forced for mode in modes[0])
    assert not any(mode.is_forced for mode in modes[1])
    assert told == [
        "the battery is not sold from; it is not charged from the grid above -20 p/kWh (set)"
    ]


def test_the_prefix_is_found_where_it_is_not_given(tmp_path: Path) -> None:
    with connected(SimulatedHouse(tmp_path), entities={}) as house:
        assert house.meter_entities.soc == "sensor.foxess_battery_soc"


def test_what_is_there_is_told_and_what_is_missing_with_advice(tmp_path: Path) -> None:
    with connected(SimulatedHouse(tmp_path), entities={}) as house:
        house.run(NIGHT)
        found = {each.about: each for each in house.survey.look(NIGHT)}
        assert "found by its modes" in found["Inverter"].words
        assert "sensor.foxess_load_power" in found["House load"].words
        assert found["Import rates"].words == "made up, as set (demo rates)"
        assert found["Solar forecast"].words.startswith("Solcast")
        assert found["Orders and watchdog"].presence is Presence.OPTIONAL
        # All that is needed is there: it is looked for again now and then.
        assert not house.survey.is_due(NIGHT + timedelta(minutes=5))
        assert house.survey.is_due(NIGHT + timedelta(minutes=30))
    (tmp_path / "other").mkdir()  # where no forecast is stored
    home = SimulatedHouse(tmp_path / "other")
    home.others = {}
    with connected(home, entities={"prefix": "foxess", "load": "sensor.mine"}) as house:
        house.run(NIGHT)
        found = {each.about: each for each in house.survey.look(NIGHT)}
        assert "as set" in found["Inverter"].words
        assert found["House load"].presence is Presence.MISSING
        assert house.survey.is_due(NIGHT + timedelta(minutes=5)), "it may be there soon"
        assert "enable sensor.mine" in found["House load"].advice
        assert "Forecast.Solar" in found["Solar forecast"].advice
        kwh = {"unit_of_measurement": "kWh"}
        home.others["sensor.energy_production_today"] = EntityState(state="12", attributes=kwh)
        shown = house.run(NIGHT)
        assert shown.outcome.outlook is not None
        assert shown.outcome.outlook.solar_kwh[:48].sum() > 1
        sun = {each.about: each for each in house.survey.look(NIGHT)}["Solar forecast"]
        assert sun.words.startswith("Forecast.Solar's days")
        assert sun.words.endswith(" (sensor.energy_production_today)")
        assert not any("Solcast" in problem for problem in shown.problems)
        day = day_bounds(local_day(NIGHT))[0]
        wh_period = {(day + t * SLOT).isoformat(): 500 for t in range(48)}
        home.others["sensor.my_roof_energy_production_today"] = EntityState(
            state="24", attributes=kwh | {"wh_period": wh_period}, last_reported=NIGHT
        )
        house.run(NIGHT)
        sun = {each.about: each for each in house.survey.look(NIGHT)}["Solar forecast"]
        assert sun.words.startswith("Open-Meteo Solar Forecast, 0 h old")
        assert sun.words.endswith(" (sensor.my_roof_energy_production_today)")


def test_a_sun_that_nobody_asked_for_is_not_missing(tmp_path: Path) -> None:
    with connected(SimulatedHouse(tmp_path), entities={"soc": "sensor.misspelt"}) as house:
        house.run(NIGHT)
        found = {each.about: each for each in house.survey.look(NIGHT)}
        assert "enable sensor.misspelt" in found["Battery charge"].advice
        assert found["Solar forecast"].words == "not asked for yet: nothing is planned"
        assert found["Solar forecast"].advice == ""


@pytest.mark.parametrize(
    ("services", "advice"),
    [
        ((), ""),  # where nobody can tell
        (("notify.mobile_app_anne", "light.turn_on"), ""),
        (
            ("light.turn_on", "notify.mobile_app_ann", "notify.bob"),
            f"{NO_SERVICE}; there are notify.bob, notify.mobile_app_ann",
        ),
        (("light.turn_on",), NO_SERVICE),
    ],
)
def test_a_service_of_notifications_that_is_not_there_is_told_before_it_is_needed(
    tmp_path: Path, services: tuple[str, ...], advice: str
) -> None:
    home = SimulatedHouse(tmp_path, services=services)
    with connected(home, notify={"service": "notify.mobile_app_anne"}) as house:
        (told,) = [each for each in house.survey.look(NIGHT) if each.about == "Notifications"]
        assert told.words == "notify.mobile_app_anne, of breaker, stale"
        assert told.advice == advice
        assert (told.presence is Presence.MISSING) == bool(advice)
    with connected(home) as silent:
        assert "Notifications" not in {each.about for each in silent.survey.look(NIGHT)}


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "assumed: a common British house, for less than half a day"),
        (3, "learned from 3.0 days so far"),
        # Whole days: the first one may not have been.
        (20, "learned from 19 days"),
    ],
)
def test_what_the_load_forecast_rests_on_is_told(tmp_path: Path, days: int, words: str) -> None:
    with connected(SimulatedHouse(tmp_path)) as house:
        about = "Load forecast"
        assert about not in {each.about for each in house.survey.look(NIGHT)}
        start = NIGHT.replace(hour=0) - timedelta(days=days)
        drawn = SlotSeries(start=start, values=np.resize([0.2, 0.6, 0.4], days * 48))
        sun = SlotSeries(start=start, values=np.zeros(days * 48))
        house.store.seed_observations(Observations(load_kw=drawn, solar_kw=sun))
        house.run(NIGHT)
        (told,) = [each for each in house.survey.look(NIGHT) if each.about == about]
        assert told.words.startswith(words)
        assert told.presence is Presence.FOUND
        assert told.advice == "", "there is nothing to do"


def test_sensors_that_other_models_name_otherwise_are_found(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    shown = home.fox.entities()
    for gone in ("grid_ct", "invbatpower", "pv_power"):
        del shown[f"sensor.foxess_{gone}"]
    shown["sensor.foxess_pv_power_now"] = EntityState(state="1")
    home.states = lambda: shown | home.others  # type: ignore[method-assign]
    with connected(home) as house:
        meters = house.meter_entities
    assert meters.solar == "sensor.foxess_pv_power_now"
    assert (meters.grid, meters.grid_import) == (None, "sensor.foxess_grid_consumption")
    assert (meters.battery, meters.battery_charge) == (None, "sensor.foxess_battery_charge")


def test_the_charge_of_models_that_count_their_batteries_is_found(tmp_path: Path) -> None:
    """H3 Smart and H3 Pro, of which foxess_modbus shows the first and the second one."""
    home = SimulatedHouse(tmp_path)
    shown = home.fox.entities()
    shown["sensor.foxess_battery_soc_1"] = shown.pop("sensor.foxess_battery_soc")
    shown["sensor.foxess_battery_soc_2"] = EntityState(state="unknown")
    home.states = lambda: shown | home.others  # type: ignore[method-assign]
    with connected(home) as house:
        assert house.meter_entities.soc == "sensor.foxess_battery_soc_1"


def test_the_sum_of_the_panels_is_found_by_the_name_that_foxess_modbus_gives_it(
    tmp_path: Path,
) -> None:
    """Home Assistant makes its id of its name, `PV Power (FoxESS)`: no prefix, but an ending."""
    home = SimulatedHouse(tmp_path)
    shown = home.fox.entities()
    del shown["sensor.foxess_pv_power"]
    kw = {"unit_of_measurement": "kW"}
    shown["sensor.pv_power_foxess"] = EntityState(state="unknown", attributes=kw)
    home.states = lambda: shown | home.others  # type: ignore[method-assign]
    with connected(home) as house:
        assert house.meter_entities.solar == "sensor.pv_power_foxess"
        (told,) = [each for each in house.survey.look(NIGHT) if each.about == "Solar power"]
        assert "if it stays unknown restart Home Assistant once" in told.advice


def test_limits_are_waited_for_where_they_are_not_set(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    capacity = {"battery": {"capacity_kwh": 10}}
    with pytest.raises(InverterError, match=r"select\.roof_work_mode does not exist \(yet\)"):
        connect(
            Config.from_args(SETTINGS | capacity | {"entities": {"prefix": "roof"}}), home.host()
        )
    with connected(home, **capacity) as house:
        assert house.config.battery.max_charge_kw == 15.0  # the simulated inverter's limit
        assert house.config.inverter.ac_limit_kw == 15.0


def test_without_an_inverter_it_says_what_to_do(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    home.fox = SimulatedFoxEss(home.fox.inverter, prefix="x")
    home.states = dict  # type: ignore[method-assign] - nothing there
    with pytest.raises(InverterError, match="install foxess_modbus"):
        connect(Config.from_args(SETTINGS | {"entities": {}}), home.host())


def test_rates_are_fetched_every_half_hour_and_soon_after_a_failure(tmp_path: Path) -> None:
    with connected(SimulatedHouse(tmp_path)) as house:
        house.run(NIGHT)
        fetched = house.rates.fetched_at
        house.run(NIGHT + timedelta(minutes=25))
        assert house.rates.fetched_at == fetched == NIGHT
        house.run(NIGHT + timedelta(minutes=30))
        assert house.rates.fetched_at == NIGHT + timedelta(minutes=30)
        house.rates.next_retry = NIGHT + timedelta(minutes=32)
        house.run(NIGHT + timedelta(minutes=31))
        assert house.rates.fetched_at == NIGHT + timedelta(minutes=30)


def test_rates_that_the_octopus_integration_shows_anew_count_at_once(tmp_path: Path) -> None:
    """A car's cheap half hour that Octopus takes back would else be charged in, dear."""
    home = SimulatedHouse(tmp_path, others=octopus_entities(NIGHT))
    entity_id = f"event.octopus_energy_electricity_{METER}_current_day_rates"
    known = home.others[entity_id]
    with connected(home, rates={"base_url": "http://127.0.0.1:9"}) as house:

        def import_p(now: datetime) -> float:
            house.run(now)
            return float(house.rates.known_rates(NIGHT, NIGHT + SLOT, now).imports.values[0])

        published = import_p(NIGHT)
        rows: list[dict[str, object]] = known.attributes["rates"]  # type: ignore[assignment]
        cheap = [row | {"value_inc_vat": 0.07, "is_intelligent_adjusted": True} for row in rows]
        home.others[entity_id] = EntityState(
            state="later", attributes={**known.attributes, "rates": cheap}
        )
        assert import_p(NIGHT + timedelta(minutes=5)) == pytest.approx(7.0)
        home.others[entity_id] = known
        assert import_p(NIGHT + timedelta(minutes=10)) == published
        fetched = house.rates.fetched_at
        # Nothing is news while the integration is reloaded.
        home.others[entity_id] = EntityState(state="unavailable")
        assert import_p(NIGHT + timedelta(minutes=15)) == published
        assert house.rates.fetched_at == fetched
        assert house.rates.last_error is None


def test_a_clock_that_was_ahead_does_not_keep_rates_from_being_fetched(tmp_path: Path) -> None:
    with connected(SimulatedHouse(tmp_path)) as house:
        house.run(NIGHT)
        house.rates.fetched_at = NIGHT + timedelta(days=2)
        house.run(NIGHT + timedelta(minutes=5))
        assert house.rates.fetched_at == NIGHT + timedelta(minutes=5)
        house.rates.next_retry = NIGHT + timedelta(days=2)
        house.run(NIGHT + timedelta(minutes=10))
        assert house.rates.next_retry is None


def test_old_records_are_thrown_away_daily_but_not_by_a_clock_that_has_jumped(
    tmp_path: Path,
) -> None:
    day = timedelta(days=1)
    home = SimulatedHouse(tmp_path)
    with connected(home) as house:
        house.run(NIGHT)
        house.keep_house(NIGHT)
        wrong = NIGHT + 3650 * day
        house.keep_house(wrong)
        house.keep_house(wrong + timedelta(minutes=5))
        assert len(house.store.decisions(NIGHT, NIGHT + day)) == 1
        house.keep_house(NIGHT + timedelta(minutes=10))
    with connected(home) as house:
        house.store._retention = Retention(decisions=0)
        house.keep_house(NIGHT + timedelta(hours=23))
        assert len(house.store.decisions(NIGHT, NIGHT + day)) == 1
        house.keep_house(NIGHT + timedelta(hours=25))
        assert house.store.decisions(NIGHT, NIGHT + day) == []


def test_rates_are_asked_for_after_the_cycle_that_can_do_without(tmp_path: Path) -> None:
    """Their source may take a minute to fail, in which a forced mode would go on."""
    with connected(SimulatedHouse(tmp_path)) as house:
        source, decided = house.rates._source, []

        def fetch(*given: object) -> object:
            decided.append(len(house.store.decisions(NIGHT, NIGHT + timedelta(days=1))))
            return source.fetch(*given)  # type: ignore[arg-type]

        asked = SimpleNamespace(name=source.name, is_demo=source.is_demo, fetch=fetch)
        house.rates._source = asked  # type: ignore[assignment]
        house.run(NIGHT)
        assert set(decided) == {0}  # without any it could not do
        decided.clear()
        house.run(NIGHT + timedelta(minutes=30))
        assert set(decided) == {2}


def test_made_up_rates_never_drive_a_real_house(tmp_path: Path) -> None:
    real = SimulatedHouse(tmp_path, has_home_assistant=True)
    with pytest.raises(ConfigError, match=r"rates\.demo"):
        connect(Config.from_args(SETTINGS), real.host())
    with connected(real, control="read_only") as house:
        assert house.run(NIGHT).outcome.command_result is CommandResult.READ_ONLY
    # What is used of itself without Home Assistant is not used with it.
    nowhere = {
        "import_product": "agile",
        "export_product": "agile_outgoing",
        "region": "C",
        "base_url": "http://127.0.0.1:9",
    }
    with connected(real, rates=nowhere) as house:
        shown = house.run(NIGHT)
        # Nor does the plan of a moment ago, which was made by made-up rates.
        assert shown.plan is None
        assert not shown.is_demo
        assert shown.outcome.command.mode is Mode.SELF_USE


def test_what_home_assistant_remembers_is_learned_at_start(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path, has_home_assistant=True)
    with connected(home, control="read_only") as house:
        house.seed(NIGHT)
        assert home.asked == ["sensor.foxess_load_power", "sensor.foxess_pv_power"]
        seen = house.store.observations(NIGHT - timedelta(hours=2), NIGHT)
        assert np.nanmean(seen.load_kw.values) == pytest.approx(0.5)
    with connected(SimulatedHouse(tmp_path)) as house:
        house.seed(NIGHT)  # nobody to ask


def test_a_fresh_heartbeat_of_another_app_is_a_rival(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    with connected(home) as house:
        assert house.rival(NIGHT) is None
        home.others[HEARTBEAT] = EntityState(
            state=NIGHT.isoformat(),
            attributes={"instance": "another", "inverter": "select.foxess_work_mode"},
        )
        rival = house.rival(NIGHT)
        assert rival is not None
        assert "another instance" in rival.words


def test_an_app_that_only_looks_on_is_in_nobodys_way(tmp_path: Path) -> None:
    """On somebody's desk, say, beside the add-on that drives."""
    desk, add_on = tmp_path / "desk", tmp_path / "add_on"
    for folder in (desk, add_on):
        folder.mkdir()
    watched = SimulatedHouse(desk)
    beats: dict[str, EntityState] = {}

    def set_entity(entity_id: str, /, *, state: object, attributes: Mapping[str, object]) -> None:
        beats[entity_id] = EntityState(state=str(state), attributes=attributes)

    with connected(watched, control="read_only") as looking_on:
        teller = teller_of(looking_on, set_entity)
        driven = SimulatedHouse(add_on)
        with connected(driven) as driving:
            for _ in range(2):  # the first heartbeat, then that of a cycle
                driven.others[HEARTBEAT] = beats[HEARTBEAT]
                assert driving.rival(NIGHT) is None
                teller.tell(looking_on.run(NIGHT))
            teller_of(driving, set_entity)
            watched.others[HEARTBEAT] = beats[HEARTBEAT]
            assert looking_on.rival(NIGHT) is not None


def test_services_that_need_the_panels_are_asked_only_with_panels(tmp_path: Path) -> None:
    array = SolarArray(peak_kw=5, tilt_deg=35, azimuth_deg=0)
    sources = {"sources": ["open_meteo", "forecast_solar"]}
    with connected(SimulatedHouse(tmp_path), solar=sources) as house:
        assert house.solar._sources == ()
    with connected(SimulatedHouse(tmp_path), solar={**sources, "arrays": [array]}) as house:
        assert [source.name for source in house.solar._sources] == ["Open-Meteo", "Forecast.Solar"]


@pytest.mark.parametrize("state", ["unavailable", "2.5"])
def test_the_sun_of_the_moment_is_read_when_a_power_is_sent(tmp_path: Path, state: str) -> None:
    home = SimulatedHouse(tmp_path)
    home.others["sensor.foxess_pv_power"] = EntityState(
        state=state, attributes={"unit_of_measurement": "kW"}
    )
    with connected(home) as house:
        assert house.inverter.inner.solar_kw() == (2.5 if state == "2.5" else None)
    home.others["sensor.foxess_pv_power"] = EntityState(state="1", attributes={})
    with connected(home) as house:
        assert house.inverter.inner.solar_kw() is None


def test_an_order_of_the_household_is_carried_out(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    home.others["input_select.battery_optimizer_override"] = EntityState(state="Hold")
    with connected(home) as house:
        shown = house.run(NIGHT)
        assert shown.outcome.command.mode is Mode.HOLD
        assert home.fox.inverter.option == "Back-up"
        assert shown.outcome.writes_today == 1
    home.others["input_select.battery_optimizer_override"] = EntityState(state="Nonsense")
    with connected(home) as house:
        assert any("Nonsense" in problem for problem in house.run(NIGHT).problems)


def test_foxess_control_is_another_way_in(tmp_path: Path) -> None:
    entities = {"integration": "foxess_control"}
    home = SimulatedHouse(tmp_path)
    with pytest.raises(InverterError, match=r"no sensor\.foxess_work_mode; install foxess_control"):
        connect(Config.from_args(SETTINGS | {"entities": entities}), home.host())
    home.others["sensor.foxess_work_mode"] = EntityState(state="ForceDischarge")
    percent = {"unit_of_measurement": "%"}
    home.others["sensor.foxess_battery_soc"] = EntityState(state="50", attributes=percent)
    called: list[str] = []
    home.call = lambda service, /, **_: called.append(service) or {"success": True}  # type: ignore[method-assign, func-returns-value]
    with connected(home, entities=entities) as house:
        assert house.instance.inverter == "sensor.foxess_work_mode"
        assert house.meter_entities.battery_charge == "sensor.foxess_charge_rate"
        assert house.inverter.check() == ()
        house.cycle.make_safe()
    assert called == ["foxess_control/clear_overrides"]


def test_diagnostics_of_a_running_house_can_be_replayed(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    with connected(home) as house:
        for _ in range(4):
            shown = house.run(home.now)
            home.now += timedelta(minutes=5)
        document = house.diagnosis(home.now, health={"status": shown.health}).document()
    path = tmp_path / "diagnostics.json"
    path.write_text(json.dumps(document, allow_nan=False))
    recording = Recording.read(path)
    assert len(recording.cycles) == 4
    assert recording.rates is not None
    assert not recording.other_versions()
    assert [verdict.differs for verdict in replayed(recording)] == [()] * 4


def test_diagnostics_are_there_when_nothing_else_is(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    with connected(home, rates={"demo": "never", "base_url": "http://127.0.0.1:9"}) as house:
        house.run(home.now)
        house.store.close()
        shutil.rmtree(tmp_path)
        tmp_path.write_text("no folder any more")
        document = house.diagnosis(home.now, health={}).document()
    assert document["rates"] is None
    assert len(document["cycles"]) == 1
