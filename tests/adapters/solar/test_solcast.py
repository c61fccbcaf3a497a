import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.solar.solcast import SolcastEntities
from battery_optimizer.errors import ForecastAbsent, ForecastUnavailable
from solar_fixtures import home_of, payload

NOW = datetime(2026, 10, 24, 9, 40, tzinfo=UTC)
TODAY = "sensor.solcast_pv_forecast_forecast_today"
TOMORROW = "sensor.solcast_pv_forecast_forecast_tomorrow"
POLLED = "sensor.solcast_pv_forecast_api_last_polled"


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = payload(f"solcast/forecast_{name}.json")
    return found


def source(*payloads: dict[str, Any], **more: Any) -> SolcastEntities:  # noqa: ANN401
    entities = {"entities": (TODAY, TOMORROW), "peak_kw": 3.6} | more
    return SolcastEntities(read_state=home_of(*payloads), **entities)


def with_rows(change: Any) -> dict[str, Any]:  # noqa: ANN401
    """Today's payload after `change` was called with its rows."""
    today = copy.deepcopy(recorded("today"))
    change(today["attributes"]["detailedForecast"])
    return today


def refusal(solcast: SolcastEntities, now: datetime = NOW) -> str:
    with pytest.raises(ForecastUnavailable) as caught:
        solcast.fetch(now)
    return str(caught.value)


def test_both_days_are_on_one_utc_grid_over_the_clock_change() -> None:
    forecast = source(recorded("today"), recorded("tomorrow")).fetch(NOW)
    # A day of 48 half hours in summer time, then the one of 50 on which the clocks go back.
    assert forecast.p50_kw.start == datetime(2026, 10, 23, 23, 0, tzinfo=UTC)
    assert len(forecast.p50_kw.values) == 98
    assert forecast.p50_kw.end == datetime(2026, 10, 26, 0, 0, tzinfo=UTC)


def test_energy_is_that_of_the_entities_as_the_rows_are_kw_not_kwh() -> None:
    days = (recorded("today"), recorded("tomorrow"))
    forecast = source(*days).fetch(NOW)
    stated_kwh = sum(float(day["state"]) for day in days)
    assert forecast.p50_kw.values.sum() / 2 == pytest.approx(stated_kwh, abs=1e-3)


def test_the_row_of_a_time_is_found_at_that_time() -> None:
    rows = recorded("today")["attributes"]["detailedForecast"]
    row = next(row for row in rows if row["period_start"] == "2026-10-24T12:00:00+01:00")
    forecast = source(recorded("today"), recorded("tomorrow")).fetch(NOW)
    at = datetime(2026, 10, 24, 11, 0, tzinfo=UTC)
    assert forecast.p10_kw.at(at) == pytest.approx(row["pv_estimate10"])
    assert forecast.p50_kw.at(at) == pytest.approx(row["pv_estimate"])
    assert forecast.p90_kw.at(at) == pytest.approx(row["pv_estimate90"])


