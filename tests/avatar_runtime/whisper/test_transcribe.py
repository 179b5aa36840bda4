"""The real weights on real speech: what the voice engine says is what Whisper hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr
from hibari import Hibari

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Code
from avatar_runtime.whisper.folder import open_transcriber
from avatar_runtime.whisper.transcribe import Transcriber

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def transcriber(models: Path) -> Transcriber:
    return open_transcriber(models)


def spoken(text: str) -> np.ndarray:
    """`text` in the English voice between two seconds of silence, 16 kHz."""
    voice = np.asarray(Hibari()(text, seed=0), np.float32).reshape(-1)
    quiet = np.zeros(LISTENING_RATE, np.float32)
    return np.concatenate([quiet, soxr.resample(voice, 24_000, 16_000), quiet]).astype(np.float32)


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return spoken("We walked along the river until the sun went down.")


def test_hears_a_sentence(transcriber: Transcriber, sentence: np.ndarray) -> None:
    found = transcriber.transcribe(sentence)
    assert found.text == "We walked along the river until the sun went down."
    assert found.language == "en"
    assert [word.text for word in found.words] == found.text.split()
    times = [moment for word in found.words for moment in (word.start, word.end)]
    assert times == sorted(times)
    assert 0.6 < times[0] < 1.3
    assert times[-1] < len(sentence) / LISTENING_RATE - 0.5


def test_a_long_recording_is_heard_in_parts(transcriber: Transcriber, sentences: dict[str, str]) -> None:
    found = transcriber.transcribe(np.concatenate([spoken(text) for text in sentences.values()]))
    assert [word for word in sentences if word in found.text.lower()] == list(sentences)
    assert found.words[-1].end > 30


def private() -> float:
    """MB of this process that lie in no file."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) / 1024


def test_half_a_minute_of_speech_leaves_no_memory_behind(models: Path, sentences: dict[str, str]) -> None:
    transcriber = open_transcriber(models)
    speech = np.concatenate([spoken(text)[LISTENING_RATE:-LISTENING_RATE] for text in sentences.values()])
    transcriber.transcribe(speech[: 8 * LISTENING_RATE])
    before = private()
    assert "piano" in transcriber.transcribe(speech[: 28 * LISTENING_RATE]).text
    assert private() - before < 80  # an arena keeps 200


def test_translates_nothing_it_need_not(transcriber: Transcriber, sentence: np.ndarray) -> None:
    options = transcriber.options(language="en-GB", task="translate", prompt="River, sun")
    assert "river" in transcriber.transcribe(sentence, options).text


def test_silence_and_noise_say_nothing(transcriber: Transcriber) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * LISTENING_RATE).astype(np.float32)
    for sound in (np.zeros(3 * LISTENING_RATE, np.float32), noise, np.zeros(1, np.float32)):
        found = transcriber.transcribe(sound)
        assert (found.text, found.words, found.language) == ("", [], "")


def test_knows_99_languages(transcriber: Transcriber) -> None:
    assert len(transcriber.languages) == 99
    assert {"en", "de", "fr", "zh", "haw"} <= set(transcriber.languages)


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"language": "klingon"}, Code.UNKNOWN_LANGUAGE), ({"task": "sing"}, Code.INVALID_REQUEST)],
)
def test_unknown_settings(transcriber: Transcriber, settings: dict[str, str], code: Code) -> None:
    with pytest.raises(AvatarError) as error:
        transcriber.options(**settings)
    assert error.value.code is code


def test_stops_when_cancelled(transcriber: Transcriber, sentence: np.ndarray) -> None:
    with pytest.raises(AvatarError) as error:
        transcriber.transcribe(sentence, cancelled=lambda: True)
    assert error.value.code is Code.CANCELLED
