"""How loud the voice is against itself, and what follows from it: wider or smaller movement, nods, silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_runtime.motion.signal import SILENCE_DB

_USUAL_PEAK: Final = -20.0  # dBFS, where the voice is taken to be before it is heard
_PEAK_FALL: Final = 0.04  # dB a frame: 1 dB/s
_DYNAMIC_RANGE: Final = 26.0  # dB between a voice's peaks and what still moves the lips
_MISSING: Final = 3  # frames of silence after which remembered phonemes are no longer believed
_NOD_DEGREES: Final = 1.1


@dataclass(frozen=True)
class Heard:
    """Per frame [n]: `loudness` 0..1 against the voice's own peaks; `gain` of the articulation, 0.75..1.12;
    `believed` 0..1, whether the phonemes still fit the sound; `speaking` 0..1, smooth; `nod`, degrees of pitch."""

    loudness: np.ndarray
    gain: np.ndarray
    believed: np.ndarray
    speaking: np.ndarray
    nod: np.ndarray


class Voice:
    """Follows one voice frame by frame, with no look ahead."""

    def __init__(self) -> None:
        self._peak = _USUAL_PEAK
        self._gain = 0.9
        self._quiet = 0
        self._believed = 1.0
        self._speaking = 0.0
        self._fast = 0.0
        self._slow = 0.0
        self._nod = 0.0

    def hear(self, level: np.ndarray, phoneme: np.ndarray, covered: np.ndarray, *, trusted: bool) -> Heard:
        """`level` [n] dBFS, `phoneme` [n] whether one is being said, `covered` [n] whether phonemes are known.

        Remembered phonemes (not `trusted`) are dropped when the sound stops: the speech was interrupted.
        """
        rows = []
        for db, saying, known in zip(level.tolist(), phoneme.tolist(), covered.tolist(), strict=True):
            self._peak = max(db, self._peak - _PEAK_FALL, SILENCE_DB + _DYNAMIC_RANGE - 6.0)
            silent = db < SILENCE_DB
            loud = 0.0 if silent else min(max((db - self._peak + _DYNAMIC_RANGE) / _DYNAMIC_RANGE, 0.0), 1.0)
            self._quiet = self._quiet + 1 if silent else 0
            believe = trusted or self._quiet <= _MISSING
            self._believed += min(max((1.0 if believe else 0.0) - self._believed, -0.34), 0.34)
            gain = 0.9 if silent else 0.75 + 0.37 * min(max((db - self._peak + 18.0) / 18.0, 0.0), 1.0)
            self._gain += 0.4 * (gain - self._gain)
            talk = max(saying * self._believed, min(2.5 * loud, 1.0) * (1.0 - known))
            self._speaking += (0.35 if talk > self._speaking else 0.12) * (talk - self._speaking)
            self._fast += 0.30 * (loud - self._fast)
            self._slow += 0.05 * (loud - self._slow)
            self._nod += 0.35 * (_NOD_DEGREES * (self._fast - self._slow) * self._speaking - self._nod)
            rows.append((loud**1.4, self._gain, self._believed, self._speaking, self._nod))
        return Heard(*np.array(rows).reshape(-1, 5).T)
