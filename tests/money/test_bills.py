"""A day's bill against the backtest, which reckons the same by stepping a house."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from battery_optimizer.model.house import House
from battery_optimizer.model.money import Account, Bill, Otherwise
from battery_optimizer.model.slots import SLOT, SlotSeries, day_bounds
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import Observations, SlotEnergy
from battery_optimizer.model.wishes import Event
from battery_optimizer.money.bills import day_bill, digest, without_battery
from battery_optimizer.money.metered import DayRecords
from battery_optimizer.simulate.backtest import Policy, Run, Step, play
from battery_optimizer.simulate.days.recorded import RecordedDays
from builders import a_battery, a_house
from recordings import recorded_days, written

HOUSE = a_house(a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20, export_limit_kw=6)
START_KWH = 5.0
DAY = date(2026, 1, 15)


@cache
def days_of(start: str = "2026-01-14", n_slots: int = 3 * 48) -> RecordedDays:
    with TemporaryDirectory() as folder:
        return RecordedDays.read(written(recorded_days(start, n_slots), Path(folder)), pv_kwp=3.0)


def lived(
    policy: Policy, day: date, house: House = HOUSE, days: RecordedDays | None = None
) -> list[Step]:
    start, end = day_bounds(day)
    run_days = replace(days or days_of(), run_start=start, run_end=end)
    soc = min(START_KWH, house.battery.capacity_kwh)
    return list(play(Run(house=house, days=run_days, start_soc_kwh=soc, policy=policy)))


def metered(steps: list[Step], days: RecordedDays) -> list[SlotEnergy]:
    """What meters would have shown, after the half hour that begins with `START_KWH`."""
    before = SlotEnergy(start=steps[0].time - SLOT, soc_kwh=START_KWH)
    return [before] + [
        SlotEnergy(
            start=step.time,
            grid_import_kwh=step.flows.grid_import_kwh,
            grid_export_kwh=step.flows.grid_export_kwh,
            load_kwh=days.load_kw.at(step.time) / 2,
            solar_kwh=days.solar_kw.at(step.time) / 2,
            charge_kwh=step.flows.charge_kwh,
            discharge_kwh=step.flows.discharge_kwh,
            soc_kwh=HOUSE.battery.soc_after(
                step.soc_kwh, step.flows.charge_kwh, step.flows.discharge_kwh
            ),
            n_samples=6,
        )
        for step in steps
    ]


def records(day: date = DAY, days: RecordedDays | None = None, **changes: object) -> DayRecords:
    """A day that the inverter lived through by the reactive rules."""
    days = days or days_of()
    nothing = SlotSeries.empty(day_bounds(day)[0])
    made = DayRecords(
        metered=metered(lived(Policy.REACTIVE, day, days=days), days),
        expected=[],
        observed=Observations(load_kw=nothing, solar_kw=nothing),
        known=KnownRates(imports=days.imports, exports=days.exports),
        standing_p=50.0,
    )
    return replace(made, **changes)


def bill(of: DayRecords | None = None, day: date = DAY, now: datetime | None = None,
         before: Bill | None = None) -> Bill:  # fmt: skip
    found = day_bill(
        day, now or day_bounds(day)[1], of or records(day), HOUSE, tariff="agile", before=before
    )
    assert found is not None
    return found


def account(steps: list[Step]) -> Account:
    last = steps[-1]
    return Account(
        import_kwh=sum(step.flows.grid_import_kwh for step in steps),
        export_kwh=sum(step.flows.grid_export_kwh for step in steps),
        import_p=sum(step.flows.grid_import_kwh * step.import_rate for step in steps),
        export_p=sum(step.flows.grid_export_kwh * step.export_rate for step in steps),
        end_soc_kwh=HOUSE.battery.soc_after(
            last.soc_kwh, last.flows.charge_kwh, last.flows.discharge_kwh
        ),
    )


def values(of: Account) -> list[float | None]:
    return [of.import_kwh, of.export_kwh, of.import_p, of.export_p, of.end_soc_kwh]


def test_on_the_very_first_day_all_begin_with_what_was_stored_before_the_first_half_hour() -> None:
    whole = records()
    first = whole.metered[1]
    assert abs((first.charge_kwh or 0) - (first.discharge_kwh or 0)) > 0.1
    begun = bill(replace(whole, metered=whole.metered[1:]))
    assert values(begun.self_use) == pytest.approx(values(bill(whole).self_use))
    assert values(begun.reactive) == pytest.approx(values(bill(whole).reactive))


def test_what_sessions_pay_is_reckoned_apart_for_each_way() -> None:
    at = day_bounds(DAY)[0] + 34 * SLOT  # 17:00
    slots = {slot.start: slot for slot in records().metered}
    bought, sold = slots[at].grid_import_kwh, slots[at].grid_export_kwh
    assert bought is not None
    assert sold is not None
    saving = Event(start=at, end=at + SLOT, reward_p_per_kwh=200.0, usual_kwh=(2.0,))
    without, found = bill(), bill(records(sessions=[saving]))
    assert found.actual.sessions_p == pytest.approx(200 * (2.0 - bought + sold))
    load_kwh = slots[at].load_kwh
    assert load_kwh is not None
    assert slots[at].solar_kwh == 0
    assert found.no_battery.sessions_p == pytest.approx(200 * (2.0 - load_kwh))
    assert found.sessions_more_than(Otherwise.NO_BATTERY) == pytest.approx(
        200 * (load_kwh - bought + sold)
    )
    # It is in no other figure.
    assert found.bill_p == without.bill_p
    assert found.saved_against(Otherwise.SELF_USE) == without.saved_against(Otherwise.SELF_USE)
    assert without.actual.sessions_p is None


def test_a_free_session_gives_back_what_is_bought_beyond_the_usual() -> None:
    bought, at = max((slot.grid_import_kwh or 0.0, slot.start) for slot in records().metered)
    assert bought > 0.5
    free = Event(start=at, end=at + SLOT, free_import=True, usual_kwh=(0.2,))
    rate = days_of().imports.at(at)
    found = bill(records(sessions=[free]))
    assert found.actual.sessions_p == pytest.approx(rate * (bought - 0.2))


def test_the_others_are_those_of_the_backtest() -> None:
    found = bill()
    assert (found.n_slots, found.n_estimated, found.n_missing) == (48, 0, 0)
    assert values(found.actual) == pytest.approx(values(account(lived(Policy.REACTIVE, DAY))))
    assert values(found.reactive) == pytest.approx(values(found.actual))
    assert values(found.self_use) == pytest.approx(values(account(lived(Policy.SELF_USE, DAY))))
    assert found.self_use.import_p != pytest.approx(found.reactive.import_p, abs=1)
    assert found.bill_p == pytest.approx(50 + found.actual.import_p - found.actual.export_p)


def test_without_a_battery_the_sun_serves_the_house_and_the_rest_is_bought() -> None:
    steps = lived(Policy.SELF_USE, DAY, without_battery(HOUSE))
    none = bill().no_battery
    assert [none.import_kwh, none.import_p, none.export_p] == pytest.approx(
        [account(steps).import_kwh, account(steps).import_p, account(steps).export_p]
    )
    start, end = day_bounds(DAY)
    days = days_of()
    net = (days.load_kw.between(start, end).values - days.solar_kw.between(start, end).values) / 2
    assert none.import_kwh == pytest.approx(net[net > 0].sum())


@pytest.mark.parametrize(
    ("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50), (date(2026, 7, 1), 48)]
)
def test_days_are_as_long_as_on_the_wall_clock(day: date, n_slots: int) -> None:
    days = days_of(str(day - timedelta(days=1)), 4 * 48)
    found = bill(records(day, days), day)
    assert found.n_slots == n_slots
    assert found.n_estimated == found.n_missing == 0
    self_use = account(lived(Policy.SELF_USE, day, days=days))
    assert values(found.self_use) == pytest.approx(values(self_use))


def test_the_batteries_are_carried_on_from_the_day_before() -> None:
    first = bill()
    after = bill(records(DAY + timedelta(days=1)), DAY + timedelta(days=1), before=first)
    alone = bill(records(DAY + timedelta(days=1)), DAY + timedelta(days=1))
    assert first.self_use.end_soc_kwh != pytest.approx(START_KWH, abs=0.5)
    assert after.self_use.import_kwh != pytest.approx(alone.self_use.import_kwh, abs=0.1)
    assert after.no_battery == alone.no_battery


@pytest.mark.parametrize("start", ["2026-03-28", "2026-10-24"])
def test_an_inverter_left_to_itself_saves_nothing_against_itself(start: str) -> None:
    """Days on end, over a change of the clocks: what is carried on is what there is."""
    days = days_of(start, 5 * 48)
    first = date.fromisoformat(start) + timedelta(days=1)
    begin, end = day_bounds(first)[0], day_bounds(first + timedelta(days=2))[1]
    run_days = replace(days, run_start=begin, run_end=end)
    steps = list(play(Run(house=HOUSE, days=run_days, start_soc_kwh=START_KWH,
                          policy=Policy.SELF_USE)))  # fmt: skip
    slots, before = metered(steps, days), None
    for day in (first + timedelta(days=t) for t in range(3)):
        low, high = day_bounds(day)
        own = [slot for slot in slots if low - SLOT <= slot.start < high]
        before = bill(records(day, days, metered=own), day, before=before)
        assert values(before.actual) == pytest.approx(values(before.self_use))


def test_of_today_only_half_hours_that_are_over_count() -> None:
    start, _ = day_bounds(DAY)
    found = bill(now=start + 10 * SLOT + timedelta(minutes=29))
    assert found.n_slots == 10
    # The standing charge is owed from the start of the day.
    assert found.standing_p == 50
    assert day_bill(DAY, start, records(), HOUSE, tariff="agile", before=None) is None


def test_a_half_hour_metered_by_few_readings_is_an_estimate() -> None:
    of = records()
    few = [replace(of.metered[0])] + [replace(slot, n_samples=2) for slot in of.metered[1:4]]
    assert bill(replace(of, metered=few + list(of.metered[4:]))).n_estimated == 3
    # A meter's own counters come without a count of readings.
    counted = [replace(slot, n_samples=0) for slot in of.metered]
    assert bill(replace(of, metered=counted)).n_estimated == 0


def test_what_was_not_metered_is_estimated_by_the_plan() -> None:
    of = records()
    gone = of.metered[20]
    planned = replace(gone, grid_import_kwh=7.0, load_kwh=6.0, solar_kwh=0.0)
    found = bill(replace(of, metered=[s for s in of.metered if s is not gone], expected=[planned]))
    assert found.n_estimated == 1
    assert found.actual.import_kwh == pytest.approx(
        bill().actual.import_kwh + 7.0 - gone.grid_import_kwh
    )
    assert found.no_battery.import_kwh > bill().no_battery.import_kwh + 5


def test_without_meters_and_plan_it_is_self_use_on_what_home_assistant_remembers() -> None:
    start, end = day_bounds(DAY)
    days, of = days_of(), records()
    kept = of.metered[:9]
    seen = Observations(
        load_kw=days.load_kw.between(start, end), solar_kw=days.solar_kw.between(start, end)
    )
    found = bill(replace(of, metered=kept, observed=seen))
    assert (found.n_estimated, found.n_missing) == (40, 0)
    assert found.no_battery == bill().no_battery
    # The inverter is taken to have been in Self Use from there on.
    assert found.actual.import_kwh != pytest.approx(bill().actual.import_kwh, abs=0.1)
    assert found.is_estimate


def test_what_nobody_knows_counts_nowhere() -> None:
    of = records()
    found = bill(replace(of, metered=of.metered[:25]))
    assert (found.n_slots, found.n_estimated, found.n_missing) == (48, 0, 24)
    half = bill(now=day_bounds(DAY)[0] + 24 * SLOT)
    assert found.actual == half.actual
    assert found.no_battery == half.no_battery


def test_a_day_that_nobody_metered_has_no_bill() -> None:
    of = records()
    end = day_bounds(DAY)[1]
    unseen = replace(of, metered=of.metered[:1])
    assert day_bill(DAY, end, unseen, HOUSE, tariff="agile", before=None) is None
    unknown = SlotSeries.empty(end)
    no_rates = replace(of, known=KnownRates(imports=unknown, exports=unknown))
    assert day_bill(DAY, end, no_rates, HOUSE, tariff="agile", before=None) is None


def test_rates_that_are_not_known_are_those_of_recent_days_and_marked() -> None:
    start, _ = day_bounds(DAY)
    imports = days_of().imports.values.copy()
    late = (start - days_of().imports.start) // SLOT + 40
    imports[late:] = np.nan
    known = KnownRates(
        imports=SlotSeries(start=days_of().imports.start, values=imports), exports=days_of().exports
    )
    found = bill(records(known=known))
    assert (found.n_estimated, found.n_missing) == (8, 0)
    assert found.actual.import_kwh == pytest.approx(bill().actual.import_kwh)
    assert found.actual.import_p != pytest.approx(bill().actual.import_p)


@pytest.mark.parametrize("unknown", [("load_kwh",), ("solar_kwh",), ("load_kwh", "solar_kwh")])
def test_one_of_load_and_sun_follows_from_the_other_meters(unknown: tuple[str, ...]) -> None:
    """With both unknown their difference is, which is all that a bill needs here."""
    of = records()
    blank = dict.fromkeys(unknown)
    found = bill(replace(of, metered=[replace(slot, **blank) for slot in of.metered]))
    assert found.n_estimated == 0
    assert values(found.self_use) == pytest.approx(values(bill().self_use))


def test_the_grid_follows_from_the_other_meters_as_an_estimate() -> None:
    of = records()
    blank = dict.fromkeys(("grid_import_kwh", "grid_export_kwh"))
    found = bill(replace(of, metered=[replace(slot, **blank) for slot in of.metered]))
    assert found.n_estimated == 48
    assert values(found.actual) == pytest.approx(values(bill().actual))


def test_a_house_without_panels_needs_no_sensor_for_them() -> None:
    of = records()
    names = dict.fromkeys(("solar_kwh", "charge_kwh", "discharge_kwh"))
    dark = [replace(slot, **names) for slot in of.metered]
    assert bill(replace(of, metered=dark)).n_missing == 48
    assert bill(replace(of, metered=dark, has_solar=False)).n_missing == 0


def test_without_a_reading_of_the_charge_the_battery_begins_at_its_reserve() -> None:
    of = records()
    blind = [replace(slot, soc_kwh=None) for slot in of.metered]
    low = [replace(of.metered[0], soc_kwh=1.0), *of.metered[1:]]
    assert bill(replace(of, metered=blind)).self_use == bill(replace(of, metered=low)).self_use
    # The first reading of the day is the next best.
    first = [replace(of.metered[0], soc_kwh=None), *of.metered[1:]]
    assert bill(replace(of, metered=first)).self_use != bill(replace(of, metered=low)).self_use


def test_made_up_rates_and_an_unknown_standing_charge_are_told() -> None:
    known = replace(records().known, is_demo=True)
    found = bill(records(known=known, standing_p=None))
    assert found.is_demo
    assert (found.standing_p, found.n_no_standing) == (0, 1)


def test_another_house_has_another_mark() -> None:
    other = replace(HOUSE, battery=replace(HOUSE.battery, capacity_kwh=11.0))
    end = day_bounds(DAY)[1]
    assert bill().house == bill().house
    changed = day_bill(DAY, end, records(), other, tariff="agile", before=None)
    assert changed is not None
    assert changed.house != bill().house


def test_a_house_has_the_same_mark_in_each_process() -> None:
    # A set's order, and with it its `repr`, is another with each process's hash seed.
    marks = {
        subprocess.run(
            [sys.executable, "-c", _TELL_MARK],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert marks == {digest(a_house())}


_TELL_MARK = """
from battery_optimizer.money.bills import digest
from builders import a_house

print(digest(a_house()))
"""
