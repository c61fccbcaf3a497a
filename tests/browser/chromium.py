"""A headless Chromium, as Debian ships it (apt install chromium chromium-driver)."""

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
IS_THERE = BROWSER is not None and DRIVER is not None
PHONE, DESKTOP = 360, 1280
PATIENCE_S = 120.0
"""A busy machine takes many times as long as an idle one."""


class Browser:
    """One window, and what a test asks of it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = DESKTOP, dark: bool = False) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width == PHONE,
        )  # fmt: skip
        scheme = "dark" if dark else "light"
        self.cdp(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.driver.get_log("browser")  # what the last page said is not this one's
        self.driver.get(url)

    def cdp(self, command: str, **arguments: object) -> dict[str, Any]:
        return dict(self.driver.execute_cdp_cmd(command, arguments))

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever it returns
        return self.driver.execute_script(script, *arguments)

    def find(self, css: str) -> WebElement:
        return self.driver.find_element("css selector", css)

    def count(self, css: str) -> int:
        return len(self.driver.find_elements("css selector", css))

    def text(self, css: str) -> str:
        """Its words; a space that does not break is one like others."""
        words = self.run("return document.querySelector(arguments[0]).textContent", css)
        return breakable(words)

    def wait(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            time.sleep(0.05)

    def wait_for_text(self, css: str, words: str, seconds: float = PATIENCE_S) -> None:
        self.wait(lambda: words in self.text(css), f"{words!r} in {css}", seconds)

    def complaints(self) -> list[str]:
        """What the page wrote to the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def screenshot(self, path: Path, *, height: int | None = None) -> None:
        """The whole page, or its top."""
        size = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": height or size[1], "scale": 1}
        taken = self.cdp(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        path.write_bytes(base64.b64decode(taken["data"]))


def breakable(words: str) -> str:
    """With all spaces alike, and nothing that only keeps words together."""
    return words.replace("\u00a0", " ").replace("\u2060", "")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it; nothing is downloaded and nothing is reported to anybody."""
    os.environ["SE_OFFLINE"] = "true"
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument("--lang=en-GB")
    options.add_argument("--hide-scrollbars")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
