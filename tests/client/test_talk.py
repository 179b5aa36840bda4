"""What the page shows while a talk goes on, in Chromium against a fake gateway: captions, times, quality, film."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from browser import FAKE_MICROPHONE, TIMEOUT, FakeGateway, needs_chromium, open_page, playwright

pytestmark = needs_chromium


def talk(gateway: FakeGateway, chromium: Callable[..., Any], **options: Any) -> tuple[Any, Any, list[str]]:
    browser = chromium(*FAKE_MICROPHONE, "--autoplay-policy=no-user-gesture-required")
    page, problems = open_page(browser, gateway, **options)
    playwright.expect.set_options(timeout=TIMEOUT)
    page.get_by_test_id("connect").click()
    playwright.expect(page.get_by_test_id("state")).to_have_attribute("data-state", "listening")
    return browser, page, problems


def write(page: Any, text: str) -> None:
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("send").click()


def switch(gateway: FakeGateway, what: str) -> None:
    urllib.request.urlopen(f"{gateway.url}switch?{what}=1", timeout=10).close()


def test_what_may_still_change_looks_different_and_is_not_read_out(
    gateway: FakeGateway, chromium: Callable[..., Any]
) -> None:
    browser, page, problems = talk(gateway, chromium)
    expect = playwright.expect
    write(page, "Slowly")
    caption = page.get_by_test_id("caption-user")
    expect(caption).to_have_text("Slow lie")
    expect(caption.locator(".tentative")).to_have_text("lie")
    look = "(node) => [getComputedStyle(node).fontStyle, Number(getComputedStyle(node).opacity) < 0.8]"
    assert caption.locator(".tentative").evaluate(look) == ["italic", True]
    assert caption.get_attribute("aria-live") is None
    expect(page.get_by_test_id("transcript").locator(".tentative")).to_have_text("lie")
    expect(page.locator("#caption-aloud")).to_have_text("")
    write(page, "Quick")
    expect(page.locator("#caption-aloud")).to_have_text("You said Quick")
    assert page.locator("#caption-aloud").get_attribute("aria-live") == "polite"
    assert problems == []
    browser.close()


def test_a_turn_shows_how_long_it_took_until_it_was_heard(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser, page, problems = talk(gateway, chromium)
    expect = playwright.expect
    page.locator("#stage.moving").wait_for()
    write(page, "Sing")
    bar = page.get_by_test_id("transcript").get_by_test_id("latency")
    expect(bar).to_contain_text("heard after")
    (turn,) = page.evaluate("window.antlitz.timings")
    assert turn["turn"] == "t7"
    assert 800 < turn["ms"]["heard"] < 10_000
    expect(bar.locator("dl")).not_to_be_visible()
    bar.locator("summary").click()
    expect(bar.locator("dt")).to_have_count(5)
    expect(bar).to_contain_text("First word of the answer")
    assert problems == []
    browser.close()


def test_the_connection_is_told_in_words_and_numbers(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser, page, _ = talk(gateway, chromium)
    quality = page.get_by_test_id("quality")
    playwright.expect(quality).to_contain_text("connection")
    playwright.expect(quality).to_have_text(re.compile(r"connection\d+\sfps · [\d.]+\s% lost · \d+\sms"))
    page.get_by_test_id("connect").click()
    playwright.expect(quality).not_to_be_visible()
    browser.close()


def test_it_says_that_it_only_repeats(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser, page, _ = talk(gateway, chromium)
    playwright.expect(page.get_by_test_id("dialogue")).to_contain_text("No language model is set")
    browser.close()


def test_a_conversation_is_filmed_with_both_voices(
    gateway: FakeGateway, chromium: Callable[..., Any], tmp_path: Path
) -> None:
    browser, page, problems = talk(gateway, chromium)
    expect = playwright.expect
    page.locator("#stage.moving").wait_for()
    record, badge = page.get_by_test_id("record"), page.get_by_test_id("recording")
    expect(badge).not_to_be_visible()
    record.click()
    expect(record).to_have_attribute("aria-pressed", "true")
    expect(badge).to_contain_text("Recording 0:0")
    write(page, "Sing")
    expect(badge).to_contain_text("0:03")
    switch(gateway, "drop")  # the film outlives the connection
    expect(page.get_by_text("Connected again")).to_be_visible()
    page.wait_for_timeout(1_000)
    with page.expect_download() as saving:
        record.click()
    expect(badge).not_to_be_visible()
    name = saving.value.suggested_filename
    assert name.startswith("Antlitz Vera i ") and name.endswith(".webm")
    path = tmp_path / "film.webm"
    saving.value.save_as(path)
    with av.open(str(path)) as film:
        frames = sum(1 for _ in film.decode(video=0))
    with av.open(str(path)) as film:
        sound = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in film.decode(audio=0)])
    rate = 48_000
    assert len(sound) / rate > 3.5
    assert frames > 20
    loud = np.abs(sound) > 0.02
    assert loud.any(), "the fake microphone beeps, the fake portrait sings"
    spectrum = np.abs(np.fft.rfft(sound))
    hertz = np.fft.rfftfreq(len(sound), 1 / rate)
    sung = spectrum[(hertz > 420) & (hertz < 429)].max()  # 8 kHz / 3 / 2π = 424.4 Hz
    assert sung > 20 * np.median(spectrum[(hertz > 300) & (hertz < 600)])
    assert problems == []
    browser.close()


def test_a_lost_socket_comes_back_for_its_session(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser, page, _ = talk(gateway, chromium)
    expect = playwright.expect
    switch(gateway, "drop")
    gateway.wait_for({"type": "resume", "token": "secret"})
    expect(page.get_by_text("Connected again; the talk goes on where it was.")).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "listening")
    assert page.evaluate("window.antlitz.peer.connectionState") == "connected"
    page.get_by_test_id("connect").click()
    gateway.wait_for({"type": "bye"})
    browser.close()


def test_when_all_places_are_taken_it_is_said_and_tried_again(
    gateway: FakeGateway, chromium: Callable[..., Any]
) -> None:
    switch(gateway, "full")
    browser = chromium(*FAKE_MICROPHONE)
    page, _ = open_page(browser, gateway)
    expect = playwright.expect
    expect.set_options(timeout=TIMEOUT)
    page.get_by_test_id("connect").click()
    expect(page.get_by_text("All 4 places are taken: others are talking just now.")).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "waiting")
    expect(page.get_by_text("Waiting for a place")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_test_id("connection-test").click()  # the notice leaves it free on a phone, too
    expect(page.get_by_test_id("finding").first).to_be_visible()
    switch(gateway, "free")
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "listening")
    browser.close()


def test_the_connection_is_tested_in_words(gateway: FakeGateway, chromium: Callable[..., Any]) -> None:
    browser = chromium(*FAKE_MICROPHONE)
    page, problems = open_page(browser, gateway, locale="de-DE")
    page.get_by_test_id("connection-test").click()
    found = page.get_by_test_id("finding")
    playwright.expect(found).to_have_count(2)
    assert found.all_inner_texts() == [
        "Ton und Bild erreichen den Server auf direktem Weg.",
        "Das Mikrofon funktioniert.",
    ]
    gateway.wait_for({"type": "bye"})  # its session was no longer than it had to be
    page.keyboard.press("Escape")
    playwright.expect(page.get_by_test_id("connection-sheet")).to_be_hidden()
    assert not problems
    browser.close()
