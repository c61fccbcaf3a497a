from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from time import process_time

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Retention, Store
from battery_optimizer.model.decision import CommandResult, CycleResult, Decision, SentCommand
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import SLOT, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import Direction, UnitRate
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy
from store_values import CHARGE, CYCLE, NOW, a_forecast, a_plan, a_reading, an_outcome

DAY = timedelta(days=1)
NOON = floor_to_slot(NOW)
AGILE = "octopus E-1R-AGILE-24-10-01-C"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "battery_optimizer.db"


def a_rate(start: datetime, p_per_kwh: float, end: datetime | None = None) -> UnitRate:
    return UnitRate(start=start, end=end or start + SLOT, p_per_kwh=p_per_kwh)


def save_imports(store: Store, *rates: UnitRate, fetched_at: datetime = NOW) -> None:
    store.save_rates(direction=Direction.IMPORT, source=AGILE, rates=rates, fetched_at=fetched_at)


def imports(store: Store, start: datetime = NOON, end: datetime = NOON + DAY) -> list[UnitRate]:
    return store.load_rates(direction=Direction.IMPORT, source=AGILE, start=start, end=end)


class TestRates:
    def test_come_back_the_same_after_a_restart(self, store: Store, path: Path) -> None:
        rates = [a_rate(NOON, -1.2345678901234567), a_rate(NOON + SLOT, 0.1 + 0.2)]
        save_imports(store, *reversed(rates))
        store.close()
        again = Store(path)
        assert imports(again) == rates
        again.close()

    def test_are_told_apart_by_direction_and_source(self, store: Store) -> None:
        save_imports(store, a_rate(NOON, 1))
        export = [a_rate(NOON, 2)]
        store.save_rates(direction=Direction.EXPORT, source=AGILE, rates=export, fetched_at=NOW)
        store.save_rates(direction=Direction.IMPORT, source="x", rates=(), fetched_at=NOW)
        assert [rate.p_per_kwh for rate in imports(store)] == [1]
        within = {"start": NOON, "end": NOON + DAY}
        assert store.load_rates(direction=Direction.EXPORT, source=AGILE, **within) == export
        assert store.load_rates(direction=Direction.IMPORT, source="x", **within) == []

    def test_of_one_start_the_one_fetched_last_holds(self, store: Store) -> None:
        save_imports(store, a_rate(NOON, 2), fetched_at=NOW)
        save_imports(store, a_rate(NOON, 3), fetched_at=NOW + DAY)
        save_imports(store, a_rate(NOON, 1), fetched_at=NOW - DAY)
        assert imports(store) == [a_rate(NOON, 3)]

    def test_that_only_overlap_the_range_are_found(self, store: Store) -> None:
        fixed = UnitRate(start=NOON - 300 * DAY, end=None, p_per_kwh=15)
        before = a_rate(NOON - SLOT, 1)
        across = a_rate(NOON - SLOT / 2, 2)
        after = a_rate(NOON + DAY, 3)
        save_imports(store, fixed, before, across, after)
        assert imports(store) == [fixed, across]

    def test_that_are_no_number_are_left_out(self, store: Store) -> None:
        save_imports(store, a_rate(NOON, float("nan")), a_rate(NOON + SLOT, 1))
        assert imports(store) == [a_rate(NOON + SLOT, 1)]

    def test_need_times_in_utc(self, store: Store) -> None:
        with pytest.raises(ValueError, match="not an aware UTC time"):
            save_imports(store, a_rate(NOON.replace(tzinfo=None), 1))
        assert imports(store) == []


