"""A real Home Assistant Core in its own process and folder, on loopback, on a free port."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import requests

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "docs" / "home_assistant" / "battery_optimizer.yaml"
HASS = os.environ.get("HASS")
"""The `hass` command, where these tests are wanted (`make test-ha` sets it)."""
STARTS_WITHIN_S = 180
USER, PASSWORD = "householder", "of-this-test-only"
SELECT = "select.foxess_work_mode"

CONFIGURATION = """\
homeassistant:
  name: Home
  latitude: 51.5
  longitude: -0.12
  elevation: 20
  unit_system: metric
  time_zone: Europe/London
  currency: GBP
  country: GB
  packages: !include_dir_named packages
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
frontend:
history:
recorder:
  commit_interval: 1
"""


class HomeAssistant:
    """One house's; a folder outlives its process, so that it may be started again."""

    def __init__(self, folder: Path, *, has_stand_in: bool = True) -> None:
        self.folder = folder
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "packages").mkdir(parents=True)
        (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port))
        # The steps that would fetch integrations from the internet are taken as done.
        (folder / ".storage").mkdir()
        done = {"done": ["core_config", "analytics", "integration"]}
        (folder / ".storage" / "onboarding").write_text(
            json.dumps({"version": 4, "minor_version": 1, "key": "onboarding", "data": done})
        )
        if has_stand_in:
            self.add_package(HERE / "inverter.yaml")
        self.add_package(HERE / "solcast.yaml")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What `make run` needs to be connected."""
        return {"HA_URL": self.url, "HA_TOKEN": self.token}

    @property
    def log(self) -> str:
        return (self.folder / "hass.out").read_text(encoding="utf-8", errors="replace")

    def add_package(
        self, path: Path, replaced: Mapping[str, str] | None = None, name: str | None = None
    ) -> None:
        """A YAML file, with some words replaced by others."""
        text = path.read_text(encoding="utf-8")
        for old, new in (replaced or {}).items():
            assert old in text, f"{old!r} is not in {path}"
            text = text.replace(old, new)
        (self.folder / "packages" / f"{name or path.stem}.yaml").write_text(text, encoding="utf-8")

    def check_config(self) -> str:
        """What `check_config` says."""
        done = subprocess.run(
            [str(HASS), "--script", "check_config", "-c", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{done.stdout}{done.stderr}exit code {done.returncode}"

    def start(self) -> None:
        """Until everything is set up; the first time also the householder's account."""
        with (self.folder / "hass.out").open("ab") as log:
            self._process = subprocess.Popen(
                [str(HASS), "-c", str(self.folder), "--skip-pip"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_until(self._answers, "Home Assistant", STARTS_WITHIN_S)
        if not self.token:
            self._onboard()
        self.wait_until(
            lambda: self.get("/api/config")["state"] == "RUNNING", "its start", STARTS_WITHIN_S
        )

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(by)
            try:
                self._process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until(
        self, condition: Callable[[], object], what: str, seconds: float = 60.0
    ) -> float:
        """How long it took [s]."""
        begun = time.monotonic()
        while not condition():
            waited = time.monotonic() - begun
            assert waited < seconds, f"waited in vain for {what}; Home Assistant says:\n{self.log}"
            time.sleep(0.1)
        return time.monotonic() - begun

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it is
        answer = requests.get(f"{self.url}{path}", headers=self._headers, timeout=20)
        return answer.json() if answer.ok else None

    def state(self, entity_id: str) -> str | None:
        """As Home Assistant's own API shows it; None where there is no such entity."""
        found = self.get(f"/api/states/{entity_id}")
        return None if found is None else str(found["state"])

    def attributes(self, entity_id: str) -> dict[str, Any]:
        found = self.get(f"/api/states/{entity_id}")
        return {} if found is None else dict(found["attributes"])

    def wait_for_state(self, entity_id: str, wanted: str, seconds: float = 60.0) -> float:
        """How long it took [s]."""
        return self.wait_until(
            lambda: self.state(entity_id) == wanted,
            f"{entity_id} to be {wanted!r} (it is {self.state(entity_id)!r})",
            seconds,
        )

    def post(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401
        """What it answers, as soon as it is done."""
        answer = requests.post(f"{self.url}{path}", json=body, headers=self._headers, timeout=120)
        assert answer.ok, answer.text
        return answer.json()

    def call(self, service: str, **data: object) -> None:
        """As a person would, by hand."""
        self.post(f"/api/services/{service}", data)

    def set_entity(self, entity_id: str, state: str, **attributes: object) -> None:
        """Straight into the state machine, gone with the next start."""
        requests.post(
            f"{self.url}/api/states/{entity_id}",
            json={"state": state, "attributes": attributes},
            headers=self._headers,
            timeout=20,
        ).raise_for_status()

    def ask(self, command: str, **data: object) -> Any:  # noqa: ANN401 - whatever it answers
        """One command over the websocket."""
        return asyncio.run(_ask(self.url, self.token, {"type": command, **data}))

    def new_token(self, name: str) -> str:
        """A long-lived access token, as one makes it in one's profile."""
        return str(self.ask("auth/long_lived_access_token", client_name=name, lifespan=30))

    def revoke(self, name: str) -> None:
        """Delete that token, as in one's profile."""
        for each in self.ask("auth/refresh_tokens"):
            if each["client_name"] == name:
                self.ask("auth/delete_refresh_token", refresh_token_id=each["id"])
                return
        raise AssertionError(f"there is no token named {name}")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Home Assistant ended:\n{self.log}"
        try:
            return requests.get(f"{self.url}/api/", timeout=5).status_code == 401
        except requests.RequestException:
            return False

    def _onboard(self) -> None:
        """An account, as a new user makes it, and a token that lasts."""
        client = f"{self.url}/"
        user = {"name": USER, "username": USER, "password": PASSWORD, "language": "en"}
        made = requests.post(
            f"{self.url}/api/onboarding/users", json={"client_id": client, **user}, timeout=20
        ).json()
        grant = {"grant_type": "authorization_code", "client_id": client, "code": made["auth_code"]}
        self.token = requests.post(f"{self.url}/auth/token", data=grant, timeout=20).json()[
            "access_token"
        ]
        self.token = self.new_token("tests")


async def _ask(url: str, token: str, command: Mapping[str, object]) -> Any:  # noqa: ANN401
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/api/websocket", max_msg_size=0) as socket_,
    ):
        await socket_.receive_json()
        await socket_.send_json({"type": "auth", "access_token": token})
        assert (await socket_.receive_json())["type"] == "auth_ok"
        await socket_.send_json({"id": 1, **command})
        while True:
            answer = await socket_.receive_json()
            if answer.get("id") == 1 and answer["type"] == "result":
                assert answer["success"], answer
                return answer["result"]
