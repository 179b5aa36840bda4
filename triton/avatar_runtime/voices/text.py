# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""Text into clauses that are synthesised one by one: the first short, so that sound starts soon, the later ones longer.

Pure functions; nothing is lost: the clauses, joined by spaces, are the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from avatar_runtime.voices import words

# Chinese, Japanese, Arabic, Urdu and Devanagari stops end a sentence even where no space follows.
_SENTENCE_END = re.compile(r"[.!?…]+[\"”“’»)\]]*(?=\s|$)|[。！？｡؟۔।॥][。！？｡؟۔।॥.!?…]*[\"”“’»)\]」』）】》]*|\n+")
_CLAUSE_END = re.compile(
    r"[,;:，、；：،؛][\"”’»)]*(?=\s)|(?<=\S)\s+[—–-](?=\s)|\)(?=\s)|—(?=\S)|[，、；：،؛][”’」』）]*(?=\S)"
)
_OPEN_END = re.compile(r"[,;:，、；：،؛—–][\"”’»)]*$")
_INITIAL = re.compile(r"(?:^|[\s(\"“„])[^\W\d_]$")
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}$")
_CAPITAL_AFTER_ORDINAL = frozenset({"de", "tr"})  # `3. Mai`; elsewhere a small letter follows
SPARE = 1.25  # how much longer than its limit a clause may be, if that keeps it whole
_SHORTEST = 8  # characters; anything shorter than this is not a chunk of its own inside a sentence


class Ending(Enum):
    """What follows a clause; decides the pause after it."""

    SENTENCE = "sentence"
    CLAUSE = "clause"
    WORD = "word"  # cut between two words: no pause


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of text to synthesise at once."""

    text: str
    ending: Ending


def sentences(text: str, language: str) -> list[str]:
    """The sentences of `text`. Abbreviations, initials, decimals, and German ordinals (`3. Mai`) do not end one."""
    abbreviations = words.ABBREVIATIONS.get(language, {})
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        before, after = text[start : match.start()], text[match.end() :].lstrip()
        if match[0] == "." and after:
            word = (before.split() or [""])[-1].lstrip("(\"“„'") + "."
            if word in abbreviations or _INITIAL.search(before) or after[0].islower():
                continue
            if language in _CAPITAL_AFTER_ORDINAL and _ORDINAL.search(before):
                continue
        if match[0].startswith(("…", "...")) and after and after[0].islower():
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [s for s in found if any(c.isalnum() for c in s)]


def clauses(text: str, language: str, limits: tuple[int, ...], opening: int = 0) -> list[Clause]:
    """`text` in clauses of at most about `limits` characters: the first limit for the first clause, and so on.

    A sentence stays whole when it fits (with a quarter to spare). Else it is cut after a comma, semicolon, colon,
    dash or bracket; where there is none, before a conjunction or preposition; else between two words. Never in a word.
    From `opening` characters on (0: never) a short first sentence begins with what stands before its first comma: that
    is heard while the rest is made.
    """
    found: list[Clause] = []
    for sentence in sentences(text, language):
        rest = sentence
        if opening and not found and (cut := _opening(rest, opening, limits[0])):
            found.append(Clause(rest[:cut].strip(), Ending.CLAUSE))
            rest = rest[cut:].strip()
            limits = (limits[0], *limits)
        while rest:
            limit = limits[min(len(found), len(limits) - 1)]
            cut, ending = cut_point(rest, language, limit)
            found.append(Clause(rest[:cut].strip(), ending))
            rest = rest[cut:].strip()
    return found


def _opening(text: str, least: int, limit: int) -> int:
    """Where the first few words of a sentence end at a mark; 0 where they do not, or where too much follows."""
    marks = (m.end() for m in _CLAUSE_END.finditer(text) if m.end() >= least)
    cut = next(marks, 0)
    return cut if cut and _SHORTEST <= len(text) - cut <= limit * SPARE else 0


def cut_point(text: str, language: str, limit: float) -> tuple[int, Ending]:
    """Where the first clause of `text` ends, and how. Without a place to cut it may exceed `limit` * `SPARE`."""
    if len(text) <= limit * SPARE:
        # A clause of somebody's own cutting may come alone; the rest of its sentence follows in the next request.
        return len(text), Ending.CLAUSE if _OPEN_END.search(text) else Ending.SENTENCE
    marks = [m.end() for m in _CLAUSE_END.finditer(text) if _SHORTEST <= m.end() <= len(text) - _SHORTEST]
    within = [end for end in marks if end <= limit * SPARE]
    if within:
        return within[-1], Ending.CLAUSE
    furthest = min(limit * SPARE, len(text) - _SHORTEST)
    spaces = [m.start() for m in re.finditer(r"\s", text) if _SHORTEST <= m.start() <= furthest]
    conjunctions, prepositions, articles = (
        table.get(language, frozenset()) for table in (words.CONJUNCTIONS, words.PREPOSITIONS, words.ARTICLES)
    )
    leaning = conjunctions | prepositions | articles
    good = [s for s in spaces if _last_word(text[:s]) not in leaning] or spaces
    late = [s for s in good if s >= limit * 0.5]
    for before in (conjunctions, prepositions):
        found = [s for s in late if _first_word(text[s:]) in before]
        if found:
            return found[-1], Ending.WORD
    if good:
        return ([s for s in good if s <= limit] or good)[-1], Ending.WORD
    if marks:
        return marks[0], Ending.CLAUSE
    following = re.search(r"\s", text[_SHORTEST:])
    if following is None or len(text) - _SHORTEST - following.start() < 2:
        return len(text), Ending.SENTENCE
    return _SHORTEST + following.start(), Ending.WORD


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0].lower()


def _last_word(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1].lower()
