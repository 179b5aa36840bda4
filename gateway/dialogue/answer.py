"""An answer on its way: what the model writes, piece by piece, becomes clauses to be spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.dialogue import emotions, markup, speakable
from gateway.dialogue.apology import code_here, cut_short
from gateway.dialogue.base import Clause
from gateway.dialogue.clauses import Clauses, Piece, weight_of
from gateway.dialogue.hidden import Hidden

ENOUGH: Final = 900  # weight (about letters) after which an answer ends politely: a minute of speech
MAX_WRITTEN: Final = 20_000  # characters of an answer that are looked at, code and markup included


class Answer:
    """Pure: no clock, no network. `full` says that no more will be spoken."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._hidden, self._clauses, self._markup = Hidden(), Clauses(language), markup.Markup()
        self._feeling: emotions.Feeling | None = None  # a mark that waits for words
        self._marked = False  # the model writes marks: nothing is guessed
        self._written = self._weight = 0
        self._code_told = False
        self.audible = 0  # grows with each piece that had something to say
        self.full = False

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return self._weight > 0

    def feed(self, text: str, last: bool = False) -> Iterator[Clause]:
        """The clauses that are complete with `text`; with `last` also what is left."""
        if self.full:
            return
        room = MAX_WRITTEN - self._written
        self._written += len(text)
        too_much = len(text) > room
        visible = self._hidden.feed(text[:room], last)
        self.audible += any(map(str.isalnum, visible))
        for piece in self._clauses.feed(visible, last):
            for clause in self._spoken(piece):
                yield clause
                self._clauses.spoken()
                self._weight += weight_of(clause.text)
            if self._weight >= ENOUGH:
                too_much = True
                break
        if too_much:
            self.full = True
            if self.begun:
                yield Clause(cut_short(self._language))

    def _spoken(self, piece: Piece) -> Iterator[Clause]:
        text, code = self._markup.visible(piece.text)
        feeling, text = emotions.read(text)
        if feeling is not None:
            self._feeling, self._marked = feeling, True
        shown = markup.plain(text, piece.starts_line, piece.ends_line)
        if shown:
            felt = self._feeling or (None if self._marked else emotions.guess(text, self._language))
            self._feeling = None
            spoken = speakable.spoken(shown, self._language)
            said = "" if spoken == shown else spoken
            yield Clause(shown, felt.emotion, felt.intensity, spoken=said) if felt else Clause(shown, spoken=said)
        if code and not self._code_told:
            self._code_told = True
            yield Clause(code_here(self._language))
