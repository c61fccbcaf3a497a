"""What the store tells of a battery under forced modes: each reading with the order before it."""

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time

import pytest

from battery_optimizer.adapters.store.schema import MIGRATIONS, epoch
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.decision import CommandResult, CycleOutcome
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.telemetry import BatteryReadings
from store_values import CYCLE, NOW, a_reading, an_outcome

DAY = timedelta(days=1)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.6)
SELL = InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=2.5)


def live(
    store: Store,
    at: datetime,
    command: InverterCommand,
    result: CommandResult = CommandResult.UNCHANGED,
    **read: float | None,
) -> None:
    """One cycle as `cycle` records it: the reading first, then what was decided."""
    store.save_observation(replace(a_reading(at), **read))
    outcome: CycleOutcome = replace(
        an_outcome(), at=at, command=command, command_result=result, plan=None, outlook=None
    )
    store.record(outcome)


def known(store: Store) -> BatteryReadings:
    return store.battery_readings(NOW - DAY, NOW + DAY)


def test_a_reading_is_of_the_order_of_the_cycle_before(store: Store) -> None:
    live(store, NOW, CHARGE, CommandResult.APPLIED, battery_kw=0.1, soc_kwh=5.0)
    live(store, NOW + CYCLE, SELL, CommandResult.APPLIED, battery_kw=-3.5, soc_kwh=5.3)
    live(store, NOW + 2 * CYCLE, SELF_USE, battery_kw=2.4, soc_kwh=5.1)
    live(store, NOW + 3 * CYCLE, SELF_USE, battery_kw=0.4, soc_kwh=5.1)
    seen = known(store)
    assert seen.at.tolist() == [epoch(NOW + CYCLE), epoch(NOW + 2 * CYCLE)]
    assert seen.asked_kw.tolist() == [-3.6, 2.5]
    assert seen.battery_kw.tolist() == [-3.5, 2.4]
    assert seen.soc_before_kwh.tolist() == [5.0, 5.3]
    assert seen.soc_kwh.tolist() == [5.3, 5.1]
    assert seen.hours.tolist() == pytest.approx([1 / 12] * 2)
    assert seen.temperature_c.tolist() == [11.5, 11.5]
    assert seen.solar_kw.tolist() == [1.25, 1.25]
    assert seen.grid_kw.tolist() == [0.2, 0.2]


@pytest.mark.parametrize(
    "result",
    [
        CommandResult.READ_ONLY, CommandResult.WAITING, CommandResult.LEFT, CommandResult.FAILED,
        CommandResult.PAUSED,
    ],
)  # fmt: skip
def test_what_was_not_sent_was_asked_of_nobody(store: Store, result: CommandResult) -> None:
    live(store, NOW, CHARGE, result)
    live(store, NOW + CYCLE, CHARGE)
    assert len(known(store).at) == 0


def test_too_soon_after_an_order_nothing_is_seen_of_it(store: Store) -> None:
    live(store, NOW, CHARGE, CommandResult.APPLIED)
    live(store, NOW + timedelta(seconds=35), CHARGE)
    live(store, NOW + CYCLE, CHARGE)
    assert known(store).at.tolist() == [epoch(NOW + CYCLE)]


def test_without_a_sensor_the_battery_is_what_is_left(store: Store) -> None:
    live(store, NOW, CHARGE)
    sides = {"battery_kw": None, "load_kw": 0.5, "solar_kw": 0.0, "grid_kw": 4.0}
    live(store, NOW + CYCLE, CHARGE, **sides, battery_temperature_c=None)
    (power,), (celsius,) = known(store).battery_kw, known(store).temperature_c
    assert power == -3.5
    assert celsius != celsius  # noqa: PLR0124 (NaN)


def test_of_an_empty_store_there_are_none(store: Store) -> None:
    assert len(known(store).at) == 0


def test_readings_of_before_have_no_temperature(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    for statements in MIGRATIONS[:3]:
        for statement in statements:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 3")
    for at, soc_kwh in ((NOW, 5.0), (NOW + CYCLE, 5.3)):
        row = (epoch(at), 0.4, 0.0, -3.6, 4.0, soc_kwh)
        connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)", row)
    decision = (epoch(NOW), "planned", CHARGE.mode, 3.6, "applied", "", None, 5.0)
    connection.execute("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", decision)
    connection.commit()
    connection.close()
    store = Store(path)
    live(store, NOW + 2 * CYCLE, CHARGE)
    live(store, NOW + 3 * CYCLE, CHARGE)
    assert [celsius == celsius for celsius in known(store).temperature_c] == [False, True]  # noqa: PLR0124
    store.close()


def test_two_months_of_a_years_readings_are_read_in_milliseconds(path: Path, store: Store) -> None:
    store.get_state("opened")
    connection = sqlite3.connect(path)
    first, n_rows = epoch(NOW) - 365 * 86400, 365 * 288
    connection.executemany(
        "INSERT INTO samples VALUES (?, 0.5, 0.0, -3.6, 4.1, ?, 18.0)",
        ((first + 300 * n, 5 + n % 40 / 10) for n in range(n_rows)),
    )
    modes = (*[Mode.SELF_USE] * 10, Mode.FORCE_CHARGE, Mode.FORCE_CHARGE)
    connection.executemany(
        "INSERT INTO decisions VALUES (?, 'planned', ?, 3.6, 'unchanged', ?, NULL, 5)",
        ((first + 300 * n, modes[n // 6 % 12], "for the evening " * 8) for n in range(n_rows)),
    )
    connection.commit()
    connection.close()
    times = []
    for _ in range(5):
        begun = process_time()
        seen = store.battery_readings(NOW - 60 * DAY, NOW)
        times.append(process_time() - begun)
    assert len(seen.at) == pytest.approx(60 * 288 / 6, abs=12)
    # 11 ms on a desk, and once a day.
    assert min(times) < 0.1
