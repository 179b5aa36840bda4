"""The real weights on real speech, while it is spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from hibari import Hibari

from avatar_runtime.contracts import LISTENING_RATE
from avatar_runtime.whisper.folder import open_transcriber
from avatar_runtime.whisper.streaming import Stream, StreamingOptions
from avatar_runtime.whisper.transcribe import Transcriber, Transcript

pytestmark = pytest.mark.models

TEXT = "We walked along the river until the sun went down."
PUSH = 1024  # samples: 64 ms
QUIET = np.zeros(LISTENING_RATE // 2, np.float32)


@pytest.fixture(scope="module")
def transcriber(models: Path) -> Transcriber:
    return open_transcriber(models)


def spoken(text: str) -> np.ndarray:
    voice = np.asarray(Hibari()(text, seed=0), np.float32).reshape(-1)
    return soxr.resample(voice, 24_000, LISTENING_RATE).astype(np.float32)


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return np.concatenate([QUIET, spoken(TEXT)])


def heard(stream: Stream, transcriber: Transcriber, audio: np.ndarray, language: str = "") -> list[Transcript]:
    """What the stream said after each push."""
    options = transcriber.options(language)
    said = []
    for start in range(0, len(audio), PUSH):
        stream.add(audio[start : start + PUSH], options)
        said.append(stream.heard())
    return said


def test_words_appear_while_they_are_spoken_and_certain_ones_stay(
    transcriber: Transcriber, sentence: np.ndarray
) -> None:
    stream = Stream(transcriber)
    said = heard(stream, transcriber, sentence)
    final = stream.finish(transcriber.options())
    assert final.text == TEXT and final.partial == "" and final.language == "en"
    assert [word.text for word in final.words] == TEXT.split()
    for before, after in zip(said, [*said[1:], final], strict=True):
        assert after.text.startswith(before.text)
    seconds = {word.text: word.end for word in final.words}
    first = next(index for index, each in enumerate(said) if each.text or each.partial)
    assert first * PUSH / LISTENING_RATE < seconds["along"] + 0.5
    assert len(said[-1].text.split()) >= 5
    times = [moment for word in final.words for moment in (word.start, word.end)]
    assert times == sorted(times) and times[0] > 0.3


def test_a_flush_hears_all_and_takes_nothing_back(transcriber: Transcriber, sentence: np.ndarray) -> None:
    stream, options = Stream(transcriber), transcriber.options("en")
    certain = heard(stream, transcriber, sentence, "en")[-1].text
    flushed = stream.flush(options)
    assert f"{flushed.text} {flushed.partial}".strip() == TEXT and flushed.text == certain
    more = heard(stream, transcriber, np.concatenate([QUIET[:4000], spoken("Then we went home.")]), "en")
    assert more[-1].text.startswith(certain)
    assert stream.finish(options).text.endswith("Then we went home.")


def test_the_flush_of_a_silence_is_not_heard_twice(transcriber: Transcriber, sentence: np.ndarray) -> None:
    stream, options = Stream(transcriber), transcriber.options("en")
    heard(stream, transcriber, sentence, "en")
    flushed = stream.flush(options)
    heard(stream, transcriber, QUIET, "en")
    assert stream.flush(options) == flushed
    assert stream.finish(options).text == f"{flushed.text} {flushed.partial}".strip()


def test_a_part_ends_with_its_pause(transcriber: Transcriber, sentence: np.ndarray) -> None:
    stream = Stream(transcriber)
    said = heard(stream, transcriber, np.concatenate([sentence, QUIET, QUIET, QUIET]), "en")
    assert said[-1].text == TEXT and said[-1].partial == ""


def test_a_long_speech_costs_no_more_than_a_short_one(transcriber: Transcriber) -> None:
    """The window is shortened behind certain words, and no word is lost at the cut."""
    text = "My sister lives in a small house near the river and she has been playing the piano since she was a child"
    audio = np.concatenate([spoken(text) for _ in range(4)])  # without a pause
    stream = Stream(transcriber, StreamingOptions(longest=6.0, kept=3.0))
    longest = 0.0
    options = transcriber.options("en")
    for start in range(0, len(audio), PUSH):
        stream.add(audio[start : start + PUSH], options)
        longest = max(longest, stream.window)
    found = stream.finish(options).text.lower()
    assert longest < 10 < len(audio) / LISTENING_RATE
    assert found.count("piano") == 4 and found.count("sister") == 4


def test_what_comes_all_at_once_is_heard_in_parts(transcriber: Transcriber, sentences: dict[str, str]) -> None:
    """More than the encoder hears at once."""
    pause = QUIET[: LISTENING_RATE // 4]
    audio = np.concatenate([part for text in sentences.values() for part in (spoken(text), pause)])
    assert len(audio) > 31 * LISTENING_RATE
    stream, options = Stream(transcriber), transcriber.options("en")
    stream.add(audio, options)
    found = stream.finish(options).text.lower()
    assert len([word for word in sentences if word in found]) >= len(sentences) - 1


def test_silence_and_noise_say_nothing(transcriber: Transcriber) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * LISTENING_RATE).astype(np.float32)
    for sound in (np.zeros(3 * LISTENING_RATE, np.float32), noise, np.zeros(1, np.float32)):
        stream = Stream(transcriber)
        heard(stream, transcriber, sound)
        assert stream.finish(transcriber.options()) == Transcript()
        assert stream.window < 1


def test_german_is_found_out_while_it_is_spoken(transcriber: Transcriber, models: Path) -> None:
    from avatar_runtime.voices.kokoro import FOLDER, Kokoro

    speaker = Kokoro(models / FOLDER)
    speaker.opening = 0  # in one breath
    voice = np.concatenate([chunk.audio for chunk in speaker.speak("Guten Morgen, wie geht es Ihnen heute?", "de")])
    stream = Stream(transcriber)
    heard(stream, transcriber, soxr.resample(voice, 24_000, LISTENING_RATE).astype(np.float32))
    final = stream.finish(transcriber.options())
    assert final.language == "de" and {"Morgen", "Ihnen"} <= set(final.text.replace(",", "").split())


@pytest.mark.parametrize(("likely", "told"), [("en", "en"), ("de", None)])
def test_a_flush_doubts_no_language_that_was_heard_and_expected(
    transcriber: Transcriber, sentence: np.ndarray, monkeypatch: pytest.MonkeyPatch, likely: str, told: str | None
) -> None:
    languages = []
    hear = transcriber.hear

    def noted(*arguments: Any, **named: Any) -> Any:
        languages.append(arguments[2].language)
        return hear(*arguments, **named)

    monkeypatch.setattr(transcriber, "hear", noted)
    stream, options = Stream(transcriber, StreamingOptions(margin=60.0)), transcriber.options(likely_language=likely)
    stream.add(sentence, options)  # with such a margin nothing is certain, and no language settled
    assert stream.flush(options).language == "en"
    assert languages == [told]
