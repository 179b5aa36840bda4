"""The doors in Chromium: the real gateway with no Triton behind it, its token, and the page under its own policy.

The fake gateway of tests/client has the same policy: recording, filming and listening are tried there.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gateway.app import create_app
from gateway.settings import Settings

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[test]'")
pytestmark = pytest.mark.browser

TOKEN = "a-token-of-a-test"
TIMEOUT = 20_000  # ms: two cores may be busy
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
#: Notes whatever the policy refused, before the page's own scripts run.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Serving:
    """The gateway in a thread of this process, on a free port of localhost."""

    def __init__(self, settings: Settings, port: int = 0) -> None:
        self._server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_level="error"))
        self._listening = threading.Event()
        startup = self._server.startup

        async def started(sockets: Any = None) -> None:
            await startup(sockets)
            self._listening.set()

        self._server.startup = started  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert self._listening.wait(30)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://localhost:{self.port}/"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(Settings(data=tmp_path, triton="127.0.0.1:9", token=TOKEN))
    yield serving
    serving.stop()


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_context(permissions=["microphone"]).new_page()
        page.set_default_timeout(TIMEOUT)
        playwright.expect.set_options(timeout=TIMEOUT)
        page.add_init_script(WATCH)
        yield page
        browser.close()


def test_the_printed_address_logs_in(locked: Serving, page: Any) -> None:
    page.goto(f"{locked.url}#token={TOKEN}")
    page.get_by_test_id("character").first.wait_for()
    assert "token" not in page.url
    assert page.evaluate("document.cookie") == "", "no script can read the cookie"
    page.goto(locked.url)
    page.get_by_test_id("character").first.wait_for()
    assert page.evaluate("refused") == []


def test_a_token_typed_in(locked: Serving, page: Any) -> None:
    page.goto(locked.url)
    field, error = page.get_by_test_id("login-token"), page.get_by_test_id("login-error")
    field.fill("wrong")
    field.press("Enter")
    playwright.expect(error).to_have_text("This is not the token.")
    assert page.evaluate("refused") == []
    field.fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_test_id("character").first.wait_for()


def test_a_link_on_another_site_finds_who_is_logged_in(locked: Serving, page: Any) -> None:
    page.goto(f"{locked.url}#token={TOKEN}")
    page.get_by_test_id("character").first.wait_for()
    # 127.0.0.1 is another site than localhost; its page is the login page, a link on it leads here.
    page.goto(locked.url.replace("localhost", "127.0.0.1"))
    page.get_by_test_id("login").wait_for()
    page.evaluate("(url) => location.assign(url)", locked.url)
    page.get_by_test_id("character").first.wait_for()


@pytest.mark.parametrize("step", ["connect", "connection-test", "typing"])
def test_a_page_whose_token_was_changed_leads_to_the_login(tmp_path: Path, page: Any, step: str) -> None:
    before = Serving(Settings(data=tmp_path, triton="127.0.0.1:9", token=TOKEN))
    try:
        page.goto(f"{before.url}#token={TOKEN}")
        page.get_by_test_id("character").first.wait_for()
    finally:
        before.stop()
    after = Serving(Settings(data=tmp_path, triton="127.0.0.1:9", token="another-token-of-a-test"), before.port)
    try:
        if step == "connect":
            page.get_by_test_id("connect").click()
        elif step == "connection-test":
            page.get_by_test_id("connection-test").click()
        else:
            page.get_by_test_id("text").fill("Hello")
            page.get_by_test_id("send").click()
        field = page.get_by_test_id("login-token")
        field.fill("another-token-of-a-test")
        field.press("Enter")
        page.get_by_test_id("character").first.wait_for()
    finally:
        after.stop()


def test_a_cookie_that_runs_out_ends_no_talk(locked: Serving, page: Any) -> None:
    page.goto(f"{locked.url}#token={TOKEN}")
    page.get_by_test_id("character").first.wait_for()
    page.get_by_test_id("connect").click()
    playwright.expect(page.get_by_test_id("state")).to_have_attribute("data-state", "idle")
    page.context.clear_cookies()

    page.get_by_test_id("create").click()
    page.get_by_test_id("display-name").fill("Ada")
    page.get_by_test_id("portrait-file").set_input_files(Path(__file__).parents[2] / "client" / "talking.jpg")
    page.get_by_test_id("save").click()
    playwright.expect(page.get_by_test_id("editor").get_by_role("alert")).to_contain_text("Your login has run out")
    assert page.evaluate("window.antlitz.peer.connectionState") == "connected"
    page.get_by_role("button", name="Cancel").click()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Log in").click()
    opened.value.get_by_test_id("login-token").fill(TOKEN)
    opened.value.get_by_role("button", name="Log in").click()
    opened.value.get_by_test_id("character").first.wait_for()

    page.get_by_test_id("create").click()
    playwright.expect(page.get_by_test_id("display-name")).to_be_visible()
    assert page.evaluate("fetch('api/characters').then((answer) => answer.status)") == 200


def test_the_page_needs_nothing_that_its_policy_refuses(locked: Serving, page: Any) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: "Content Security Policy" in said.text and problems.append(said.text))
    page.goto(f"{locked.url}#token={TOKEN}")
    page.get_by_test_id("character").first.wait_for()

    page.get_by_test_id("create").click()
    page.get_by_test_id("portrait-file").set_input_files(Path(__file__).parents[2] / "client" / "talking.jpg")
    page.locator("[data-testid=editor] img:visible, [data-testid=editor] canvas:visible").first.wait_for()
    page.get_by_test_id("display-name").fill("Ada")
    page.get_by_role("button", name="Cancel").click()

    page.get_by_test_id("connect").click()
    playwright.expect(page.get_by_test_id("state")).to_have_attribute("data-state", "idle")
    assert page.evaluate("window.antlitz.peer.connectionState") == "connected"
    page.get_by_test_id("intensity").fill("0.4")
    page.get_by_test_id("text").fill("Hello")
    page.get_by_test_id("send").click()
    page.get_by_test_id("connect").click()
    playwright.expect(page.get_by_test_id("state")).to_have_attribute("data-state", "off")
    assert page.evaluate("refused") == [] and problems == []


def test_the_policy_refuses_what_it_should(locked: Serving, page: Any) -> None:
    """The test above could not fail if nothing were ever refused."""
    page.goto(f"{locked.url}#token={TOKEN}")
    page.get_by_test_id("character").first.wait_for()
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            const image = document.createElement("img");
            image.src = "http://192.0.2.1/leak.png";
            const frame = document.createElement("iframe");
            frame.src = "http://192.0.2.1/";
            document.body.append(script, image, frame);
            document.body.setAttribute("style", "color: red");
            fetch("http://192.0.2.1/leak").catch(() => {});
        }"""
    )
    page.wait_for_timeout(300)
    refused = {line.split()[0] for line in page.evaluate("refused")}
    assert {"script-src-elem", "img-src", "frame-src", "style-src-attr", "connect-src"} <= refused
    assert page.evaluate("window.injected === undefined")
