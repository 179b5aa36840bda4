"""A rough network: which packet comes out of a wire, and when. Pure: the time now is an argument, chance has a seed.

The words mean what they mean to Linux's netem, which does the same where a kernel has it.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

MAX_UNDERWAY = 1000  # packets on a wire; as netem's `limit`, further ones are lost


@dataclass(frozen=True)
class Conditions:
    """Of both directions, each for itself."""

    loss: float = 0.0  # share of packets, each by its own chance
    delay: float = 0.0  # s
    jitter: float = 0.0  # s; a packet takes `delay` ± as much, evenly: it may overtake others
    duplicates: float = 0.0  # share of packets that come twice, at their own times
    cut: bool = False  # nothing comes through; neither side is told

    def netem(self) -> list[str]:
        """What `tc qdisc … netem` takes."""
        loss = 1.0 if self.cut else self.loss
        return [
            "limit", str(MAX_UNDERWAY), "delay", f"{self.delay * 1000:g}ms", f"{self.jitter * 1000:g}ms",
            "loss", f"{loss * 100:g}%", "duplicate", f"{self.duplicates * 100:g}%",
        ]  # fmt: skip


class Wire:
    """One direction. Packets go in with `send` and come out of `arrived`."""

    def __init__(self, seed: int) -> None:
        self.conditions = Conditions()
        self._chance = random.Random(seed)
        self._underway: list[tuple[float, int, bytes]] = []  # a heap; the number keeps equal times in order
        self._sent = 0

    def send(self, packet: bytes, now: float) -> None:
        """A packet enters at `now` (s, of any clock)."""
        # As many draws for each packet, so that the next one's fate does not hang on this one's.
        lost, twice, *spread = (self._chance.random() for _ in range(4))
        known = self.conditions
        if known.cut or lost < known.loss:
            return
        for place in spread[: 2 if twice < known.duplicates else 1]:
            if len(self._underway) < MAX_UNDERWAY:
                due = now + max(0.0, known.delay + known.jitter * (2 * place - 1))
                heapq.heappush(self._underway, (due, self._sent, packet))
                self._sent += 1

    def arrived(self, now: float) -> list[bytes]:
        """What has come out by `now`, in the order in which it did."""
        found = []
        while self._underway and self._underway[0][0] <= now:
            found.append(heapq.heappop(self._underway)[2])
        return found

    @property
    def next_arrival(self) -> float | None:
        """When the next packet comes out; None: nothing is underway."""
        return self._underway[0][0] if self._underway else None
