from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.model.tariff import published_until
from battery_optimizer.simulate.days.recorded import RecordedDays
from recordings import recorded_days, written

START = datetime(2026, 1, 14, tzinfo=UTC)


def refusal(table: pd.DataFrame, folder: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        RecordedDays.read(written(table, folder), pv_kwp=3.0, **options)
    return str(caught.value)


def test_a_file_becomes_series_on_the_grid(tmp_path: Path) -> None:
    table = recorded_days()
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    assert (days.run_start, days.run_end) == (START, START + timedelta(days=3))
    assert days.n_slots == 144
    assert days.notice == ""
    noon = START.replace(hour=12)
    assert days.imports.at(noon) == table["import_p"][24]
    assert days.load_kw.at(noon) == pytest.approx(2 * table["load_kwh"][24])
    assert days.solar_kw.at(noon) == pytest.approx(3 * table["pv_per_kwp"][24])
    assert days.solar_p90_kw.at(noon) == pytest.approx(3 * table["fc_p90_per_kwp"][24])


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = written(recorded_days(), tmp_path, "data.csv.gz")
    assert RecordedDays.read(path, pv_kwp=3.0).n_slots == 144


def test_rows_before_the_start_are_history(tmp_path: Path) -> None:
    path = written(recorded_days(), tmp_path)
    days = RecordedDays.read(path, pv_kwp=3.0, start="2026-01-15", days=1.5)
    assert days.run_start == START + timedelta(days=1)
    assert days.run_end == START + timedelta(days=2.5)
    assert days.load_kw.start == START


def test_a_start_may_name_its_time_and_zone(tmp_path: Path) -> None:
    path = written(recorded_days(), tmp_path)
    days = RecordedDays.read(path, pv_kwp=3.0, start="2026-01-15T12:00+01:00")
    assert days.run_start == START + timedelta(days=1, hours=11)


def test_a_fixed_export_rate_replaces_those_of_the_file(tmp_path: Path) -> None:
    table = recorded_days().assign(export_p=np.nan)
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0, fixed_export_p=5.5)
    assert set(days.exports.values) == {5.5}
    assert days.n_slots == 144


def test_forecast_columns_may_be_missing(tmp_path: Path) -> None:
    table = recorded_days().drop(columns="fc_p50_per_kwp")
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    assert np.isnan(days.solar_p50_kw.values).all()


def test_large_loads_and_temperatures_are_read_where_the_file_has_them(tmp_path: Path) -> None:
    table = recorded_days()
    bare = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    assert (bare.large_kw, bare.outside_c, bare.forecast_c) == ({}, None, None)
    table = table.assign(large_car_kwh=0.1, temperature_c=4.0, fc_temperature_c=5.0)
    days = RecordedDays.read(written(table, tmp_path, "more.csv"), pv_kwp=3.0)
    assert list(days.large_kw) == ["car"]
    assert days.large_kw["car"].at(days.run_start) == pytest.approx(0.2)
    assert days.outside_c is not None
    assert days.forecast_c is not None
    assert (days.outside_c.at(days.run_start), days.forecast_c.at(days.run_start)) == (4.0, 5.0)


def test_a_wrong_temperature_is_named(tmp_path: Path) -> None:
    table = recorded_days().assign(temperature_c="mild")
    with pytest.raises(DataError, match="column temperature_c: 'mild' is not a number"):
        RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)


def test_a_run_ends_before_a_value_that_is_missing(tmp_path: Path) -> None:
    table = recorded_days()
    table.loc[100, "pv_per_kwp"] = np.nan
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    assert days.n_slots == 100
    assert "row 102, column pv_per_kwp has no value; the run ends before it" in days.notice


def test_the_days_asked_for_must_have_every_value(tmp_path: Path) -> None:
    table = recorded_days()
    table.loc[100, "load_kwh"] = np.nan
    words = refusal(table, tmp_path, days=3)
    assert "row 102, column load_kwh: no value at 2026-01-16 02:00" in words
    assert RecordedDays.read(written(table, tmp_path), pv_kwp=3.0, days=2).notice == ""


def test_a_first_row_without_a_value_is_refused(tmp_path: Path) -> None:
    table = recorded_days()
    table.loc[0, "import_p"] = np.nan
    assert "row 2, column import_p: no value" in refusal(table, tmp_path)