class TestObservations:
    def test_average_the_readings_of_each_half_hour_by_the_time_before_each(
        self, store: Store
    ) -> None:
        # The first stands for 5 minutes, the second for 5, the third, after a gap, for 10.
        for minute, load_kw in ((5, 1.0), (10, 2.0), (29, 6.0), (60, 0.5)):
            at = NOON + timedelta(minutes=minute)
            store.save_observation(a_reading(at, load_kw=load_kw))
        seen = store.observations(NOON - SLOT, NOON + 3 * SLOT)
        assert seen.load_kw.start == NOON - SLOT
        np.testing.assert_allclose(seen.load_kw.values, [np.nan, 3.75, np.nan, 0.5])
        np.testing.assert_allclose(seen.solar_kw.values, [np.nan, 1.25, np.nan, 1.25])

    def test_count_a_reading_saved_twice_once(self, store: Store) -> None:
        for _ in range(3):
            store.save_observation(a_reading(NOON + CYCLE, load_kw=1))
        store.save_observation(a_reading(NOON + 2 * CYCLE, load_kw=2))
        assert store.observations(NOON, NOON + SLOT).load_kw.values == pytest.approx([1.5])

    def test_do_not_make_zeros_of_what_is_absent(self, store: Store) -> None:
        store.save_observation(a_reading(NOON, load_kw=None))
        store.save_observation(a_reading(NOON + CYCLE, load_kw=float("nan")))
        seen = store.observations(NOON, NOON + SLOT)
        assert np.isnan(seen.load_kw.values).all()
        assert seen.solar_kw.values == pytest.approx([1.25])

    def test_start_at_the_slot_that_holds_the_start(self, store: Store) -> None:
        store.save_observation(a_reading(NOON, load_kw=1))
        seen = store.observations(NOON + CYCLE, NOON + 2 * CYCLE)
        assert (seen.load_kw.start, seen.load_kw.values.tolist()) == (NOON, [1])

    def test_are_seeded_only_where_we_have_none_of_our_own(self, store: Store) -> None:
        store.save_observation(a_reading(NOON + CYCLE, load_kw=1))
        seed = Observations(
            load_kw=SlotSeries(start=NOON - SLOT, values=np.array([7.0, 8.0, np.nan, 9.0])),
            solar_kw=SlotSeries(start=NOON, values=np.array([3.0, 4.0])),
        )
        store.seed_observations(seed)
        store.save_observation(a_reading(NOON + 2 * CYCLE, load_kw=3))
        store.save_observation(a_reading(NOON + 2 * SLOT, load_kw=None))
        seen = store.observations(NOON - SLOT, NOON + 3 * SLOT)
        np.testing.assert_allclose(seen.load_kw.values, [7, 2, np.nan, 9])
        np.testing.assert_allclose(seen.solar_kw.values, [np.nan, 1.25, 4, 1.25])

    def test_seeds_of_nothing_change_nothing(self, store: Store) -> None:
        nothing = SlotSeries.empty(NOON)
        store.seed_observations(Observations(load_kw=nothing, solar_kw=nothing))
        assert np.isnan(store.observations(NOON, NOON + DAY).load_kw.values).all()

    def test_of_a_year_are_read_in_milliseconds(self, store: Store) -> None:
        n_slots = 365 * 48
        series = SlotSeries(start=NOON, values=np.linspace(0, 5, n_slots))
        store.seed_observations(Observations(load_kw=series, solar_kw=series))
        seconds = []
        for _ in range(5):
            begun = process_time()
            seen = store.observations(NOON, NOON + n_slots * SLOT)
            seconds.append(process_time() - begun)
        np.testing.assert_array_equal(seen.load_kw.values, series.values)
        # About 20 ms.
        assert min(seconds) < 0.2


