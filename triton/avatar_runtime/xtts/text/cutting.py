"""Text into pieces that XTTS can say in one call: sentences, else clauses, else words.

Pure functions. Nothing that can be said is lost, the order stays, and a word is cut only when it alone is too long.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate
from typing import Final

from avatar_runtime.voices.text import SPARE, cut_point, sentences
from avatar_runtime.xtts.text.languages import LANGUAGES

#: Of the limit. A shorter sentence is said together with its neighbour: alone, XTTS tends to add sounds to it.
_TOO_SHORT: Final = 0.1
_WITHOUT_SPACES: Final = frozenset({"ja", "zh"})
_RUN: Final = re.compile(r"[0-9A-Za-z]{2}")
_SIGN_WORDS: Final = 10  # characters that a sign such as % or € counts, being read as a word


def pieces(text: str, language: str, limit: int | None = None) -> list[str]:
    """`text` in pieces that count at most `limit` characters, by default the language's; figures count as words."""
    most = limit or LANGUAGES[language].limit
    found: list[str] = []
    for sentence in sentences(text, language):
        rest = sentence
        while rest:
            cut = _cut(rest, language, most)
            found.append(rest[:cut].strip())
            rest = rest[cut:].strip()
    return _joined([piece for piece in found if any(c.isalnum() for c in piece)], language, most)


def weight(text: str, language: str) -> int:
    """How many characters `text` counts once its figures and signs are read as words."""
    return sum(_weights(text, language))


def _weights(text: str, language: str) -> list[int]:
    digit = LANGUAGES[language].digit
    return [digit if c.isdigit() else _SIGN_WORDS if c in "%€$£&@#°" else 1 for c in text]


def _cut(text: str, language: str, most: int) -> int:
    """Where the first piece ends: beyond nothing that weighs more than `most`."""
    fitting = sum(total <= most for total in accumulate(_weights(text, language)))
    if fitting == len(text):
        return fitting
    cut, _ = cut_point(text, language, fitting / SPARE)
    if cut <= fitting:
        return cut
    spaces = [m.start() for m in re.finditer(r"\s", text[: fitting + 1]) if m.start()]
    return spaces[-1] if spaces else _inside_word(text, fitting)


def _inside_word(text: str, furthest: int) -> int:
    """The last place up to `furthest` that parts no letter from its marks and, if possible, no figure or Latin word.

    Chinese and Japanese have no spaces: any place is one between words as far as can be seen here.
    """
    places = [cut for cut in range(furthest, furthest // 2, -1) if unicodedata.category(text[cut])[0] != "M"]
    between = (cut for cut in places if not _RUN.fullmatch(text[cut - 1 : cut + 1]))
    return next(between, places[0] if places else max(furthest, 1))


def _joined(found: list[str], language: str, most: int) -> list[str]:
    """Very short pieces with the next one, the last with the one before, where both fit."""
    joined: list[str] = []
    for piece in found:
        before = joined[-1] if joined else ""
        short = min(weight(before, language), weight(piece, language)) < most * _TOO_SHORT
        if before and short and weight(before, language) + 1 + weight(piece, language) <= most:
            joined[-1] = f"{before}{'' if language in _WITHOUT_SPACES else ' '}{piece}"
        else:
            joined.append(piece)
    return joined
