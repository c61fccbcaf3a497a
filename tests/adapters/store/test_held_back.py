"""Sun that was turned down at the export limit teaches nothing, and is paid for all the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import pi, sin

import numpy as np
import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.model.decision import CommandResult, CycleInputs, CycleOutcome, CycleResult
from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries
from battery_optimizer.model.telemetry import (
    EnergyKind,
    Observations,
    SolarForecast,
    Telemetry,
)
from builders import a_house

START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 14
NOW = START + timedelta(days=DAYS, hours=5)
LIMIT_KW = 3.68
INPUTS = CycleInputs(
    house=a_house(export_limit_kw=LIMIT_KW), settings=PlannerSettings(), in_force=SELF_USE
)


def sun_kw(hour: float) -> float:
    return 6 * max(0.0, sin((hour - 5) / 14 * pi)) if 5 < hour < 19 else 0.0


def told() -> SolarForecast:
    values = np.array([sun_kw((t % 48) / 2 + 0.25) for t in range(48 * (DAYS + 3))])
    kw = SlotSeries(start=START, values=values)
    return SolarForecast(source="x", issued_at=NOW, p10_kw=kw, p50_kw=kw, p90_kw=kw)


def live(store: Store, at: datetime) -> None:
    """A cycle with a full battery: what the sun gives beyond load and limit is turned down."""
    hours = (at - START) / timedelta(hours=1)
    load_kw = 0.5 + 0.2 * sin(7 * hours)
    solar_kw = min(sun_kw(hours % 24), load_kw + LIMIT_KW)
    seen = Telemetry(
        measured_at=at,
        soc_kwh=10.0,
        load_kw=load_kw,
        solar_kw=solar_kw,
        battery_kw=0.0,
        grid_kw=load_kw - solar_kw,
    )
    store.save_observation(seen)
    store.record(
        CycleOutcome(
            at=at,
            result=CycleResult.FELL_BACK,
            command=SELF_USE,
            command_result=CommandResult.UNCHANGED,
            reason="",
            telemetry=seen,
            inputs=INPUTS,
        )
    )


def day_ahead_kwh(observed: Observations) -> float:
    band = HistoryForecaster().solar(observed, told(), Horizon(start=NOW, n_slots=48))
    return float(band.mean_kwh.sum())


def test_what_was_turned_down_is_not_learned_and_is_kept_for_money(store: Store) -> None:
    for quarter in range(4 * 24 * DAYS):
        live(store, START + quarter * SLOT / 2 + timedelta(seconds=1))
    observed = store.observations(START, NOW)
    # Each day from 8:00 to 15:30: while at some reading the sun is above what may go.
    is_left_out = np.isnan(observed.sun_kw.values) & np.isfinite(observed.solar_kw.values)
    assert np.flatnonzero(is_left_out[:48]).tolist() == list(range(16, 31))
    told_kwh = float(told().p50_kw.values[:48].sum()) / 2
    assert day_ahead_kwh(observed) == pytest.approx(told_kwh, rel=0.02)
    # As before, a sixth of it was thought to be shade.
    assert day_ahead_kwh(replace(observed, held_back=None)) < 0.9 * told_kwh
    noon = START + timedelta(hours=12)
    (slot,) = store.slot_energy(kind=EnergyKind.METERED, start=noon, end=noon + SLOT)
    assert slot.grid_export_kwh == pytest.approx(LIMIT_KW / 2)
    assert slot.solar_kwh == pytest.approx((LIMIT_KW + 0.5) / 2, abs=0.1)


def test_a_cycle_at_the_limit_just_after_the_half_hour_is_of_the_one_before(store: Store) -> None:
    noon = START + timedelta(hours=12)
    live(store, noon + timedelta(seconds=1))
    live(store, noon + timedelta(hours=8))
    held_back = store.observations(noon - SLOT, noon + 17 * SLOT).held_back
    assert held_back is not None
    assert np.flatnonzero(held_back.values == 1).tolist() == [0]


def test_where_nothing_was_turned_down_there_is_nothing_to_leave_out(store: Store) -> None:
    live(store, START + timedelta(hours=6))
    observed = store.observations(START, NOW)
    assert observed.held_back is None
    assert observed.sun_kw is observed.solar_kw
