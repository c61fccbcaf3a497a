"""Variants as a person writes them, and what is said of those that cannot be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.simulate.backtest import Forecast, Policy, Run
from battery_optimizer.simulate.compare.variants import (
    AS_IT_IS,
    Variant,
    parsed_variant,
    read_variants,
    with_names_apart,
)
from battery_optimizer.simulate.days.recorded import RecordedDays
from builders import a_battery, a_house
from recordings import recorded_days, written

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
def base(tmp_path: Path) -> Run:
    """A spring day on which the clocks go forward, the day before it, and the day after."""
    table = recorded_days("2026-03-28", 3 * 48)
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    return Run(house=a_house(a_battery(reserve_kwh=1.0)), days=days, start_soc_kwh=9.0)


def of(base: Run, folder: Path = Path(), **changes: object) -> Run:
    return Variant(name="other", **changes).run(base, folder)


def test_the_house_as_it_is_stays_so(base: Run) -> None:
    assert AS_IT_IS.run(base, Path()) == base


def test_another_battery_is_another_and_the_rest_the_same(base: Run) -> None:
    run = of(base, capacity_kwh=5.0, charge_kw=2.0, discharge_efficiency=0.9, export_limit_kw=3.0)
    battery = run.house.battery
    assert (battery.capacity_kwh, battery.max_charge_kw, battery.max_discharge_kw) == (5, 2, 4)
    assert (battery.discharge_efficiency, battery.reserve_kwh) == (0.9, 1.0)
    assert run.house.grid.export_limit_kw == 3.0
    # It cannot begin with more than it holds.
    assert run.start_soc_kwh == 5.0
    assert run.days is base.days


def test_without_a_battery_nothing_is_stored(base: Run) -> None:
    run = of(base, policy="no_battery")
    assert run.policy is Policy.SELF_USE
    assert (run.house.battery.capacity_kwh, run.start_soc_kwh) == (0, 0)


def test_policy_and_forecast(base: Run) -> None:
    run = of(base, policy="reactive", forecast="perfect")
    assert (run.policy, run.forecast) == (Policy.REACTIVE, Forecast.PERFECT)


def test_more_panels_give_and_promise_more(base: Run) -> None:
    run = of(base, solar_scale=2)
    for name in ("solar_kw", "solar_p10_kw", "solar_p50_kw", "solar_p90_kw"):
        before, after = getattr(base.days, name), getattr(run.days, name)
        np.testing.assert_array_equal(after.values, 2 * before.values)  # noqa: PD011
    assert not of(base, solar_scale=0).days.solar_kw.values.any()  # noqa: PD011


def test_a_flat_rate_is_the_same_at_all_times(base: Run) -> None:
    run = of(base, import_p=24.5)
    assert set(run.days.imports.values) == {24.5}
    assert run.days.exports is base.days.exports


def test_rates_by_the_clock_follow_the_clock_on_the_wall(base: Run) -> None:
    run = of(base, import_p={"00:30": 8.5, "05:30": 29.0})
    rates = run.days.imports
    # In winter time, and in summer time an hour earlier by UTC.
    assert [rates.at(datetime(2026, 3, 28, 0, minute, tzinfo=UTC)) for minute in (0, 30)] == [
        29.0, 8.5,
    ]  # fmt: skip
    assert rates.at(datetime(2026, 3, 28, 5, 0, tzinfo=UTC)) == 8.5
    assert rates.at(datetime(2026, 3, 28, 5, 30, tzinfo=UTC)) == 29.0
    assert rates.at(datetime(2026, 3, 29, 23, 30, tzinfo=UTC)) == 8.5
    assert rates.at(datetime(2026, 3, 30, 4, 30, tzinfo=UTC)) == 29.0


def test_yaml_reads_some_times_as_numbers_and_they_are_times_all_the_same(
    base: Run, tmp_path: Path
) -> None:
    path = tmp_path / "v.yaml"
    path.write_text("cosy: {import_p: {00:00: 20, 16:00: 40, 19:00: 20}}")
    (variant,) = read_variants(path)
    rates = variant.run(base, tmp_path).days.imports
    assert rates.at(datetime(2026, 3, 28, 16, tzinfo=UTC)) == 40
    assert rates.at(datetime(2026, 3, 28, 19, tzinfo=UTC)) == 20


def a_rates_file(folder: Path, n_slots: int = 3 * 48) -> Path:
    times = pd.date_range("2026-03-28", periods=n_slots, freq="30min", tz="UTC")
    table = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "import_p": 7.0})
    return written(table, folder, "rates.csv")


def test_another_products_rates_come_from_a_file_beside_the_variants(
    base: Run, tmp_path: Path
) -> None:
    a_rates_file(tmp_path)
    assert set(of(base, tmp_path, import_p="rates.csv").days.imports.values) == {7.0}


def test_a_rates_file_must_hold_all_that_is_played(base: Run, tmp_path: Path) -> None:
    a_rates_file(tmp_path, 50)
    with pytest.raises(DataError, match="'other': no import_p is known for 2026-03-29 01:00"):
        of(base, tmp_path, import_p="rates.csv")
    with pytest.raises(DataError, match="column 'export_p' is missing from row 1"):
        of(base, tmp_path, export_p="rates.csv")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        of(base, tmp_path, import_p="gone.csv")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capacity_kwh": 0.5}, "'other': reserve_kwh must be at most capacity_kwh"),
        ({"capacity_kwh": -1.0}, "'other': capacity_kwh must be"),
        ({"charge_efficiency": 2.0}, "'other': charge_efficiency must be"),
        ({"solar_scale": -1.0}, "solar_scale must be 0 or more, not -1"),
        ({"import_p": {"half past": 1.0}}, "'half past' is no time of day"),
        ({"import_p": {"00:15": 1.0}}, "rates change on the half hour, not at 00:15"),
    ],
)
def test_what_cannot_be_is_told_with_the_variants_name(
    base: Run, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        of(base, **changes)


def test_variants_of_a_file_have_their_names(tmp_path: Path) -> None:
    path = tmp_path / "v.yaml"
    path.write_text("larger: {capacity_kwh: 15}\nrules: {policy: reactive}\n")
    assert read_variants(path) == [
        Variant(name="larger", capacity_kwh=15), Variant(name="rules", policy="reactive"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("larger: {capacity: 15}", "capacity is not a key; did you mean capacity_kwh"),
        ("larger: {colour: 1}", "colour is not a key; there are policy, forecast"),
        ("larger: {capacity_kwh: big}", "capacity_kwh must be a number, not 'big'"),
        ("larger: {capacity_kwh: true}", "capacity_kwh must be a number, not True"),
        ("larger: {capacity_kwh: .nan}", "capacity_kwh must be a number, not nan"),
        ("larger: {import_p: [1]}", "import_p must be a number, a file, or rates by the clock"),
        ("larger: {import_p: {'00:30': dear}}", "import_p must be a number, a file"),
        ("larger: {policy: clever}", "policy must be no_battery, planner, self_use"),
        ("larger: {forecast: none}", "forecast must be history, perfect"),
        ("larger: 15", "must have key: value pairs below it, not 15"),
        ("- larger", "there must be variants in it"),
        ("", "there must be variants in it"),
        ("larger: {", "cannot be read as YAML"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=words) as refused:
        read_variants(path)
    assert "v.yaml" in str(refused.value)


def test_a_variant_can_be_said_in_a_line() -> None:
    assert parsed_variant("larger battery: capacity_kwh=15 charge_kw=5") == Variant(
        name="larger battery", capacity_kwh=15, charge_kw=5
    )
    assert parsed_variant("solar_scale=2") == Variant(name="solar_scale=2", solar_scale=2)
    night = parsed_variant('nights: import_p={"00:30":8.5,"05:30":29}')
    assert night.import_p == {"00:30": 8.5, "05:30": 29}
    with pytest.raises(DataError, match="'bigger' is not key=value"):
        parsed_variant("bigger")
    with pytest.raises(DataError, match="size is not a key"):
        parsed_variant("bigger: size=2")


def test_two_variants_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="two variants are called 'as it is'"):
        with_names_apart([AS_IT_IS, Variant(name="as it is", solar_scale=2)])


def test_a_run_begins_where_it_is_told_and_ends_after_its_days(base: Run) -> None:
    part = base.days.part("2026-03-29", 0.5)
    assert part.run_start == datetime(2026, 3, 29, tzinfo=UTC)
    assert part.run_end == NOON
    assert base.days.part(None, None) == base.days
    assert base.days.part(None, 99).run_end == base.days.run_end
    for wrong in (("soon", None), ("2027-01-01", None), (None, 0.0)):
        with pytest.raises(DataError):
            base.days.part(*wrong)
    assert part.run_end - part.run_start == timedelta(hours=12)
