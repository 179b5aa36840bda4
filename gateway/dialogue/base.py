"""The interface for whatever thinks of an answer: the echo today, a language model later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class Speaker(Protocol):
    """What a dialogue needs to know of a character."""

    @property
    def display_name(self) -> str: ...
    @property
    def personality(self) -> str: ...
    @property
    def language(self) -> str: ...


@dataclass(frozen=True)
class Line:
    """One utterance of the conversation; of the avatar's only what the person really heard."""

    role: str  # "user" or "avatar"
    text: str


class Dialogue(Protocol):
    """Answers clause by clause, so that speaking begins before the answer is complete. Raises AvatarError."""

    def answer(self, history: Sequence[Line], text: str, character: Speaker) -> AsyncIterator[str]:
        """The clauses of the answer to `text`; `history` is what came before it, oldest first."""
        ...
