from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.away import while_away
from battery_optimizer.model.outlook import Future
from battery_optimizer.model.slots import SlotSeries
from battery_optimizer.model.telemetry import Observations
from builders import an_outlook

MONDAY = datetime(2026, 6, 15, tzinfo=UTC)


def observed(values: list[float]) -> Observations:
    load = SlotSeries(start=MONDAY - timedelta(days=1), values=np.array(values))
    return Observations(load_kw=load, solar_kw=SlotSeries.empty(MONDAY))


def test_until_the_return_the_house_draws_what_it_does_at_night() -> None:
    outlook = an_outlook([20.0] * 4, load_kwh=[0.5, 0.05, 0.5, 0.5])
    outlook = replace(
        outlook,
        futures=(Future(weight=1.0, load_kwh=2 * outlook.load_kwh, solar_kwh=outlook.solar_kwh),),
        bursts_kwh=np.outer([-0.1, -0.1, 0.1, 0.9], np.ones(4)),
    )
    seen = observed([0.2] * 20 + [1.0] * 27 + [np.nan])
    back = outlook.horizon.starts[3]
    away = while_away(outlook, seen, back)
    assert away.load_kwh == pytest.approx([0.1, 0.05, 0.1, 0.5])
    assert away.futures[0].load_kwh == pytest.approx([0.1, 0.1, 0.1, 1.0])
    assert away.bursts_kwh is not None
    assert away.bursts_kwh[-1] == pytest.approx([0.0, 0.0, 0.0, 0.9])


def test_who_is_at_home_or_was_never_metered_changes_nothing() -> None:
    outlook = an_outlook([20.0] * 4, load_kwh=0.5)
    assert while_away(outlook, observed([0.2]), None) is outlook
    assert while_away(outlook, observed([]), outlook.horizon.end) is outlook


def test_a_dead_sensor_does_not_make_a_house_draw_nothing() -> None:
    outlook = an_outlook([20.0] * 4, load_kwh=0.5)
    seen = observed([0.2] * 12 + [1.0] * 36 + [0.0] * 48)
    away = while_away(outlook, seen, outlook.horizon.end)
    assert away.load_kwh == pytest.approx([0.1] * 4)
