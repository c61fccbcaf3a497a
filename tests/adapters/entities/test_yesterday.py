"""What looking back at yesterday found, as entities; or why it found nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from battery_optimizer.adapters.entities.table import ENTITIES
from battery_optimizer.model.loss import ForecastErrors, Split, Yesterday
from battery_optimizer.model.money import Savings
from battery_optimizer.model.shown import Shown
from builders import MIDNIGHT
from shown_values import a_planned_day

ERRORS = ForecastErrors(
    by_hour_kw=(0.123456, None),
    by_hour_bias_kw=(-0.1, None),
    by_lead_kw=(0.25, 0.3),
    by_lead_bias_kw=(0.0, 0.0),
)
SPLIT = Split(
    start=MIDNIGHT,
    bill_p=40.0,
    load_p=3.0,
    solar_p=-1.0,
    rates_p=0.5,
    inverter_p=1.0,
    mode_p=0.25,
    optimizer_p=0.25,
)


def shown(day: Shown, name: str) -> tuple[object, Mapping[str, Any]]:
    entity = next(each for each in ENTITIES if each.id == f"sensor.battery_optimizer_{name}")
    json.dumps(entity.all_attributes(day), allow_nan=False)
    return entity.state(day), entity.all_attributes(day)


def test_the_loss_is_shown_by_cause_and_adds_up() -> None:
    day = a_planned_day(yesterday=Yesterday(split=SPLIT, load=ERRORS, solar=ERRORS))
    state, attributes = shown(day, "lost_yesterday")
    assert state == 4.0
    assert attributes["day"] == "2026-01-15"
    assert (attributes["bill_p"], attributes["best_p"]) == (40.0, 36.0)
    causes = ("load_forecast", "solar_forecast", "price_forecast", "execution", "optimizer")
    assert [attributes[f"{cause}_p"] for cause in causes] == [3.0, -1.0, 0.5, 1.25, 0.25]


def test_the_days_before_are_shown_with_it_also_where_yesterday_has_none() -> None:
    before = replace(SPLIT, start=MIDNIGHT - timedelta(days=1), n_bridged=1)
    day = a_planned_day(yesterday="not yet", savings=Savings(lately=(before, SPLIT)))
    state, attributes = shown(day, "lost_yesterday")
    assert (state, attributes["why"]) == ("unknown", "not yet")
    assert [each["day"] for each in attributes["lately"]] == ["2026-01-14", "2026-01-15"]
    first = attributes["lately"][0]
    assert (first["lost_p"], first["load_forecast_p"]) == (4.0, 3.0)
    assert [each["half_hours_not_metered"] for each in attributes["lately"]] == [1, 0]


@pytest.mark.parametrize("name", ["load_forecast_error", "solar_forecast_error"])
def test_the_errors_of_forecasts_are_shown_by_hour_and_lead(name: str) -> None:
    day = a_planned_day(yesterday=Yesterday(split=SPLIT, load=ERRORS, solar=ERRORS))
    state, attributes = shown(day, name)
    assert state == 0.25
    assert attributes["by_hour_kw"] == [0.123, None]
    assert attributes["by_lead_kw"] == [0.25, 0.3]


@pytest.mark.parametrize("name", ["lost_yesterday", "load_forecast_error"])
def test_what_could_not_be_found_says_why(name: str) -> None:
    state, attributes = shown(a_planned_day(yesterday="2 half hours are missing"), name)
    assert state == "unknown"
    assert attributes["why"] == "2 half hours are missing"
