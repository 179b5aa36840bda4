"""The `voice` contract, over every engine, through the real server: what is learned, its tts twin speaks with."""

from __future__ import annotations

import asyncio
from functools import lru_cache

import numpy as np
import pytest
from hibari import Hibari

from avatar_runtime.contracts import MAX_LATENTS_BYTES, SPEAKING_RATE, AvatarError, Code, Role
from gateway.cloning import twin
from gateway.inference import Inference

pytestmark = pytest.mark.server

TEXT = "My favourite picture hangs in a small museum. It is not large, and hardly anybody stops in front of it."


@lru_cache(maxsize=1)
def recording() -> np.ndarray:
    spoken = np.asarray(Hibari()(TEXT, seed=0), np.float32).reshape(-1)
    return np.pad(spoken, SPEAKING_RATE)


async def said(inference: Inference, engine: str, latents: bytes, seed: int = 3) -> np.ndarray:
    spoken = inference.synthesize("Good morning.", "en", engine=engine, latents=latents, seed=seed)
    return np.concatenate([chunk.audio async for chunk in spoken])


async def test_latents_are_small_and_always_the_same(inference: Inference, voice_engine: str) -> None:
    one, two = await asyncio.gather(*(inference.clone(recording(), voice_engine) for _ in range(2)))
    assert one == two and 1_000 < len(one) <= MAX_LATENTS_BYTES
    louder = await inference.clone(recording() * 1.5, voice_engine)
    assert len(louder) == len(one)


async def test_its_tts_twin_speaks_with_them(inference: Inference, voice_engine: str) -> None:
    speaker = twin(voice_engine, Role.TTS)
    latents = await inference.clone(recording(), voice_engine)
    cloned = await said(inference, speaker, latents)
    assert len(cloned) > SPEAKING_RATE // 4 and np.isfinite(cloned).all()
    np.testing.assert_allclose(await said(inference, speaker, latents), cloned, atol=1e-3)
    other = await inference.clone(np.concatenate([recording()[::-1], recording()]), voice_engine)
    assert other != latents


@pytest.mark.parametrize("seed", [-(2**63), -1, 2**63 - 1])
async def test_any_seed_will_do(inference: Inference, voice_engine: str, seed: int) -> None:
    spoken = inference.synthesize("Yes.", "en", engine=twin(voice_engine, Role.TTS), seed=seed)
    assert [chunk async for chunk in spoken]


@pytest.mark.parametrize(
    ("audio", "code"),
    [
        (np.zeros(0, np.float32), Code.INVALID_AUDIO),
        (np.zeros(5 * SPEAKING_RATE, np.float32), Code.INVALID_AUDIO),
        (np.full(5 * SPEAKING_RATE, np.nan, np.float32), Code.INVALID_AUDIO),
        (np.sin(np.arange(5 * SPEAKING_RATE) / 9).astype(np.float32), Code.INVALID_AUDIO),
        (np.zeros(3600 * SPEAKING_RATE // 10, np.float32), Code.INVALID_AUDIO),
    ],
    ids=["empty", "silent", "nan", "tone", "six minutes"],
)
async def test_what_no_voice_can_be_made_of(
    inference: Inference, voice_engine: str, audio: np.ndarray, code: Code
) -> None:
    with pytest.raises(AvatarError) as caught:
        await inference.clone(audio, voice_engine)
    assert caught.value.code is code and caught.value.message.endswith(".") and "\n" not in caught.value.message


async def test_a_voice_that_is_too_short_is_told_what_to_record(inference: Inference, voice_engine: str) -> None:
    with pytest.raises(AvatarError, match="seconds of speech") as caught:
        await inference.clone(recording()[: 2 * SPEAKING_RATE], voice_engine)
    assert caught.value.code is Code.INVALID_AUDIO


async def test_latents_of_another_model_or_none_at_all(inference: Inference, voice_engine: str) -> None:
    """What the gateway takes as the sign to make them anew from the sample."""
    speaker = twin(voice_engine, Role.TTS)
    latents = bytearray(await inference.clone(recording(), voice_engine))
    for at in range(len(latents)):
        latents[at] ^= 0x55
        if at == 40:
            break
    for bad in (bytes(latents), b"x", b"x" * 200_000):
        with pytest.raises(AvatarError) as caught:
            await said(inference, speaker, bad)
        assert caught.value.code in (Code.UNKNOWN_VOICE, Code.INVALID_REQUEST)
