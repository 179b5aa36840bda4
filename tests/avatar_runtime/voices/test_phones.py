# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""`avatar_runtime.voices.phones`: tokens and frames become IPA with times."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.voices.phones import FRAME, LEAD, PAD, timed

FRAME_SECONDS = FRAME / SPEAKING_RATE


def test_marks_join_their_sound_and_times_are_gapless() -> None:
    tokens = [PAD, "h", "ə", "l", "ˈ", "O", ",", " ", "m", "a", "ː", " ", "ʤ", ".", PAD]
    frames = np.array([8, 2, 2, 2, 1, 4, 5, 2, 3, 3, 1, 2, 2, 5, 3], np.float32)
    phonemes, times = timed(tokens, frames)
    assert phonemes == ["_", "h", "ə", "l", "ˈoʊ", "_", "m", "aː", "dʒ", "_"]
    assert times.dtype == np.float32 and times.shape == (10, 2)
    assert times[1:, 0] == pytest.approx(times[:-1, 1])
    assert times[0, 0] == 0 and times[-1, 1] == pytest.approx(frames.sum() * FRAME_SECONDS)
    assert times[1, 0] == pytest.approx(8 * FRAME_SECONDS - LEAD / SPEAKING_RATE)


def test_a_long_space_is_a_pause() -> None:
    assert timed([PAD, "a", " ", "b", PAD], np.array([4, 4, 6, 4, 4], np.float32))[0] == ["_", "a", "_", "b", "_"]


def test_trailing_marks_are_harmless() -> None:
    phonemes, times = timed([PAD, "ː", "ˈ", ".", "ˈ", PAD], np.ones(6, np.float32) * 4)
    assert phonemes == ["_"] and (times[:, 1] >= times[:, 0]).all()
