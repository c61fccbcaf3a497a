"""Made-up days as a backtest lives through them, and as the app's database keeps them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult
from battery_optimizer.model.house import House
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, SlotSeries
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.telemetry import EnergyKind, Observations, SlotEnergy, Telemetry
from battery_optimizer.simulate.backtest import Forecast, Run, Step, play
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.diary import Diary
from battery_optimizer.simulate.house import as_played
from builders import a_battery, a_house
from recordings import recorded_days, written
from store_values import put_energy

HOUSE: House = a_house(
    a_battery(efficiency=0.95, reserve_kwh=1.0), import_limit_kw=20, export_limit_kw=6
)
PLAYED = as_played(HOUSE)
SETTINGS = PlannerSettings(horizon_hours=24)
DAY = timedelta(days=1)
START_KWH = 5.0


@cache
def a_run(
    *,
    days: float = 1.0,
    forecast: Forecast = Forecast.HISTORY,
    minutes: int = 30,
    house: House = HOUSE,
) -> Run:
    """The second recorded day and on; the first is history."""
    with TemporaryDirectory() as folder:
        path = written(recorded_days("2026-01-14", 4 * 48), Path(folder))
        recorded = RecordedDays.read(path, pv_kwp=3.0)
    start = recorded.run_start + DAY
    return Run(
        house=house,
        days=replace(recorded, run_start=start, run_end=start + days * DAY),
        start_soc_kwh=START_KWH,
        forecast=forecast,
        step=timedelta(minutes=minutes),
        settings=SETTINGS,
    )


@cache
def lived(*, days: float = 1.0) -> tuple[Diary, tuple[Step, ...]]:
    diary = Diary(a_run(days=days), is_splitting=True)
    return diary, tuple(diary.kept(play(a_run(days=days))))


class Kept:
    """A backtest's days written to a real store, as the app would have; its rates."""

    def __init__(
        self,
        store: Store,
        run: Run,
        *,
        unmetered: Collection[datetime] = (),
        away: Collection[datetime] = (),
    ) -> None:
        """In some half hours no sensor said anything, in others the app was away."""
        days = run.days
        self._days = days
        store.seed_observations(
            Observations(
                load_kw=_without(days.load_kw, unmetered),
                solar_kw=_without(days.solar_kw, unmetered),
            )
        )
        for step in play(run):
            if step.time not in away:
                store.record(_outcome(step))
            if step.time not in unmetered:
                put_energy(store, EnergyKind.METERED, _energy(step))

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:  # noqa: ARG002
        return KnownRates(
            imports=self._days.imports.between(start, end),
            exports=self._days.exports.between(start, end),
        )


def _without(series: SlotSeries, unmetered: Collection[datetime]) -> SlotSeries:
    values = series.values.copy()
    for at in unmetered:
        values[(at - series.start) // SLOT] = np.nan
    return SlotSeries(start=series.start, values=values)


def _outcome(step: Step) -> CycleOutcome:
    return CycleOutcome(
        at=step.time,
        result=CycleResult.PLANNED,
        command=step.command,
        command_result=CommandResult.UNCHANGED,
        reason="",
        telemetry=Telemetry(measured_at=step.time, soc_kwh=step.soc_kwh),
        outlook=step.outlook,
    )


def _energy(step: Step) -> SlotEnergy:
    return SlotEnergy(
        start=step.time,
        grid_import_kwh=step.flows.grid_import_kwh,
        grid_export_kwh=step.flows.grid_export_kwh,
        discharge_kwh=step.flows.discharge_kwh,
    )