class TestSlotEnergy:
    def test_is_metered_from_the_readings(self, store: Store) -> None:
        store.save_observation(a_reading(NOON + CYCLE, load_kw=1, grid_kw=2))
        last = replace(a_reading(NOON + 2 * CYCLE, load_kw=2, grid_kw=-1), battery_kw=3, soc_kwh=6)
        store.save_observation(last)
        (energy,) = store.slot_energy(kind=EnergyKind.METERED, start=NOON, end=NOON + DAY)
        assert energy == SlotEnergy(
            start=NOON,
            grid_import_kwh=0.5,
            grid_export_kwh=0.25,
            load_kwh=0.75,
            solar_kwh=0.625,
            charge_kwh=pytest.approx(0.813 / 4),
            discharge_kwh=0.75,
            soc_kwh=6,
            n_samples=2,
        )

    def test_of_a_half_hour_of_charging_all_counts_and_no_more(self, store: Store) -> None:
        # 3 kW from noon to half past, and cycles a second late: the reading at noon shows the mode
        # before, and the second look, 40 s later, the new one.
        noon = NOON + timedelta(seconds=1)
        again = (noon + timedelta(seconds=40), noon + SLOT + timedelta(seconds=40))
        for at in sorted([*(noon + cycle * CYCLE for cycle in range(-6, 13)), *again]):
            is_charging = noon < at <= noon + SLOT
            store.save_observation(a_reading(at, grid_kw=3.0 if is_charging else 0.0))
        slots = store.slot_energy(kind=EnergyKind.METERED, start=NOON - SLOT, end=NOON + 2 * SLOT)
        bought_kwh = [slot.grid_import_kwh for slot in slots]
        assert bought_kwh == pytest.approx([0, 1.5, 0], abs=0.002)
        assert [slot.n_samples for slot in slots] == [6, 7, 7]

    def test_a_reading_at_the_very_start_serves_until_there_are_others(self, store: Store) -> None:
        store.save_observation(a_reading(NOON, grid_kw=2.0))
        (slot,) = store.slot_energy(kind=EnergyKind.METERED, start=NOON, end=NOON + SLOT)
        assert (slot.grid_import_kwh, slot.n_samples) == (1.0, 1)

    def test_what_is_stored_at_the_end_is_read_next_to_it(self, store: Store) -> None:
        for minutes, soc_kwh in ((25, 5.0), (31, 5.5)):
            at = NOON + timedelta(minutes=minutes)
            store.save_observation(replace(a_reading(at), soc_kwh=soc_kwh))
        slots = store.slot_energy(kind=EnergyKind.METERED, start=NOON, end=NOON + DAY)
        assert [slot.soc_kwh for slot in slots] == [5.5, 5.5]

    def test_a_reading_after_a_long_gap_says_nothing_of_the_half_hour_before(
        self, store: Store
    ) -> None:
        store.save_observation(a_reading(NOON + CYCLE, grid_kw=1.0))
        store.save_observation(a_reading(NOON + SLOT, grid_kw=9.0))
        first, _ = store.slot_energy(kind=EnergyKind.METERED, start=NOON, end=NOON + DAY)
        assert first.grid_import_kwh == pytest.approx(0.5)

    def test_is_expected_by_the_last_plan_before_the_slot(self, store: Store) -> None:
        for cycle in range(8):
            store.record(an_outcome(NOON + cycle * CYCLE))
        kept = an_outcome(NOON + 5.5 * CYCLE, result=CycleResult.KEPT_LAST_PLAN)
        store.record(kept)
        slot = a_plan(NOON + 5 * CYCLE).slots[1]
        first, *_ = store.slot_energy(kind=EnergyKind.EXPECTED, start=NOON, end=NOON + DAY)
        assert (first.start, first.grid_import_kwh) == (NOON + SLOT, slot.grid_import_kwh)
        assert (first.soc_kwh, first.n_samples) == (slot.soc_end_kwh, 0)

    def test_is_not_expected_by_a_plan_that_ends_before(self, store: Store) -> None:
        store.record(an_outcome(plan=a_plan(n_slots=1)))
        assert store.slot_energy(kind=EnergyKind.EXPECTED, start=NOON, end=NOON + DAY) == []


class TestForecasts:
    def test_the_latest_is_the_last_that_was_issued_by_now(self, store: Store) -> None:
        assert store.latest_solar_forecast(NOW) is None
        for hours in (0, 2, 1):
            store.save_solar_forecast(a_forecast(NOW + timedelta(hours=hours)))
        latest = store.latest_solar_forecast(NOW + timedelta(minutes=90))
        assert latest is not None
        assert latest.issued_at == NOW + timedelta(hours=1)
        np.testing.assert_array_equal(
            latest.p90_kw.values, a_forecast(latest.issued_at).p90_kw.values
        )

    def test_of_a_range_come_oldest_first(self, store: Store) -> None:
        for hours, source in ((2, "solcast"), (0, "solcast"), (1, "open_meteo"), (3, "solcast")):
            store.save_solar_forecast(a_forecast(NOW + timedelta(hours=hours), source))
        found = store.solar_forecasts(start=NOW, end=NOW + timedelta(hours=3))
        assert [forecast.source for forecast in found] == ["solcast", "open_meteo", "solcast"]


