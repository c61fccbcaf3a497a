"""The flow of docs/endpoints.md in a real Node-RED, where one is named (npm install node-red)."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from appdaemon_process import running, shipped_apps
from markdown_pages import ENDPOINTS

NODE_RED = os.environ.get("NODE_RED")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        NODE_RED is None, reason="no Node-RED: npm install node-red, and set NODE_RED to its path"
    ),
]


def test_the_flow_of_the_page_shows_the_recommendation(tmp_path: Path) -> None:
    flow = json.loads(ENDPOINTS.block("json", "node-red"))
    with running(tmp_path, shipped_apps()) as app:
        app.wait_for("battery_optimizer: Plan until")
        for node in flow:
            # As an import puts them on a page; what is shown is to be read here.
            node["z"] = "page"
            if node["type"] == "debug":
                node |= {"active": True, "console": True}
            if node["type"] == "http request":
                node["url"] = node["url"].replace("http://127.0.0.1:5050", app.url)
        flows = tmp_path / "flows.json"
        flows.write_text(json.dumps([{"id": "page", "type": "tab"}, *flow]))
        mode = app.endpoint("recommendation")["mode"]
        assert f"mode: '{mode}'" in shown(tmp_path, flows, f"mode: '{mode}'")


def shown(folder: Path, flows: Path, words: str) -> str:
    """What Node-RED writes to its log, until these words or for half a minute."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "node-red.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(NODE_RED), "-p", str(port), "-u", str(folder / "user"), str(flows)],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + 30
        while words not in log.read_text() and time.monotonic() < end:
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(timeout=20)
    return log.read_text()
