from __future__ import annotations

import numpy as np

from gateway.turns import Recording


def test_audio_is_found_by_its_time() -> None:
    recording = Recording(1.0)
    for start in range(0, 40_000, 320):
        recording.append(np.arange(start, start + 320, dtype=np.float32))
    assert recording.seconds == 2.5
    assert recording.between(2.0, 2.25).tolist() == list(range(32_000, 36_000))
    assert recording.slice(39_999, 50_000).tolist() == [39_999]


def test_what_was_overwritten_is_left_out() -> None:
    recording = Recording(1.0)
    for start in range(0, 32_000, 320):
        recording.append(np.arange(start, start + 320, dtype=np.float32))
    assert recording.slice(0, 16_010).tolist() == list(range(16_000, 16_010))
    assert recording.slice(0, 100).size == 0
