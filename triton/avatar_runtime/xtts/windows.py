"""Sound while codes still come: the vocoder sees a window around what is new, never everything again.

What a sample depends on reaches MARGIN frames to either side, so a window with that margin, cut off again, is what the
vocoder makes of the whole: chunks join without a seam, and cost grows with what is new alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.xtts import resample
from avatar_runtime.xtts.graphs import FRAME_SAMPLES, LEAST_FRAMES

Floats = NDArray[np.float32]
#: HIDDEN [1, n, w], RESAMPLE [1, m, n] -> SOUND [1, 256 * m]
Sound = Callable[[Floats, Floats], Floats]

#: Frames that the vocoder looks to either side. At the frames' rate its first convolution reaches 3, upsampling by 8
#: reaches 1, and the widest branch there (kernel 11, dilations 1, 3, 5, each followed by one of dilation 1) 60 / 8;
#: the same at 64, 128 and 256 times the rate adds 60/64 + 60/128 + 60/256 and the rest of the upsamplings: 13.4.
MARGIN = 14
FIRST, GROWTH, MOST = 8, 1.7, 24  # codes that the first chunk waits for, how the next ones grow, and until when


def lengths(most: int) -> list[tuple[int, int]]:
    """Every (m, n) that a vocoder is asked for in utterances of up to `most` codes at their own pace."""
    found: set[tuple[int, int]] = set()

    def sound(hidden: Floats, mix: Floats) -> Floats:
        found.add((mix.shape[1], hidden.shape[1]))
        return np.zeros((1, FRAME_SAMPLES * mix.shape[1]), np.float32)

    window = Window(sound)
    for _ in range(most):
        window.push(np.zeros(1, np.float32))
        copy.copy(window).finish()  # had it ended here
    return sorted(found)


class Window:
    """The sound of one utterance, chunk by chunk."""

    def __init__(self, sound: Sound, speed: float = 1.0) -> None:
        self._sound, self._speed = sound, speed
        self._states: list[Floats] = []
        self._made = 0  # frames whose sound is out
        self._heard = 0  # states when the last chunk was made
        self._wait = float(FIRST)

    def push(self, state: Floats) -> Floats | None:
        """One more hidden state [w] -> a chunk f32 [n] when it is time for one."""
        self._states.append(state)
        if len(self._states) - self._heard < self._wait:
            return None
        end = resample.certain(len(self._states), self._speed) - MARGIN
        if end <= self._made:
            return None
        self._heard, self._wait = len(self._states), min(self._wait * GROWTH, MOST)
        return self._render(end, None)

    def finish(self) -> Floats:
        """The rest, f32 [n], once no more states come."""
        count = len(self._states)
        end = resample.whole(count, self._speed)
        return self._render(end, count) if end > self._made else np.zeros(0, np.float32)

    def _render(self, end: int, states: int | None) -> Floats:
        """The frames from what is out to `end`."""
        first = max(0, self._made - MARGIN)
        last = end + MARGIN if states is None else end
        matrix, start = resample.window(first, last, self._speed, states)
        hidden = np.stack(self._states[start : start + matrix.shape[1]])
        short = max(0, LEAST_FRAMES - len(matrix))  # an utterance of a hundredth of a second
        sound = self._sound(hidden[None], np.pad(matrix, ((0, short), (0, 0)))[None])[0]
        made, self._made = self._made, end
        return sound[(made - first) * FRAME_SAMPLES : (end - first) * FRAME_SAMPLES]
