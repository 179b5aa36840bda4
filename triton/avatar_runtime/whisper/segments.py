"""Where somebody speaks: from speech probabilities to windows that Whisper can hear at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW

ON, OFF = 0.5, 0.35  # speech begins above ON and lasts until below OFF
SHORTEST_WINDOWS = 3  # 96 ms: a shorter sound is a click
KEPT_SILENCE = 0.3  # s around speech: soft beginnings and endings
LONGEST_GAP = 3.0  # s of silence that a window may contain
LONGEST_SPAN = 28.0  # s, so that there is room for silence in Whisper's 30


@dataclass(frozen=True)
class Span:
    """Samples [start, end) of the recording."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / LISTENING_RATE


def speech_spans(probabilities: NDArray[np.float32], samples: int) -> list[Span]:
    """What to transcribe of a recording of `samples`, given the probability of speech in each window of 512.

    Spans are ordered, do not overlap, last at most `LONGEST_SPAN`, and contain no silence longer than `LONGEST_GAP`.
    """
    margin = int(KEPT_SILENCE * LISTENING_RATE)
    spans: list[Span] = []
    for first, last in _runs(probabilities):
        for low, high in _cut(probabilities, first, last):
            floor = spans[-1].end if spans else 0
            span = Span(max(low * VAD_WINDOW - margin, floor), min(high * VAD_WINDOW + margin, samples))
            if span.end <= span.start:
                continue
            if spans and span.start - spans[-1].end < (LONGEST_GAP - 2 * KEPT_SILENCE) * LISTENING_RATE:
                joined = Span(spans[-1].start, span.end)
                if joined.seconds <= LONGEST_SPAN:
                    spans[-1] = joined
                    continue
            spans.append(span)
    return spans


def _runs(probabilities: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Windows [first, last) of uninterrupted speech."""
    runs: list[tuple[int, int]] = []
    first: int | None = None
    loud = 0
    for index, probability in enumerate([*probabilities.tolist(), 0.0]):
        if first is None and probability >= ON:
            first, loud = index, 0
        if first is not None:
            loud += probability >= ON
            if probability < OFF:
                if loud >= SHORTEST_WINDOWS:
                    runs.append((first, index))
                first = None
    return runs


def _cut(probabilities: NDArray[np.float32], first: int, last: int) -> list[tuple[int, int]]:
    """[first, last) in parts short enough, cut where speech is least likely in the last third that still fits."""
    room = int((LONGEST_SPAN - 2 * KEPT_SILENCE) * LISTENING_RATE / VAD_WINDOW)
    parts: list[tuple[int, int]] = []
    while last - first > room:
        low = first + room * 2 // 3
        cut = low + int(np.argmin(probabilities[low : first + room]))
        parts.append((first, cut))
        first = cut
    return [*parts, (first, last)]