class TestJournal:
    def test_a_cycle_comes_back_with_its_plan_and_outlook(self, store: Store) -> None:
        outcome = an_outcome()
        store.record(outcome)
        read = store.outcome(NOW)
        assert read is not None
        assert read.outlook is not None
        assert outcome.outlook is not None
        assert replace(read, outlook=None) == replace(outcome, outlook=None)
        np.testing.assert_array_equal(read.outlook.load_kwh, outcome.outlook.load_kwh)
        assert store.outcome(NOW + DAY) is None

    def test_the_first_outlook_of_a_half_hour_is_kept(self, store: Store) -> None:
        times = [NOW, NOW + CYCLE, NOW + SLOT]
        for at in times:
            store.record(an_outcome(at))
        outcomes = [store.outcome(at) for at in times]
        assert [outcome and outcome.outlook is not None for outcome in outcomes] == [
            True,
            False,
            True,
        ]

    def test_a_cycle_with_nothing_in_hand_comes_back(self, store: Store) -> None:
        bare = replace(an_outcome(), plan=None, outlook=None, telemetry=None, problems=())
        store.record(bare)
        assert store.outcome(NOW) == bare
        (decision,) = store.decisions(NOON, NOON + DAY)
        assert (decision.soc_kwh, decision.problems) == (None, ())

    def test_the_last_plan_is_there_after_a_restart(self, store: Store, path: Path) -> None:
        store.record(an_outcome(NOW))
        store.record(an_outcome(NOW + CYCLE))
        store.close()
        again = Store(path)
        assert again.last_plan() == a_plan(NOW + CYCLE)
        again.close()

    def test_a_plan_that_is_followed_for_long_is_stored_once(self, store: Store) -> None:
        plan = a_plan()
        store.record(an_outcome(plan=plan))
        for cycle in range(1, 4):
            kept = an_outcome(NOW + cycle * CYCLE, plan=plan, result=CycleResult.KEPT_LAST_PLAN)
            store.record(kept)
        assert count(store, "plans") == 1
        read = store.outcome(NOW + 3 * CYCLE)
        assert read is not None
        assert read.plan == plan

    def test_decisions_are_told_in_a_line_each(self, store: Store) -> None:
        outcomes = [an_outcome(NOW), an_outcome(NOW + CYCLE), an_outcome(NOW + DAY)]
        outcomes[1] = replace(
            outcomes[1], command=CHARGE, command_result=CommandResult.READ_ONLY, problems=()
        )
        for outcome in outcomes:
            store.record(outcome)
        first, second = store.decisions(NOON, NOON + DAY)
        assert first == Decision(
            at=NOW.replace(microsecond=0),
            result=CycleResult.PLANNED,
            mode=Mode.HOLD,
            power_kw=None,
            command_result=CommandResult.APPLIED,
            reason=outcomes[0].reason,
            problems=outcomes[0].problems,
            soc_kwh=5.2,
        )
        assert (second.mode, second.power_kw) == (Mode.FORCE_CHARGE, 2.4)

    def test_only_commands_that_were_sent_are_listed(self, store: Store) -> None:
        for cycle, result in enumerate(CommandResult):
            sent = replace(an_outcome(NOW + cycle * CYCLE), command=CHARGE, command_result=result)
            store.record(sent)
        found = store.commands(NOON, NOON + DAY)
        assert [command.result for command in found] == ["applied", "failed"]
        assert found[0] == SentCommand(
            at=NOW.replace(microsecond=0), command=CHARGE, result=CommandResult.APPLIED
        )

    def test_a_record_that_cannot_be_read_is_passed_over_and_said(self, store: Store) -> None:
        store.record(an_outcome())
        store._file.write(lambda connection: connection.execute("UPDATE plans SET body = x'00'"))
        assert store.last_plan() is None
        assert store.last_plan() is None
        read = store.outcome(NOW)
        assert read is not None
        assert read.plan is None
        (problem,) = store.problems()
        assert "some records of kind Plan" in problem


