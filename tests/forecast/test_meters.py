"""What is metered, held against what else is known: named, and not learned from, if wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.meters import Judged, judge_meters
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import MeteredFlows, Observations, SolarForecast
from metered_flows import BATTERY, GRID, LOAD, SOLAR, metered_flows

N_DAYS = 8
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW = START + timedelta(days=N_DAYS)
FLOWS, STORED = metered_flows(N_DAYS)
FLOWS, STORED = np.roll(FLOWS, -24, axis=1), np.roll(STORED, -24)  # from noon to noon
LAST_DAY = slice(-48, None)


def series(values: Floats, start: datetime = START) -> SlotSeries:
    return SlotSeries(start=start, values=np.asarray(values))


def observed(flows: Floats = FLOWS) -> Observations:
    return Observations(
        load_kw=series(flows[LOAD]),
        solar_kw=series(flows[SOLAR]),
        flows=MeteredFlows(
            grid_kw=series(flows[GRID]), battery_kw=series(flows[BATTERY]), soc_kwh=series(STORED)
        ),
    )


def with_wrong(sensor: int, wrong: Callable[[Floats], Floats], since: int = -48) -> Observations:
    """One sensor is wrong in the last half hours."""
    flows = FLOWS.copy()
    flows[sensor, since:] = wrong(flows[sensor, since:])
    return observed(flows)


def a_forecast(kw: Floats = FLOWS[SOLAR]) -> SolarForecast:
    return without_spread("solcast", NOW, series(kw))


def judged(seen: Observations, now: datetime = NOW) -> Judged:
    return judge_meters(seen, a_forecast(), now)


class TestBalance:
    @pytest.mark.parametrize("minutes", [0, 7, 30, 95, 600])
    def test_sound_meters_are_believed_to_the_last_digit(self, minutes: int) -> None:
        seen = observed()
        result = judged(seen, NOW - timedelta(minutes=minutes))
        assert result.doubts == ()
        assert result.observed.load_kw is seen.load_kw
        assert result.observed.solar_kw is seen.solar_kw

    def test_where_nothing_else_is_metered_nothing_is_said(self) -> None:
        seen = replace(with_wrong(LOAD, lambda kw: 3 * kw), flows=None)
        assert judged(seen).doubts == ()

    @pytest.mark.parametrize(
        ("sensor", "wrong", "words"),
        [
            (
                LOAD,
                lambda kw: 3 * kw,
                (
                    "the meters do not add up: the load is 3 times what the others say: check its "
                    "sensor and what it counts; the load is worked out from the others meanwhile"
                ),
            ),
            (
                SOLAR,
                lambda kw: kw / 1000,
                (
                    "the meters do not add up: the solar power is about a thousandth of what the "
                    "others say: check the unit of its sensor (kW given as W?)"
                ),
            ),
            (
                BATTERY,
                np.negative,
                (
                    "the meters do not add up: the battery's power has the wrong sign: turn "
                    "entities.battery_positive round, or exchange its two sensors"
                ),
            ),
            (
                GRID,
                np.negative,
                (
                    "the meters do not add up: the grid's power has the wrong sign: turn "
                    "entities.grid_positive round, or exchange its two sensors"
                ),
            ),
            (
                GRID,
                lambda kw: 0 * kw + 0.7,
                (
                    "the meters do not add up: the grid's power stays at 0.7 kW while the others "
                    "change: check its sensor"
                ),
            ),
            (
                GRID,
                lambda kw: 0 * kw,
                (
                    "the meters do not add up: the grid's power is nothing while the others say "
                    "that it is not: check its sensor"
                ),
            ),
            (
                LOAD,
                lambda kw: kw + 10.0 * (np.arange(len(kw)) % 12 == 0),
                (
                    "the meters do not add up: the load jumps to 10 kW, unseen by the others: "
                    "check its sensor; the load of then is not learned from"
                ),
            ),
        ],
    )
    def test_the_wrong_one_is_named(
        self, sensor: int, wrong: Callable[[Floats], Floats], words: str
    ) -> None:
        assert judged(with_wrong(sensor, wrong)).doubts == (words,)

    def test_a_load_in_the_wrong_unit_is_worked_out_from_the_others(self) -> None:
        result = judged(with_wrong(LOAD, lambda kw: kw / 1000))
        load = result.observed.load_kw.values
        assert np.array_equal(load[:-72], FLOWS[LOAD, :-72])
        assert load[LAST_DAY].sum() == pytest.approx(FLOWS[LOAD, LAST_DAY].sum(), rel=0.3)

    def test_another_wrong_sensor_leaves_the_load_alone(self) -> None:
        seen = with_wrong(GRID, np.negative)
        assert judged(seen).observed.load_kw is seen.load_kw

    def test_a_wrong_solar_sensor_is_not_learned_from(self) -> None:
        solar = judged(with_wrong(SOLAR, lambda kw: kw / 1000)).observed.solar_kw.values
        assert np.isfinite(solar[:-48]).all()
        assert not np.isfinite(solar[-44:-38]).any()

    def test_a_single_jump_is_left_out_and_not_worth_a_word(self) -> None:
        flows = FLOWS.copy()
        flows[LOAD, -30] += 10.0
        result = judged(observed(flows))
        assert np.flatnonzero(np.isnan(result.observed.load_kw.values)).tolist() == [48 * 8 - 30]
        assert result.doubts == ()

    def test_what_nobody_explains_is_said_and_its_load_left_out(self) -> None:
        flows = FLOWS.copy()
        flows[GRID, LAST_DAY] *= -1
        flows[BATTERY, LAST_DAY] = 2 - 3 * flows[BATTERY, LAST_DAY]
        result = judged(observed(flows))
        [doubt] = result.doubts
        assert doubt.startswith("load, sun, battery and grid do not add up, by about ")
        assert doubt.endswith("; the load of then is not learned from")
        assert np.isnan(result.observed.load_kw.values[LAST_DAY]).any()

    def test_panels_without_a_sensor_are_no_fault(self) -> None:
        seen = observed()
        nothing = series(np.full(48 * N_DAYS, np.nan))
        assert judge_meters(replace(seen, solar_kw=nothing), None, NOW).doubts == ()

    def test_a_doubt_is_gone_a_day_after_it_was_mended_but_not_what_was_learned(self) -> None:
        flows = FLOWS.copy()
        flows[LOAD, -144:-72] *= 3
        result = judged(observed(flows))
        assert result.doubts == ()
        load = result.observed.load_kw.values
        assert load[-144:-72].sum() == pytest.approx(FLOWS[LOAD, -144:-72].sum(), rel=0.3)


class TestSun:
    @pytest.mark.parametrize("wrong", [0.0, 0.001])
    def test_a_dead_meter_is_named_and_not_learned_from(self, wrong: float) -> None:
        seen = replace(with_wrong(SOLAR, lambda kw: wrong * kw, since=-150), flows=None)
        result = judged(seen)
        [doubt] = result.doubts
        assert doubt.startswith("the solar power metered in the last two days is nothing, or a")
        solar = result.observed.solar_kw.values
        assert not np.isfinite(solar[-96:]).any()
        assert np.isfinite(solar[:-150]).all()

    def test_a_roof_under_snow_is_no_dead_meter_where_the_others_add_up(self) -> None:
        flows = FLOWS.copy()
        flows[SOLAR, -150:] = 0.0
        flows[GRID, -150:] = flows[LOAD, -150:] - flows[BATTERY, -150:] + 0.06
        result = judged(observed(flows))
        [doubt] = result.doubts
        assert doubt.startswith("the panels have given nothing for two days, though sun was")
        assert not np.isfinite(result.observed.solar_kw.values[-96:]).any()
        assert np.isfinite(result.observed.load_kw.values[-96:]).all()

    def test_a_dead_meter_is_none_under_snow_where_the_house_shows_the_sun(self) -> None:
        [doubt] = judged(with_wrong(SOLAR, lambda kw: 0 * kw, since=-150)).doubts
        assert doubt.startswith("the meters do not add up: the solar power is nothing while")

    def test_an_inverter_that_gives_all_it_can_for_hours_is_no_frozen_sensor(self) -> None:
        clear = np.maximum(6 * np.cos((np.arange(48) - 24) / 30 * np.pi), 0)
        solar = np.minimum(np.tile(clear, N_DAYS), 3.5)
        seen = replace(observed(), solar_kw=series(solar), flows=None)
        assert judge_meters(seen, None, NOW).doubts == ()
        frozen = series(np.where(np.arange(48 * N_DAYS) < 48 * N_DAYS - 24, solar, 3.5))
        [doubt] = judge_meters(replace(seen, solar_kw=frozen), None, NOW).doubts
        assert doubt.startswith("the solar power metered in ")

    def test_past_days_of_a_dead_meter_stay_left_out_and_are_told_no_more(self) -> None:
        flows = FLOWS.copy()
        flows[SOLAR, -216:-72] = 0.0
        result = judged(replace(observed(flows), flows=None))
        assert result.doubts == ()
        assert np.isnan(result.observed.solar_kw.values).sum() >= 96

    @pytest.mark.parametrize("times", [1000, 0.1])
    def test_a_forecast_that_is_none_of_a_house_or_that_the_sun_bears_out_condemns_nothing(
        self, times: float
    ) -> None:
        dead = replace(with_wrong(SOLAR, lambda kw: 0 * kw, since=-150), flows=None)
        seen = dead if times > 1 else replace(observed(), flows=None)
        assert judge_meters(seen, a_forecast(times * FLOWS[SOLAR]), NOW).doubts == ()

    def test_nor_do_a_dark_day_or_one_of_sun_that_was_turned_down(self) -> None:
        dark = replace(with_wrong(SOLAR, lambda kw: 0 * kw), flows=None)
        assert judged(dark).doubts == ()
        dead = replace(with_wrong(SOLAR, lambda kw: 0 * kw, since=-150), flows=None)
        held_back = series(np.where(np.arange(48 * N_DAYS) >= 48 * N_DAYS - 150, 1.0, np.nan))
        assert judged(replace(dead, held_back=held_back)).doubts == ()


def test_what_was_drawn_while_nobody_was_in_is_known_but_not_learned_from() -> None:
    away = series(np.ones(20), START + 100 * SLOT)
    result = judged(replace(observed(), away=away))
    absent = np.flatnonzero(np.isnan(result.observed.load_kw.values))
    assert absent.tolist() == list(range(100, 120))
    assert np.array_equal(result.away.load_kw.values, FLOWS[LOAD])
