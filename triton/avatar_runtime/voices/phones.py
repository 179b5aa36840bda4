# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""Kokoro's phoneme alphabet (misaki's, which hibari shares) as IPA with times.

Letters: hexgrad/misaki, EN_PHONES.md. Both networks predict how many frames each token lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import SPEAKING_RATE

FRAME: Final = 600  # samples at SPEAKING_RATE that one unit of predicted duration lasts: 25 ms
#: Both networks are heard this much before their predicted frames: measured as the shift at which p/b fall on the
#: dips of energy and s/ʃ on the peaks of high frequencies; the same for speeds 0.7 to 1.4, English and German.
LEAD: Final = 2 * FRAME
PAUSE: Final = "_"
PAD: Final = "$"  # token 0, before and after every phoneme string

_PUNCTUATION = frozenset(';:,.!?—…"()“”' + PAD)
_BEFORE = frozenset("ˈˌ")  # belongs to the sound after it
_AFTER = frozenset("ː\u0303ʰʲ")  # belongs to the sound before it
_TONES = frozenset("↓→↗↘")
_IPA: Final = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "S": "s", "T": "ɾ", "ᵊ": "ə", "ᵻ": "ɪ", "ᵝ": "β",
    "ʤ": "dʒ", "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ",
}  # fmt: skip
_LONGEST_JOIN: Final = 3  # frames that a space between words may last before it counts as a pause


def timed(tokens: Sequence[str], frames: NDArray[np.float32]) -> tuple[list[str], NDArray[np.float32]]:
    """IPA phonemes and their times f32 [m, 2] in seconds, from tokens and how many frames each lasts.

    Times are gapless from 0 to the audio's end. Pads and punctuation become ``_``, runs of them one; stress marks go
    with the sound after them, length marks with the one before; a short gap between words is shared by its neighbours.
    """
    samples = np.concatenate([[0.0], np.cumsum(frames, dtype=np.float64)]) * FRAME
    edges = np.maximum(samples - LEAD, 0.0) / SPEAKING_RATE
    edges[-1] = samples[-1] / SPEAKING_RATE
    phonemes: list[str] = []
    times: list[list[float]] = []
    pending, pending_from = "", None
    for index, token in enumerate(tokens):
        start, end = float(edges[index]), float(edges[index + 1])
        silent = token in _PUNCTUATION or (token == " " and frames[index] > _LONGEST_JOIN)
        if silent:
            if phonemes and phonemes[-1] == PAUSE:
                times[-1][1] = end
            else:
                phonemes.append(PAUSE)
                times.append([start, end])
        elif token == " ":
            if phonemes and phonemes[-1] == PAUSE:
                times[-1][1] = end
            elif times:
                times[-1][1] = (start + end) / 2
                pending_from = times[-1][1]
        elif token in _BEFORE:
            pending = token
            pending_from = start if pending_from is None else pending_from
        elif token in _AFTER or token in _TONES:
            if times:
                times[-1][1] = end
                if token not in _TONES and phonemes[-1] != PAUSE:
                    phonemes[-1] += token
        else:
            phonemes.append(pending + _IPA.get(token, token))
            times.append([start if pending_from is None else pending_from, end])
            pending, pending_from = "", None
        if silent and pending_from is not None:
            times[-1][0], pending, pending_from = min(times[-1][0], pending_from), "", None
    return phonemes, np.asarray(times, np.float32).reshape(-1, 2)