def test_state_is_remembered_across_restarts(store: Store, path: Path) -> None:
    assert store.get_state("breaker") is None
    store.put_state("breaker", "open")
    store.put_state("breaker", "closed ½")
    store.close()
    again = Store(path)
    assert again.get_state("breaker") == "closed ½"
    again.close()


def count(store: Store, table: str) -> int:
    found: int = store._file.read(
        lambda connection: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    )
    return found


class TestPruning:
    def test_keeps_each_kind_for_its_days(self, store: Store) -> None:
        for days in (0, 59, 61, 399, 401, 799, 801):
            at = NOW - days * DAY
            store.save_observation(a_reading(at))
            store.record(replace(an_outcome(at, plan=a_plan(at, n_slots=2)), outlook=None))
            store.save_solar_forecast(a_forecast(at, n_slots=2))
            save_imports(store, a_rate(floor_to_slot(at), 1))
        store.prune(NOW)
        tables = ("samples", "half_hours", "decisions", "commands", "outcomes", "plans")
        kept = [count(store, table) for table in (*tables, "solar_forecasts", "rates")]
        assert kept == [2, 4, 2, 2, 2, 2, 2, 6]

    def test_thins_old_plans_to_one_an_hour_then_one_in_six(self, store: Store) -> None:
        for cycle in range(10 * 24 * 2):
            at = NOON - cycle * SLOT
            store.record(replace(an_outcome(at, plan=a_plan(at, n_slots=2)), outlook=None))
        for _ in range(2):
            store.prune(NOON)
        every, hourly, sparse = 49, 6 * 24, 3 * 4
        assert abs(count(store, "plans") - (every + hourly + sparse)) <= 1
        assert count(store, "plans") == count(store, "outcomes")
        assert count(store, "decisions") == 10 * 24 * 2
        assert store.last_plan() == a_plan(NOON, n_slots=2)

    def test_follows_the_days_that_are_set(self, path: Path) -> None:
        store = Store(path, retention=Retention(samples=1, half_hours=3))
        for days in range(5):
            store.save_observation(a_reading(NOON - days * DAY))
        store.prune(NOON)
        assert (count(store, "samples"), count(store, "half_hours")) == (2, 4)
        store.close()

    def test_keeps_a_rate_that_has_no_end_and_the_state(self, store: Store) -> None:
        fixed = UnitRate(start=NOON - 2000 * DAY, end=None, p_per_kwh=15)
        save_imports(store, fixed)
        store.put_state("key", "value")
        store.prune(NOW)
        assert imports(store) == [fixed]
        assert store.get_state("key") == "value"

    def test_gives_the_space_back(self, store: Store, path: Path) -> None:
        for cycle in range(60):
            store.record(an_outcome(NOW + cycle * CYCLE))
        store.close()
        full = path.stat().st_size
        store.prune(NOW + 100 * DAY)
        store.close()
        assert path.stat().st_size < full / 2


def test_threads_may_write_and_read_at_once(store: Store) -> None:
    failed: list[Exception] = []

    def work(name: int) -> None:
        try:
            for step in range(20):
                at = NOON + timedelta(minutes=20 * name + step)
                store.record(replace(an_outcome(at), outlook=None))
                store.save_observation(a_reading(at))
                store.put_state(f"{name}", f"{step}")
                assert store.last_plan() is not None
                store.observations(NOON, NOON + DAY)
        except Exception as error:  # noqa: BLE001 - told to the main thread
            failed.append(error)

    threads = [Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert count(store, "decisions") == count(store, "samples") == 120
    assert [store.get_state(f"{name}") for name in range(6)] == ["19"] * 6


def test_a_cycle_with_its_plan_and_outlook_takes_little_space(store: Store, path: Path) -> None:
    for cycle in range(48):
        store.record(an_outcome(NOW + cycle * CYCLE))
    store.close()
    # A plan of 96 slots is about 7 kB, an outlook, one each half hour, about 8 kB; each table that
    # is empty is 4 kB in all.
    assert path.stat().st_size / 48 < 12_800


def test_a_new_store_knows_nothing(store: Store) -> None:
    assert store.last_plan() is None
    assert store.decisions(NOON, NOON + DAY) == []
    assert store.observations(NOON, NOON).load_kw.values.shape == (0,)
    assert store.problems() == ()
