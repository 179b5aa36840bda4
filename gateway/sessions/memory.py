"""What was said so far, as the language model is told: only what was really said and heard."""

from __future__ import annotations

from typing import Final

from gateway.dialogue import Line
from gateway.sessions.turn import Turn

MAX_HISTORY: Final = 50  # lines; the oldest go first


class Memory:
    """The lines of a conversation, oldest first."""

    def __init__(self) -> None:
        self.lines: list[Line] = []  # replaced, never changed: whoever was given it keeps what it was

    def turn(self, turn: Turn) -> None:
        """What the person said, once, however often it is told."""
        if turn.text and not turn.remembered:
            turn.remembered = True
            self._add("user", turn.text)

    def answer(self, text: str) -> None:
        """What was heard of an answer."""
        self._add("avatar", text)

    def _add(self, role: str, text: str) -> None:
        if text:
            self.lines = [*self.lines[1 - MAX_HISTORY :], Line(role, text)]
