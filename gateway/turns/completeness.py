"""How long to wait for more, by what was said so far. Pure.

A silence after a sentence that is complete is short; after "and …" the person is thinking. Whisper writes a full stop
after almost any fragment, so that the last word counts for more than the punctuation.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.turns.words import BACKCHANNEL, LEADING

COMPLETE = 0.35  # s of silence after what sounds complete
OPEN = 0.9  # … after what has no end: a comma, three dots, no punctuation at all
UNFINISHED = 1.3  # … after a word that cannot be the last

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ENDS: Final = (".", "!", "?", "\u3002", "\uff01", "\uff1f", "\u061f", "\u0964")
_DOTS: Final = ("...", "\u2026")


def patience(text: str, language: str) -> float:
    """Seconds of silence after `text` (a BCP 47 or ISO code tells its language) that end the turn."""
    text = text.strip()
    words = _WORD.findall(text.lower())
    if not words:
        return OPEN
    last = words[-1].replace("\u2019", "'")
    question = text.endswith(("?", "\uff1f", "\u061f"))
    if last in LEADING.get(language.split("-")[0], frozenset()) and not question:
        return UNFINISHED
    if text.endswith(_DOTS) or not text.endswith(_ENDS):
        return OPEN
    return COMPLETE


def meant(text: str) -> bool:
    """Whether somebody who says this takes the turn; "mhm" does not."""
    words = _WORD.findall(text.lower())
    return any(word not in BACKCHANNEL for word in words) or len(words) > 4