@pytest.mark.parametrize("column", ["time", "import_p", "export_p", "load_kwh", "pv_per_kwp"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    words = refusal(recorded_days().drop(columns=column), tmp_path)
    assert f"column '{column}' is missing from row 1" in words


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("import_p", "dear", "row 7, column import_p: 'dear' is not a number"),
        ("export_p", "inf", "row 7, column export_p: 'inf' is not a number"),
        ("fc_p10_per_kwp", "?", "row 7, column fc_p10_per_kwp: '?' is not a number"),
        ("load_kwh", "-0.1", "row 7, column load_kwh: '-0.1' is not a number of 0 or more"),
        ("time", "yesterday", "row 7, column time: 'yesterday' is no time"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_column(
    tmp_path: Path, column: str, value: str, words: str
) -> None:
    table = recorded_days().astype(object)
    table.loc[5, column] = value
    assert words in refusal(table, tmp_path)


def test_rates_may_be_negative(tmp_path: Path) -> None:
    table = recorded_days()
    table.loc[5, "import_p"] = -10.5
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    assert days.imports.at(START.replace(hour=2, minute=30)) == -10.5


def test_a_missing_row_is_named(tmp_path: Path) -> None:
    words = refusal(recorded_days().drop(index=5), tmp_path)
    assert "row 7, column time: 2026-01-14T03:00:00Z does not follow" in words
    assert "2026-01-14T02:00:00Z by half an hour; sort the rows and fill the gap" in words


def test_rows_out_of_order_are_named(tmp_path: Path) -> None:
    table = recorded_days()
    order = [0, 1, 3, 2, *range(4, len(table))]
    assert "row 4, column time" in refusal(table.iloc[order], tmp_path)


def test_a_row_given_twice_is_named(tmp_path: Path) -> None:
    table = pd.concat([recorded_days().iloc[:3], recorded_days().iloc[2:]])
    assert "row 5, column time" in refusal(table, tmp_path)


def test_rows_off_the_half_hours_are_refused(tmp_path: Path) -> None:
    words = refusal(recorded_days(start="2026-01-14 00:10"), tmp_path)
    assert "row 2, column time: 2026-01-14T00:10:00Z is not the start of a half hour" in words


def test_a_file_of_one_line_is_refused(tmp_path: Path) -> None:
    assert "no row below the names of the columns" in refusal(recorded_days(n_slots=0), tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "soon"}, "--start 'soon' is no date; write 2020-01-31"),
        ({"start": "2027-01-01"}, "--start 2027-01-01 is after the last row"),
        ({"days": 0}, "--days 0 is less than a half hour"),
        ({"days": -1}, "--days -1 is less than a half hour"),
        ({"days": float("nan")}, "--days nan is less than a half hour"),
    ],
)
def test_a_span_that_cannot_be_played_is_refused(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    assert words in refusal(recorded_days(), tmp_path, **options)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("absent.csv", None),
        ("empty.csv", b""),
        ("ragged.csv", b"time,import_p\n1,2,3,4\n1\n5,6,7,8,9,10\n"),
        ("picture.csv", b"\x89PNG\xff\xfe\x00\x80"),
        ("not.csv.gz", b"time,import_p\n"),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    ],
)
def test_a_file_that_is_no_csv_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"{name} cannot be read as CSV|column 'time' is missing"):
        RecordedDays.read(path, pv_kwp=3.0)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-15T00:00", "2026-01-15T23:00"),
        ("2026-01-15T15:59", "2026-01-15T23:00"),
        ("2026-01-15T16:00", "2026-01-16T23:00"),
        ("2026-01-15T23:30", "2026-01-16T23:00"),
        ("2026-07-15T14:59", "2026-07-15T22:00"),
        ("2026-07-15T15:00", "2026-07-16T22:00"),
        ("2026-07-15T23:00", "2026-07-16T22:00"),
        ("2026-03-28T16:00", "2026-03-29T22:00"),
        ("2026-10-24T15:00", "2026-10-25T23:00"),
    ],
)
def test_rates_are_published_at_four_for_the_next_day(now: str, until: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert published_until(moment) == datetime.fromisoformat(until).replace(tzinfo=UTC)
