"""A person in Chromium talks with a portrait: `antlitz up`, real tritonserver, real weights, real WebRTC."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from gateway.bench.stack import Running, browser, up, write_wav

pytestmark = [pytest.mark.server, pytest.mark.browser]

RATE = 48_000  # Hz, what Chromium's file microphone takes
SENTENCE = "The weather is lovely today, and the children are playing in the garden."


@pytest.fixture(scope="module")
def running(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with up(tmp_path_factory.mktemp("data"), ANTLITZ_MODELS=str(models)) as antlitz:
        yield antlitz


@pytest.fixture(scope="module")
def microphone(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of silence, the sentence, silence: said by a voice of ours through the public API."""
    import httpx

    answer = httpx.post(f"{running.url}api/synthesize", json={"text": SENTENCE, "language": "en"}, timeout=60)
    assert answer.status_code == 200 and answer.content[:4] == b"RIFF"
    speech = np.frombuffer(answer.content[44:], "<i2").astype(np.float32) / 32_768
    speech = soxr.resample(speech, 24_000, RATE).astype(np.float32)
    pause = np.zeros(3 * RATE, np.float32)
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    return write_wav(path, np.concatenate([pause, speech, *[pause] * 8]), RATE)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_a_spoken_sentence_is_answered_in_sound_and_picture(running: Running, microphone: Path) -> None:
    with browser(microphone) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(path=Path(__file__).parents[2] / "gateway" / "bench" / "probe.js")
        page.goto(running.url)
        page.locator('[data-testid=character][data-id="mona-lisa"]').click()
        page.get_by_test_id("connect").click()
        page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
        page.evaluate("probe.attach(document.querySelector('[data-testid=avatar]'))")
        assert page.get_by_test_id("mic").get_attribute("aria-pressed") == "true"

        said = page.locator("[data-testid=transcript] [data-role=user]").first
        said.wait_for(timeout=30_000)
        answered = page.locator("[data-testid=transcript] [data-role=avatar]").first
        answered.wait_for(timeout=20_000)
        page.wait_for_timeout(7_000)
        assert set(words(SENTENCE)) <= set(words(said.inner_text()))
        assert set(words(SENTENCE)) <= set(words(answered.inner_text()))

        probe = page.evaluate("probe")
        loud = np.array(probe["loudspeaker"])[:, 1] > 0.01
        assert loud.sum() * 256 / RATE > 1.0, "more than a second of the answer was heard"
        shown = np.array(probe["frames"])[:, 0]
        assert (len(shown) - 1) / (shown[-1] - shown[0]) * 1000 > 15, "the picture moves"
        assert not errors


def test_text_emotion_and_character_while_connected(running: Running) -> None:
    with browser() as page:
        page.goto(running.url)
        page.get_by_test_id("connect").click()
        page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
        page.get_by_test_id("emotion-happy").click()
        assert page.get_by_test_id("emotion-happy").get_attribute("aria-pressed") == "true"
        page.get_by_test_id("text").fill("Hello from the keyboard.")
        page.get_by_test_id("send").click()
        page.locator("[data-testid=transcript] [data-role=avatar]").first.wait_for(timeout=20_000)
        page.locator('[data-testid=character][data-id="maedchen-mit-perlenohrring"]').click()
        page.wait_for_timeout(3_000)
        page.get_by_test_id("text").fill("Guten Tag, ich freue mich.")
        page.get_by_test_id("say").click()
        page.get_by_test_id("transcript").get_by_text("ich freue mich").wait_for(timeout=20_000)
        assert page.evaluate("window.antlitz.peer.connectionState") == "connected"


def test_api_transcribes_what_it_synthesises(running: Running) -> None:
    import httpx

    with httpx.Client(base_url=running.url, timeout=60) as api:
        said = (("en", "Good morning, how are you today?"), ("de", "Ich wohne seit drei Jahren in Berlin."))
        for language, text in said:
            wav = api.post("api/synthesize", json={"text": text, "language": language}).content
            heard = api.post("api/transcribe", files={"file": ("x.wav", wav)}, data={"language": "auto"}).json()
            assert heard["language"] == language
            assert len(set(words(text)) & set(words(heard["text"]))) >= len(set(words(text))) - 1
        picture = api.get("api/characters/mona-lisa/portrait").content
        shown = api.post("api/render", files={"image": picture}, data={"emotion": "happy", "intensity": "0.8"})
        assert shown.status_code == 200 and shown.content[1:4] == b"PNG"
        assert api.get("readyz").status_code == 200


def test_ctrl_c_ends_every_process(models: Path, tmp_path: Path) -> None:
    with up(tmp_path, ANTLITZ_MODELS=str(models)) as antlitz:
        family = antlitz.processes()
        assert len(family) > 5, "the gateway, tritonserver, and a stub for each model"
        antlitz.process.send_signal(signal.SIGINT)
        assert antlitz.process.wait(20) in (0, 130)  # 130: ended by SIGINT, as a shell says it
        assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
