"""When a GPT speaks on and on: no stop, the same codes again and again, or silence without an end."""

from __future__ import annotations

from collections import deque

#: Codes a character may take: 21.5 a second, and nobody speaks slower than four characters a second.
PER_CHARACTER = 5.5
SPARE = 60  # codes more, for a short text's pauses
RECENT, FEWEST = 48, 3  # so few different codes among so many are a stuck voice
QUIET_SECONDS = 3.0  # of silence inside an utterance
QUIET = 10 ** (-55 / 20)


class Watch:
    """Looks at one utterance's codes and sound."""

    def __init__(self, characters: int, most: int) -> None:
        """`characters` of text are said; the network ends at `most` codes."""
        self.limit = min(most, SPARE + round(PER_CHARACTER * characters))
        self._count = 0
        self._recent: deque[int] = deque(maxlen=RECENT)
        self._quiet = 0.0

    def code(self, code: int) -> str:
        """Why this code is one too many; "" when all is well."""
        self._count += 1
        self._recent.append(code)
        if self._count >= self.limit:
            return "no stop"
        if len(self._recent) == RECENT and len(set(self._recent)) <= FEWEST:
            return "repeated codes"
        return ""

    def sound(self, loudest: float, seconds: float) -> str:
        """The same of a chunk whose loudest sample is `loudest`."""
        self._quiet = 0.0 if loudest > QUIET else self._quiet + seconds
        return "silence" if self._quiet >= QUIET_SECONDS else ""
