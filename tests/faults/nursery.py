"""Starts AppDaemons by fork, out of one process that has imported the libraries already.

A line with a folder on its input starts one; its process id is the answer.
"""

import os
import runpy
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired

LIBRARIES = (
    "appdaemon.__main__", "aiohttp", "pydantic", "requests", "numpy", "scipy.sparse", "cvxpy",
    "highspy", "holidays", "pytz", "yaml", "astral",
)  # fmt: skip


class Child:
    """What a test may ask of a process that is not its own child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        return None if Path(f"/proc/{self.pid}").exists() else 0

    def send_signal(self, how: int) -> None:
        os.kill(self.pid, how)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 60.0) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise TimeoutExpired("appdaemon", timeout)
            time.sleep(0.01)
        return 0


class Nursery:
    """The process that has imported all."""

    def __init__(self) -> None:
        # Without our own path: AppDaemon itself shall find the app.
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = Popen(
            [sys.executable, __file__], stdin=PIPE, stdout=PIPE, text=True, env=clean
        )

    def start(self, folder: Path, environment: dict[str, str]) -> Child:
        """A new AppDaemon on this folder."""
        words = " ".join(f"{name}={value}" for name, value in environment.items())
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder} {words}\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for library in LIBRARIES:
        __import__(library)
    for line in sys.stdin:
        folder, *words = line.split()
        pid = os.fork()
        if pid == 0:
            _become_appdaemon(Path(folder), dict(word.split("=", 1) for word in words))
        print(pid, flush=True)  # noqa: T201 - the answer


def _become_appdaemon(folder: Path, environment: dict[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(environment)
    log = os.open(folder / "appdaemon.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["appdaemon", "-c", str(folder)]
    try:
        runpy.run_module("appdaemon", run_name="__main__")
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
