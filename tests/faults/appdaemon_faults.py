"""Faults on the real AppDaemon: each begins while a forced mode is ordered that ends soon after."""

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from battery_optimizer.adapters.foxess.models import CONTROLS
from battery_optimizer.model.modes import Mode
from faults.live import CYCLE_S, SELF_USE, Live
from octopus_server import Fault as Answer

MANY = 5000
SOC = "sensor.foxess_battery_soc"
SELECT = "select.foxess_work_mode"
STUCK = dict.fromkeys(("Self Use", "Back-up", "Feed-in First"), "Force Discharge")
Change = Callable[[Live], None]


@dataclass(frozen=True, kw_only=True)
class LiveFault:
    """One fault, on the real AppDaemon."""

    name: str
    how: str
    expected: str
    says: str
    begin: Change
    end: Change
    is_deaf: bool = False
    """Whether nothing can reach the inverter, or nobody is there to say it, while it lasts."""
    starts: bool = False
    """Whether its end is a start of AppDaemon, which takes its time."""
    needs: str = ""
    """`mount`, where this machine must allow that."""
    lasts_s: float = 2 * CYCLE_S


@dataclass(frozen=True, kw_only=True)
class LiveSeen:
    """What came of it."""

    told: str
    forced_s: float


def tell(fault: LiveFault, live: Live) -> LiveSeen:
    """The story; AssertionError if it goes wrong."""
    live.until(lambda: live.is_well, "a start in health", 240)
    live.suffer(order="Discharge")
    live.until(lambda: live.inverter["option"] == "Force Discharge", "the forced mode")
    fault.begin(live)
    live.suffer(order=None)
    since = time.monotonic()
    told = _told(fault, live)
    if not fault.is_deaf:
        live.until(lambda: live.inverter["option"] == SELF_USE or not _is_felt(live), "its end")
        forced_s = live.forced_after(since)
    time.sleep(max(0.0, since + fault.lasts_s - time.monotonic()))
    fault.end(live)
    mended = time.monotonic()
    live.until(lambda: _is_as_wanted(live), "self-use, or a battery that rests, in the end")
    if fault.is_deaf:
        forced_s = live.forced_after(mended)
    live.until(lambda: live.is_well, "health in the end")
    limit_s = live.limit_s + (live.start_s if fault.starts else 0.0)
    assert forced_s <= limit_s, f"forced for {forced_s:.1f} s, more than {limit_s:.1f} s"
    return LiveSeen(told=told, forced_s=forced_s)


def _told(fault: LiveFault, live: Live) -> str:
    if not fault.says:
        return ""
    told: list[str] = []

    def is_told() -> bool:
        told[:] = [live.says(fault.says)]
        return bool(told[0])

    live.until(is_told, f"{fault.says!r} to be told")
    return told[0]


def _is_as_wanted(live: Live) -> bool:
    """Self-use; held, where the battery is at its reserve; nothing is forced."""
    if _is_felt(live):
        return False
    option = live.inverter["option"]
    return option == SELF_USE or option == CONTROLS[0].options[live.wanted or Mode.SELF_USE]


def _is_felt(live: Live) -> bool:
    option, inverter = live.inverter["option"], live.inverter
    key = {"Force Charge": "charge_kw", "Force Discharge": "discharge_kw"}.get(option)
    return key is not None and inverter[key] > 0.05


def suffering(**faults: object) -> dict[str, Change]:
    """From `begin` on, until `end`."""
    return {
        "begin": lambda live: live.suffer(**faults),
        "end": lambda live: live.suffer(**dict.fromkeys(faults)),
    }


def octopus(answer: Answer) -> dict[str, Change]:
    """Asked at once, by way of the endpoint."""

    def begin(live: Live) -> None:
        live.octopus.fail_next(*[answer] * MANY)
        assert live.daemon is not None
        live.daemon.post("/api/appdaemon/battery_optimizer_refresh_prices", {})

    def end(live: Live) -> None:
        live.octopus._faults.clear()
        live.octopus.hang_up()
        assert live.daemon is not None
        live.daemon.post("/api/appdaemon/battery_optimizer_refresh_prices", {})

    return {"begin": begin, "end": end}


def database(live: Live) -> Path:
    return live.run / "battery_optimizer_simulated.db"


def lock(live: Live) -> None:
    live.held = sqlite3.connect(database(live), isolation_level=None)  # type: ignore[attr-defined]
    live.held.execute("BEGIN EXCLUSIVE")  # type: ignore[attr-defined]


def unlock(live: Live) -> None:
    live.held.close()  # type: ignore[attr-defined]


def corrupt(live: Live) -> None:
    """Its pages are overwritten, those of its log too."""
    for path in (database(live), Path(f"{database(live)}-wal")):
        with path.open("r+b") as file:
            file.write(b"\xa5" * max(4096, path.stat().st_size))
    reload(live)  # what is in memory is still right


def heal(live: Live) -> None:
    """Nothing is done: a new one was begun; what is said of it ends with the app."""
    live.end()
    live.start()


def mount(folder: Path) -> bool:
    """A disk of its own, if this machine lets us."""
    answer = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    return answer.returncode == 0


def fill(live: Live) -> None:
    with (live.run / "full").open("wb", buffering=0) as file:
        size = 1 << 20
        while size >= 512:
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                size //= 2


def empty(live: Live) -> None:
    (live.run / "full").unlink()


def reload(live: Live) -> None:
    assert live.daemon is not None
    live.daemon.post("/api/appdaemon/service/admin/app/restart", {"app": "battery_optimizer"})


def nothing(_live: Live) -> None:
    pass


def ended(how: signal.Signals) -> Change:
    return lambda live: live.end(how)


def started(live: Live) -> None:
    live.start()


