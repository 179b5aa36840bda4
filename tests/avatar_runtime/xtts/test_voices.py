"""Latents as they travel: back as they were, and refused when they are cut, altered or of other weights."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.xtts.voices import HEADER, BuiltIn, Voice, pack, unpack

WEIGHTS, OTHERS = "ab" * 32, "cd" * 32
VOICE = Voice(np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32), np.arange(4, dtype=np.float32))


def refused(data: bytes, checkpoint: str = WEIGHTS, width: int = 8, speaker: int = 4) -> AvatarError:
    with pytest.raises(AvatarError) as caught:
        unpack(data, checkpoint, width, speaker)
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_voice_comes_back_as_it_was() -> None:
    found = unpack(pack(VOICE, WEIGHTS), WEIGHTS, 8, 4)
    assert (found.latents == VOICE.latents).all() and (found.speaker == VOICE.speaker).all()


def test_other_weights_are_told_apart() -> None:
    assert refused(pack(VOICE, WEIGHTS), OTHERS).code is Code.UNKNOWN_VOICE
    assert refused(pack(VOICE, WEIGHTS), width=16).code is Code.UNKNOWN_VOICE
    assert refused(pack(VOICE, WEIGHTS), speaker=5).code is Code.UNKNOWN_VOICE


@pytest.mark.parametrize("data", [b"", b"XTTSv2", b"RIFF" * 50, bytes(HEADER.size)])
def test_other_bytes_are_refused(data: bytes) -> None:
    assert refused(data).code is Code.INVALID_REQUEST


def test_cut_off_and_broken_latents_are_refused() -> None:
    data = pack(VOICE, WEIGHTS)
    assert "cut off" in refused(data[:-4]).message
    assert "cut off" in refused(data + b"more").message
    bad = Voice(np.full((32, 8), np.nan, np.float32), VOICE.speaker)
    assert "finite" in refused(pack(bad, WEIGHTS)).message
    huge = Voice(VOICE.latents, np.full(4, 1e30, np.float32))
    assert "finite" in refused(pack(huge, WEIGHTS)).message


@pytest.mark.parametrize("count", [0, 1, 31, 33, 60_000])
def test_a_voice_has_32_latents(count: int) -> None:
    """More would be a longer prefix, and attention over 60,000 positions takes all memory there is."""
    more = Voice(np.zeros((count, 8), np.float32), VOICE.speaker)
    assert refused(pack(more, WEIGHTS)).code is Code.UNKNOWN_VOICE


def test_built_in_voices() -> None:
    arrays = {"names": np.array(["Ada", "Bo"]), "latents": np.zeros((2, 32, 8)), "speakers": np.eye(2)}
    voices = BuiltIn(arrays)
    assert voices.names == ["Ada", "Bo"]
    assert (voices.get("").speaker == voices.get("Ada").speaker).all()
    with pytest.raises(AvatarError, match="Ada, Bo") as caught:
        voices.get("Cy")
    assert caught.value.code is Code.UNKNOWN_VOICE
    with pytest.raises(AvatarError, match="LATENTS"):
        BuiltIn({"names": np.array([]), "latents": np.zeros((0, 32, 8)), "speakers": np.zeros((0, 2))}).get("")
