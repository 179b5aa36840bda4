"""A voice of its own, in Chromium with its fake microphone: record or choose, listen, consent, send, remove."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import FAKE_MICROPHONE, TIMEOUT, FakeGateway, needs_chromium, open_page, playwright

from gateway.media import encode

pytestmark = needs_chromium

PASSAGES = {"en": "I like to get up early", "de": "Ich stehe gern früh auf", "ar": "أحب أن أستيقظ باكرا"}


def cloning(fake: FakeGateway, on: bool) -> None:
    urllib.request.urlopen(f"{fake.url}switch?cloning={'1' if on else ''}", timeout=5).close()


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    file = tmp_path / "voice.wav"
    file.write_bytes(encode(np.sin(np.arange(24_000 * 5) / 20).astype(np.float32) * 0.3, "wav"))
    return file


def expect() -> Any:
    playwright.expect.set_options(timeout=TIMEOUT)
    return playwright.expect


def until(page: Any, condition: str) -> None:
    """Waits for JavaScript to become true; playwright's own way needs eval, which the page's policy refuses."""
    deadline = time.monotonic() + TIMEOUT / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def test_recording_listening_and_sending(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    cloning(gateway, True)
    browser = chromium(*FAKE_MICROPHONE)
    page, problems = open_page(browser, gateway)
    see = expect()
    see(page.get_by_test_id("status-voice")).to_have_attribute("data-ready", "true")
    page.get_by_test_id("edit").first.click()
    see(page.get_by_test_id("sample-licence")).to_contain_text("CPML (non-commercial)")
    see(page.get_by_test_id("sample-missing")).to_be_hidden()
    for language, words in PASSAGES.items():
        page.locator("select[name=language]").select_option(language)
        see(page.get_by_test_id("sample-reading")).to_contain_text(words)
        see(page.get_by_test_id("sample-reading")).to_have_attribute("lang", language)
    page.locator("select[name=language]").select_option("en")

    record = page.get_by_test_id("sample-record")
    record.focus()
    page.keyboard.press("Enter")
    see(record).to_contain_text("Stop")
    see(page.get_by_role("meter", name="Loudness")).to_be_visible()
    until(page, "Number(document.querySelector('[role=meter]').style.getPropertyValue('--level')) > 0.05")
    until(page, "document.querySelector('[data-part=sample-progress]').value >= 3.2")
    see(page.get_by_test_id("sample-status")).to_contain_text("A little more")
    page.keyboard.press("Enter")
    see(page.get_by_test_id("sample-status")).to_contain_text("Recorded")
    see(page.get_by_test_id("sample-player")).to_be_visible()
    until(page, "document.querySelector('[data-part=sample-player]').readyState > 0")

    page.get_by_test_id("save").click()
    see(page.get_by_test_id("sample-error")).to_contain_text("confirm that this is your voice")
    assert page.evaluate("document.activeElement.dataset.testid") == "sample-consent"
    assert not any(message["type"] == "sample" for message in gateway.heard() or [])
    page.keyboard.press("Space")
    see(page.get_by_test_id("sample-error")).to_be_hidden()
    page.get_by_role("button", name="Listen to this voice").click()
    gateway.wait_for({"type": "clone", "kind": "audio/webm", "language": "en"})
    page.get_by_test_id("save").click()
    gateway.wait_for({"type": "sample", "kind": "audio/webm", "said": "audio/webm"})
    see(page.get_by_test_id("editor")).to_be_hidden()

    page.get_by_test_id("edit").first.click()
    see(page.get_by_text("This character has a recorded voice.")).to_be_visible()
    see(page.get_by_test_id("sample-consent")).to_be_hidden()
    page.get_by_test_id("sample-remove").click()
    see(page.get_by_test_id("sample-status")).to_contain_text("removed when you save")
    record.click()
    see(record).to_contain_text("Stop")
    page.get_by_test_id("sample-discard").click()
    see(page.get_by_test_id("sample-status")).to_contain_text("removed when you save")
    page.get_by_test_id("save").click()
    gateway.wait_for({"type": "sample removed"})
    assert problems == []
    browser.close()


def test_discarding_and_recording_too_little(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    cloning(gateway, True)
    browser = chromium(*FAKE_MICROPHONE)
    page, problems = open_page(browser, gateway)
    see = expect()
    page.get_by_test_id("edit").first.click()
    record = page.get_by_test_id("sample-record")
    record.click()
    see(record).to_contain_text("Stop")
    record.click()
    see(page.get_by_test_id("sample-error")).to_contain_text("too short")
    record.click()
    see(record).to_contain_text("Stop")
    page.get_by_test_id("sample-discard").click()
    see(record).to_contain_text("Record")
    see(page.get_by_test_id("sample-player")).to_be_hidden()
    page.get_by_test_id("save").click()
    see(page.get_by_test_id("editor")).to_be_hidden()
    assert not any(message["type"].startswith("sample") for message in gateway.heard() or [])

    page.get_by_test_id("edit").first.click()
    record.click()
    see(record).to_contain_text("Stop")
    page.wait_for_timeout(3_300)
    page.get_by_test_id("save").click()  # ends the recording; it is not sent unheard
    see(page.get_by_test_id("sample-error")).to_contain_text("confirm that this is your voice")
    see(page.get_by_test_id("sample-player")).to_be_visible()
    assert not any(message["type"].startswith("sample") for message in gateway.heard() or [])
    record.click()
    see(record).to_contain_text("Stop")
    page.keyboard.press("Escape")  # closes the dialog: nothing records behind the person's back
    see(page.get_by_test_id("editor")).to_be_hidden()
    page.get_by_test_id("edit").first.click()
    see(record).to_contain_text("Record")
    assert problems == []
    browser.close()


def test_a_file_without_a_cloning_engine_on_a_phone(
    gateway: FakeGateway, chromium: Callable[..., Any], sample: Path, tmp_path: Path
) -> None:
    browser = chromium()  # and no microphone
    page, _ = open_page(browser, gateway, viewport={"width": 390, "height": 844}, has_touch=True)
    see = expect()
    see(page.get_by_test_id("status-voice")).to_have_count(0)
    page.get_by_test_id("edit").first.click()
    see(page.get_by_test_id("sample-missing")).to_contain_text("No engine that clones a voice is ready")
    page.get_by_test_id("sample-record").click()
    see(page.get_by_test_id("sample-error")).to_contain_text("No microphone was found")
    text = tmp_path / "notes.txt"
    text.write_text("no sound")
    page.get_by_test_id("sample-file").set_input_files(text)
    see(page.get_by_test_id("sample-error")).to_contain_text("This is not a recording")

    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    page.get_by_test_id("sample-file").set_input_files(broken)
    page.get_by_test_id("sample-consent").check()
    page.get_by_test_id("save").click()
    see(page.get_by_test_id("sample-error")).to_contain_text("Nobody is heard speaking")
    see(page.get_by_test_id("editor")).to_be_visible()
    page.get_by_test_id("sample-file").set_input_files(sample)
    see(page.get_by_test_id("sample-consent")).not_to_be_checked()  # another voice, another consent
    see(page.get_by_test_id("sample-status")).to_contain_text("voice.wav")
    assert page.evaluate("document.querySelector('#editor .editor-body').scrollWidth") <= 390
    page.get_by_text("This is my voice, or I have this person's permission.").click()
    page.get_by_test_id("save").click()
    gateway.wait_for({"type": "sample", "kind": "audio/wav", "said": "audio/wav"})
    browser.close()


def test_a_new_character_whose_sample_is_refused_is_taken_back(
    gateway: FakeGateway, chromium: Callable[..., Any], tmp_path: Path
) -> None:
    browser = chromium()
    page, _ = open_page(browser, gateway)
    see = expect()
    page.get_by_test_id("create").click()
    page.get_by_test_id("display-name").fill("Zoe")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    page.get_by_test_id("sample-file").set_input_files(broken)
    page.get_by_test_id("sample-consent").check()
    page.get_by_test_id("save").click()
    see(page.get_by_test_id("sample-error")).to_contain_text("Nobody is heard speaking")
    page.get_by_role("button", name="Cancel").click()
    see(page.locator(".card-name")).to_have_text(["Mona", "Vera <i>"])
    browser.close()
