"""The ledger on the real store: what comes late corrects its day, and the days after it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import RatesUnavailable
from battery_optimizer.model.house import House
from battery_optimizer.model.loss import Split
from battery_optimizer.model.money import Bill, Otherwise
from battery_optimizer.model.slots import SLOT, SlotSeries, day_bounds, local_day
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy
from battery_optimizer.money.ledger import DAYS_A_LOOK, NO_BILLS_YET, Ledger
from builders import a_battery, a_house
from store_values import put_energy

DAY = date(2026, 1, 12)
ONE_DAY = timedelta(days=1)
HOUSE = a_house(a_battery(efficiency=0.9))


@dataclass
class SomeRates:
    """20 p to buy at night, 30 p by day, 5 p to sell; those of `unknown` days are not known."""

    unknown: set[date] = field(default_factory=set)
    is_demo: bool = False

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:  # noqa: ARG002
        moments = [start + t * SLOT for t in range((end - start) // SLOT)]
        imports = np.array([20.0 if at.hour < 7 else 30.0 for at in moments])
        imports[[local_day(at) in self.unknown for at in moments]] = np.nan
        if not np.isfinite(imports).any():
            raise RatesUnavailable("no import rate is known")
        exports = np.where(np.isfinite(imports), 5.0, np.nan)
        return KnownRates(
            imports=SlotSeries(start=start, values=imports),
            exports=SlotSeries(start=start, values=exports),
            is_demo=self.is_demo,
        )


@dataclass
class Standing:
    """The same each day."""

    charge_p: float | None = 50.0

    def on(self, day: date) -> float | None:  # noqa: ARG002
        return self.charge_p


@dataclass
class World:
    """A store with days metered in it, and what else a ledger is made from."""

    store: Store
    rates: SomeRates = field(default_factory=SomeRates)
    standing: Standing = field(default_factory=Standing)
    house: House = HOUSE
    tariff: str = "agile"

    def ledger(self) -> Ledger:
        return Ledger(
            readings=self.store,
            books=self.store.money,
            rates=self.rates,
            standing=self.standing,
            house=self.house,
            tariff=self.tariff,
            has_solar=True,
        )

    def live(self, day: date, *, load_kwh: float = 0.5, slots: slice = slice(None)) -> None:
        """The house draws the same each half hour, and the battery rests half full."""
        start, end = day_bounds(day)
        for at in [start + t * SLOT for t in range((end - start) // SLOT)][slots]:
            energy = SlotEnergy(
                start=at,
                grid_import_kwh=load_kwh,
                grid_export_kwh=0.0,
                load_kwh=load_kwh,
                solar_kwh=0.0,
                charge_kwh=0.0,
                discharge_kwh=0.0,
                soc_kwh=5.0,
                n_samples=6,
            )
            put_energy(self.store, EnergyKind.METERED, energy)

    def bill(self, day: date = DAY) -> Bill:
        (found,) = self.store.money.bills(day, day)
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path / "store.db")
    yield World(store)
    store.close()


def after(days: int, hours: float = 12) -> datetime:
    return datetime(2026, 1, 12, tzinfo=UTC) + timedelta(days=days, hours=hours)


def look(ledger: Ledger, now: datetime, times: int = 4) -> None:
    for _ in range(times):
        ledger.look(now)


def test_an_empty_store_says_why_there_is_nothing(world: World) -> None:
    ledger = world.ledger()
    assert ledger.savings.problem == NO_BILLS_YET
    ledger.look(after(0))
    assert ledger.savings.problem == NO_BILLS_YET
    assert (ledger.savings.today, ledger.savings.month) == (None, None)


def test_each_day_gets_its_bill_and_the_month_their_sum(world: World) -> None:
    for days in range(3):
        world.live(DAY + days * ONE_DAY)
    ledger = world.ledger()
    look(ledger, after(2))
    today, month = ledger.savings.today, ledger.savings.month
    assert today is not None
    assert month is not None
    assert world.bill().bill_p == pytest.approx(50 + 7 * 20 + 17 * 30)
    assert today.n_slots == 24
    assert ledger.savings.yesterday == world.bill(DAY + ONE_DAY)
    # Of the month's fourteen days so far, eleven were before the app came.
    assert (month.n_days, month.n_missing_days) == (3, 11)
    assert month.bill_p == pytest.approx(2 * world.bill().bill_p + today.bill_p)
    # What was stored at the beginning would have served the house, had the battery not rested.
    assert month.saved_against(Otherwise.SELF_USE) < 0
    assert month.saved_against(Otherwise.NO_BATTERY) == pytest.approx(0)


def test_last_months_days_are_summed_apart(world: World) -> None:
    world.live(date(2026, 1, 31))
    world.live(date(2026, 2, 1), slots=slice(0, 8))
    ledger = world.ledger()
    look(ledger, datetime(2026, 2, 1, 4, tzinfo=UTC))
    assert ledger.savings.last_month is not None
    assert ledger.savings.last_month.n_days == 1
    assert ledger.savings.month is not None
    assert ledger.savings.month.n_slots == 8


def test_a_few_days_at_a_look(world: World) -> None:
    for days in range(5):
        world.live(DAY + days * ONE_DAY)
    world.ledger().look(after(5))
    assert len(world.store.money.bills(DAY, DAY + 9 * ONE_DAY)) == DAYS_A_LOOK


def test_rates_that_come_late_correct_their_day(world: World) -> None:
    for days in range(2):
        world.live(DAY + days * ONE_DAY)
    world.rates.unknown = {DAY + ONE_DAY}
    ledger = world.ledger()
    look(ledger, after(2))
    assert world.bill(DAY + ONE_DAY).n_estimated == 48
    world.rates.unknown = set()
    look(ledger, after(2, 13))
    assert world.bill(DAY + ONE_DAY).n_estimated == 0


def test_a_day_without_any_rate_gets_its_bill_when_they_come(world: World) -> None:
    world.live(DAY)
    world.rates.unknown = {DAY - t * ONE_DAY for t in range(-3, 30)}
    ledger = world.ledger()
    look(ledger, after(1))
    assert world.store.money.bills(DAY, DAY) == []
    assert ledger.savings.problem == NO_BILLS_YET
    world.rates.unknown = set()
    look(ledger, after(1, 13))
    assert world.bill().n_slots == 48


def test_readings_that_come_late_correct_their_day_and_what_follows_from_it(world: World) -> None:
    world.live(DAY, slots=slice(0, 47))
    world.live(DAY + ONE_DAY)
    ledger = world.ledger()
    look(ledger, after(2))
    before = world.bill(DAY + ONE_DAY)
    assert world.bill().n_missing == 1
    world.live(DAY, load_kwh=0.05)
    look(ledger, after(2, 13))
    assert world.bill().n_missing == 0
    assert world.bill().actual.import_kwh == pytest.approx(48 * 0.05)
    # A smaller load left more in the battery of Self Use.
    assert world.bill(DAY + ONE_DAY).self_use.import_kwh < before.self_use.import_kwh - 1
    assert world.bill(DAY + ONE_DAY).actual == before.actual


def test_old_days_are_gone_through_twice_a_day(world: World) -> None:
    for days in range(12):
        world.live(DAY + days * ONE_DAY)
    world.standing.charge_p = None
    ledger = world.ledger()
    look(ledger, after(12), times=8)
    assert world.bill().n_no_standing == 1
    world.standing.charge_p = 40.0
    look(ledger, after(12, 13), times=8)
    assert world.bill(DAY + 6 * ONE_DAY).standing_p == 40.0
    assert world.bill().n_no_standing == 1
    look(ledger, after(13, 1), times=8)
    assert world.bill().standing_p == 40.0


def test_a_bill_is_not_made_worse_by_what_was_forgotten(world: World) -> None:
    world.live(DAY)
    ledger = world.ledger()
    look(ledger, after(1))
    known = world.bill()
    world.rates.unknown = {DAY}
    look(ledger, after(1, 13))
    world.rates.unknown, world.rates.is_demo = set(), True
    look(ledger, after(1, 14))
    assert world.bill() == known


def test_made_up_rates_give_way_to_real_ones(world: World) -> None:
    world.live(DAY)
    world.rates.is_demo = True
    ledger = world.ledger()
    look(ledger, after(1))
    assert world.bill().is_demo
    world.rates.is_demo = False
    look(ledger, after(1, 13))
    assert not world.bill().is_demo


@pytest.mark.parametrize(
    "change", [{"tariff": "go"}, {"house": a_house(a_battery(capacity_kwh=20.0))}]
)
def test_days_before_a_change_of_settings_stay_as_they_were(
    world: World, change: dict[str, object]
) -> None:
    world.live(DAY)
    world.live(DAY + ONE_DAY)
    look(world.ledger(), after(1))
    other = replace(world, **change)
    look(other.ledger(), after(1, 13))
    assert world.bill().tariff == "agile"
    assert world.bill().house != world.bill(DAY + ONE_DAY).house or "tariff" in change
    assert world.bill(DAY + ONE_DAY).tariff == other.tariff


def test_a_day_that_a_restart_with_other_settings_interrupted_gets_all_of_its_bill(
    world: World,
) -> None:
    world.live(DAY, slots=slice(0, 44))
    look(world.ledger(), after(0, hours=22))
    assert world.bill().n_slots == 44
    world.live(DAY, slots=slice(44, None))
    look(replace(world, house=replace(HOUSE, battery=a_battery())).ledger(), after(1))
    assert (world.bill().n_slots, world.bill().actual.import_kwh) == (48, 24.0)


def test_what_days_lost_is_told_with_the_month_and_of_the_last_week(world: World) -> None:
    world.live(DAY)
    start = day_bounds(DAY)[0]
    split = Split(
        start=start, bill_p=1, load_p=1, solar_p=1, rates_p=1, inverter_p=1, mode_p=1, optimizer_p=1
    )
    ledger = world.ledger()
    ledger.look(after(1))
    assert (ledger.savings.losses, ledger.savings.lately) == ((), ())
    later = replace(split, start=day_bounds(DAY + ONE_DAY)[0])
    for each in (split, later):
        world.store.money.save_loss(each)
    ledger.look(after(2))
    assert ledger.savings.losses == (split, later)
    assert ledger.savings.lately == (later, split)
    ledger.look(after(8))
    assert ledger.savings.lately == (later,)


def test_after_a_restart_what_was_kept_is_shown_at_once(world: World) -> None:
    world.live(DAY)
    ledger = world.ledger()
    look(ledger, after(0))
    again = world.ledger()
    again.recall(after(0))
    assert again.savings == ledger.savings
    # Looking is what keeps it up to date from then on.
    again.look(after(0))
    world.store.money.save_bill(replace(world.bill(), standing_p=1.0))
    again.recall(after(0))
    assert again.savings == ledger.savings


def test_a_store_that_fails_is_told_and_asked_again(world: World, tmp_path: Path) -> None:
    (tmp_path / "away").write_text("a file where a folder should be")
    world.store.close()
    broken = replace(world, store=Store(tmp_path / "away" / "store.db"))
    ledger = broken.ledger()
    ledger.recall(after(1))
    assert "cannot be reached" in ledger.savings.problem
    ledger.look(after(1))
    assert "cannot be reached" in ledger.savings.problem
