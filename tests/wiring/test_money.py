"""Money in a house wired of real parts around the simulated inverter."""

from datetime import timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.rates.demo import STANDING_CHARGE_P
from battery_optimizer.config_sections import RatesSettings
from battery_optimizer.model.money import Otherwise
from battery_optimizer.money.ledger import NO_BILLS_YET
from battery_optimizer.wiring.sources import rates_source, tariff_name
from simulated_house import NIGHT, SimulatedHouse, connected


def test_bills_follow_the_cycles(tmp_path: Path) -> None:
    home = SimulatedHouse(tmp_path)
    with connected(home) as house:
        assert house.run(NIGHT).savings.problem == NO_BILLS_YET
        for minutes in range(5, 70, 5):
            home.now = NIGHT + timedelta(minutes=minutes)
            home.fox.inverter.advance(home.now)
            shown = house.run(home.now)
            house.look_back(home.now)
        today = house.run(home.now).savings.today
        assert shown.savings.today is not None
        assert today is not None
        assert today == house.ledger.savings.today
        # Two half hours were metered, of those before nothing is known.
        assert (today.n_slots, today.n_estimated, today.n_missing) == (6, 0, 4)
        assert today.is_demo
        assert today.standing_p == STANDING_CHARGE_P
        assert today.saved_against(Otherwise.NO_BATTERY) != 0
        assert today.bill_of(Otherwise.NO_BATTERY) > today.standing_p
        assert today.tariff == "demo"
    # And they are there after a restart.
    with connected(home) as again:
        again.look_back(home.now)
        assert again.ledger.savings.today == today


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"import_product": "agile"}, "octopus agile"),
        ({"fixed_export_p": 15}, "octopus agile, export 15 p"),
        ({"fixed_import_p": 24.5, "fixed_export_p": 0}, "import 24.5 p, export 0 p"),
    ],
)
def test_another_tariff_has_another_name(settings: dict[str, object], name: str) -> None:
    assert tariff_name("octopus agile", RatesSettings.model_validate(settings)) == name


def test_a_tariffs_name_tells_neither_who_nor_where_the_household_is() -> None:
    def named(**changes: object) -> tuple[str, str]:
        given = {"import_product": "agile", "account": "A-1234ABCD", "api_key": "sk_live_x"}
        rates = RatesSettings.model_validate({**given, "postcode": "SW1A 1AA", **changes})
        source = rates_source(rates, lambda _: None, list)
        return tariff_name(source.tariff_name, rates), source.name

    shown, stored_under = named()
    assert shown == "octopus agile"
    assert not any(each in stored_under for each in ("1234", "SW1A", "1AA", "sk_live"))
    # Another household's rates are kept apart, and the same household's found again.
    assert named(account="A-5678ABCD") != (shown, stored_under)
    assert named(postcode="SW1A 2AA")[1] != stored_under
    assert named() == (shown, stored_under)


def test_a_tariff_without_a_household_is_stored_under_what_is_shown() -> None:
    rates = RatesSettings.model_validate({"import_product": "agile", "region": "C"})
    source = rates_source(rates, lambda _: None, list)
    assert source.name == source.tariff_name == "octopus agile C octopus integration"
