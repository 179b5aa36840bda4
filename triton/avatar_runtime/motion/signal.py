"""The mouth from sound alone, for voices that give no phonemes: loudness opens, the spectrum shapes.

Each frame looks at its own 40 ms of audio and the 40 ms before, never ahead. The bands stand in for formants
(Peterson and Barney 1952): energy near 500-1100 Hz against 150-450 Hz tells an open from a close vowel (F1), energy
near 1700-3400 Hz against 500-1300 Hz a front from a back one (F2), energy above 4 kHz a sibilant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_runtime.contracts import MOTION_SAMPLES, SPEAKING_RATE
from avatar_runtime.motion.visemes import SHAPE

HISTORY: Final = MOTION_SAMPLES  # samples before the first frame that `analyse` wants to see
SILENCE_DB: Final = -52.0  # dBFS of a frame's rms; below it nobody speaks
_FFT: Final = 2048
_BANDS: Final = ((150, 450), (500, 1100), (500, 1300), (1700, 3400), (4000, 9000), (150, 4000))  # Hz
_FREQUENCIES = np.fft.rfftfreq(_FFT, 1.0 / SPEAKING_RATE)
_IN_BAND: Final = np.array([(lo <= _FREQUENCIES) & (_FREQUENCIES < hi) for lo, hi in _BANDS], dtype=float).T
# Rises over 60 ms to the middle of the frame and falls within 20 ms: centred on the frame without looking ahead.
_PEAK: Final = HISTORY + MOTION_SAMPLES // 2
_WINDOW: Final = np.concatenate([np.hanning(2 * _PEAK)[:_PEAK], np.hanning(MOTION_SAMPLES)[MOTION_SAMPLES // 2 :]])


@dataclass(frozen=True)
class Sound:
    """What n frames of audio sound like, each [n]: `level` in dBFS, the others 0..1."""

    level: np.ndarray
    open: np.ndarray
    front: np.ndarray
    hiss: np.ndarray


def _ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((value - low) / (high - low), 0.0, 1.0)


def analyse(audio: np.ndarray) -> Sound:
    """`audio` f [HISTORY + n*960] at 24 kHz -> `Sound` of n frames; the first HISTORY samples are the past."""
    frames = audio[HISTORY:].reshape(-1, MOTION_SAMPLES).astype(np.float64)
    windows = np.concatenate([audio[:-MOTION_SAMPLES].reshape(-1, HISTORY).astype(np.float64), frames], axis=1)
    level = 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    power = np.abs(np.fft.rfft(windows * _WINDOW, _FFT, axis=1)) ** 2
    close, first, back, front, hiss, voice = 10.0 * np.log10((power @ _IN_BAND).T + 1e-9)
    return Sound(
        level,
        open=_ramp(first - close, -9.0, 5.0),
        front=_ramp(front - back, -20.0, -3.0),
        hiss=_ramp(hiss - voice, -4.0, 6.0),
    )


def shapes(sound: Sound, loudness: np.ndarray) -> np.ndarray:
    """The mouth [n, speech shapes] for `sound` at `loudness` [n], 0 silent to 1 loud speech."""
    out = np.zeros((len(loudness), len(SHAPE)))
    voiced = loudness * (1.0 - sound.hiss)
    wide = sound.front * (1.0 - 0.5 * sound.open)
    rounded = (1.0 - sound.front) * (1.0 - sound.open)
    hissing = np.sqrt(loudness) * sound.hiss
    out[:, SHAPE["jawOpen"]] = voiced * (0.17 + 0.45 * sound.open) + 0.07 * hissing
    out[:, SHAPE["mouthStretch"]] = 0.36 * voiced * wide + 0.2 * hissing
    out[:, SHAPE["mouthSmile"]] = 0.18 * voiced * wide
    out[:, SHAPE["mouthPucker"]] = 0.62 * voiced * rounded
    out[:, SHAPE["mouthFunnel"]] = 0.30 * voiced * (1.0 - sound.front)
    out[:, SHAPE["mouthLowerDown"]] = voiced * (0.14 + 0.20 * np.maximum(sound.open, wide)) + 0.42 * hissing
    out[:, SHAPE["mouthUpperUp"]] = voiced * (0.06 + 0.10 * np.maximum(sound.open, wide)) + 0.24 * hissing
    return out
