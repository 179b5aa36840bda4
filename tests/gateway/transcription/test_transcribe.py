"""A file from beginning to end, through scripted ears."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scripted_ears import ScriptedEars, speech
from sounds import RATE, pcm, write_wav

from avatar_runtime.contracts import AvatarError, Code
from gateway.transcription.transcribe import transcribe

BUSY = AvatarError(Code.ENGINE_UNAVAILABLE, "stt is not available at the moment.")


def chatter(seconds: float, seed: int = 1) -> list[tuple[int, float, float]]:
    """Words of 0.3 s to 1.2 s with pauses of every length between them."""
    random = np.random.default_rng(seed)
    words, at = [], 0.7
    while at < seconds - 2:
        length = random.uniform(0.3, 1.2)
        words.append((int(random.integers(20, 90)) * 10, at, at + length))
        at += length + random.choice([0.2, 0.25, 0.3, 0.6, 2.0, 12.0], p=[0.3, 0.2, 0.2, 0.2, 0.07, 0.03])
    return words


async def run(ears: ScriptedEars, path: Path, language: str = "", task: str = "transcribe"):
    done: list[float] = []
    transcript, duration = await transcribe(ears, path, language, task, done.append)
    return transcript, duration, done


async def test_every_word_of_a_long_file_at_its_time(tmp_path: Path) -> None:
    words = chatter(1500)
    samples, texts = speech(words, 1500)
    ears = ScriptedEars()
    transcript, duration, done = await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)))
    assert transcript.text.split() == texts == [word.word for word in transcript.words]
    starts = np.array([(word.start, word.end) for word in transcript.words])
    np.testing.assert_allclose(starts, [(start, end) for _, start, end in words], atol=0.05)
    assert duration == 1500 and done == sorted(done) and done[-1] == 1500
    assert max(seconds for seconds, *_ in ears.asked) <= 28
    assert len(ears.asked) < sum(end - start + 1 for _, start, end in words) / 14, "in pieces of a good size"


async def test_progress_is_what_was_heard_and_not_what_was_read(tmp_path: Path) -> None:
    samples, _ = speech([(440, 30, 31), (550, 41, 42), (660, 59, 60)], 61)
    _, _, done = await run(ScriptedEars(), write_wav(tmp_path / "a.wav", pcm(samples)))
    assert any(20 < seconds < 30 for seconds in done) and done == sorted(done) and done[-1] == 61
    assert not [seconds for seconds in done if 30 < seconds < 41], "the first word waits for a piece to be full"


async def test_the_language_is_found_once(tmp_path: Path) -> None:
    samples, _ = speech(chatter(200), 200)
    ears = ScriptedEars()
    transcript, *_ = await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)), task="translate")
    assert transcript.language == "de"
    assert [language for _, language, _ in ears.asked] == ["", *["de"] * (len(ears.asked) - 1)] and len(ears.asked) > 3
    assert {task for *_, task in ears.asked} == {"translate"}


async def test_a_given_language_stays(tmp_path: Path) -> None:
    samples, _ = speech(chatter(80), 80)
    ears = ScriptedEars()
    transcript, *_ = await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)), "it")
    assert {language for _, language, _ in ears.asked} == {"it"} and transcript.language == "it"


@pytest.mark.parametrize("samples", [np.zeros(RATE * 90), np.ones(1) * 0.5], ids=["silence", "one sample"])
async def test_where_nobody_speaks_nobody_is_asked(tmp_path: Path, samples: np.ndarray) -> None:
    ears = ScriptedEars()
    transcript, duration, done = await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)))
    assert not ears.asked and not transcript.text and not transcript.words
    assert duration == len(samples) / RATE == done[-1]


async def test_a_voice_detector_that_forgot_us_begins_anew(tmp_path: Path) -> None:
    samples, texts = speech(chatter(60), 60)
    ears = ScriptedEars(vad_fails=1, failure=BUSY)
    transcript, *_ = await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)))
    assert transcript.text.split() == texts
    with pytest.raises(AvatarError, match="not available"):
        await run(ScriptedEars(vad_fails=2, failure=BUSY), tmp_path / "a.wav")


async def test_a_failure_in_the_middle_is_the_file_s(tmp_path: Path) -> None:
    samples, _ = speech(chatter(200), 200)
    ears = ScriptedEars(fails_at=3, failure=BUSY)
    with pytest.raises(AvatarError, match="not available"):
        await run(ears, write_wav(tmp_path / "a.wav", pcm(samples)))
    assert ears.together == 0


async def test_cancelled_nothing_goes_on(tmp_path: Path) -> None:
    samples, _ = speech(chatter(200), 200)
    path = write_wav(tmp_path / "a.wav", pcm(samples))
    for wait in (0, 0.001, 0.01, 0.05, 0.3):
        ears = ScriptedEars(hangs=True)
        task = asyncio.create_task(run(ears, path, "de"))
        await asyncio.sleep(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ears.cancelled == len(ears.asked) and ears.together == 0
    assert ears.most == 2


async def test_half_an_hour_in_little_memory(tmp_path: Path) -> None:
    """What is held at once is a few pieces of it."""
    samples, texts = speech(chatter(300), 300)
    path = write_wav(tmp_path / "long.wav", np.tile((samples * 127 + 128).astype("u1"), 6))
    del samples
    ears = ScriptedEars()
    tracemalloc.start()
    try:
        transcript, duration, _ = await run(ears, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert duration == 1800 and transcript.text.split() == texts * 6
    assert peak < 30e6, "half an hour is 115 MB as float32"
