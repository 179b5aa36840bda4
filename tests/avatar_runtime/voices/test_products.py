"""`avatar_runtime.voices.products`: weights in other shapes."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.voices.products import blocked, signed, width

CHANNELS, OUTPUTS = 3, 5


@pytest.mark.parametrize("block", [2, 4])
@pytest.mark.parametrize("taps", [3, 7, 11])
def test_a_blocked_matrix_makes_several_steps_at_once(taps: int, block: int) -> None:
    rng = np.random.default_rng(taps)
    weights = rng.integers(-127, 127, (OUTPUTS, CHANNELS, taps)).astype(np.int8)
    matrix = blocked(weights, block, 0).astype(int)
    sound = rng.integers(0, 255, (width(taps, block), CHANNELS))
    made = (sound.reshape(-1) @ matrix).reshape(block, OUTPUTS)
    for step in range(block):
        expected = np.einsum("tc,oct->o", sound[step : step + taps], weights.astype(int))
        assert (made[step] == expected).all()


def test_signed_bytes_keep_their_distances() -> None:
    unsigned = np.arange(256, dtype=np.uint8)
    assert (signed(unsigned).astype(int) == unsigned.astype(int) - 128).all()
    assert signed(np.uint8(128)) == 0
