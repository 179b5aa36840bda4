"""When the next packet or frame is due. Pure: the time now is an argument."""

from __future__ import annotations

MAX_LATENESS = 0.5  # s. A process that stood still longer than this goes on from now instead of sending a burst


class Pacer:
    """The start of the media clock, shared by audio and video so that both always agree."""

    def __init__(self) -> None:
        self._origin: float | None = None

    def delay(self, media_time: float, now: float, master: bool = False) -> float:
        """Seconds to wait at `now` until `media_time` (seconds from the start) is due; 0 when it is late.

        The first call starts the clock. When the master is late after a standstill the clock is set back for all,
        so that speech goes on where it was.
        """
        if self._origin is None:
            self._origin = now - media_time
        late = now - (self._origin + media_time)
        if master and late > MAX_LATENESS:
            self._origin += late
        return max(0.0, -late)

    def due(self, media_time: float) -> float | None:
        """When `media_time` is due, on the clock of `now`; None before the start."""
        return None if self._origin is None else self._origin + media_time
