from __future__ import annotations

import numpy as np

from avatar_runtime.whisper.alignment import token_times


def test_follows_a_clear_diagonal() -> None:
    begins = [10, 40, 55, 90]  # positions of 20 ms
    attention = np.full((2, len(begins), 100), 0.001, np.float32)
    for row, (start, end) in enumerate(zip(begins, [*begins[1:], 100], strict=True)):
        attention[:, row, start:end] = 0.05
    times = token_times([attention[:, row : row + 1] for row in range(len(begins))], 100)
    np.testing.assert_allclose(times[1:], np.array(begins[1:]) / 50, atol=0.06)


def test_times_never_go_back() -> None:
    random = np.random.default_rng(0)
    attention = [random.random((8, 1, 60)).astype(np.float32) for _ in range(20)]
    times = token_times(attention, 60)
    assert (np.diff(times) >= 0).all()
    assert times[0] == 0
    assert times[-1] <= 60 / 50


def test_more_tokens_than_positions() -> None:
    attention = [np.ones((8, 1, 5), np.float32) for _ in range(9)]
    assert token_times(attention, 5).shape == (9,)
