"""The page in Chromium against a fake gateway: what a person presses, what the protocol then carries, what is shown."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[test]'")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
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


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., Any]]:
    """Opens Chromium with or without a (fake) microphone."""
    with playwright.sync_playwright() as driver:
        yield lambda *more: driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])


def open_page(browser: Any, gateway: FakeGateway, **options: Any) -> tuple[Any, list[str]]:
    page = browser.new_page(**options)
    page.set_default_timeout(TIMEOUT)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.goto(gateway.url)
    page.get_by_test_id("character").first.wait_for()
    return page, problems


def test_a_talk_from_connect_to_goodbye(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser = chromium(*FAKE_MICROPHONE)
    page, problems = open_page(browser, gateway)
    expect = playwright.expect
    expect.set_options(timeout=TIMEOUT)
    expect(page.get_by_test_id("status-vad")).to_have_attribute("data-ready", "true")
    expect(page.get_by_test_id("status-tts")).to_have_attribute("data-ready", "false")
    expect(page.get_by_test_id("notice")).to_contain_text("answers appear as captions")
    assert page.locator("[data-testid=character][aria-pressed=true]").get_attribute("data-id") == "id-vera"
    assert "Vera <i>" in page.get_by_test_id("connect").inner_text()  # markup stays text

    expect(page.get_by_test_id("connect")).to_have_attribute("aria-pressed", "false")
    page.get_by_test_id("connect").click()
    expect(page.get_by_test_id("connect")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("mic")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "listening")
    gateway.wait_for({"type": "offer", "character": "id-vera"})
    gateway.wait_for({"type": "mic", "on": True})
    assert page.evaluate("window.antlitz.peer.connectionState") == "connected"
    page.locator("#stage.moving").wait_for()
    assert page.get_by_test_id("avatar").evaluate("(video) => [video.videoWidth, video.videoHeight]") == [64, 64]

    page.get_by_test_id("mic").click()
    expect(page.get_by_test_id("mic")).to_have_attribute("aria-pressed", "false")
    gateway.wait_for({"type": "mic", "on": False})

    page.get_by_test_id("text").fill("Hello <script>")
    page.get_by_test_id("send").click()
    gateway.wait_for({"type": "text", "text": "Hello <script>", "mode": "chat"})
    expect(page.get_by_test_id("caption-user")).to_have_text("Hello <script>")
    expect(page.get_by_test_id("caption-avatar")).to_have_text("You said Hello <script>")
    utterances = page.get_by_test_id("transcript").locator("> *")
    expect(utterances).to_have_count(2)
    assert utterances.evaluate_all("(list) => list.map((one) => one.dataset.role)") == ["user", "avatar"]
    expect(page.get_by_text("The voice is gone.")).to_be_visible()

    page.get_by_test_id("text").fill("Good day")
    page.get_by_test_id("say").click()
    gateway.wait_for({"type": "text", "text": "Good day", "mode": "say"})
    page.get_by_test_id("intensity").fill("0.4")
    page.get_by_test_id("emotion-happy").click()
    expect(page.get_by_test_id("emotion-happy")).to_have_attribute("aria-pressed", "true")
    gateway.wait_for({"type": "emotion", "emotion": "happy", "intensity": 0.4})
    page.get_by_test_id("language").select_option("de")
    gateway.wait_for({"type": "language", "language": "de"})
    page.locator('[data-testid=character][data-id="id-mona"]').click()
    gateway.wait_for({"type": "character", "id": "id-mona"})

    page.get_by_test_id("connect").click()
    gateway.wait_for({"type": "bye"})
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "off")
    assert page.evaluate("window.antlitz.peer") is None
    assert problems == []
    browser.close()


def test_leaving_the_page_says_goodbye(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser = chromium(*FAKE_MICROPHONE)
    page, _ = open_page(browser, gateway)
    page.get_by_test_id("connect").click()
    gateway.wait_for({"type": "mic", "on": True})
    page.goto("about:blank")
    gateway.wait_for({"type": "bye"})
    browser.close()


def test_without_a_microphone_one_types_and_a_lost_server_is_found_again(
    gateway: FakeGateway, chromium: Callable[..., Any]
) -> None:
    browser = chromium()  # no fake device: there is no microphone here
    page, _ = open_page(browser, gateway, viewport={"width": 360, "height": 740}, has_touch=True)
    expect = playwright.expect
    expect.set_options(timeout=TIMEOUT)
    page.get_by_test_id("connect").click()
    expect(page.locator("[data-testid=notice][data-code=microphone]")).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "listening")
    expect(page.get_by_test_id("mic")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    gateway.stop()
    expect(page.get_by_text("The connection to the server is lost.")).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "waiting")
    page.get_by_test_id("text").fill("Still here")
    page.get_by_test_id("text").press("Enter")
    gateway.start()
    gateway.wait_for({"type": "text", "text": "Still here", "mode": "chat"})
    expect(page.get_by_text("Connected again.")).to_be_visible()
    browser.close()


def test_characters_are_made_changed_and_deleted(
    gateway: FakeGateway, chromium: Callable[..., Any], tmp_path: Path
) -> None:
    browser = chromium()
    page, _ = open_page(browser, gateway)
    expect = playwright.expect
    expect.set_options(timeout=TIMEOUT)
    names = page.locator(".card-name")

    page.get_by_test_id("create").click()
    page.get_by_test_id("save").click()
    expect(page.get_by_text("Give the character a name.")).to_be_visible()
    page.get_by_test_id("display-name").fill("Mona")
    page.get_by_test_id("save").click()
    expect(page.get_by_text("There is a character of this name already")).to_be_visible()

    page.get_by_test_id("display-name").fill("Zoë")
    not_a_picture = tmp_path / "broken.png"
    not_a_picture.write_bytes(b"no picture")
    page.get_by_test_id("portrait-file").set_input_files(not_a_picture)
    expect(page.get_by_text("This picture cannot be opened.")).to_be_visible()
    page.get_by_test_id("portrait-file").set_input_files(Path(__file__).parents[2] / "client" / "favicon.svg")
    page.get_by_test_id("save").click()
    expect(page.get_by_text("No face was found in this picture.")).to_be_visible()
    expect(names).to_have_text(["Mona", "Vera <i>"])  # nothing half-made stays
    page.get_by_role("button", name="Cancel").click()

    page.get_by_test_id("create").click()
    page.get_by_test_id("display-name").fill("Zoë")
    page.get_by_test_id("save").click()
    expect(names).to_have_text(["Mona", "Vera <i>", "Zoë"])

    page.get_by_test_id("edit").nth(2).click()
    page.get_by_test_id("display-name").fill("Zoe")
    page.get_by_test_id("save").click()
    expect(names).to_have_text(["Mona", "Vera <i>", "Zoe"])

    page.get_by_test_id("edit").nth(2).click()
    page.get_by_test_id("delete").click()
    page.get_by_role("button", name="Keep").click()
    page.get_by_test_id("delete").click()
    page.get_by_test_id("delete-really").click()
    expect(names).to_have_text(["Mona", "Vera <i>"])
    browser.close()
