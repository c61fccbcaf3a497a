"""A real AppDaemon, in its own process and folder, on a free port, around the simulated home."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import yaml

from battery_optimizer.simulate.live import prepare

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"
"""Where nobody answers: no test leaves this machine."""
NOT_FOUND = 404
STOP_WITHIN_S = 60
"""A busy machine is slow; an idle one needs 4."""
T = TypeVar("T")

PATIENCE_S = 180.0
"""A busy machine takes many times as long as an idle one; who waits in vain fails all the same."""


class LiveAppDaemon:
    """What a test may ask of the running AppDaemon."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
        self.process = process
        self.url = url
        self.folder = folder

    @property
    def log(self) -> str:
        return (self.folder / "appdaemon.log").read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str, seconds: float = PATIENCE_S) -> None:
        """Until the log has these words."""
        self.wait_until(lambda: words in self.log, words, seconds)

    def wait_until(
        self, condition: Callable[[], T], what: str = "the condition", seconds: float = PATIENCE_S
    ) -> T:
        """What the condition gives, as soon as that is true."""
        end = time.monotonic() + seconds
        while not (given := condition()):
            assert self.process.poll() is None, f"AppDaemon ended:\n{self.log}"
            assert time.monotonic() < end, f"waited in vain for {what}:\n{self.log}"
            time.sleep(0.1)
        return given

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=PATIENCE_S)

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=PATIENCE_S)

    def endpoint(self, name: str) -> dict[str, Any]:
        """What this endpoint says, as soon as it is there."""
        path = f"/api/appdaemon/battery_optimizer_{name}"
        self.wait_until(lambda: self.get(path).status_code != NOT_FOUND, path)
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def page_url(self) -> str:
        """Where the page is, as soon as it is there: AppDaemon opens it after the app's words."""
        self.page_data()
        return f"{self.url}/app/battery_optimizer"

    def page_data(self) -> dict[str, Any]:
        """What the page draws, as soon as the page is there: the app logs before it serves."""
        return self.wait_until(self._page_data, "the page")

    def _page_data(self) -> dict[str, Any]:
        answer = self.get("/app/battery_optimizer?data=1")
        # Where nobody is at this address AppDaemon says so in HTML, with status 200.
        is_data = answer.headers["Content-Type"].startswith("application/json")
        return dict(answer.json()) if is_data else {}

    def state(self, entity_id: str) -> dict[str, Any] | None:
        return self.get(f"/api/appdaemon/state/default/{entity_id}").json()["state"]

    def select(self, option: str) -> None:
        """Set the inverter's mode behind the app's back."""
        self.post(
            "/api/appdaemon/service/default/select/select_option",
            {"entity_id": "select.foxess_work_mode", "option": option},
        )

    def stop(self) -> int:
        """As Docker or systemd would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_WITHIN_S)


def free_url() -> str:
    """An address at which nobody serves, until somebody does: of ports that no system hands out."""
    for port in random.sample(range(20_000, 30_000), 1000):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return f"http://127.0.0.1:{port}"
    pytest.fail("no port is free")


@contextmanager
def running(  # noqa: PLR0913 - an AppDaemon has many sides
    folder: Path,
    apps: dict[str, Any],
    *,
    time_zone: str = "Europe/London",
    has_home: bool = True,
    password: str | None = None,
    environment: Mapping[str, str] | None = None,
    watches_files: bool = False,
) -> Iterator[LiveAppDaemon]:
    """AppDaemon with these apps; stopped at the end. `environment` may name a Home Assistant."""
    given = dict(environment or {})
    root = folder / "checkout"
    (root / "apps").mkdir(parents=True)
    # A copy: AppDaemon restarts its apps whenever somebody edits a file.
    shutil.copytree(
        ROOT / "apps" / "battery_optimizer",
        root / "apps" / "battery_optimizer",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (root / "apps" / "apps.yaml").write_text(yaml.safe_dump(apps))
    config = (ROOT / "appdaemon.yaml").read_text().replace("Europe/London", time_zone)
    if password is not None:
        config = config.replace("\nhttp:\n", f"\nhttp:\n  password: {password}\n")
    if watches_files:
        config = config.replace("  exclude_dirs: [battery_optimizer]\n", "")
    (root / "appdaemon.yaml").write_text(config)
    url = free_url()
    run = folder / "run"
    is_connected = prepare(run, environment=given, url=url, root=root)
    if not has_home and not is_connected:
        (run / "apps" / "simulated_home.yaml").unlink()
    with (run / "appdaemon.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "appdaemon", "-c", str(run)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **given},
        )
    live = LiveAppDaemon(process, url, run)
    try:
        yield live
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def shipped_apps(**changes: object) -> dict[str, Any]:
    """The settings as they are shipped, but for Octopus, which is not asked."""
    apps = yaml.safe_load((ROOT / "apps" / "apps.yaml").read_text())
    settings = apps["battery_optimizer"]
    settings["rates"]["base_url"] = NOWHERE
    settings |= changes
    return dict(apps)
