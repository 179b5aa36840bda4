"""Answers begun on suspicion: while the person may still go on speaking, one to what they said so far is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from characters import Character
from gateway.dialogue import Dialogue, Line
from gateway.sessions.answer import Answer
from gateway.sessions.scribe import letters
from gateway.sessions.voice import Voice


@dataclass(eq=False)
class Draft:
    """An answer to what has been said so far, in case that was all."""

    to: str  # the letters of what was said: capitals and commas may still change
    language: str
    character: Character
    answer: Answer


class Drafts:
    """One draft at a time."""

    def __init__(self, dialogue: Callable[[], Dialogue], voice: Voice, tasks: Any) -> None:
        self._dialogue, self._voice, self._tasks = dialogue, voice, tasks
        self._draft: Draft | None = None

    def prepare(
        self, text: str, language: str, who: Character, speaker: Callable[[], Character], history: list[Line]
    ) -> None:
        """See that the draft is one that answers `text`; `speaker` is `who`, as they are when a clause is spoken."""
        to = letters(text)
        draft = self._draft
        if draft is not None and (draft.to, draft.language, draft.character) == (to, language, who):
            return
        self.drop()
        clauses = self._dialogue().answer(list(history), text, who, language)
        self._draft = Draft(to, language, who, Answer(clauses, self._voice, speaker, language, self._tasks))

    def take(self) -> Draft | None:
        """The draft, which becomes an answer: it is nobody's suspicion any more."""
        draft, self._draft = self._draft, None
        return draft

    def drop(self) -> None:
        draft = self.take()
        if draft is not None:
            draft.answer.drop()
