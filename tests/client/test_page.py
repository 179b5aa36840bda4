"""The page in Chromium against a fake gateway: what a person presses, what the protocol then carries, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import FAKE_MICROPHONE, TIMEOUT, FakeGateway, needs_chromium, open_page, playwright

pytestmark = needs_chromium


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
    lowest = max(
        one["y"] + one["height"] for notice in page.get_by_test_id("notice").all() if (one := notice.bounding_box())
    )
    assert lowest < page.get_by_test_id("avatar").bounding_box()["y"], "the face stays free"
    expect(page.get_by_text("No language model is set")).to_have_count(2)  # the line is folded away: it is told, too

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
