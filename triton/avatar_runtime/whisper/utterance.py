"""What arrived of a sequence so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.audio import checked


class Utterance:
    """Audio (16 kHz) and settings of one stream, bounded by ``MAX_UTTERANCE_SECONDS``."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self._parts: list[NDArray[np.float32]] = []
        self._length = 0

    def add(self, audio: NDArray[Any]) -> None:
        """Append `audio`, which may be empty; raises `invalid_audio`."""
        part = checked(audio, already=self._length, allow_empty=True)
        self._parts.append(part.copy())  # Triton's memory is its own again after the request
        self._length += len(part)

    def audio(self) -> NDArray[np.float32]:
        """All of it; raises `invalid_audio` when there is none."""
        return checked(np.concatenate([np.zeros(0, np.float32), *self._parts]))
