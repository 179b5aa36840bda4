from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.whisper.commitment import agreed, settled


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [([], [1, 2], 0), ([1, 2], [1, 2, 3], 2), ([1, 2, 3], [1, 2], 2), ([1, 9, 3], [1, 2, 3], 1), ([5], [6], 0)],
)
def test_two_looks_agree_on_a_beginning(before: list[int], now: list[int], count: int) -> None:
    assert agreed(before, now) == count


def looking_at(*positions: int) -> list[np.ndarray]:
    """Attention of two heads over ten positions, each token looking at one of them."""
    rows = []
    for position in positions:
        weights = np.full((2, 1, 10), 0.01, np.float32)
        weights[:, 0, position] = 0.9
        rows.append(weights)
    return rows


@pytest.mark.parametrize(
    ("looks", "count"),
    [((1, 3, 5), 3), ((1, 3, 7, 4), 2), ((7,), 0), ((), 0), ((1, 9), 2)],
)
def test_a_token_that_looks_at_the_newest_sound_is_not_certain(looks: tuple[int, ...], count: int) -> None:
    """Eight positions carry sound; the last two are the margin; beyond them lies padding, which says nothing."""
    assert settled(looking_at(*looks), positions=8, margin=2) == count


def test_no_margin_settles_all() -> None:
    assert settled(looking_at(7, 7), positions=8, margin=0) == 2
