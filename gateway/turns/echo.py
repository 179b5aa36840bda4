"""Telling the portrait's own voice, come back through loudspeakers, from the person's. Pure.

What was sent and what the microphone hears are compared by normalised cross-correlation over all delays that a
browser, a loudspeaker and a room may make: an echo is a copy, a person is not, and a person who speaks over an echo
20 dB below is far louder than the copy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE

Audio = NDArray[np.float32]

REFERENCE_SECONDS = 1.2  # what was sent that can still be on its way back
WINDOW_SECONDS = 0.16  # of the microphone that is compared
#: Cosine of the microphone's window and the best place in what was sent. Measured on LibriVox readers and hibari: the
#: readers stay below 0.45, also over an echo 20 dB below that speech; the echo in a room alone is above 0.85.
ALIKE = 0.65
_QUIET = 1e-6  # mean square below which nothing was sent


class EchoGate:
    """The sound that was sent in the last second, to be recognised."""

    def __init__(self) -> None:
        self._sent: Audio = np.zeros(int(REFERENCE_SECONDS * LISTENING_RATE), np.float32)
        self._alike = False  # the window before

    def sent(self, audio: Audio) -> None:
        """The next sound that leaves, f32 [n] at 16 kHz."""
        self._sent = np.concatenate([self._sent, audio])[-len(self._sent) :]

    def likeness(self, microphone: Audio) -> float:
        """0 to 1: how much `microphone`, f32 [n] at 16 kHz of about `WINDOW_SECONDS`, copies what was sent."""
        count = len(microphone)
        energy = float(microphone @ microphone)
        if count < 64 or energy <= 0 or float(self._sent @ self._sent) < _QUIET * len(self._sent):
            return 0.0
        size = 1 << (len(self._sent) + count - 1).bit_length()
        product = np.fft.rfft(self._sent, size) * np.conj(np.fft.rfft(microphone, size))
        matches = np.fft.irfft(product, size)[: len(self._sent) - count + 1]
        sums = np.concatenate([[0.0], np.cumsum(self._sent.astype(np.float64) ** 2)])
        energies = sums[count:] - sums[:-count]
        heard = energies > _QUIET * count
        if not heard.any():
            return 0.0
        found = np.abs(matches[heard]) / np.sqrt(energies[heard] * energy)
        return float(min(1.0, found.max()))

    def hears_itself(self, microphone: Audio) -> bool:
        """Whether it is an echo, or was a window ago: a codec leaves single windows of an echo little alike."""
        alike = self.likeness(microphone) >= ALIKE
        found, self._alike = alike or self._alike, alike
        return found
