"""Settings: what is right is taken, and every mistake is named with its key path."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from battery_optimizer.config import Config
from battery_optimizer.config_docs import BEGIN, END, main, settings, settings_table, updated
from battery_optimizer.errors import ConfigError
from battery_optimizer.model.settings import Control

ROOT = Path(__file__).parents[1]
BATTERY = {"capacity_kwh": 10.4, "max_charge_kw": 3.68, "max_discharge_kw": 3.68}
RATES = {"fixed_import_p": 25.0, "fixed_export_p": 15.0}

BAD_REGION = (
    "rates.region must be 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N' or 'P', "
    "not 'Z'"
)
NO_SERVICE = (
    "notify.service must be as notify.mobile_app_phone, with its domain before the dot, not '{}'"
)


def args(**changes: object) -> dict[str, Any]:
    return {
        "name": "battery_optimizer",
        "config_path": "apps.yaml",
        "module": "battery_optimizer.app",
        "class": "BatteryOptimizer",
        "dependencies": ["simulated_home"],
        "battery": BATTERY,
        "rates": RATES,
        **changes,
    }


def mistakes(**changes: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.from_args(args(**changes))
    return str(caught.value).splitlines()


def test_the_shipped_settings_are_right() -> None:
    shipped = yaml.safe_load((ROOT / "apps" / "apps.yaml").read_text())["battery_optimizer"]
    config = Config.from_args(shipped)
    assert config.control is Control.ACTIVE
    assert config.house.battery.capacity_kwh == 10.4


def test_appdaemons_own_keys_are_no_mistakes() -> None:
    assert Config.from_args(args()).battery.max_charge_kw == 3.68


def test_what_the_battery_may_do_is_a_setting() -> None:
    limits = {"battery_may_export": False, "max_grid_charge_p_per_kwh": 15}
    planner = Config.from_args(args(planner=limits)).planner
    assert (planner.battery_may_export, planner.max_grid_charge_p_per_kwh) == (False, 15.0)
    usual = Config.from_args(args()).planner
    assert (usual.battery_may_export, usual.max_grid_charge_p_per_kwh) == (True, None)


def test_sessions_count_unless_they_are_to_be_ignored() -> None:
    assert Config.from_args(args()).sessions.enabled
    named = {"enabled": False, "free_event": "event.x_octoplus_free_electricity_session_events"}
    sessions = Config.from_args(args(sessions=named)).sessions
    assert (sessions.enabled, sessions.saving_event) == (False, None)


def test_a_wrong_entity_of_sessions_is_not_repeated_for_the_account_is_in_it() -> None:
    wrong = "binary_sensor.octopus_energy_a_1234abcd_octoplus_saving_sessions"
    assert mistakes(sessions={"saving_event": wrong}) == [
        "sessions.saving_event must be an entity whose name begins with event."
    ]
    given = mistakes(sessions={"saving_events": wrong})
    assert given == ["sessions.saving_events is not a setting; did you mean sessions.saving_event?"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sessions": {"enabled": "maybe"}},
         "sessions.enabled must be a valid boolean, not 'maybe'"),
        ({"planner": {"max_grid_charge_p_per_kwh": 1500}},
         "planner.max_grid_charge_p_per_kwh must be from -1000 to 1000, not 1500.0"),
        ({"planner": {"max_grid_charge_p_per_kwh": "cheap"}},
         "planner.max_grid_charge_p_per_kwh must be a valid number, not 'cheap'"),
        ({"planner": {"battery_may_export": "some"}},
         "planner.battery_may_export must be a valid boolean, not 'some'"),
        ({"battery": {**BATTERY, "battery_may_export": False}},
         "battery.battery_may_export is not a setting; did you mean planner.battery_may_export?"),
        ({"control": "of"}, "control must be 'active' or 'read_only', not 'of'"),
        ({"battery": {**BATTERY, "capacity_kwh": -1}},
         "battery.capacity_kwh must be from 0 to 1000, not -1.0"),
        ({"battery": {**BATTERY, "max_charge_kw": "fast"}},
         "battery.max_charge_kw must be a valid number, not 'fast'"),
        ({"battery": {**BATTERY, "capcity_kwh": 10}},
         "battery.capcity_kwh is not a setting; did you mean battery.capacity_kwh?"),
        ({"battery": {**BATTERY, "reserve_kwh": 20}},
         "battery.reserve_kwh must be at most capacity_kwh, 10.4, not 20.0"),
        ({"battery": None}, "battery must have settings indented below it, not None"),
        ({"battery": {"max_charge_kw": 3}}, "battery.capacity_kwh must be given"),
        ({"capacity_kwh": 10}, "capacity_kwh is not a setting; did you mean battery.capacity_kwh?"),
        ({"planner": {"step_minutes": 7}}, "planner.step_minutes must divide 30, as 7 does not"),
        ({"planner": {"horizon_hours": 1000}},
         "planner.horizon_hours must be from 6 to 168, not 1000.0"),
        ({"rates": {"account": "A-1"}}, "rates.api_key must be given where account is"),
        ({"rates": {"api_key": "secret"}}, "rates.account must be given where api_key is"),
        ({"rates": {**RATES, "region": "Z"}}, BAD_REGION),
        ({"solar": {"arrays": [{"peak_kw": 5, "tilt_deg": 100, "azimuth_deg": 0}]}},
         "solar.arrays[0].tilt_deg must be from 0 to 90, not 100.0"),
        ({"solar": {"latitude": 100}}, "solar.latitude must be from -90 to 90, not 100.0"),
        ({"battery": {**BATTERY, "charge_taper": [[0.9, 1.0, 0.3]]}},
         "battery.charge_taper[0] must have 2 entries, not 3"),
        ({"battery": {**BATTERY, "charge_taper": [[0.9], [1.0, 0.3]]}},
         "battery.charge_taper[0][1] must be given"),
        ({"solar": {"sources": "solcast"}},
         "solar.sources must be a list in [brackets], not 'solcast'"),
        ({"solar": {"sources": None}},
         "solar.sources is empty: give it a value, or take the line out"),
        ({"battery": {"capacity_kwh": None}},
         "battery.capacity_kwh is empty: give it a value, or take the line out"),
        ({"battery": {**BATTERY, "reserve_kwh": None}},
         "battery.reserve_kwh is empty: give it a value, or take the line out"),
        ({"battery": {"capacity_kwh": 0}}, "battery.capacity_kwh must be above 0"),
        ({"rates": {**RATES, "import_product": "agile"}},
         "rates.fixed_import_p and import_product must not both be given: keep one"),
        ({"rates": {**RATES, "export_event": "event.x_export_current_day_rates"}},
         "rates.fixed_export_p and export_event must not both be given: keep one"),
        ({"notify": {"service": "mobile_app_phone"}}, NO_SERVICE.format("mobile_app_phone")),
        ({"notify": {"service": "notify.my phone"}}, NO_SERVICE.format("notify.my phone")),
    ],
)  # fmt: skip
def test_a_mistake_is_named(changes: dict[str, Any], message: str) -> None:
    assert mistakes(**changes) == [message]


def test_the_letter_of_the_region_may_be_a_small_one() -> None:
    assert Config.from_args(args(rates={**RATES, "region": "c"})).rates.region == "C"


def test_an_unknown_key_like_no_other_lists_what_there_is() -> None:
    (line,) = mistakes(zzz=1)
    assert line.startswith("zzz is not a setting; there are control, battery, inverter")


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(control="x", battery={**BATTERY, "max_charge_kw": -1, "standby_kw": 9})
    assert len(found) == 3


def test_a_secret_is_in_no_message_and_no_repr() -> None:
    secret = "sk_live_abc"  # noqa: S105 - made up
    config = Config.from_args(args(rates={**RATES, "account": "A-1", "api_key": secret}))
    assert secret not in repr(config)
    assert secret not in str(config.model_dump())
    for rates in ({**RATES, "api_key": [secret]}, {"api_key": secret}, {**RATES, "apikey": secret}):
        assert secret not in "\n".join(mistakes(rates=rates))


def test_the_capacity_is_enough_and_the_rest_is_the_inverters() -> None:
    config = Config.from_args({"battery": {"capacity_kwh": 10}})
    assert config.battery.max_charge_kw == config.battery.max_discharge_kw == 3.68
    assert config.battery.reserve_kwh == 1.0
    told = {"battery.max_charge_kw": 5.0, "battery.reserve_kwh": 2.0, "inverter.ac_limit_kw": 6.0}
    found = config.with_found(told)
    assert found.battery.max_charge_kw == 5.0
    assert found.battery.max_discharge_kw == 3.68
    assert found.battery.reserve_kwh == 2.0
    assert found.inverter.ac_limit_kw == 6.0


def test_what_is_set_goes_before_what_the_inverter_says() -> None:
    config = Config.from_args(args(battery={**BATTERY, "reserve_kwh": 0}))
    found = config.with_found({"battery.max_charge_kw": 9.0, "battery.reserve_kwh": 5.0})
    assert found.battery == config.battery
    with pytest.raises(ConfigError, match=r"does not fit .* maximum_kwh"):
        Config.from_args(args(battery={**BATTERY, "reserve_kwh": 5})).with_found(
            {"battery.maximum_kwh": 4.0}
        )


def test_meters_have_foxess_modbus_names_unless_told_otherwise() -> None:
    entities = Config.from_args(args(entities={"soc": "sensor.mine"})).entities
    assert entities.meters("roof").soc == "sensor.mine"
    assert entities.meters("roof").load == "sensor.roof_load_power"
    assert entities.meters("").load == "sensor.load_power"


def test_every_setting_is_explained() -> None:
    rows = list(settings())
    assert {"control", "battery.capacity_kwh", "solar.arrays[].tilt_deg"} <= {r.path for r in rows}
    for row in rows:
        assert row.words.endswith("."), row
        assert row.allowed, row
        if row.path.endswith(("_kw", "_kwh", "_p", "_s", "_minutes")):
            assert row.unit, row


def test_a_page_is_updated_between_its_markers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "settings.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    main([str(page)])
    assert page.read_text() == f"before\n{BEGIN}\n{settings_table()}\n{END}\nafter\n"
    main([])
    assert capsys.readouterr().out == settings_table() + "\n"
    with pytest.raises(ValueError, match="there must be a line"):
        updated("no markers")


def test_the_page_of_settings_has_the_present_table() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert updated(text) == text, "run: python -m battery_optimizer.config_docs docs/settings.md"
