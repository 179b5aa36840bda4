"""Where a long recording may be cut. Pure: sound and probabilities of speech in, pieces out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW

Floats = npt.NDArray[np.float32]

WINDOWS_PER_SECOND: Final = LISTENING_RATE / VAD_WINDOW
LONGEST: Final = int(28 * WINDOWS_PER_SECOND)  # windows of a piece: what Whisper hears at once, with room for silence
SHORTEST: Final = LONGEST // 2  # windows of a piece that more speech follows
SPEECH: Final = 0.5  # probability of a window; a piece without one has no speech
SILENCE: Final = 0.35  # below it nobody speaks
KEPT: Final = int(0.5 * WINDOWS_PER_SECOND)  # windows of silence before speech: soft beginnings
GOOD_PAUSE: Final = int(0.5 * WINDOWS_PER_SECOND)  # windows: between such pauses the later one is better
LEAST_PAUSE: Final = 3  # windows: less may lie inside a word
SMOOTH: Final = 5  # windows over which the quietest place is looked for when nobody pauses


@dataclass(frozen=True)
class Piece:
    """Sound [n] with speech in it, its probability in each window, and when it starts in the recording (s)."""

    start: float
    audio: Floats
    speech: Floats

    @property
    def end(self) -> float:
        return self.start + len(self.audio) / LISTENING_RATE


class Cutter:
    """Holds less than a piece and what was fed last."""

    def __init__(self) -> None:
        self._first = 0  # window
        self._audio = np.zeros(0, np.float32)
        self._speech = np.zeros(0, np.float32)

    @property
    def begins(self) -> float:
        """Seconds of the recording that are not held any more."""
        return self._first * VAD_WINDOW / LISTENING_RATE

    def feed(self, audio: Floats, speech: Floats) -> list[Piece]:
        """The pieces that are complete. `audio` is `speech` windows of VAD_WINDOW samples long."""
        self._audio = np.concatenate([self._audio, audio])
        self._speech = np.concatenate([self._speech, speech])
        pieces: list[Piece] = []
        self._skip_silence()
        while len(self._speech) > LONGEST:
            pieces += self._take(self._place())
            self._skip_silence()
        return pieces

    def finish(self) -> list[Piece]:
        """The last piece, if there is speech in it."""
        return self._take(len(self._speech))

    def _skip_silence(self) -> None:
        heard = np.flatnonzero(self._speech >= SILENCE)
        self._take(max((int(heard[0]) if len(heard) else len(self._speech)) - KEPT, 0))

    def _take(self, windows: int) -> list[Piece]:
        start, samples = self.begins, windows * VAD_WINDOW
        audio, speech = self._audio[:samples], self._speech[:windows]
        self._first, self._audio, self._speech = self._first + windows, self._audio[samples:], self._speech[windows:]
        return [Piece(start, audio.copy(), speech)] if (speech >= SPEECH).any() else []

    def _place(self) -> int:
        """After how many windows to cut: in the middle of a pause, or where it is quietest."""
        quiet = np.concatenate([[False], self._speech[SHORTEST:LONGEST] < SILENCE, [False]])
        edges = np.flatnonzero(np.diff(quiet)).reshape(-1, 2)  # of the pauses: [first, after the last)
        pauses = [(min(end - first, GOOD_PAUSE), first, end) for first, end in edges.tolist()]
        length, first, end = max(pauses, default=(0, 0, 0))
        if length >= LEAST_PAUSE:
            return int(SHORTEST + (first + end) // 2)
        windows = self._audio[SHORTEST * VAD_WINDOW : LONGEST * VAD_WINDOW].reshape(-1, VAD_WINDOW)
        loudness = np.convolve((windows**2).mean(axis=1), np.ones(SMOOTH), mode="valid")
        return SHORTEST + SMOOTH // 2 + int(np.argmin(loudness))
