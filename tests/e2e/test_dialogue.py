"""Three turns with one interruption: real Chromium, real tritonserver, real WebRTC, a real HTTP language model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soxr

from gateway.bench.conversation import connect, onset
from gateway.bench.language_model import LanguageModel
from gateway.bench.stack import Running, browser, up, write_wav

pytestmark = [pytest.mark.server, pytest.mark.browser]

RATE = 48_000  # Hz, what Chromium's file microphone takes
STORY = (
    "My painter worked slowly, and he talked while he mixed his colours. He told me about rivers and birds, and about "
    "a machine that would fly one day. I did not believe him then. Now I see aeroplanes through the window every day."
)
SAID = (
    "Tell me something about your painter, please.",
    "Stop, I would like to ask about the weather.",
    "Thank you very much.",
)
PAUSES = (5.0, 8.0, 8.0)  # s after each: the second is said while the story is being told


def answer(text: str) -> str:
    if "painter" in text.lower():
        return STORY
    return "It is sunny in Florence." if "weather" in text.lower() else "You are welcome."


@pytest.fixture(scope="module")
def model() -> Iterator[LanguageModel]:
    with LanguageModel(answer=answer) as running:
        yield running


@pytest.fixture(scope="module")
def running(models: Path, model: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environ = {"ANTLITZ_MODELS": str(models), "ANTLITZ_LLM_URL": model.url, "ANTLITZ_LLM_MODEL": "test"}
    with up(tmp_path_factory.mktemp("data"), **environ) as antlitz:
        yield antlitz


@pytest.fixture(scope="module")
def microphone(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pieces = [np.zeros(4 * RATE, np.float32)]
    for text, pause in zip(SAID, PAUSES, strict=True):
        body = {"text": text, "language": "en"}
        wav = httpx.post(f"{running.url}api/synthesize", json=body, timeout=60).raise_for_status().content
        speech = np.frombuffer(wav[44:], "<i2").astype(np.float32) / 32_768
        pieces += [soxr.resample(speech, 24_000, RATE).astype(np.float32), np.zeros(int(pause * RATE), np.float32)]
    return write_wav(tmp_path_factory.mktemp("microphone") / "microphone.wav", np.concatenate(pieces), RATE)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_three_turns_with_one_interruption(running: Running, model: LanguageModel, microphone: Path) -> None:
    with browser(microphone) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        connect(page, running.url)
        thanks = page.get_by_test_id("transcript").get_by_text("You are welcome.")
        thanks.wait_for(timeout=90_000)
        page.wait_for_timeout(2_000)

        heard = page.locator("[data-testid=transcript] [data-role=user]").all_inner_texts()
        assert len(heard) == 3
        for said, understood in zip(SAID, heard, strict=True):
            assert len(set(words(said)) & set(words(understood))) >= len(set(words(said))) - 1
        told, sunny, _ = page.locator("[data-testid=transcript] [data-role=avatar]").all_inner_texts()
        assert "sunny in Florence" in sunny

        # The story was cut off, and the model knows just how far it was heard.
        asked = next(each for each in model.requests if "weather" in each["messages"][-1]["content"].lower())
        kept = [line["content"] for line in asked["messages"] if line["role"] == "assistant"]
        assert len(kept) == 1 and STORY.startswith(kept[0].rstrip(".")) and 3 < len(words(kept[0])) < len(words(STORY))
        assert kept[0] in told

        # After the interrupting sentence began, the portrait fell silent at once.
        probe = page.evaluate("probe")
        microphone_levels, loudspeaker = np.array(probe["microphone"]), np.array(probe["loudspeaker"])
        first = onset(microphone_levels, 0)
        assert first is not None
        speaking = microphone_levels[microphone_levels[:, 1] > 0.01, 0]
        gap = int(np.argmax(np.diff(speaking) > (PAUSES[0] - 1) * 1000))  # between the first and the second sentence
        begun = speaking[gap + 1]

        def loud(start: float, end: float) -> bool:
            times = loudspeaker[:, 0] - begun
            return bool((loudspeaker[(times > start) & (times < end), 1] > 0.01).any())

        assert loud(-1500, 0) and not loud(1000, 1500)
        assert not errors