def clock(by_s: int) -> Change:
    """The clock of AppDaemon's scheduler and of the app jumps."""
    return lambda live: set_clock(live, by_s)


def set_clock(live: Live, by_s: int) -> None:
    (live.folder / "clock").write_text(f"{by_s:+d}\n")


def call(name: str, how: str, kind: str, says: str) -> LiveFault:
    return LiveFault(
        name=name, how=how, says=says, is_deaf=True, **suffering(calls=kind),
        expected="said, and tried again; self-use with the first call that is carried out",
    )  # fmt: skip


def shown(name: str, how: str, says: str, states: dict[str, Any], **more: Any) -> LiveFault:  # noqa: ANN401
    given = {"expected": "self-use within an interval, and said", **more}
    return LiveFault(name=name, how=how, says=says, **suffering(shown=states), **given)


FAULTS = (
    shown("charge unavailable", "battery_soc shows unavailable", "battery_soc is unavailable",
          {SOC: "unavailable"}),
    shown("charge absurd", "battery_soc shows 6553.5 %", "battery_soc shows 6553.5",
          {SOC: "6553.5"}),
    shown("charge gone", "battery_soc is removed", "battery_soc does not exist", {SOC: None}),
    LiveFault(name="all sensors frozen", how="every sensor keeps value and time",
              says="last reported at", expected="self-use within an interval, and said",
              **suffering(frozen=True)),
    LiveFault(name="mode shown, not done", how="the select shows each mode at once, the inverter "
              "goes on discharging", says="battery should", is_deaf=True,
              expected="noticed by its power, told again, paused, and said",
              lasts_s=4 * CYCLE_S, **suffering(misfires=STUCK)),
    shown("select unavailable", "work_mode shows unavailable", "work_mode is unavailable",
          {SELECT: "unavailable"}, is_deaf=True,
          expected="waited for, and said; self-use as soon as it is back"),
    shown("select gone", "work_mode is removed", "work_mode does not exist", {SELECT: None},
          is_deaf=True, expected="waited for, and said; self-use with the next cycle"),
    call("calls refused", "every call answers success: false", "refuse", "was refused"),
    call("calls hang", "every call hangs for 4 s, longer than an interval", "hang",
         "did not answer in time|not connected"),
    call("calls dropped", "every call succeeds, nothing is done", "drop", "still shows"),
    call("calls raise", "every call raises in the integration", "raise",
         "cannot be called|not connected|was refused"),
    call("calls answered by garbage", "every call answers a word", "garbage", "the answer was"),
    LiveFault(name="Octopus answers 500", how="every request", says="busy or broken .HTTP 500",
              expected="planned by stored rates, and said", **octopus(Answer(status=500))),
    LiveFault(name="Octopus answers 429", how="every request", says="busy or broken .HTTP 429",
              expected="planned by stored rates, and said", **octopus(Answer(status=429))),
    LiveFault(name="Octopus sends a page", how="HTML instead of JSON", says="Octopus",
              expected="planned by stored rates, and said",
              **octopus(Answer(body=b"<html>Sorry</html>"))),
    LiveFault(name="Octopus hangs", how="takes the request and says nothing: the app's thread "
              "hangs for longer than an interval", says="no cycle has ended|did not answer",
              expected="overtaken: self-use by the watch, and said",
              **octopus(Answer(is_silent=True))),
    LiveFault(name="solver raises", how="RuntimeError in every solve", says="a cycle failed",
              expected="self-use, and said", **suffering(planner="raises")),
    LiveFault(name="solver hangs", how="no solve ends", says="no cycle has ended",
              expected="overtaken: self-use by the watch, and said", lasts_s=4 * CYCLE_S,
              **suffering(planner="hangs")),
    LiveFault(name="database locked", how="another program holds it exclusively",
              says="is locked", expected="control goes on from memory, and said",
              begin=lock, end=unlock),
    LiveFault(name="database corrupt", how="its pages and its log are overwritten, "
 "and the app is reloaded",
              says="was damaged|set aside|database", expected="set aside, not deleted, and said",
              begin=corrupt, end=heal),
    LiveFault(name="app reloaded", how="by AppDaemon's own service", says="",
              expected="self-use in between, and planned anew", begin=reload, end=nothing),
    LiveFault(name="AppDaemon stopped", how="SIGTERM, and started again", says="",
              expected="self-use before it ends", begin=ended(signal.SIGTERM), end=started),
    LiveFault(name="AppDaemon killed", how="SIGKILL, and started again; Home Assistant goes on "
              "refreshing (its watchdog automation ends that: see its package)", says="",
              starts=True, expected="self-use with the first cycle after the start", is_deaf=True,
              begin=ended(signal.SIGKILL), end=started),
    LiveFault(name="disk full", how="a disk of 24 MB is filled to the last byte",
              says="disk is full|cannot grow|cannot be read or written|No space", needs="mount",
              expected="control goes on from memory, and said", begin=fill, end=empty),
    LiveFault(name="clock an hour back", how="the clock jumps by -1 h: AppDaemon calls "
              "nobody for an hour", says="", begin=clock(-3600), end=clock(0),
              expected="noticed by the watch, timers set again"),
    LiveFault(name="clock an hour ahead", how="the clock jumps by +1 h: AppDaemon makes "
              "up for all that it left out", says="", begin=clock(3600),
              end=clock(0), expected="one cycle, not a thousand"),
    LiveFault(name="clock ten days ahead", how="the clock jumps by +10 days, as without "
              "a clock battery", says="", begin=clock(864000), end=clock(0),
              expected="one cycle, not a hundred thousand"),
)  # fmt: skip
QUICK = ("charge unavailable", "solver hangs")
"""Those of the normal suite."""
