# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""Both engines on their real networks, without a server."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.voices.engine import Chunk, Engine
from avatar_runtime.voices.hibari import Hibari
from avatar_runtime.voices.kokoro import FOLDER, Kokoro
from avatar_runtime.voices.phones import FRAME, PAD

REPOSITORY = Path(__file__).parents[3] / "model_repository"


@pytest.fixture(scope="module")
def hibari() -> Hibari:
    return Hibari()


@pytest.fixture(scope="module")
def kokoro(models: Path) -> Kokoro:
    return Kokoro(models / FOLDER)


def configured(engine: str) -> dict[str, str]:
    text = (REPOSITORY / engine / "config.pbtxt").read_text("utf-8")
    return dict(re.findall(r'key: "(\w+)" value: \{ string_value: "([^"]*)" \}', text))


@pytest.mark.parametrize(("name", "engine"), [("tts_hibari", Hibari), ("tts_kokoro", Kokoro)])
def test_the_configuration_names_the_voices_of_the_code(name: str, engine: type[Engine]) -> None:
    parameters = configured(name)
    assert parameters["languages"] == ",".join(engine.voices)
    assert parameters["voices"] == ",".join(f"{v}:{code}" for code, voices in engine.voices.items() for v in voices)


def check(chunk: Chunk) -> None:
    seconds = len(chunk.audio) / SPEAKING_RATE
    assert chunk.audio.dtype == np.float32 and np.isfinite(chunk.audio).all() and np.abs(chunk.audio).max() <= 1
    assert len(chunk.phonemes) == len(chunk.times)
    assert chunk.times[0, 0] >= 0 and chunk.times[-1, 1] == pytest.approx(seconds, abs=1e-3)
    assert (np.diff(chunk.times.reshape(-1)) >= -1e-5).all()
    heard = np.flatnonzero(np.abs(chunk.audio) > 0.02)
    assert heard[0] / SPEAKING_RATE < 0.1, "the sound starts at once"


def closures(chunks: list[Chunk]) -> tuple[float, float]:
    """Mean power in the middle of p and b, and in the middle of vowels."""
    shut, open_ = [], []
    for chunk in chunks:
        for phoneme, (start, end) in zip(chunk.phonemes, chunk.times, strict=True):
            middle = int((start + end) / 2 * SPEAKING_RATE)
            power = float(np.mean(chunk.audio[max(0, middle - 180) : middle + 180] ** 2))
            letter = phoneme.lstrip("ˈˌ")[0]
            if letter in "pb":
                shut.append(power)
            elif letter in "aɑæɛeiɪoɔuʌ":
                open_.append(power)
    return float(np.mean(shut)), float(np.mean(open_))


def test_hibari_durations_are_the_audio(hibari: Hibari) -> None:
    tokens = hibari.phonemes("Good morning, my friend.", "en", "heart")
    for speed in (0.7, 1.0, 1.5):
        audio, frames = hibari.synthesize(tokens, "en", "heart", speed)
        assert len(frames) == len(tokens) + 2 and frames.sum() * FRAME == len(audio)


def test_hibari_speaks_with_lips_shut_where_it_is_quiet(hibari: Hibari) -> None:
    chunks = list(hibari.speak("Good morning, my friend. Bob may pay a penny for my map.", "en"))
    assert [c.text for c in chunks] == ["Good morning, my friend.", "Bob may pay a penny for my map."]
    for chunk in chunks:
        check(chunk)
    shut, open_ = closures(chunks)
    assert shut < open_ / 10


def test_speed(hibari: Hibari) -> None:
    slow, fast = (sum(len(c.audio) for c in hibari.speak("Good morning, my friend.", "en", "", s)) for s in (0.7, 1.4))
    assert slow > 1.5 * fast


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("Hello.", "de"), Code.UNKNOWN_LANGUAGE),
        (("Hello.", "en", "nobody"), Code.UNKNOWN_VOICE),
        (("Hello.", "en", "", 9.0), Code.INVALID_REQUEST),
        (("Hello.", "en", "", float("nan")), Code.INVALID_REQUEST),
        (("", "en"), Code.INVALID_TEXT),
        (("🎉", "en"), Code.INVALID_TEXT),
    ],
)
def test_bad_requests_fail_before_the_first_chunk(hibari: Hibari, arguments: tuple, code: Code) -> None:
    with pytest.raises(AvatarError) as caught:
        hibari.speak(*arguments)
    assert caught.value.code is code


def test_language_and_voice_are_resolved(hibari: Hibari) -> None:
    assert hibari.resolve("", "") == ("en", "heart")
    assert hibari.resolve("en-GB", "") == ("en", "heart")
    assert hibari.resolve("EN_us", "heart") == ("en", "heart")


@pytest.mark.models
def test_kokoro_durations_are_the_audio(kokoro: Kokoro) -> None:
    tokens = kokoro.phonemes("Guten Morgen.", "de", "ef_dora")
    audio, frames = kokoro.synthesize(tokens, "de", "ef_dora", 1.0)
    assert frames.sum() * FRAME == len(audio) and len(frames) == len([PAD, *tokens, PAD])


@pytest.mark.models
def test_kokoro_speaks_german_with_lips_shut_where_it_is_quiet(kokoro: Kokoro) -> None:
    chunks = list(kokoro.speak("Bitte bring mir ein paar bunte Papiere.", "de"))
    for chunk in chunks:
        check(chunk)
    shut, open_ = closures(chunks)
    assert shut < open_ / 10


@pytest.mark.models
def test_kokoro_stops_in_the_midst_of_a_chunk_and_speaks_on_afterwards(kokoro: Kokoro) -> None:
    over = threading.Event()

    def stop() -> None:
        while not over.wait(0.001):
            kokoro.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(AvatarError) as caught:
            list(kokoro.speak("Das ist eine gute Frage.", "de"))
    finally:
        over.set()
        stopper.join()
    assert caught.value.code is Code.CANCELLED
    assert len(list(kokoro.speak("Das ist eine gute Frage.", "de"))) == 1


@pytest.mark.models
def test_kokoro_lends_any_voice_any_language(kokoro: Kokoro) -> None:
    assert kokoro.resolve("de", "af_heart") == ("de", "af_heart")
    assert kokoro.resolve("", "ff_siwis") == ("fr", "ff_siwis")
    assert kokoro.phonemes("Hello", "en", "af_heart") != kokoro.phonemes("Hello", "en", "bf_emma")


@pytest.mark.models
def test_every_voice_of_kokoro_is_there(kokoro: Kokoro) -> None:
    for voice in {v for voices in kokoro.voices.values() for v in voices}:
        assert kokoro._read_style(voice).shape == (510, 256)
