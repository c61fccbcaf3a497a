"""The app as it is, with a short control interval, and a planner that can be made to fail."""

import os
import time
from datetime import timedelta
from functools import partial
from typing import Any

from appdaemon import scheduler
from clock import Clock
from faulty_home import faults

import battery_optimizer.app as shell
import battery_optimizer.simulate.home.app as home
from battery_optimizer.app import BatteryOptimizer
from battery_optimizer.control import breaker, steering
from battery_optimizer.watch import Watch

CYCLE_S = float(os.environ["FAULTS_CYCLE_S"])
shell.CYCLE = timedelta(seconds=CYCLE_S)
shell.AFTER_THE_BOUNDARY = timedelta(seconds=0.05)
shell.LOOK_AGAIN_S = 0.5
shell.CONNECT_AGAIN_S = 1
breaker.PAUSE = timedelta(seconds=3 * CYCLE_S)  # as six intervals of five minutes, in short
steering.SETTLED_AFTER = timedelta(seconds=1)  # this inverter has no lag
MAX_AGE = timedelta(seconds=float(os.environ["FAULTS_MAX_AGE_S"]))
scheduler.datetime = shell.datetime = home.datetime = Clock
shell.Watch = partial(Watch, slack_s=float(os.environ["FAULTS_SLACK_S"]))


class _Planner:
    """The planner, but for its faults."""

    def __init__(self, planner: Any) -> None:  # noqa: ANN401
        self._planner = planner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._planner, name)

    def plan(self, *given: Any, **more: Any) -> Any:  # noqa: ANN401
        match faults().get("planner"):
            case "raises":
                raise RuntimeError("HiGHS has a bug")
            case "hangs":
                while faults().get("planner") == "hangs":
                    time.sleep(0.1)
        return self._planner.plan(*given, **more)


class FastApp(BatteryOptimizer):
    """In a hurry."""

    def _connect(self) -> None:
        super()._connect()
        if self._house is not None:
            self._house.cycle._planner = _Planner(self._house.cycle._planner)
            self._house.meters._max_age = MAX_AGE
