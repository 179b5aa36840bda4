"""Voices: the built-in ones, and latents of cloned ones as they travel and are stored."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.xtts.graphs import CONDITIONING_LATENTS

Floats = NDArray[np.float32]
MAGIC = b"XTTSv2\0\1"
HEADER = struct.Struct("<8s32sHHH")  # magic, SHA-256 of the weights, latents, width, speaker
LARGEST = 1e3  # of a number in it: the perceiver ends in an RMS norm, which leaves at most 32 times its gains


@dataclass(frozen=True, slots=True)
class Voice:
    """latents f32 [32, w], for the GPT; speaker f32 [s], for the vocoder."""

    latents: Floats
    speaker: Floats


def pack(voice: Voice, checkpoint: str) -> bytes:
    """A voice as bytes; `checkpoint` is the SHA-256 (hex) of the weights that made it."""
    count, width = voice.latents.shape
    header = HEADER.pack(MAGIC, bytes.fromhex(checkpoint), count, width, len(voice.speaker))
    return header + voice.latents.astype("<f4").tobytes() + voice.speaker.astype("<f4").tobytes()


def unpack(data: bytes, checkpoint: str, width: int, speaker: int) -> Voice:
    """The voice of `pack`. Raises `invalid_request` for other bytes, `unknown_voice` when other weights made it."""
    if len(data) < HEADER.size or data[:8] != MAGIC:
        raise AvatarError(Code.INVALID_REQUEST, "LATENTS are not those of an XTTS voice.")
    _, made_by, count, wide, size = HEADER.unpack_from(data)
    if (made_by.hex(), count, wide, size) != (checkpoint, CONDITIONING_LATENTS, width, speaker):
        raise AvatarError(Code.UNKNOWN_VOICE, "This cloned voice was made by other weights: clone it again.")
    if len(data) != HEADER.size + 4 * (count * wide + size):
        raise AvatarError(Code.INVALID_REQUEST, "LATENTS are cut off.")
    numbers = np.frombuffer(data, "<f4", offset=HEADER.size).astype(np.float32)
    if not (np.abs(numbers) <= LARGEST).all():
        raise AvatarError(Code.INVALID_REQUEST, f"LATENTS must be finite numbers, none larger than {LARGEST:g}.")
    return Voice(numbers[: count * wide].reshape(count, wide), numbers[count * wide :])


class BuiltIn:
    """The voices that came with the checkpoint, by name."""

    def __init__(self, arrays: Any) -> None:
        """arrays: names [v], latents f32 [v, 32, w], speakers f32 [v, s]."""
        self._voices = {
            str(name): Voice(latents, speaker)
            for name, latents, speaker in zip(arrays["names"], arrays["latents"], arrays["speakers"], strict=True)
        }

    @property
    def names(self) -> list[str]:
        return list(self._voices)

    def get(self, name: str) -> Voice:
        """The voice called `name`, the first for "". Raises `unknown_voice`."""
        if not self._voices:
            raise AvatarError(Code.UNKNOWN_VOICE, "This engine has no voice of its own: give one by LATENTS.")
        if not name:
            return next(iter(self._voices.values()))
        if name not in self._voices:
            known = ", ".join(self._voices)
            raise AvatarError(Code.UNKNOWN_VOICE, f"There is no voice {name[:40]!r}; the voices are {known[:300]}.")
        return self._voices[name]
