"""Limits per visitor: how many requests in a time (token buckets), how many at once. Pure: the time is an argument."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final

MAX_VISITORS: Final = 10_000  # buckets kept; the longest unused goes first, and would be full again soon


class Buckets:
    """A token bucket for each visitor: it holds `burst` tokens, and `rate` of them come back a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # visitor: tokens, and when that was

    def take(self, visitor: str, now: float, cost: float = 1.0) -> float:
        """Takes `cost` tokens and returns 0, or takes none and returns in how many seconds they will be there.

        A clock that jumps back takes nothing away, and one that jumps ahead fills a bucket no higher than its rim.
        """
        tokens, then = self._buckets.pop(visitor, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - then) * self._rate)
        wait = max(0.0, cost - tokens) / self._rate
        self._buckets[visitor] = (tokens if wait else tokens - cost, now)
        if len(self._buckets) > MAX_VISITORS:
            self._buckets.popitem(last=False)
        return wait


class Places:
    """How many of something each visitor has at once."""

    def __init__(self, places: int) -> None:
        """`places` for each visitor; 0 sets no limit."""
        self._places = places
        self._taken: Counter[str] = Counter()

    def take(self, visitor: str) -> bool:
        """Whether there was a place; it is given back with `leave`."""
        if self._places and self._taken[visitor] >= self._places:
            return False
        self._taken[visitor] += 1
        return True

    def leave(self, visitor: str) -> None:
        self._taken[visitor] -= 1
        if self._taken[visitor] <= 0:
            del self._taken[visitor]
