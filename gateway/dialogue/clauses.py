# ruff: noqa: RUF001 (typographic signs and other scripts are meant)
"""Pieces of an answer, of any size, into clauses: the first as early as it makes sense, the later ones whole sentences.

Pure; what comes in comes out in the same order, markup included, so that fences and marks can still be seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Weights: a letter 1, a letter of a script without spaces 3 (a syllable, more or less).
FIRST: Final = 12  # what the first clause has at least, at a comma
FIRST_WORDS: Final = 3
FIRST_LIMIT: Final = 60  # what the first clause has at most before it is cut between words
LIMIT: Final = 240  # the same for the later ones
_UNSPACED: Final = 3

MARK_CHARACTERS: Final = 60  # a longer text in brackets is no mark
_MARK: Final = re.compile(rf"\[[^\[\]\n]{{0,{MARK_CHARACTERS}}}\](?!\()")
_HALF_MARK: Final = re.compile(rf"\[[^\[\]\n]{{0,{MARK_CHARACTERS}}}(?:\]?\Z)")
_LEADING_MARKS: Final = re.compile(rf"[^\S\n]*(?:\[[^\[\]\n]{{0,{MARK_CHARACTERS}}}\](?!\()[^\S\n]*)*")
_BLANK_LINE: Final = re.compile(r"[^\S\n]*\n")
_LINK: Final = re.compile(r"\[[^\[\]\n]{0,200}\]\([^()\s]{0,400}\)")
_HALF_LINK: Final = re.compile(r"\[[^\[\]\n]{0,200}(?:\]\([^()\s]{0,400})?\Z")
_CLOSERS: Final = r"[\"”“’»)*_`]{0,8}"
#: What may end a clause. After a Latin mark a space, a bracket, a sign or a letter of another script has to follow.
_END: Final = re.compile(
    rf"(?P<line>\n)|(?P<bracket>\[)"
    rf"|(?P<sentence>[.!?…]{{1,20}}{_CLOSERS}(?=[\s\[\u2190-\U0010ffff]|\Z)"
    rf"|[。！？｡؟۔।॥][。！？｡؟۔।॥.!?…]{{0,20}}[\"”“’»)\]」』）】》]{{0,4}})"
    rf"|(?P<clause>[,;:،؛]{_CLOSERS}(?=\s|\Z)|\s[—–-](?=\s)|—(?=\w)|[，、；：]”?)"
)
_WORDS: Final = re.compile(r"\w+")

#: Words before a full stop that ends no sentence (lower case). A single letter, as in `z.B.` and `U.S.`, never does.
_ABBREVIATIONS: Final = frozenset(
    "mr mrs ms dr prof st jr sr gen col capt lt sgt rev hon mt vs approx inc ltd co fig jan feb aug sept oct nov dec "
    "bzw ca evtl ggf inkl vgl sog hr fr nr str mio mrd tel std min jh abb bspw bzgl max mind zzgl "
    "mme mlle env ex sra srta dra ud uds ej aprox sig dott ecc es av apr tzn np tj ul al godz św ok por im inż mgr "
    "ing bc např tzv č nám ún pl kb ill sz ker özv ifj id dhr mevr ir drs bijv blz doç cad sok mah apt örn vb sn "
    "ул пр кв стр им см тыс млн руб гг тд".split()
)
_ORDINALS: Final = frozenset({"de", "cs", "hu", "pl", "tr"})  # `3. Mai`
_ORDINAL: Final = re.compile(r"(?<!\w)\d{1,2}\Z")


@dataclass(frozen=True)
class Piece:
    """A clause as the model wrote it, and whether a line begins before it or ends behind it."""

    text: str
    starts_line: bool
    ends_line: bool


class Clauses:
    """Cuts an answer while it comes. Never holds back more than `LIMIT` and a half mark or link."""

    def __init__(self, language: str) -> None:
        self._ordinals = language.split("-")[0] in _ORDINALS
        self._rest = ""
        self._first = True
        self._starts_line = True

    def feed(self, text: str, last: bool = False) -> Iterator[Piece]:
        """The clauses that are complete with `text`; with `last` all that is left."""
        text, at = self._rest + text, 0
        while at < len(text):
            window = text[at : at + _WINDOW]
            size = self._cut(window, last and at + _WINDOW >= len(text))
            if not size:
                break
            at += size
            yield from self._piece(window[:size])
        self._rest = text[at:]

    def spoken(self) -> None:
        """Something has been said: what follows is no first clause."""
        self._first = False

    def _piece(self, text: str) -> Iterator[Piece]:
        ends_line = text.endswith("\n")
        starts_line, self._starts_line = self._starts_line, ends_line
        if text.strip():
            yield Piece(text.strip("\n") if ends_line else text, starts_line, ends_line)
        elif starts_line and not ends_line:
            self._starts_line = True  # only the spaces before the first word

    def _cut(self, window: str, last: bool) -> int:
        """How many characters the first clause of `window` has; 0 while more is needed to know."""
        blank = _BLANK_LINE.match(window)
        if blank:
            return blank.end()
        begin = _leading(window)
        if begin > LIMIT:
            return begin  # nothing but marks and spaces
        if not last and begin < len(window) and _HALF_MARK.match(window, begin):
            return 0  # a mark may stand here
        fallback = weight = 0
        counted = begin
        for found in _END.finditer(window, begin):
            end = found.end()
            if found.start() < counted:
                continue  # inside a link
            weight += weight_of(window[counted : found.start()])
            counted = found.start()
            if weight > (FIRST_LIMIT if self._first else LIMIT):
                break
            kind = found.lastgroup
            if kind == "line":
                return end
            if kind == "bracket":
                verdict = self._bracket(window, begin, found.start(), last)
                if verdict is not None:
                    return verdict
                link = _LINK.match(window, found.start())
                if link:
                    weight += weight_of(link[0])
                    counted = link.end()
            elif kind == "sentence":
                if not last and not window[end:].strip(" \t"):
                    return 0  # the next letter tells
                if _sentence_long(window[begin : found.start()], weight) and self._ends_sentence(window, begin, found):
                    return end
            elif self._first and _long_enough(window[begin : found.start()], weight):
                if end == len(window) and not last:
                    return 0
                return end
            elif weight >= FIRST:
                fallback = end
        return self._overlong(window, begin, fallback) or (len(window) if last else 0)

    def _bracket(self, window: str, begin: int, at: int, last: bool) -> int | None:
        """Where to cut for the `[` at `at`: before a mark; 0 to wait; None where it is neither mark nor half of one."""
        if window[at - 1 : at] == "\\":
            return None
        if not last and (_HALF_MARK.match(window, at) or _HALF_LINK.match(window, at)):
            return 0
        if _MARK.match(window, at) and window[begin:at].strip():
            return at
        return None

    def _ends_sentence(self, window: str, begin: int, found: re.Match[str]) -> bool:
        after = window[found.end() :].lstrip(" \t")[:1]
        mark = found[0].rstrip('"”“’»)*_`')
        if mark in (".", "…", "...") and after.islower():
            return False
        if mark != "." or not after:
            return True
        before = window[max(begin, found.start() - 12) : found.start()]
        word = re.split(r"[\s(\"“„'’.*_-]", before)[-1]
        if len(word) == 1 and word.isalpha() and not _unspaced(word):
            return False
        if word.lower() in _ABBREVIATIONS:
            return False
        return not (self._ordinals and _ORDINAL.search(before))

    def _overlong(self, window: str, begin: int, fallback: int) -> int:
        """Where to cut a clause that has grown over its limit; 0 where it has not."""
        index = _reaches(window, begin, FIRST_LIMIT if self._first else LIMIT)
        if not index:
            return 0
        if fallback:
            return fallback
        link = next((m for m in _LINK.finditer(window) if m.start() < index < m.end()), None)
        if link is not None:
            return link.end()
        space = max(window.rfind(" ", begin, index), window.rfind("\t", begin, index))
        if space > begin:
            return space + 1
        back = next((step for step in range(_MARKS) if unicodedata.category(window[index - step])[0] != "M"), 0)
        return index - back


_MARKS: Final = 8  # marks above and below one letter; more are no writing
_WINDOW: Final = LIMIT + 660  # a clause, the longest link, and what has to be seen behind


def _leading(window: str) -> int:
    """Where the words begin, behind marks."""
    found = _LEADING_MARKS.match(window)
    return found.end() if found else 0


def _long_enough(text: str, weight: int) -> bool:
    return weight >= FIRST and (len(_WORDS.findall(text)) >= FIRST_WORDS or weight > len(text))


def _reaches(text: str, begin: int, limit: int) -> int:
    """Where `text` from `begin` on outgrows `limit`; 0 where it does not."""
    if text.isascii():
        return begin + limit if len(text) - begin > limit else 0
    weight = 0
    for index in range(begin, len(text)):
        weight += _UNSPACED if _unspaced(text[index]) else 1
        if weight > limit:
            return index
    return 0


def _sentence_long(text: str, weight: int) -> bool:
    """Whether a sentence stands alone; a shorter one is said with the next."""
    return weight >= FIRST or len(_WORDS.findall(text)) >= FIRST_WORDS


def weight_of(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text) + (_UNSPACED - 1) * sum(map(_unspaced, text))


def _unspaced(character: str) -> bool:
    """Whether it is of a script without spaces between words: Thai, kana, ideographs."""
    return "\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff" or character >= "\U00020000"
