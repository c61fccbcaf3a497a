"""Forecasts scored over recorded days, and the command that does it."""

import json
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from battery_optimizer.errors import DataError
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.simulate.__main__ import BAD_INPUT, main
from battery_optimizer.simulate.days.households import HOUSEHOLDS, move_in
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.forecasting.methods import METHODS
from battery_optimizer.simulate.forecasting.scores import (
    AHEAD,
    COMBINED,
    EVERY,
    OURS,
    TOLD,
    WARMTH,
    Score,
    Scores,
    later_half,
    origins,
    pinball,
    scored,
)
from recordings import a_home, recorded_days, written


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> RecordedDays:
    path = written(recorded_days("2026-01-05", 20 * 48), tmp_path_factory.mktemp("data"))
    return later_half(RecordedDays.read(path, pv_kwp=3.0))


def scores_of(days: RecordedDays) -> Scores:
    scores = Scores()
    deque(scored(days, scores), maxlen=0)
    return scores


def test_pinball_loss_is_what_the_quantiles_miss_by_weighed() -> None:
    came = np.array([1.0, np.nan, 3.0])
    quantiles = np.array([[2.0] * 3, [2.0] * 3, [2.0] * 3])
    # p10: 0.9 above, 0.1 below; p50: half each; p90: 0.1 and 0.9
    assert pinball(came, quantiles) == pytest.approx((0.9 + 0.1 + 0.5 + 0.5 + 0.1 + 0.9) / 6)
    score = Score.of(came, quantiles, np.array([1.0, 1.0, 1.0]))
    assert (score.absolute_kw, score.squared_kw2) == (1.0, 2.0)


def test_forecasts_are_made_twice_a_day_as_far_as_they_can_be_judged(days: RecordedDays) -> None:
    made = origins(days)
    assert made[0] == days.run_start == datetime(2026, 1, 15, tzinfo=UTC)
    assert {two - one for one, two in pairwise(made)} == {EVERY}
    assert made[-1] + AHEAD * SLOT == days.run_end
    with pytest.raises(DataError, match="too few days"):
        origins(replace(days, run_end=days.run_start + 95 * SLOT))


def test_each_method_is_scored_on_the_same_forecasts(days: RecordedDays) -> None:
    scores = scores_of(days)
    assert set(scores.load) == {OURS, COMBINED, *METHODS}
    assert {len(rows) for rows in scores.load.values()} == {len(origins(days))}
    assert set(scores.solar) == {OURS, TOLD}
    means = scores.mean_load()
    assert [each.pinball_kw for each in means.values()] == sorted(
        each.pinball_kw for each in means.values()
    )
    # The load is the same each day but for a little noise, which no point can follow.
    assert means[OURS].pinball_kw < 0.8 * means["mean of seven days"].pinball_kw


def test_with_a_temperature_that_is_scored_as_well(tmp_path: Path) -> None:
    table = move_in(recorded_days("2025-11-14", 64 * 48), HOUSEHOLDS["heat_pump"], seed=1)
    days = RecordedDays.read(written(table, tmp_path), pv_kwp=3.0)
    days = replace(days, run_start=days.run_start + timedelta(days=54))
    assert days.outside_c is not None
    means = scores_of(days).mean_load()
    assert set(means) == {OURS, WARMTH, COMBINED, *METHODS}
    assert means[WARMTH].pinball_kw < 0.95 * means[OURS].pinball_kw
    colder = changed(days.outside_c, days.run_end - AHEAD * SLOT, plus=-20)
    last = scores_of(replace(days, outside_c=colder)).load[WARMTH][-1]
    assert last == scores_of(days).load[WARMTH][-1]


def changed(series: SlotSeries, since: datetime, *, plus: float) -> SlotSeries:
    values = series.values.copy()
    values[(since - series.start) // SLOT :] += plus
    return SlotSeries(start=series.start, values=values)


def test_what_comes_after_its_two_days_changes_no_score(days: RecordedDays) -> None:
    """Neither a forecast nor the choice of what ours is combined with looks ahead."""
    at = origins(days)[6]
    values, sun = days.load_kw.values.copy(), days.solar_kw.values.copy()
    after = (at - days.load_kw.start) // SLOT + AHEAD
    values[after:] = 5 * values[after:] + 1
    sun[after:] = 0.1
    other = replace(
        days,
        load_kw=SlotSeries(start=days.load_kw.start, values=values),
        solar_kw=SlotSeries(start=days.solar_kw.start, values=sun),
    )
    one, two = scores_of(days), scores_of(other)
    assert one.load
    assert one.solar
    for name in one.load:
        assert one.load[name][:7] == two.load[name][:7], name
        assert one.load[name][7:] != two.load[name][7:], name
    for name in one.solar:
        assert one.solar[name][:7] == two.solar[name][:7], name


def test_a_week_without_a_meter_is_left_out(days: RecordedDays) -> None:
    values = days.load_kw.values.copy()
    values[10 * 48 : 14 * 48] = np.nan
    scores = scores_of(replace(days, load_kw=SlotSeries(start=days.load_kw.start, values=values)))
    assert 0 < len(scores.made_at) < len(origins(days))
    assert all(np.isfinite(each.pinball_kw) for rows in scores.load.values() for each in rows)


def test_the_command_prints_tables_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = written(recorded_days("2026-01-05", 20 * 48), tmp_path)
    out = tmp_path / "figures.json"
    files = ["--data", str(data), "--home", str(a_home(tmp_path))]
    assert main(["forecasts", *files, "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "17 forecasts from 2026-01-15 00:00 to 2026-01-23 00:00 UTC" in shown
    assert all(name in shown for name in (OURS, COMBINED, TOLD, *METHODS))
    figures = json.loads(out.read_text())
    assert figures["forecasts"] == 17
    assert set(figures["load_kw"]) == {OURS, COMBINED, *METHODS}
    assert f"{figures['load_kw'][OURS]['pinball']:.4f}" in shown
    start = ["--start", "2026-01-20", "--days", "3"]
    assert main(["forecasts", *files, *start]) == 0
    assert "3 forecasts from 2026-01-20 00:00" in capsys.readouterr().out


def test_a_home_without_panels_has_no_table_of_the_sun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = written(recorded_days("2026-01-05", 20 * 48), tmp_path)
    home = a_home(tmp_path, pv_kwp=0.0)
    assert main(["forecasts", "--data", str(data), "--home", str(home)]) == 0
    assert "Sun" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("n_days", "options", "words"),
    [
        (5, [], "too few days"),
        (20, ["--json", "/nowhere/figures.json"], "cannot be written"),
        (20, ["--start", "soon"], "is no date"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    n_days: int,
    options: list[str],
    words: str,
) -> None:
    data = written(recorded_days("2026-01-05", n_days * 48), tmp_path)
    arguments = ["--data", str(data), "--home", str(a_home(tmp_path)), *options]
    assert main(["forecasts", *arguments]) == BAD_INPUT
    assert words in capsys.readouterr().err
