"""The `tts` contract, over every engine, through the real server."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.xtts.batch import MOST, WAITING
from gateway.inference import Inference, Speech
from gateway.tensors import inputs_of
from triton_launch.command import REPOSITORY

pytestmark = pytest.mark.server

VOWELS = "aɑæɛeiɪoɔuʌAIOW"  # noqa: RUF001 - IPA
TEXT = "Good morning, my friend. Bob may pay a penny for my map."


def tells_phonemes(engine: str) -> bool:
    """Whether the engine knows when it says what; one that does not says so in its config."""
    path = REPOSITORY / engine / "config.pbtxt"
    config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    return config.parameters["phonemes"].string_value != "none"


async def speak(inference: Inference, engine: str, text: str = TEXT, **options: object) -> list[Speech]:
    return [chunk async for chunk in inference.synthesize(text, "en", engine=engine, **options)]  # type: ignore[arg-type]


async def test_chunks_carry_audio_text_and_phonemes(inference: Inference, tts_engine: str) -> None:
    chunks = await speak(inference, tts_engine)
    assert len(chunks) > 1, "two sentences come in more than one chunk"
    assert "".join(" ".join(chunk.text for chunk in chunks).split()) == "".join(TEXT.split())
    for chunk in chunks:
        seconds = len(chunk.audio) / SPEAKING_RATE
        assert chunk.audio.dtype == np.float32 and np.isfinite(chunk.audio).all()
        assert 0.02 < np.abs(chunk.audio).max() <= 1.0
        assert len(chunk.phonemes) == len(chunk.phoneme_times)
        assert bool(chunk.phonemes) == tells_phonemes(tts_engine)
        if not chunk.phonemes:
            continue
        starts, ends = chunk.phoneme_times.T
        assert (starts <= ends).all() and (np.diff(starts) >= -1e-4).all()
        assert starts[0] >= -0.5 and ends[-1] <= seconds + 0.5


async def test_sound_is_quieter_where_the_lips_are_shut(inference: Inference, tts_engine: str) -> None:
    if not tells_phonemes(tts_engine):
        pytest.skip("nothing to compare: its lips follow the sound")
    shut, vowels = [], []
    for chunk in await speak(inference, tts_engine):
        for phoneme, (start, end) in zip(chunk.phonemes, chunk.phoneme_times, strict=True):
            piece = chunk.audio[max(0, int(start * SPEAKING_RATE)) : int(end * SPEAKING_RATE)]
            if piece.size and phoneme[0] in "pb":
                shut.append(np.sqrt(np.mean(piece**2)))
            elif piece.size and phoneme[0] in VOWELS:
                vowels.append(np.sqrt(np.mean(piece**2)))
    assert shut and vowels
    assert np.median(shut) < 0.6 * np.median(vowels)


async def test_who_goes_away_before_the_first_sound_spoils_nothing_for_the_next(
    inference: Inference, tts_engine: str
) -> None:
    for seconds in (0.02, 0.05, 0.1, 0.2):  # in the queue, and in the midst of a clause
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await speak(inference, tts_engine, TEXT * 3)
    chunks = await speak(inference, tts_engine)
    assert "".join(" ".join(chunk.text for chunk in chunks).split()) == "".join(TEXT.split())


async def test_slower_is_longer(inference: Inference, tts_engine: str) -> None:
    slow = sum(len(chunk.audio) for chunk in await speak(inference, tts_engine, speed=0.7))
    fast = sum(len(chunk.audio) for chunk in await speak(inference, tts_engine, speed=1.4))
    assert slow > 1.4 * fast


@pytest.mark.parametrize(
    ("text", "language", "voice", "code"),
    [
        ("", "en", "", Code.INVALID_TEXT),
        ("x" * 100_000, "en", "", Code.INVALID_TEXT),
        ("🎉🎉🎉", "en", "", Code.INVALID_TEXT),
        ("Hello.", "xx", "", Code.UNKNOWN_LANGUAGE),
        ("Hello.", "en", "nobody", Code.UNKNOWN_VOICE),
    ],
)
async def test_bad_requests_are_refused_in_one_sentence(
    inference: Inference, tts_engine: str, text: str, language: str, voice: str, code: Code
) -> None:
    with pytest.raises(AvatarError) as caught:
        async for _ in inference.synthesize(text, language, voice, engine=tts_engine):
            pass
    assert caught.value.code is code
    assert caught.value.message.endswith((".", "?"))
    assert "Traceback" not in caught.value.message and len(caught.value.message) < 400


async def test_closing_the_stream_stops_the_work(inference: Inference, tts_engine: str) -> None:
    stream = inference.synthesize(" ".join([TEXT] * 30), "en", engine=tts_engine)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):  # the thirty sentences would keep the slower engine busy for much longer
        assert await speak(inference, tts_engine, "Yes.")


async def test_the_last_chunk_says_that_it_is(inference: Inference, tts_engine: str) -> None:
    """So that nobody waits for the end of the stream, which the engine keeps open a moment longer."""
    server = inference._fleet.server(tts_engine)
    answers = server.stream(tts_engine, inputs_of({"TEXT": TEXT, "LANGUAGE": "en"}), lambda _: False)
    sizes = [result.as_numpy("AUDIO").size async for result in answers]
    assert all(sizes[:-1]) and sizes[-1] == 0 and len(sizes) > 2


async def test_tts_xtts_tells_one_too_many_at_once(inference: Inference) -> None:
    """It speaks for several side by side, others wait; who comes when the queue is full does not."""
    asked = [speak(inference, "tts_xtts", "Yes.") for _ in range(MOST + WAITING + 20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, AvatarError)]
    assert 0 < len(refused) < len(asked)
    assert {str(each) for each in refused} == {
        "engine_unavailable: Too many are being answered already: try again in a moment."
    }
    assert all(each for each in answers if not isinstance(each, AvatarError))
