"""Word times without the pauses between the words."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.transcript import Word
from gateway.transcription.settling import WINDOW, settle


def speech(*spans: tuple[float, float], seconds: float = 5.0) -> np.ndarray:
    found = np.full(round(seconds / WINDOW), 0.01, np.float32)
    for start, end in spans:
        found[round(start / WINDOW) : round(end / WINDOW)] = 0.9
    return found


def test_a_word_ends_where_the_voice_ends() -> None:
    one, two = settle([Word("them.", 0.5, 1.9), Word("He", 1.9, 2.5)], speech((0.4, 1.0), (2.2, 4)))
    assert (one.start, one.end) == (0.5, pytest.approx(1.0, abs=WINDOW))
    assert (two.start, two.end) == (pytest.approx(2.2, abs=2 * WINDOW), 2.5)


def test_a_little_of_the_next_word_does_not_keep_the_pause() -> None:
    (word,) = settle([Word("man.", 0.5, 2.3)], speech((0.4, 1.0), (2.2, 4)))
    assert word.end == pytest.approx(1.0, abs=WINDOW)


def test_a_stop_inside_a_word_stays() -> None:
    assert settle([Word("stop", 0.5, 1.2)], speech((0.5, 0.8), (0.9, 1.3))) == [Word("stop", 0.5, 1.2)]


def test_a_word_without_voice_and_a_word_beyond_the_end_stay() -> None:
    words = [Word("whispered", 1.0, 1.5), Word("late", 4.9, 5.2), Word("later", 6.0, 6.1), Word("", 1.0, 1.0)]
    assert settle(words, speech((0, 0.5))) == words
