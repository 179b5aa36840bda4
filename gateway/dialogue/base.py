"""The interface for whatever thinks of an answer: the echo, or a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
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


@dataclass(frozen=True)
class Clause:
    """A piece of an answer that is spoken at once. It has no marks, markup, addresses to click or emoji."""

    text: str  # as it is shown
    emotion: str | None = None  # one of the contract's EMOTIONS from this clause on; None leaves the face as it is
    intensity: float = 0.7  # 0..1, of the emotion
    language: str = ""  # ISO 639-1; "" is the language that was asked for
    spoken: str = ""  # what the voice reads where that is not `text`: "" is `text`

    @property
    def said(self) -> str:
        """What the voice reads."""
        return self.spoken or self.text


class Dialogue(Protocol):
    """Answers clause by clause, so that speaking begins before the answer is complete."""

    @property
    def kind(self) -> str:
        """`echo` or `chat`."""
        ...

    @property
    def model(self) -> str | None:
        """The name of the language model; None where there is none."""
        ...

    def answer(
        self, history: Sequence[Line], text: str, character: Speaker, language: str
    ) -> AsyncGenerator[Clause, None]:
        """The clauses of the answer to `text`, in `language` (ISO 639-1); `history` is what came before, oldest first.

        Raises AvatarError: before the first clause when nothing came, after one when the answer broke off. It does
        nothing but ask, so it may be asked on suspicion and thrown away: closing the iterator, or cancelling the task
        that waits for it, ends the request at the endpoint too.
        """
        ...

    async def close(self) -> None:
        """Gives the connections back."""
        ...
