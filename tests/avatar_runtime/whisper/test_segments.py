from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW
from avatar_runtime.whisper.segments import LONGEST_SPAN, Span, speech_spans


def probabilities(*parts: tuple[float, float]) -> np.ndarray:
    """(probability, seconds) one after another."""
    return np.concatenate([np.full(round(s * LISTENING_RATE / VAD_WINDOW), p, np.float32) for p, s in parts])


def spans(values: np.ndarray) -> list[Span]:
    return speech_spans(values, len(values) * VAD_WINDOW)


def test_silence_and_clicks_are_nothing() -> None:
    assert spans(probabilities((0.1, 5))) == []
    assert spans(probabilities((0.1, 1), (0.9, 0.064), (0.1, 1))) == []
    assert spans(np.zeros(0, np.float32)) == []


def test_silence_around_speech_is_cut_off() -> None:
    (span,) = spans(probabilities((0, 3), (1, 2), (0, 4)))
    assert span.seconds == pytest.approx(2.6, abs=0.1)
    assert span.start / LISTENING_RATE == pytest.approx(2.7, abs=0.1)


def test_short_pauses_stay_inside_long_ones_part() -> None:
    assert len(spans(probabilities((1, 2), (0, 1.5), (1, 2)))) == 1
    assert len(spans(probabilities((1, 2), (0, 5), (1, 2)))) == 2


def test_a_long_speech_is_cut_where_it_pauses() -> None:
    first, second = spans(probabilities((1, 22), (0.4, 0.2), (1, 20)))
    assert first.end / LISTENING_RATE == pytest.approx(22.1, abs=0.5)
    assert second.start >= first.end - 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.04, 40)), max_size=8))
def test_spans_are_ordered_and_short_enough(parts: list[tuple[float, float]]) -> None:
    values = probabilities(*parts) if parts else np.zeros(0, np.float32)
    found = spans(values)
    for span in found:
        assert 0 <= span.start < span.end <= len(values) * VAD_WINDOW
        assert span.seconds <= LONGEST_SPAN + 0.1
    for before, after in pairwise(found):
        assert before.end <= after.start
