from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from battery_optimizer.adapters.store.sqlite import Retention, Store
from battery_optimizer.model.loss import Split
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy
from money_values import DAY, a_bill
from store_values import put_energy

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


def a_split(start: datetime) -> Split:
    return Split(
        start=start,
        bill_p=10,
        load_p=1,
        solar_p=2,
        rates_p=3,
        inverter_p=4,
        mode_p=5,
        optimizer_p=6,
    )


def test_a_bill_comes_back_as_it_was_and_a_new_one_takes_its_place(store: Store) -> None:
    store.money.save_bill(a_bill(DAY + ONE_DAY))
    store.money.save_bill(a_bill())
    store.money.save_bill(a_bill(n_estimated=7))
    kept = [a_bill(n_estimated=7), a_bill(DAY + ONE_DAY)]
    assert store.money.bills(DAY, DAY + ONE_DAY) == kept
    assert store.money.bills(DAY, DAY) == kept[:1]


@pytest.mark.parametrize(
    ("was", "shown"),
    [
        ("octopus agile SW1A 1AA A-1234ABCD, export 15 p", "octopus agile, export 15 p"),
        ("octopus AGILE-24-10-01 C A-1234ABCD", "octopus AGILE-24-10-01 C"),
        ("octopus A-1234ABCD octopus integration", "octopus octopus integration"),
        ("octopus agile go e16an", "octopus agile go"),
        ("octopus GO-VAR-22-10-14 M1 1AE, export 4.1 p", "octopus GO-VAR-22-10-14, export 4.1 p"),
        ("octopus INTELLI-VAR-22-10-14 OUTGOING-VAR-24-10-26 A", ""),
        ("import 24.5 p, export 0 p", ""),
        ("demo", ""),
    ],
)
def test_old_bills_no_longer_tell_the_account_and_the_postcode(
    store: Store, was: str, shown: str
) -> None:
    store.money.save_bill(a_bill(tariff=was))
    assert store.money.bills(DAY, DAY) == [a_bill(tariff=shown or was)]


def test_an_empty_store_has_no_money(store: Store) -> None:
    assert store.money.bills(DAY, DAY) == []
    assert store.money.losses(DAY, DAY) == []
    assert store.money.first_metered() is None


def test_a_loss_belongs_to_the_local_day(store: Store) -> None:
    summer = datetime(2026, 6, 30, 23, tzinfo=UTC)
    store.money.save_loss(a_split(summer))
    first_of_july = summer.date() + ONE_DAY
    assert store.money.losses(first_of_july, first_of_july) == [a_split(summer)]


def test_bills_are_kept_when_the_readings_are_thrown_away(store: Store) -> None:
    put_energy(store, EnergyKind.METERED, SlotEnergy(start=NOW, load_kwh=1.0))
    store.money.save_bill(a_bill())
    store.money.save_loss(a_split(NOW))
    assert store.money.first_metered() == NOW
    store.prune(NOW + Retention().rates * ONE_DAY)
    assert store.money.first_metered() is None
    assert store.money.bills(DAY, DAY) == [a_bill()]
    assert store.money.losses(DAY, DAY) == [a_split(NOW)]


def test_what_was_only_planned_was_not_metered(store: Store) -> None:
    put_energy(store, EnergyKind.EXPECTED, SlotEnergy(start=NOW, load_kwh=1.0))
    assert store.money.first_metered() is None


def test_standing_charges_are_no_unit_rates(store: Store) -> None:
    charge = UnitRate(start=NOW, end=None, p_per_kwh=51.5)
    store.money.save_standing_charges("octopus", [charge], NOW)
    assert store.money.standing_charges("octopus", NOW, NOW + SLOT) == [charge]
    assert store.money.standing_charges("another", NOW, NOW + SLOT) == []
    for direction in Direction:
        rates = store.load_rates(direction=direction, source="octopus", start=NOW, end=NOW + SLOT)
        assert rates == []


def test_a_bill_of_another_version_is_passed_over_and_told(store: Store) -> None:
    store.money.save_bill(a_bill())
    store.money.save_bill(a_bill(DAY + ONE_DAY))
    store._file.write(
        lambda connection: connection.execute(
            "UPDATE day_bills SET body = '{}' WHERE day = ?", (DAY.isoformat(),)
        )
    )
    assert store.money.bills(DAY, DAY + ONE_DAY) == [a_bill(DAY + ONE_DAY)]
    (problem,) = store.problems()
    assert "passed over" in problem


def test_what_is_saved_is_the_same_value(store: Store) -> None:
    odd = replace(a_bill(), standing_p=0.1 + 0.2)
    store.money.save_bill(odd)
    (kept,) = store.money.bills(DAY, DAY)
    assert kept == odd
