"""Chromium and the fake gateway, for the tests of the page."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[test]'")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt-get install chromium"),
]

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
FAKE_MICROPHONE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
TIMEOUT = 15_000  # ms: two cores may be busy


class FakeGateway:
    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        script = Path(__file__).parent / "fake_gateway.py"
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port)])
        self.until(lambda: self.heard() is not None)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def heard(self) -> list[dict[str, Any]] | None:
        try:
            with urllib.request.urlopen(f"{self.url}heard", timeout=5) as response:
                return json.load(response)
        except OSError:
            return None

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + TIMEOUT / 1000
        while not condition():
            assert time.monotonic() < end, self.heard()
            time.sleep(0.05)

    def wait_for(self, message: dict[str, Any]) -> None:
        self.until(lambda: message in (self.heard() or []))


def open_page(browser: Any, gateway: FakeGateway, **options: Any) -> tuple[Any, list[str]]:
    page = browser.new_page(**options)
    page.set_default_timeout(TIMEOUT)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.goto(gateway.url)
    page.get_by_test_id("character").first.wait_for()
    return page, problems
