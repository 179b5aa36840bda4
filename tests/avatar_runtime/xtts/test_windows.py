"""Streamed sound is the sound of the whole; and what is read of the hidden states, beside torch's interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.xtts.graphs import FRAME_SAMPLES
from avatar_runtime.xtts.resample import certain, scales, whole, window
from avatar_runtime.xtts.windows import FIRST, MARGIN, MOST, STEADY, Window

WIDTH = 6


def stretched(values: np.ndarray, scale: float) -> np.ndarray:
    """values [n, w], as torch's interpolate(mode="linear", scale_factor=scale), from its documentation."""
    at = np.maximum((np.arange(int(len(values) * scale)) + 0.5) / scale - 0.5, 0)
    return np.stack([np.interp(at, np.arange(len(values)), column) for column in values.T], 1)


@pytest.mark.parametrize("speed", [1.0, 0.5, 0.7, 1.3, 2.0])
@pytest.mark.parametrize("states", [1, 2, 9, 47, 200])
def test_frames_are_those_of_three_interpolations(speed: float, states: int) -> None:
    hidden = np.random.default_rng(0).normal(size=(states, WIDTH))
    wanted = hidden
    for scale in scales(speed):
        wanted = stretched(wanted, scale) if len(wanted) else wanted
    frames = whole(states, speed)
    assert frames == len(wanted)
    if frames:
        matrix, start = window(0, frames, speed, states)
        assert np.abs(matrix @ hidden[start : start + matrix.shape[1]] - wanted).max() < 1e-4
    sure = certain(states, speed)
    assert sure <= frames
    more = np.concatenate([hidden, np.full((3, WIDTH), 1e6)])
    if sure > 3:
        matrix, start = window(2, sure, speed, None)
        assert start + matrix.shape[1] <= states, "what is certain needs nothing that is to come"
        assert np.abs(matrix @ more[start : start + matrix.shape[1]] - wanted[2:sure]).max() < 1e-4


class Echo:
    """A vocoder that reaches MARGIN frames to either side, zeros beyond the ends as convolutions have them."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self._kernel = np.random.default_rng(1).normal(size=2 * MARGIN + 1)

    def __call__(self, hidden: np.ndarray, mix: np.ndarray) -> np.ndarray:
        frames = (mix[0] @ hidden[0]).sum(1)
        self.frames.append(len(frames))
        heard = np.convolve(frames, self._kernel, "same") if len(frames) >= len(self._kernel) else self._short(frames)
        return np.repeat(heard, FRAME_SAMPLES)[None].astype(np.float32)

    def _short(self, frames: np.ndarray) -> np.ndarray:
        padded = np.pad(frames, MARGIN)
        return np.array([padded[i : i + 2 * MARGIN + 1] @ self._kernel[::-1] for i in range(len(frames))])


@pytest.mark.parametrize("steady", [False, True])
@pytest.mark.parametrize("speed", [1.0, 0.7, 1.9])
@pytest.mark.parametrize("states", [1, 5, FIRST, 30, 150])
def test_chunks_join_to_the_whole(speed: float, states: int, steady: bool) -> None:
    hidden = np.random.default_rng(2).normal(size=(states, WIDTH)).astype(np.float32)
    vocoder = Echo()
    stream = Window(vocoder, speed, steady)
    chunks = [chunk for state in hidden if (chunk := stream.push(state)) is not None] + [stream.finish()]
    frames = whole(states, speed)
    if not frames:
        assert not any(len(chunk) for chunk in chunks)
        return
    matrix, start = window(0, frames, speed, states)
    wanted = Echo()(hidden[None, start : start + matrix.shape[1]], matrix[None])[0]
    found = np.concatenate(chunks)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-3


def test_cost_does_not_grow_with_length() -> None:
    vocoder = Echo()
    stream = Window(vocoder)
    for state in np.zeros((600, WIDTH), np.float32):
        stream.push(state)
    most = MOST * 4 * 24000 / 22050 + 2 * MARGIN + 6
    assert max(vocoder.frames) <= most
    assert len(vocoder.frames) > 600 / MOST


def test_the_first_chunk_comes_after_eight_codes() -> None:
    stream = Window(Echo())
    came = [stream.push(np.zeros(WIDTH, np.float32)) is not None for _ in range(FIRST)]
    assert came == [False] * (FIRST - 1) + [True]


@pytest.mark.parametrize("codes", [61, 150, 601])
def test_a_steady_window_is_always_of_one_size(codes: int) -> None:
    asked = set()

    def sound(hidden: np.ndarray, mix: np.ndarray) -> np.ndarray:
        asked.add((mix.shape[1], hidden.shape[1]))
        return np.zeros((1, FRAME_SAMPLES * mix.shape[1]), np.float32)

    view = Window(sound, steady=True)
    for _ in range(codes):
        view.push(np.zeros(WIDTH, np.float32))
    view.finish()
    assert asked == {STEADY}
