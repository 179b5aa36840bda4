"""Where long recordings are cut."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW
from gateway.transcription.cutting import LONGEST, SHORTEST, Cutter, Piece

SECOND = LISTENING_RATE / VAD_WINDOW  # windows
BLOCK = 256


def cut(speech: np.ndarray, audio: np.ndarray | None = None, block: int = BLOCK) -> list[Piece]:
    """Fed block by block; the sound counts its windows unless it is given."""
    if audio is None:
        audio = np.repeat(np.arange(len(speech), dtype=np.float32), VAD_WINDOW)
    cutter, pieces = Cutter(), []
    for at in range(0, len(speech), block):
        part = audio[at * VAD_WINDOW : (at + block) * VAD_WINDOW]
        pieces += cutter.feed(part, speech[at : at + block].astype(np.float32))
    return pieces + cutter.finish()


def talk(*spans: tuple[float, float], seconds: float) -> np.ndarray:
    speech = np.full(int(seconds * SECOND), 0.02)
    for start, end in spans:
        speech[int(start * SECOND) : int(end * SECOND)] = 0.95
    return speech


def windows(piece: Piece) -> tuple[int, int]:
    first = round(piece.start * SECOND)
    return first, first + len(piece.audio) // VAD_WINDOW


def test_nobody_speaks() -> None:
    assert cut(talk(seconds=200)) == []
    assert cut(np.zeros(0)) == []


def test_a_short_recording_is_one_piece_without_the_silence_before() -> None:
    (piece,) = cut(talk((100, 104), seconds=120))
    assert piece.start == pytest.approx(99.5, abs=0.1) and piece.end >= 104
    assert piece.audio[0] == round(piece.start * SECOND), "its sound is the recording's"


@pytest.mark.parametrize("block", [1, 7, BLOCK, 4000])
def test_no_word_is_cut_and_none_is_lost(block: int) -> None:
    random = np.random.default_rng(3)
    spans, at = [], 1.0
    while at < 600:
        length = random.uniform(0.3, 6)
        spans.append((at, at + length))
        at += length + random.choice([0.2, 0.4, 1.5, 8.0])
    speech = talk(*spans, seconds=at)
    pieces = cut(speech, block=block)
    inside = np.zeros(len(speech), int)
    for piece in pieces:
        first, end = windows(piece)
        assert end - first <= LONGEST
        assert piece.audio[0] == first, "where it says it starts"
        inside[first:end] += 1
        assert speech[first] < 0.5 and (end == len(speech) or speech[end - 1] < 0.5 or speech[end] < 0.5)
    assert (inside[speech > 0.5] == 1).all() and (inside <= 1).all()


def test_of_two_pauses_the_longer_and_of_two_good_ones_the_later() -> None:
    first, *_ = cut(talk((0, 16), (16.2, 20), (20.5, 25), (25.2, 60), seconds=60))
    assert first.end == pytest.approx(20.25, abs=0.1)
    first, *_ = cut(talk((0, 16), (19, 24), (25, 60), seconds=60))
    assert first.end == pytest.approx(24.5, abs=0.1)


def test_without_a_pause_the_quietest_place() -> None:
    speech = talk((0, 60), seconds=60)
    audio = np.full(len(speech) * VAD_WINDOW, 0.3, np.float32)
    audio[int(20.0 * LISTENING_RATE) : int(20.3 * LISTENING_RATE)] = 0.01
    first, *rest = cut(speech, audio)
    assert 20.0 <= first.end <= 20.3
    assert rest and all(SHORTEST <= len(piece.audio) // VAD_WINDOW <= LONGEST for piece in rest[:-1])


def test_what_waits_is_bounded() -> None:
    cutter = Cutter()
    for _ in range(60):
        cutter.feed(np.zeros(BLOCK * VAD_WINDOW, np.float32), np.full(BLOCK, 0.9, np.float32))
        assert len(cutter._speech) <= LONGEST and len(cutter._audio) <= LONGEST * VAD_WINDOW
