"""The One Euro filter: a low pass that opens up as the signal moves faster, so it neither trembles nor lags.

Casiez, Roussel, Vogel 2012, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems".
"""

from __future__ import annotations

import numpy as np

from avatar_runtime.face.landmarks import Floats

SPEED_CUTOFF = 1.0  # Hz: of the speed's own low pass, as in the paper


class OneEuro:
    """Filters vectors [n] that come at a steady rate."""

    def __init__(self, rate: float, cutoff: Floats, beta: Floats) -> None:
        """rate in Hz; cutoff [n] in Hz at rest; beta [n] in Hz per unit of speed (value per second)."""
        self._rate, self._cutoff, self._beta = rate, cutoff, beta
        self._value: Floats | None = None
        self._speed = np.zeros_like(cutoff)

    def __call__(self, value: Floats) -> Floats:
        if self._value is None:
            self._value = value.copy()
            return value
        self._speed += self._share(np.float32(SPEED_CUTOFF)) * ((value - self._value) * self._rate - self._speed)
        share = self._share(self._cutoff + self._beta * np.abs(self._speed))
        self._value = np.asarray(self._value + share * (value - self._value), np.float32)
        return self._value.copy()

    def _share(self, cutoff: Floats | np.float32) -> Floats:
        """How much of a new value a first-order low pass takes."""
        turn = 2 * np.pi * cutoff / self._rate
        return np.asarray(turn / (turn + 1), np.float32)
