"""What is done to synthesised audio before it leaves: silence trimmed to a natural pause, loudness made even."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.voices.phones import PAUSE
from avatar_runtime.voices.text import Ending

LOUDNESS: Final = 10 ** (-20 / 20)  # RMS of what is speech: -20 dBFS
LEAD_IN: Final = 0.03  # s kept before the first sound
PAUSES: Final = {Ending.SENTENCE: 0.28, Ending.CLAUSE: 0.14, Ending.WORD: 0.03}  # s after the last sound, at speed 1

_WINDOW = SPEAKING_RATE // 100  # 10 ms
_SILENCE = 10 ** (-38 / 20)  # of the loudest window; below it nothing is heard beside speech
_NOTHING = 1e-4  # -80 dBFS: an empty recording has no loudest window
_FADE = SPEAKING_RATE // 200  # 5 ms
_KNEE = 0.8  # full scale above which peaks are bent; 1.0 is never passed
_MAX_GAIN = 8.0

Samples = NDArray[np.float32]


def _levels(audio: Samples) -> Samples:
    """The RMS of each complete window of 10 ms."""
    count = len(audio) // _WINDOW
    return np.sqrt(np.mean(np.square(audio[: count * _WINDOW].reshape(count, _WINDOW)), axis=1) + 1e-12)


def trim(
    audio: Samples, phonemes: list[str], times: Samples, ending: Ending, speed: float = 1.0
) -> tuple[Samples, list[str], Samples]:
    """`audio` from just before its first sound to a natural pause after its last, with the phonemes' times moved along.

    Phonemes outside are dropped; a lengthened pause belongs to the last ``_``. Edges are faded over 5 ms.
    """
    levels = _levels(audio)
    heard = np.flatnonzero(levels > max(levels.max(initial=0.0) * _SILENCE, _NOTHING))
    if heard.size == 0:
        return audio, phonemes, times
    start = max(0, int(heard[0]) * _WINDOW - round(LEAD_IN * SPEAKING_RATE))
    end = (int(heard[-1]) + 1) * _WINDOW
    pause = round(PAUSES[ending] / speed * SPEAKING_RATE)
    kept = audio[start : end + pause].copy()
    fade = min(_FADE, len(kept) // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    kept[:fade] *= ramp
    kept[len(kept) - fade :] *= ramp[::-1]
    kept = np.pad(kept, (0, end - start + pause - len(kept)))
    seconds = len(kept) / SPEAKING_RATE
    moved = np.clip(times - np.float32(start / SPEAKING_RATE), 0.0, seconds).astype(np.float32)
    inside = moved[:, 1] > moved[:, 0]
    phonemes, moved = [p for p, i in zip(phonemes, inside, strict=True) if i], moved[inside]
    if len(moved) and moved[-1, 1] < seconds:
        if phonemes[-1] == PAUSE:
            moved[-1, 1] = seconds
        else:
            phonemes.append(PAUSE)
            moved = np.vstack([moved, [[moved[-1, 1], seconds]]]).astype(np.float32)
    return kept, phonemes, moved


class Loudness:
    """Brings one utterance, chunk by chunk, to `LOUDNESS`: by what was heard so far, so that chunks do not jump."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._windows = 0

    def level(self, audio: Samples) -> Samples:
        """`audio` at the right loudness, its peaks bent so that none passes full scale."""
        levels = _levels(audio)
        loud = levels[levels > levels.max(initial=0.0) * 0.1]  # speech is within 20 dB of its loudest
        self._energy += float(np.sum(np.square(loud)))
        self._windows += len(loud)
        if self._windows == 0:
            return audio
        gain = min(LOUDNESS / np.sqrt(self._energy / self._windows + 1e-12), _MAX_GAIN)
        louder = audio * np.float32(gain)
        over = np.abs(louder) > _KNEE
        bent = _KNEE + (1 - _KNEE) * np.tanh((np.abs(louder[over]) - _KNEE) / (1 - _KNEE))
        louder[over] = np.copysign(bent, louder[over])
        return louder.astype(np.float32)
