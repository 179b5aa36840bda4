"""When to try again. Pure: the time now is an argument."""

from __future__ import annotations

RETURN = 10.0  # s that an engine which worked may be away: one that dies is started again, in two or three
AGAIN = 0.2  # s between two attempts meanwhile
DELAYS = (0.25, 0.5, 1.0, 2.0, 4.0)  # s; the last one repeats


class Backoff:
    def __init__(self) -> None:
        self.failures = 0  # in a row
        self._until = 0.0

    def failed(self, now: float) -> float:
        """Seconds until the next attempt."""
        delay = DELAYS[min(self.failures, len(DELAYS) - 1)]
        self.failures += 1
        self._until = now + delay
        return delay

    def worked(self) -> None:
        self.failures, self._until = 0, 0.0

    def ready(self, now: float) -> bool:
        return now >= self._until
