"""The `vad` and `stt` contracts, over every engine, through the real server; a voice of ours speaks to them."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE, VAD_WINDOW, AvatarError, Code
from gateway.inference import Inference

pytestmark = pytest.mark.server

SENTENCE = "The weather is lovely today, and the children are playing in the garden."


async def said(inference: Inference, text: str, language: str) -> np.ndarray:
    chunks = [chunk.audio async for chunk in inference.synthesize(text, language)]
    return soxr.resample(np.concatenate(chunks), SPEAKING_RATE, LISTENING_RATE).astype(np.float32)


def words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()


async def test_speech_is_transcribed_with_word_times(inference: Inference, stt_engine: str) -> None:
    assert inference._settings.stt == stt_engine
    audio = await said(inference, SENTENCE, "en")
    for language in ("en", "auto"):
        transcript = await inference.transcribe(audio, language)
        assert transcript.language == "en"
        assert words(transcript.text) == words(SENTENCE)
        assert words(" ".join(word.word for word in transcript.words)) == words(SENTENCE)
        starts = [word.start for word in transcript.words]
        assert starts == sorted(starts) and transcript.words[-1].end <= len(audio) / LISTENING_RATE + 0.5


async def test_german_is_heard_as_german(inference: Inference, stt_engine: str) -> None:
    audio = await said(inference, "Guten Morgen, wie geht es Ihnen heute?", "de")
    transcript = await inference.transcribe(audio)
    assert transcript.language == "de"
    assert {"guten", "morgen", "ihnen", "heute"} <= set(words(transcript.text))


async def test_silence_and_noise_say_nothing(inference: Inference, stt_engine: str) -> None:
    for audio in (np.zeros(48_000), np.random.default_rng(0).normal(size=48_000) * 0.05):
        transcript = await inference.transcribe(audio.astype(np.float32))
        assert transcript.text == "" and transcript.words == []


@pytest.mark.parametrize(
    ("audio", "language", "code"),
    [
        (np.zeros(0, np.float32), "en", Code.INVALID_AUDIO),
        (np.full(16_000, np.nan, np.float32), "en", Code.INVALID_AUDIO),
        (np.zeros(16_000, np.float32), "klingon", Code.UNKNOWN_LANGUAGE),
    ],
)
async def test_stt_refuses_in_one_sentence(
    inference: Inference, stt_engine: str, audio: np.ndarray, language: str, code: Code
) -> None:
    with pytest.raises(AvatarError) as caught:
        await inference.transcribe(audio, language)
    assert caught.value.code is code and caught.value.message.endswith(".")


async def test_vad_knows_speech_from_silence(inference: Inference, vad_engine: str) -> None:
    assert inference._settings.vad == vad_engine
    speech = await said(inference, SENTENCE, "en")
    async with inference.vad() as stream:
        quiet = await stream.push(np.zeros(LISTENING_RATE, np.float32))
        loud = await stream.push(speech)
    assert len(quiet) == LISTENING_RATE // VAD_WINDOW
    assert quiet.max() < 0.3 and np.median(loud) > 0.7


async def test_vad_streams_do_not_mix(inference: Inference, vad_engine: str) -> None:
    speech = await said(inference, SENTENCE, "en")
    async with inference.vad() as one, inference.vad() as other:
        for piece in np.array_split(speech, 20):
            await one.push(piece)
            assert (await other.push(np.zeros_like(piece))).max(initial=0) < 0.3


async def test_speech_is_heard_while_it_is_spoken(inference: Inference, stt_engine: str) -> None:
    assert inference._settings.stt == stt_engine
    audio = await said(inference, SENTENCE, "en")
    async with inference.listen("en") as stream:
        before = await stream.push(np.zeros(4000, np.float32))
        assert before.whole == "" and before.words == []
        shown = []
        for piece in np.array_split(audio, len(audio) // 1024):
            heard = await stream.push(piece)
            assert heard.text.startswith(before.text)  # what is certain stays
            shown.append(heard.whole)
            before = heard
        assert any(0 < len(words(text)) < len(words(SENTENCE)) for text in shown)
        flushed = await stream.push(np.zeros(0, np.float32), flush=True)
        assert words(flushed.whole) == words(SENTENCE) and flushed.text.startswith(before.text)
        final = await stream.finish(np.zeros(1000, np.float32))
    assert words(final.text) == words(SENTENCE) and final.partial == "" and final.language == "en"
    assert len(final.words) == len(SENTENCE.split())


async def test_streams_of_speech_do_not_mix(inference: Inference, stt_engine: str) -> None:
    speech = await said(inference, SENTENCE, "en")
    async with inference.listen("en") as one, inference.listen("en") as other:
        for piece in np.array_split(speech, 10):
            await one.push(piece)
            assert (await other.push(np.zeros_like(piece))).whole == ""
        assert words((await one.finish(np.zeros(0, np.float32))).text) == words(SENTENCE)


async def test_a_stream_says_what_is_wrong_with_it(inference: Inference, stt_engine: str) -> None:
    async with inference.listen("klingon") as stream:
        with pytest.raises(AvatarError) as caught:
            await stream.push(np.zeros(1000, np.float32))
        assert caught.value.code is Code.UNKNOWN_LANGUAGE
    async with inference.listen("en") as stream:
        await stream.push(np.zeros(1000, np.float32))
        with pytest.raises(AvatarError) as caught:
            await stream.push(np.full(1000, np.inf, np.float32))
        assert caught.value.code is Code.INVALID_AUDIO
    with pytest.raises(AvatarError) as caught:  # neither begun nor known
        await inference.call(
            stt_engine, {"AUDIO": np.zeros(1000, np.float32)}, sequence_id=4711, sequence_start=False, sequence_end=True
        )
    assert caught.value.code in (Code.INVALID_REQUEST, Code.ENGINE_UNAVAILABLE)
