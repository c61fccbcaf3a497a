"""What is decided at t is the same whatever the data hold from t on, and so is all it rests on.

Each case is a short run that ends with the decision at t itself. The half hour that t is in has not
been metered by then, so that a look at this one half hour is seen.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pytest

from battery_optimizer.forecast.futures import Band
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.model.codec import to_plain
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries, floor_to_slot
from battery_optimizer.model.tariff import published_until
from battery_optimizer.model.telemetry import Observations, SolarForecast
from battery_optimizer.simulate.backtest import Policy, Run, play
from battery_optimizer.simulate.days.households import HOUSEHOLDS, move_in
from battery_optimizer.simulate.days.recorded import RecordedDays
from recordings import recorded_days, written

HOUSE = House(
    battery=Battery(capacity_kwh=10.0, reserve_kwh=1.0, max_charge_kw=3.6, max_discharge_kw=3.6),
    inverter=Inverter(can_curtail=True),
    grid=GridConnection(export_limit_kw=6.0),
)
SETTINGS: Final = PlannerSettings(horizon_hours=36)
AHEAD: Final = timedelta(hours=SETTINGS.horizon_hours)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

HISTORY: Final = 28 * DAY
DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "home_a.csv.gz"
real_days_are_here: Final = pytest.mark.skipif(
    not DATA.exists(), reason=f"the benchmark's days are not in {DATA.parent}"
)

START = datetime(2026, 1, 16, tzinfo=UTC)
MOMENTS = [START + n * 5 * SLOT for n in range(20)] + [
    START + at * MINUTE
    for at in (5, 7 * 60 + 25, 12 * 60 + 10, 15 * 60 + 55, 16 * 60 + 5, 17 * 60 + 20, 23 * 60 + 5)
]
"""Of two days every two hours and a half, and within half hours."""

REAL_MOMENTS = [
    *(datetime(2019, 9, 3, tzinfo=UTC) + n * (11 * DAY + 21 * SLOT) for n in range(21)),
    *(datetime(2019, 10, 27, hour, 10, tzinfo=UTC) for hour in (0, 1, 16)),
    *(datetime(2020, 3, 29, hour, 20, tzinfo=UTC) for hour in (0, 1, 15)),
    *(datetime(2020, 2, 11, hour, tzinfo=UTC) for hour in (16, 23)),
]
"""All over the year and the day, with both clock changes, and with rates coming out and ending."""


class Made(NamedTuple):
    """A decision, and all that it was made from."""

    command: InverterCommand
    soc_kwh: float
    outlook: Any
    """All of it, to the last digit."""


def decisions(
    days: RecordedDays,
    at: datetime,
    *,
    policy: Policy = Policy.PLANNER,
    since: timedelta = timedelta(0),
    step: timedelta = SLOT,
    forecaster: HistoryForecaster | None = None,
) -> list[Made]:
    """The decision at this moment, after those since so long before."""
    run = Run(
        house=HOUSE,
        days=replace(days, run_start=at - since, run_end=at + step),
        start_soc_kwh=5.0,
        policy=policy,
        step=step,
        settings=SETTINGS,
    )
    return [
        Made(each.command, each.soc_kwh, to_plain(each.outlook)) for each in play(run, forecaster)
    ]


def changed(series: SlotSeries, since: datetime, *, factor: float, plus: float) -> SlotSeries:
    known = max(0, (since - series.start) // SLOT)
    rest = series.values[known:] * factor + plus
    return SlotSeries(start=series.start, values=np.concatenate([series.values[:known], rest]))


def another_load(days: RecordedDays, at: datetime) -> RecordedDays:
    """From the half hour on that holds `at`."""
    return replace(days, load_kw=changed(days.load_kw, at, factor=3, plus=1))


def another_sun(days: RecordedDays, at: datetime) -> RecordedDays:
    """From the half hour on that holds `at`."""
    return replace(days, solar_kw=changed(days.solar_kw, at, factor=0.1, plus=0.2))


def other_rates(days: RecordedDays, at: datetime) -> RecordedDays:
    """From where none was out at `at`."""
    unpublished = published_until(at)
    return replace(
        days,
        imports=changed(days.imports, unpublished, factor=-1, plus=20),
        exports=changed(days.exports, unpublished, factor=2, plus=15),
    )


def other_forecasts(days: RecordedDays, at: datetime) -> RecordedDays:
    """Of the sun after the horizon: what the columns say before was said beforehand."""
    after = floor_to_slot(at) + AHEAD
    return replace(
        days,
        solar_p10_kw=changed(days.solar_p10_kw, after, factor=2, plus=0.1),
        solar_p50_kw=changed(days.solar_p50_kw, after, factor=2, plus=0.3),
        solar_p90_kw=changed(days.solar_p90_kw, after, factor=2, plus=0.7),
    )


def another_future(days: RecordedDays, at: datetime) -> RecordedDays:
    for change in (another_load, another_sun, other_rates, other_forecasts):
        days = change(days, at)
    return days


Change = Callable[[RecordedDays, datetime], RecordedDays]
CHANGES: Final[tuple[Change, ...]] = (
    another_load,
    another_sun,
    other_rates,
    other_forecasts,
    another_future,
)


def lately(days: RecordedDays, at: datetime) -> RecordedDays:
    """Without what is long past, and with three days to come."""
    first, last = floor_to_slot(at) - HISTORY, floor_to_slot(at) + 3 * DAY

    def cut(series: SlotSeries) -> SlotSeries:
        return series.between(first, last)

    return replace(
        days,
        imports=cut(days.imports),
        exports=cut(days.exports),
        load_kw=cut(days.load_kw),
        solar_kw=cut(days.solar_kw),
        solar_p10_kw=cut(days.solar_p10_kw),
        solar_p50_kw=cut(days.solar_p50_kw),
        solar_p90_kw=cut(days.solar_p90_kw),
    )


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> RecordedDays:
    """Six weeks made up, of which more than four are past at the first moment."""
    path = written(recorded_days("2025-12-15", 42 * 48), tmp_path_factory.mktemp("data"))
    return RecordedDays.read(path, pv_kwp=3.0)


@pytest.fixture(scope="module")
def real_days() -> RecordedDays:
    return RecordedDays.read(DATA, pv_kwp=4.0)


def require_the_same(days: RecordedDays, at: datetime) -> None:
    """Fail where any part of the future, or all of it, changes the decision at `at`."""
    before = decisions(days, at)
    assert len(before) == 1
    assert before[0].outlook, "no plan was made, so this would show nothing"
    for change in CHANGES:
        assert decisions(change(days, at), at) == before, change.__name__


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment:%d-%Hh%M}")
def test_the_future_changes_no_decision(days: RecordedDays, moment: datetime) -> None:
    require_the_same(lately(days, moment), moment)


@real_days_are_here
@pytest.mark.parametrize("moment", REAL_MOMENTS, ids=lambda moment: f"{moment:%y-%m-%d-%Hh%M}")
def test_the_future_changes_no_decision_on_real_days(
    real_days: RecordedDays, moment: datetime
) -> None:
    require_the_same(lately(real_days, moment), moment)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("policy", [Policy.PLANNER, Policy.REACTIVE, Policy.SELF_USE])
@pytest.mark.parametrize("hours", [7, 16, 23.5])
def test_the_future_changes_nothing_of_a_day_that_was_lived_through(
    days: RecordedDays, policy: Policy, hours: float, change: Change
) -> None:
    """By a house that remembers, as the cycle and its forecasters do."""
    moment = START + hours * HOUR
    before = decisions(days, moment, policy=policy, since=6 * HOUR)
    assert len(before) == 13
    assert decisions(change(days, moment), moment, policy=policy, since=6 * HOUR) == before


def test_the_future_changes_no_decision_within_a_slot(days: RecordedDays) -> None:
    moment, step = START + 15.5 * HOUR, 5 * MINUTE
    before = decisions(days, moment, since=HOUR, step=step)
    assert len(before) == 13
    assert decisions(another_future(days, moment), moment, since=HOUR, step=step) == before


def test_the_past_does_change_decisions(days: RecordedDays) -> None:
    """Else the tests above would show nothing."""
    moment = START + 12 * HOUR
    before = decisions(days, moment)
    for change in (another_load, another_sun):
        assert decisions(change(days, moment - SLOT), moment) != before
    assert decisions(other_rates(days, moment - DAY), moment) != before
    assert decisions(other_forecasts(days, moment - SLOT), moment) != before
    other = another_load(days, moment - 5 * HOUR)
    after = decisions(other, moment, since=5 * HOUR)
    commands = [made.command for made in decisions(days, moment, since=5 * HOUR)]
    assert [made.command for made in after] != commands


class Peeking(HistoryForecaster):
    """Knows the load or the sun of the half hour that runs now, and nothing more."""

    def __init__(self, days: RecordedDays, *, of: str) -> None:
        super().__init__()
        self._days, self._of = days, of

    def load(self, observed: Observations, horizon: Horizon) -> Band:
        band = super().load(observed, horizon)
        return self._with_truth(band, self._days.load_kw, horizon) if self._of == "load" else band

    def solar(self, observed: Observations, latest: SolarForecast | None, horizon: Horizon) -> Band:
        band = super().solar(observed, latest, horizon)
        return self._with_truth(band, self._days.solar_kw, horizon) if self._of == "sun" else band

    def _with_truth(self, band: Band, came: SlotSeries, horizon: Horizon) -> Band:
        mean_kwh = band.mean_kwh.copy()
        mean_kwh[0] = came.at(horizon.start) * horizon.hours[0]
        return replace(band, mean_kwh=mean_kwh)


@pytest.mark.parametrize(("of", "change"), [("load", another_load), ("sun", another_sun)])
@pytest.mark.parametrize("moment", MOMENTS[::5], ids=lambda moment: f"{moment:%d-%Hh%M}")
def test_a_look_at_the_running_half_hour_would_be_seen(
    days: RecordedDays, moment: datetime, of: str, change: Change
) -> None:
    other = change(days, moment)
    before = decisions(days, moment, forecaster=Peeking(days, of=of))
    assert decisions(other, moment, forecaster=Peeking(other, of=of)) != before


def test_a_look_at_rates_before_they_are_out_would_be_seen(days: RecordedDays) -> None:
    moment = START + 7 * HOUR
    before = decisions(days, moment, policy=Policy.PRESCIENT)
    assert decisions(other_rates(days, moment), moment, policy=Policy.PRESCIENT) != before


@pytest.mark.parametrize("minutes", [0, 20, 150])
def test_the_future_of_large_loads_and_of_the_cold_changes_no_decision(
    tmp_path: Path, minutes: int
) -> None:
    """With two months of history, so that both are in the forecast."""
    table = move_in(recorded_days("2025-11-14", n_slots=64 * 48), HOUSEHOLDS["heat_pump"], seed=2)
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    moment = START + 2 * HOUR + minutes * MINUTE
    other = another_future(days, moment)
    large = {name: changed(kw, moment, factor=0, plus=2) for name, kw in days.large_kw.items()}
    assert days.outside_c is not None
    assert days.forecast_c is not None
    other = replace(
        other,
        large_kw=large,
        outside_c=changed(days.outside_c, moment, factor=1, plus=-8),
        forecast_c=changed(days.forecast_c, floor_to_slot(moment) + AHEAD, factor=1, plus=-8),
    )
    before = decisions(days, moment)
    assert decisions(other, moment) == before
    blind = replace(days, large_kw={}, forecast_c=None)
    assert decisions(blind, moment) != before, "else this would show nothing"
