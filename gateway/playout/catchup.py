"""What to leave out when rendering does not keep up. Pure."""

from __future__ import annotations

import math

from gateway.playout.timeline import SLOT_SECONDS


def frames_to_skip(count: int, lead: int, pace: float) -> int:
    """How many of the next `count` frames not to draw, so that the rest is ready when it is due.

    `lead` is how many slots from now the first of them is due (negative: it is late), `pace` the seconds a frame takes.
    A batch of n frames is ready after n * pace and its first frame is due in lead + skipped slots, so
    (count - skip) * pace <= (lead + skip) * slot.
    """
    skip = math.ceil((count * pace - lead * SLOT_SECONDS) / (SLOT_SECONDS + pace) - 1e-9)
    return min(max(skip, 0), count)


class Pace:
    """Seconds that a frame takes: the median of the last five batches, so that one slow batch means nothing."""

    def __init__(self, first_guess: float = 0.01) -> None:
        self._recent = [first_guess]

    def took(self, seconds: float, frames: int) -> None:
        if frames:
            self._recent = [*self._recent[-4:], seconds / frames]

    @property
    def per_frame(self) -> float:
        return sorted(self._recent)[len(self._recent) // 2]
