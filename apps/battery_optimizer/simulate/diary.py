"""Follows a backtest step by step: splits each day, and keeps the forecasts as they were used."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd

from battery_optimizer.errors import DataError
from battery_optimizer.hindsight.accuracy import Expected
from battery_optimizer.hindsight.lived import Actual, LivedDay, Moment
from battery_optimizer.hindsight.loss import Hindsight
from battery_optimizer.model.loss import Split
from battery_optimizer.model.modes import SELF_USE
from battery_optimizer.model.slots import SLOT, floor_to_slot, local_day
from battery_optimizer.simulate.backtest import Run, Step, end_soc_kwh
from battery_optimizer.simulate.house import as_played


class Diary:
    """What is worth remembering of a run besides its steps.

    `splits` has a line for each local day if `is_splitting`; `expected` the forecasts of load and
    solar made at the start of each half hour.
    """

    def __init__(self, run: Run, *, is_splitting: bool) -> None:
        self._run = run
        self._hindsight = Hindsight(as_played(run.house), run.settings) if is_splitting else None
        self._before = SELF_USE
        self._today: list[Step] = []
        self.actual = Actual(
            imports=run.days.imports,
            exports=run.days.exports,
            load_kw=run.days.load_kw,
            solar_kw=run.days.solar_kw,
        )
        self.splits: list[Split] = []
        self.expected: list[Expected] = []

    def kept(self, steps: Iterable[Step]) -> Iterator[Step]:
        """The steps as they come, without their outlooks, which would fill the memory."""
        for step in steps:
            self._note_forecasts(step)
            if self._hindsight is not None:
                if self._today and local_day(step.time) != local_day(self._today[-1].time):
                    self._end_day(self._hindsight)
                self._today.append(step)
            yield replace(step, outlook=None)
        if self._hindsight is not None and self._today:
            self._end_day(self._hindsight)

    def _note_forecasts(self, step: Step) -> None:
        if step.outlook is not None and floor_to_slot(step.time) == step.time:
            self.expected.append(Expected.by(step.outlook))

    def _end_day(self, hindsight: Hindsight) -> None:
        with suppress(DataError):  # a day without a single plan: there is nothing to be split
            self.splits.append(hindsight.split(self._lived()))
        self._before = self._today[-1].command
        self._today = []

    def _lived(self) -> LivedDay:
        run, steps = self._run, self._today
        return LivedDay(
            moments=tuple(
                Moment(
                    at=step.time,
                    until=step.time + run.step,
                    outlook=step.outlook,
                    command=step.command,
                )
                for step in steps
            ),
            before=self._before,
            start_soc_kwh=steps[0].soc_kwh,
            end_soc_kwh=end_soc_kwh(run, steps[-1]),
            bill_p=sum(step.cost_p for step in steps),
            discharged_kwh=sum(step.flows.discharge_kwh for step in steps),
            actual=self.actual,
            is_played=run.step == SLOT,
        )


def loss_figures(splits: Sequence[Split], days: float) -> dict[str, object]:
    """The distance from the best in hindsight and its parts over so many days [p a day]."""
    if not splits:
        return {}
    names = splits[0].parts
    parts = {
        name: round(sum(each.parts[name] for each in splits) / days, 3) + 0.0 for name in names
    }
    distance_p = sum(split.distance_p for split in splits)
    return {"distance_p_per_day": round(distance_p / days, 3), "lost_p_per_day": parts}


def split_table(splits: Sequence[Split]) -> pd.DataFrame:
    """A row for each day, money in pence."""
    return pd.DataFrame(
        {
            "day": [local_day(split.start).isoformat() for split in splits],
            "bill_p": [split.bill_p for split in splits],
            "best_p": [split.best_p for split in splits],
            "distance_p": [split.distance_p for split in splits],
            "load_p": [split.load_p for split in splits],
            "solar_p": [split.solar_p for split in splits],
            "rates_p": [split.rates_p for split in splits],
            "inverter_p": [split.inverter_p for split in splits],
            "mode_p": [split.mode_p for split in splits],
            "optimizer_p": [split.optimizer_p for split in splits],
        }
    ).round(4)
