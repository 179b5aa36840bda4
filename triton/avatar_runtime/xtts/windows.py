"""Sound while codes still come: the vocoder sees a window around what is new, never everything again.

What a sample depends on reaches MARGIN frames to either side, so a window with that margin, cut off again, is what the
vocoder makes of the whole: chunks join without a seam, and cost grows with what is new alone.
"""

from __future__ import annotations

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
#: (m, n) of a window whose size never changes: room for the largest at the speaker's own pace.
STEADY = 144, 40


class Window:
    """The sound of one utterance, chunk by chunk."""

    def __init__(self, sound: Sound, speed: float = 1.0, steady: bool = False) -> None:
        """`steady`: windows are of the size STEADY wherever that changes nothing that is heard.

        For a GPU: whenever the length changes there, cuDNN plans every convolution anew, which takes 0.23 s (H200).
        """
        self._sound, self._speed, self._steady = sound, speed, steady
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
        if self._steady and last - first < STEADY[0]:
            first = max(0, last - STEADY[0])  # more of what was before
        matrix, start = resample.window(first, last, self._speed, states)
        hidden = np.stack(self._states[start : start + matrix.shape[1]])
        if self._steady:
            matrix, hidden = _steady(matrix, hidden, longer=states is None)
        short = max(0, LEAST_FRAMES - len(matrix))  # an utterance of a hundredth of a second
        sound = self._sound(hidden[None], np.pad(matrix, ((0, short), (0, 0)))[None])[0]
        made, self._made = self._made, end
        return sound[(made - first) * FRAME_SAMPLES : (end - first) * FRAME_SAMPLES]


def _steady(matrix: Floats, hidden: Floats, longer: bool) -> tuple[Floats, Floats]:
    """A window in the size STEADY, where it fits: with states that no frame reads, and (`longer`) frames behind it.

    What is heard ends MARGIN before these. The last window is never longer: the vocoder hears where the end is.
    """
    frames, states = (size - have for size, have in zip(STEADY, matrix.shape, strict=True))
    if frames < 0 or states < 0 or (frames and not longer):
        return matrix, hidden
    return np.pad(matrix, ((0, frames), (0, states))), np.pad(hidden, ((0, states), (0, 0)))
