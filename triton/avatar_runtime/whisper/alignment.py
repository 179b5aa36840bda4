"""When each word was said: dynamic time warping over the decoder's attention to the sound.

The method of openai/whisper ``timing.py`` (MIT).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.whisper.decoding import Array
from avatar_runtime.whisper.features import POSITIONS_PER_SECOND

MEDIAN = 7  # positions


def token_times(attention: list[Array], positions: int) -> NDArray[np.float64]:
    """Seconds at which each token begins [n], the last being the end token: the end of the text.

    `attention` holds [heads, 1, t] for each token that *predicted* it; `positions` of t carry sound (20 ms each).
    """
    weights = np.concatenate(attention, axis=1)[:, :, :positions].astype(np.float64)  # [heads, n, t]
    spread = weights.std(axis=1, keepdims=True)
    weights = (weights - weights.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    matrix = _median(weights).mean(axis=0)  # [n, t]
    return _first_columns(-matrix) / POSITIONS_PER_SECOND


def _median(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    half = MEDIAN // 2
    if weights.shape[-1] <= half:
        return weights
    padded = np.pad(weights, ((0, 0), (0, 0), (half, half)), mode="reflect")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, MEDIAN, axis=-1), axis=-1)


def _first_columns(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each row of `cost` [n, t] the first column that the cheapest monotonic path through it visits."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    origin = np.zeros((rows + 1, columns + 1), dtype=np.int8)  # 0 diagonal, 1 from the row above, 2 from the left
    # Along a diagonal every cell depends on the two diagonals before only, so each is one vector operation.
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        choices = np.stack([total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]])
        chosen = choices.argmin(axis=0)
        total[i, j] = cost[i - 1, j - 1] + choices[chosen, np.arange(len(i))]
        origin[i, j] = chosen
    first = np.zeros(rows)
    i, j = rows, columns
    while i > 0 and j > 0:
        first[i - 1] = j - 1
        step = origin[i, j]
        i -= step != 2
        j -= step != 1
    return first
