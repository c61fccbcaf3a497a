"""One inverter, one app."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.instance import Instance
from battery_optimizer.errors import ConfigError
from battery_optimizer.model.entity import EntityState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SELECT = "select.foxess_work_mode"
OTHER = "select.other_work_mode"


def heartbeat(instance: str, inverter: str = SELECT, at: datetime = NOW) -> EntityState:
    return EntityState(
        state=at.isoformat(), attributes={"instance": instance, "inverter": inverter}
    )


def test_a_second_app_on_the_same_inverter_is_refused(tmp_path: Path) -> None:
    first = Instance(tmp_path, inverter=SELECT, app="first")
    with pytest.raises(ConfigError, match=r"already driven by 'first'"):
        Instance(tmp_path, inverter=SELECT, app="second")
    first.release()
    Instance(tmp_path, inverter=SELECT, app="second").release()


@pytest.mark.parametrize("drives", [True, False])
def test_a_second_app_on_another_inverter_would_share_the_database(
    tmp_path: Path, *, drives: bool
) -> None:
    first = Instance(tmp_path, inverter=SELECT, app="first", drives=drives)
    with pytest.raises(ConfigError, match=r"'first' runs in the folder .* already") as refused:
        Instance(tmp_path, inverter=OTHER, app="second")
    assert "remove one of the two from apps.yaml" in str(refused.value)
    assert "a second AppDaemon" in str(refused.value)
    elsewhere = Instance(other_folder(tmp_path), inverter=OTHER, app="second")
    elsewhere.release()
    first.release()
    moved = Instance(tmp_path, inverter=OTHER, app="first")  # to another inverter, by a reload
    moved.release()


def test_a_second_app_that_came_while_the_folder_was_gone_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    instance = Instance(folder, inverter=SELECT, app="app")
    folder.mkdir()
    other = Instance(folder, inverter=OTHER, app="other")
    rival = instance.rival(None, NOW)
    assert rival is not None
    assert not rival.drives, "of this inverter nobody else takes care"
    assert "'other' runs in the folder" in rival.words
    other.release()
    assert instance.rival(None, NOW) is None
    instance.release()


def test_another_process_is_refused_until_the_first_one_dies(tmp_path: Path) -> None:
    claim = (
        "import sys, pathlib\n"
        "from battery_optimizer.adapters.instance import Instance\n"
        "i = Instance(pathlib.Path(sys.argv[1]), inverter=sys.argv[2], app='other')\n"
        "print('claimed', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", claim, str(tmp_path), SELECT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "apps")},
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(ConfigError, match="'other'"):
            Instance(tmp_path, inverter=SELECT, app="first")
        other.kill()
    Instance(tmp_path, inverter=SELECT, app="first").release()


def test_its_name_outlives_a_restart(tmp_path: Path) -> None:
    first = Instance(tmp_path, inverter=SELECT, app="app")
    first.release()
    again = Instance(tmp_path, inverter=SELECT, app="app")
    assert again.id == first.id
    assert again.rival(heartbeat(first.id), NOW) is None
    again.release()


@pytest.mark.parametrize("content", ["", "no json", "[1]", json.dumps({"id": ""})])
def test_a_damaged_lock_file_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "battery_optimizer_select_foxess_work_mode.lock").write_text(content)
    instance = Instance(tmp_path, inverter=SELECT, app="app")
    assert instance.id
    instance.release()


def test_a_strangers_heartbeat_makes_it_stand_aside_while_it_is_fresh(tmp_path: Path) -> None:
    instance = Instance(tmp_path, inverter=SELECT, app="app")
    rival = instance.rival(heartbeat("stranger"), NOW)
    assert rival is not None
    assert rival.drives
    assert "another instance" in rival.words
    late = NOW + timedelta(minutes=12)
    assert instance.rival(heartbeat("stranger"), late) is None
    assert instance.rival(heartbeat("stranger", "select.other"), NOW) is None
    assert instance.rival(None, NOW) is None
    said_goodbye = EntityState(
        state="unavailable", attributes={"instance": "stranger", "inverter": SELECT}
    )
    assert instance.rival(said_goodbye, NOW) is None
    instance.release()


def test_a_copy_of_the_folder_that_runs_elsewhere_is_another(tmp_path: Path) -> None:
    """As when the app is moved to another machine, and the old one is not stopped."""
    ours = Instance(tmp_path, inverter=SELECT, app="app")
    copy = tmp_path / "copy"
    copy.mkdir()
    for lock in tmp_path.glob("*.lock"):
        shutil.copy(lock, copy)
    theirs = Instance(copy, inverter=SELECT, app="app")
    assert theirs.id == ours.id
    ours.beats(NOW)
    # Just started, it may be our own from before: it goes on, and the first one stands aside.
    assert theirs.rival(heartbeat(ours.id), NOW) is None
    later = NOW + timedelta(minutes=2)
    theirs.beats(later)
    shown = heartbeat(theirs.id, at=later)
    assert theirs.rival(shown, later) is None
    rival = ours.rival(shown, later)
    assert rival is not None
    assert rival.drives
    # Its own, told to the second, and those from before, are nobody else's.
    ours.beats(later + timedelta(seconds=0.9))
    assert ours.rival(shown, later) is None
    ours.release()
    theirs.release()


def test_a_folder_that_cannot_be_written_is_said_and_the_house_is_run(tmp_path: Path) -> None:
    nowhere = tmp_path / "gone"
    instance = Instance(nowhere, inverter=SELECT, app="app")
    assert "cannot be written" in (instance.problem or "")
    assert instance.id
    nowhere.mkdir()
    assert instance.rival(None, NOW) is None
    assert instance.problem is None
    with pytest.raises(ConfigError, match="already driven"):
        Instance(nowhere, inverter=SELECT, app="second")
    instance.release()
    Instance(tmp_path, inverter=SELECT, app="app").release()
    lock = next(tmp_path.glob("battery_optimizer_*.lock"))
    known = json.loads(lock.read_text())["id"]
    lock.rename(tmp_path / "kept")
    lock.mkdir()
    other = Instance(tmp_path, inverter=SELECT, app="app")
    assert other.id != known


def test_who_only_looks_on_claims_no_inverter(tmp_path: Path) -> None:
    watcher = Instance(tmp_path, inverter=SELECT, app="watcher", drives=False)
    with pytest.raises(ConfigError, match="already watched by 'watcher'"):
        Instance(tmp_path, inverter=SELECT, app="app")  # they would share a database
    driver = Instance(other_folder(tmp_path), inverter=SELECT, app="app")
    beat = EntityState(state=NOW.isoformat(), attributes=watcher.facts)
    assert driver.rival(beat, NOW) is None
    beat = EntityState(state=NOW.isoformat(), attributes=driver.facts)
    assert watcher.rival(beat, NOW) is not None
    driver.release()
    watcher.release()
    again = Instance(tmp_path, inverter=SELECT, app="watcher")  # now it is to drive
    assert (again.id, again.facts["inverter"]) == (watcher.id, SELECT)
    again.release()


@pytest.mark.parametrize("drives", [True, False])
def test_whether_a_rival_in_the_folder_drives_is_known(tmp_path: Path, *, drives: bool) -> None:
    folder = tmp_path / "gone"
    instance = Instance(folder, inverter=SELECT, app="app")
    folder.mkdir()
    other = Instance(folder, inverter=SELECT, app="other", drives=drives)
    rival = instance.rival(None, NOW)
    assert rival is not None
    assert rival.drives is drives
    assert "by 'other'" in rival.words
    other.release()
    assert instance.rival(None, NOW) is None
    instance.release()


def other_folder(folder: Path) -> Path:
    made = folder / "other"
    made.mkdir()
    return made


def test_a_heartbeat_of_the_time_to_come_is_no_rival(tmp_path: Path) -> None:
    instance = Instance(tmp_path, inverter=SELECT, app="app")
    assert instance.rival(heartbeat("other", at=NOW + timedelta(hours=1)), NOW) is None
    assert instance.rival(heartbeat("other", at=NOW + timedelta(minutes=1)), NOW)
    instance.release()


def test_who_it_was_is_not_forgotten_on_a_full_disk(tmp_path: Path) -> None:
    first = Instance(tmp_path, inverter=SELECT, app="app")
    first.release()
    lock = next(tmp_path.glob("battery_optimizer_*.lock"))
    written = lock.stat().st_mtime_ns
    again = Instance(tmp_path, inverter=SELECT, app="app")
    assert (again.id, lock.stat().st_mtime_ns) == (first.id, written)
    again.release()
