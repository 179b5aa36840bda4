"""From the GPT's hidden states, 21.5 a second, to the vocoder's frames, 93.75 a second: which states make which frame.

coqui stretches by `speed`, then by 4 (1024 samples a code, 256 a frame), then from 22.05 to 24 kHz, each time as
torch's ``interpolate(mode="linear", scale_factor=s)`` does: output j is read at (j + 0.5) / s - 0.5, not before the
first and not behind the last. All three are linear, so a window of frames is one small matrix times a few states.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import SPEAKING_RATE
from avatar_runtime.xtts.graphs import CODE_SAMPLES, CONDITIONING_RATE, FRAME_SAMPLES

Floats = NDArray[np.float32]


def scales(speed: float) -> tuple[float, ...]:
    """The factors of the stretches; a speed of 1 leaves the first out."""
    fixed = (CODE_SAMPLES / FRAME_SAMPLES, SPEAKING_RATE / CONDITIONING_RATE)
    return fixed if speed == 1 else (1 / speed, *fixed)


def whole(states: int, speed: float) -> int:
    """Frames that `states` hidden states make, once no more will come."""
    for scale in scales(speed):
        states = math.floor(states * scale)
    return states


def certain(states: int, speed: float) -> int:
    """Frames that `states` hidden states make whatever comes after them."""
    for scale in scales(speed):
        # Output j needs input floor((j + 0.5) / scale - 0.5) + 1, and has to be one even if nothing comes any more.
        inner = math.ceil((states - 0.5) * scale - 0.5) if states > 0 else 0
        states = max(0, min(inner, math.floor(states * scale)))
    return states


def _stretch(first: int, last: int, scale: float, inputs: int | None) -> tuple[Floats, int]:
    """The matrix [last - first, n] of one stretch for outputs first..last-1, and the input its columns begin with."""
    at = np.maximum((np.arange(first, last) + 0.5) / scale - 0.5, 0)
    low = np.floor(at).astype(np.int64)
    if inputs is not None:
        low = np.minimum(low, inputs - 1)
    high = low + 1 if inputs is None else np.minimum(low + 1, inputs - 1)
    start = int(low.min())
    matrix = np.zeros((last - first, int(high.max()) - start + 1), np.float64)
    rows = np.arange(last - first)
    np.add.at(matrix, (rows, low - start), 1 - (at - low))
    np.add.at(matrix, (rows, high - start), at - low)
    return matrix, start  # type: ignore[return-value]


def window(first: int, last: int, speed: float, states: int | None) -> tuple[Floats, int]:
    """RESAMPLE f32 [last - first, n] for frames first..last-1, and the hidden state its columns begin with.

    `states` is how many there are in all, None while more will come (then only `certain` frames may be asked for).
    """
    factors = scales(speed)
    sizes: list[int | None] = [states]
    for scale in factors[:-1]:
        sizes.append(None if sizes[-1] is None else math.floor(sizes[-1] * scale))
    matrix, start = _stretch(first, last, factors[-1], sizes[-1])
    for scale, size in zip(reversed(factors[:-1]), reversed(sizes[:-1]), strict=True):
        inner, begin = _stretch(start, start + matrix.shape[1], scale, size)
        matrix, start = matrix @ inner, begin
    return matrix.astype(np.float32), start
