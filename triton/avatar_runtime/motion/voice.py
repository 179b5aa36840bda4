"""How loud the voice is against itself, and what follows from it: wider or smaller movement, nods, silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_runtime.motion.coarticulation import Mouth
from avatar_runtime.motion.signal import SILENCE_DB

_USUAL_PEAK: Final = -20.0  # dBFS, where the voice is taken to be before it is heard
_PEAK_FALL: Final = 0.04  # dB a frame: 1 dB/s
_DYNAMIC_RANGE: Final = 26.0  # dB between a voice's peaks and what still moves the lips
_MISSING: Final = 2  # frames of silence in a vowel after which its phonemes are no longer believed
_NOD_DEGREES: Final = 1.1


@dataclass(frozen=True)
class Heard:
    """Per frame [n]: `loudness` 0..1 against the voice's own peaks; `gain` of the articulation, 0.8..1.15;
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
        self._gain = 0.95
        self._quiet = 0
        self._heard = False
        self._believed = 1.0
        self._speaking = 0.0
        self._fast = 0.0
        self._slow = 0.0
        self._nod = 0.0

    def hear(self, level: np.ndarray, mouth: Mouth) -> Heard:
        """`level` [n] dBFS of each frame, and the `mouth` that the known phonemes ask for.

        Vowels in silence, where a voice was heard before, are not believed: the speech was cut off, or the voice
        faded out within its last sound. The lips close then.
        """
        rows = []
        for db, saying, known, vowel in zip(
            level.tolist(), mouth.speaking.tolist(), mouth.covered.tolist(), mouth.vowel.tolist(), strict=True
        ):
            self._peak = max(db, self._peak - _PEAK_FALL, SILENCE_DB + _DYNAMIC_RANGE - 6.0)
            silent = db < SILENCE_DB
            loud = 0.0 if silent else min(max((db - self._peak + _DYNAMIC_RANGE) / _DYNAMIC_RANGE, 0.0), 1.0)
            self._heard |= not silent
            if not silent or saying == 0.0:
                self._quiet = 0
            elif vowel:
                self._quiet += 1
            believe = self._quiet <= _MISSING or not self._heard
            self._believed += min(max((1.0 if believe else 0.0) - self._believed, -0.34), 0.34)
            gain = 0.95 if silent else 0.80 + 0.35 * min(max((db - self._peak + 18.0) / 18.0, 0.0), 1.0)
            self._gain += 0.4 * (gain - self._gain)
            talk = max(saying * self._believed, min(2.5 * loud, 1.0) * (1.0 - known))
            self._speaking += (0.35 if talk > self._speaking else 0.12) * (talk - self._speaking)
            self._fast += 0.30 * (loud - self._fast)
            self._slow += 0.05 * (loud - self._slow)
            self._nod += 0.35 * (_NOD_DEGREES * (self._fast - self._slow) * self._speaking - self._nod)
            rows.append((loud**1.4, self._gain, self._believed, self._speaking, self._nod))
        return Heard(*np.array(rows).reshape(-1, 5).T)
