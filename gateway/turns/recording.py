"""The last seconds of what the person's microphone picked up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE

Audio = NDArray[np.float32]


class Recording:
    """A ring of 16 kHz audio addressed by seconds since the start of the stream; the oldest is overwritten."""

    def __init__(self, seconds: float) -> None:
        self._ring: Audio = np.zeros(int(seconds * LISTENING_RATE), np.float32)
        self.samples = 0  # received since the start

    @property
    def seconds(self) -> float:
        return self.samples / LISTENING_RATE

    def append(self, audio: Audio) -> None:
        """Audio f32 [n] at 16 kHz, n below the ring's size."""
        places = np.arange(self.samples, self.samples + len(audio)) % len(self._ring)
        self._ring[places] = audio
        self.samples += len(audio)

    def slice(self, begin: int, end: int) -> Audio:
        """Samples `begin` to `end` of the stream, as far as they are still there."""
        begin = max(begin, 0, self.samples - len(self._ring))
        end = min(end, self.samples)
        found: Audio = self._ring[np.arange(begin, max(begin, end)) % len(self._ring)]
        return found

    def between(self, begin: float, end: float) -> Audio:
        """As `slice`, in seconds."""
        return self.slice(round(begin * LISTENING_RATE), round(end * LISTENING_RATE))
