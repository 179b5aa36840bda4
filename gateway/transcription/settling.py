"""Words end where the voice ends: the ear's word times share every pause between the words around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW
from gateway.transcript import Word
from gateway.transcription.cutting import SILENCE, Floats

WINDOW: Final = VAD_WINDOW / LISTENING_RATE  # s
SAME_WORD: Final = 6  # windows: a shorter silence may lie inside a word
BEFORE: Final = 1  # windows: a soft beginning is seen late


def settle(words: Sequence[Word], speech: Floats) -> list[Word]:
    """`words` with times in the sound whose windows have these probabilities of speech, without the pauses."""
    spoken = speech >= SILENCE
    return [_settled(word, spoken) for word in words]


def _settled(word: Word, spoken: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Word:
    first, last = int(word.start / WINDOW), int(np.ceil(word.end / WINDOW))
    loud = np.flatnonzero(spoken[first:last]) + first
    if not len(loud):
        return word
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > SAME_WORD) + 1)
    longest = max(runs, key=len)
    start, end = (int(longest[0]) - BEFORE) * WINDOW, (int(longest[-1]) + 1) * WINDOW
    return replace(word, start=max(word.start, start), end=min(word.end, end))