def test_datetimes_serve_as_well_as_texts() -> None:
    def parse(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["period_start"] = datetime.fromisoformat(row["period_start"])

    as_texts = source(recorded("today")).fetch(NOW)
    as_times = source(with_rows(parse)).fetch(NOW)
    assert list(as_times.p50_kw.values) == list(as_texts.p50_kw.values)


@pytest.mark.parametrize(
    ("today", "tomorrow"),
    [
        ("sensor.solcast_pv_forecast_prognose_heute", "sensor.solcast_pv_forecast_prognose_morgen"),
        ("sensor.solcast_forecast_today", "sensor.solcast_forecast_tomorrow"),
        ("sensor.forecast_today", "sensor.forecast_tomorrow"),
    ],
)
def test_entities_by_other_names_are_found_by_their_rows(today: str, tomorrow: str) -> None:
    other = {"entity_id": "sensor.weather_forecast", "state": "rain", "attributes": {}}
    home = (
        other,
        recorded("today") | {"entity_id": today},
        recorded("tomorrow") | {"entity_id": tomorrow},
    )
    names = [each["entity_id"] for each in reversed(home)]
    forecast = source(*home, list_entities=lambda: names, last_polled=POLLED).fetch(NOW)
    usual = source(recorded("today"), recorded("tomorrow")).fetch(NOW)
    assert forecast.p50_kw.values.tolist() == usual.p50_kw.values.tolist()
    assert forecast.issued_at == usual.issued_at
    assert "there is no" in refusal(source(other, list_entities=lambda: names))


def test_days_further_off_than_those_named_are_not_needed() -> None:
    day_8 = with_rows(lambda rows: [row.update(later(row, days=8)) for row in rows])
    home = (recorded("today") | {"entity_id": "sensor.forecast_today"}, day_8)
    day_8["entity_id"] = "sensor.forecast_d8"
    names = [each["entity_id"] for each in home]
    forecast = source(*home, list_entities=lambda: names).fetch(NOW)
    assert len(forecast.p50_kw.values) == 48


def later(row: dict[str, Any], days: int) -> dict[str, str]:
    start = datetime.fromisoformat(row["period_start"]) + timedelta(days=days)
    return {"period_start": start.isoformat()}


def test_without_tomorrow_the_forecast_is_shorter() -> None:
    forecast = source(recorded("today")).fetch(NOW)
    assert len(forecast.p50_kw.values) == 48


def test_without_a_spread_the_estimates_are_equal() -> None:
    def drop(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            del row["pv_estimate10"], row["pv_estimate90"]

    forecast = source(with_rows(drop)).fetch(NOW)
    assert list(forecast.p10_kw.values) == list(forecast.p50_kw.values)
    assert list(forecast.p90_kw.values) == list(forecast.p50_kw.values)


def without_spread_until(hour: int) -> dict[str, Any]:
    """Today as it is on the day that Solcast was set up: estimates of what was, and no spread."""

    def fill(rows: list[dict[str, Any]]) -> None:
        for row in rows[: 2 * hour]:
            row.update({"pv_estimate10": 0, "pv_estimate90": 0})

    return with_rows(fill)


def test_on_the_day_of_its_set_up_what_was_before_has_no_spread() -> None:
    forecast = source(without_spread_until(10)).fetch(NOW)
    usual = source(recorded("today")).fetch(NOW)
    n_over = 20
    assert forecast.p50_kw.values.tolist() == usual.p50_kw.values.tolist()
    for given, as_usual in ((forecast.p10_kw, usual.p10_kw), (forecast.p90_kw, usual.p90_kw)):
        assert given.values[:n_over].tolist() == usual.p50_kw.values[:n_over].tolist()
        assert given.values[n_over:].tolist() == as_usual.values[n_over:].tolist()


def test_what_is_to_come_needs_a_spread_that_is_in_order() -> None:
    assert "above the high one" in refusal(source(without_spread_until(14)))


def test_without_today_there_is_no_forecast() -> None:
    words = f"{TODAY} has no detailedForecast (are half-hourly detail attributes enabled in"
    assert refusal(source(recorded("tomorrow"))).startswith(words)
    with pytest.raises(ForecastAbsent, match="there is no entity"):
        source(entities=()).fetch(NOW)
    with pytest.raises(ForecastAbsent, match=f"there is no {TODAY}"):
        source().fetch(NOW)
    blank = recorded("today") | {"attributes": {"detailedForecast": "none"}}
    assert refusal(source(blank)).startswith(f"{TODAY} has no detailedForecast")


def test_yesterdays_entity_is_for_another_day() -> None:
    words = refusal(source(recorded("today")), NOW + timedelta(days=1))
    assert words.startswith("it was made at") or "another day" in words
    later = NOW + timedelta(hours=13, minutes=30)
    assert "it is for another day" in refusal(source(recorded("today")), later)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"pv_estimate": None}, "no value for 1 half hours, the first at 24 Oct 10:30 UTC"),
        ({"pv_estimate": "nan"}, "no value for 1 half hours"),
        ({"pv_estimate10": 3.0}, "the low estimate (10 %) is above the middle one at 24 Oct 10:30"),
        ({"pv_estimate90": 0.1}, "the middle estimate is above the high one (90 %) at 24 Oct"),
        ({"pv_estimate90": 2900}, "it has 2900 kW, while the panels are rated 3.6 kWp: it looks"),
        ({"period_start": "noon"}, f"{TODAY} has a row in detailedForecast with no usable"),
        ({"period_start": "2026-10-24T11:30:00"}, f"{TODAY} has a row in detailedForecast with no"),
        ({"period_start": "2026-10-24T11:40:00+01:00"}, "detailedForecast is not half-hourly"),
    ],
)
def test_a_bad_row_is_refused_in_plain_words(changed: dict[str, Any], words: str) -> None:
    solcast = source(with_rows(lambda rows: rows[23].update(changed)), recorded("tomorrow"))
    assert refusal(solcast).startswith(words)


def test_a_missing_row_is_a_hole() -> None:
    words = refusal(source(with_rows(lambda rows: rows.pop(23))))
    assert words == "no value for 1 half hours, the first at 24 Oct 10:30 UTC"


def test_the_age_is_that_of_the_entity_if_nothing_better_is_known() -> None:
    forecast = source(recorded("today")).fetch(NOW)
    assert forecast.issued_at == datetime(2026, 10, 24, 9, 34, 7, 120551, tzinfo=UTC)
    timeless = {key: recorded("today")[key] for key in ("entity_id", "state", "attributes")}
    assert source(timeless).fetch(NOW).issued_at == NOW


def test_the_age_is_that_of_the_last_poll_where_that_is_known() -> None:
    solcast = replace(
        source(recorded("today"), {"entity_id": POLLED, "state": "2026-10-24T04:11:09+00:00"}),
        last_polled=POLLED,
    )
    assert solcast.fetch(NOW).issued_at == datetime(2026, 10, 24, 4, 11, 9, tzinfo=UTC)
    old = {"entity_id": POLLED, "state": "2026-10-23T09:30:00+00:00"}
    solcast = replace(solcast, read_state=home_of(recorded("today"), old))
    assert "it was made at 23 Oct 09:30 UTC, more than a day ago" in refusal(solcast)
    solcast = replace(solcast, read_state=home_of(recorded("today")))
    assert refusal(solcast) == f"{POLLED} does not say when Solcast was last asked"
