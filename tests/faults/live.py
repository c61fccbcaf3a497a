"""The real AppDaemon around a home with faults, with a control interval of seconds.

The app is the app, but for its interval and the waits that go with it. The inverter goes on where
it was when AppDaemon ends. What is measured is the inverter's own log.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from appdaemon_process import LiveAppDaemon, free_url
from battery_optimizer.model.modes import Mode
from faults.nursery import Nursery
from faults.world import TARIFF
from octopus_server import OctopusServer, half_hours

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "in_appdaemon"
CYCLE_S = 4.0
READ_BACK_S = 8.0
"""Of which the watch takes one interval of its own; the rest is for a busy machine."""
LIMIT_S = CYCLE_S + READ_BACK_S
USUAL_START_S = 8.0
SELF_USE = "Self Use"


class Live:
    """One house; its AppDaemon may end and be started again."""

    nursery: Nursery | None = None

    def __init__(self, folder: Path, octopus: OctopusServer, *, call_timeout_s: int = 5) -> None:
        self.call_timeout_s = call_timeout_s
        self.folder, self.octopus = folder, octopus
        self.run = folder / "run"
        self.daemon: LiveAppDaemon | None = None
        self.faults: dict[str, Any] = {}
        self.start_s = 0.0
        self._n_starts = 0
        self._environment: dict[str, str] = {}
        self._make()

    def _make(self) -> None:
        apps = self.run / "apps"
        apps.mkdir(parents=True)
        # A copy: AppDaemon restarts its apps whenever somebody edits a file.
        shutil.copytree(
            ROOT / "apps" / "battery_optimizer",
            apps / "battery_optimizer",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for module in HERE.glob("*.py"):
            shutil.copy(module, apps)
        given = yaml.safe_load((ROOT / "apps" / "apps.yaml").read_text())["battery_optimizer"]
        rates = {"import_product": "AGILE-24-10-01", "region": "C", "fixed_export_p": 5,
                 "base_url": self.octopus.url, "demo": "never"}  # fmt: skip
        ours = given | {
            "module": "fast_app", "class": "FastApp", "dependencies": ["home"], "rates": rates,
            "commands": {"dwell_minutes": 0, "writes_per_day": 1000},
        }  # fmt: skip
        home = {"module": "faulty_home", "class": "FaultyHome", "tick_seconds": 1,
                "prefix": "foxess", "battery": given["battery"], "soc_percent": 60}  # fmt: skip
        (apps / "apps.yaml").write_text(
            yaml.safe_dump({"home": home, "battery_optimizer": ours}), encoding="utf-8"
        )
        config = yaml.safe_load((ROOT / "appdaemon.yaml").read_text())
        self.url = free_url()
        config["appdaemon"] |= {
            "app_dir": str(apps),
            "internal_function_timeout": self.call_timeout_s,
            "production_mode": True,  # as in a house; looking for edited files takes its time
        }
        config["http"]["url"] = self.url
        (self.run / "appdaemon.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    @property
    def limit_s(self) -> float:
        """The longest that a forced mode may go on unwanted; more where all takes longer."""
        return LIMIT_S * max(1.0, self.start_s / USUAL_START_S)

    def start_well(self, **environment: str) -> None:
        """Start AppDaemon, and wait until the app is at work."""
        began = time.monotonic()
        self.start(**environment)
        self.until(lambda: self.is_well, "a start in health", 240)
        self.start_s = time.monotonic() - began

    def start(self, **environment: str) -> None:
        """Start AppDaemon."""
        self._environment = environment or self._environment
        log = self.run / "appdaemon.log"
        if log.exists():
            log.rename(self.run / f"appdaemon-{self._n_starts}.log")
        self._n_starts += 1
        log.touch()
        given = {
            "PYTHONUNBUFFERED": "1",
            "FAULTS_FOLDER": str(self.folder),
            "FAULTS_CYCLE_S": str(CYCLE_S),
            "FAULTS_SLACK_S": str(CYCLE_S),
            "FAULTS_MAX_AGE_S": str(3 * CYCLE_S),
            **self._environment,
        }
        process: Any
        if self.nursery is not None:
            process = self.nursery.start(self.run, given)
        else:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "appdaemon", "-c", str(self.run)],
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **given},
                )
        self.daemon = LiveAppDaemon(process, self.url, self.run)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End AppDaemon, at least after 60 s."""
        assert self.daemon is not None
        process, self.daemon = self.daemon.process, None
        process.send_signal(how)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def suffer(self, **faults: object) -> None:
        """These faults hold from now on; None ends one."""
        self.faults = {
            name: fault for name, fault in (self.faults | faults).items() if fault is not None
        }
        part = self.folder / "faults.part"
        part.write_text(json.dumps(self.faults))
        part.rename(self.folder / "faults.json")

    def until(self, condition: Callable[[], object], what: str, seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            log = self.daemon.log[-6000:] if self.daemon is not None else ""
            assert time.monotonic() < end, f"waited in vain for {what}; {self.health()}\n{log}"
            time.sleep(0.1)

    def health(self) -> dict[str, Any]:
        """What the app says of itself, empty while it says nothing."""
        if self.daemon is None:
            return {}
        try:
            return self.daemon.endpoint("health")
        except (OSError, AssertionError, ValueError):
            return {}

    @property
    def wanted(self) -> Mode | None:
        """The mode that the app wants now; None while it does not say."""
        if self.daemon is None:
            return None
        try:
            return Mode(self.daemon.endpoint("recommendation")["mode"])
        except (OSError, AssertionError, KeyError, ValueError):
            return None

    def says(self, words: str) -> str:
        """What the household is told that has these words."""
        told = [str(each) for each in self.health().get("problems", ())]
        return next((each for each in told if re.search(words, each)), "")

    @property
    def is_well(self) -> bool:
        health = self.health()
        return health.get("status") == "ok" or (
            health.get("status") == "degraded" and not health["problems"]
        )

    @property
    def inverter(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "inverter.json").read_text()))
        except FileNotFoundError:
            return {"option": ""}

    @property
    def changes(self) -> list[tuple[float, float, str]]:
        """When (monotonic) the inverter took on which power and mode."""
        lines = (self.folder / "inverter.log").read_text().splitlines()
        split = [line.split(" ", 2) for line in lines]
        return [(float(at), float(power), option) for at, power, option in split]

    def forced_after(self, since: float) -> float:
        """For how long in all the inverter has forced after this moment, until now [s]."""
        now = time.monotonic()
        changes = self.changes
        ends = [at for at, _, _ in changes[1:]] + [now]
        return sum(
            max(0.0, end - max(at, since))
            for (at, power, _), end in zip(changes, ends, strict=True)
            if power > 0.05
        )


def publish(octopus: OctopusServer, now: float) -> None:
    """The same rate at all times, for a month around now."""
    first = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    octopus.publish(TARIFF, half_hours(first - timedelta(days=20), [25.0] * 48 * 70))
