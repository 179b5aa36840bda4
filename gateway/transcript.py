"""What somebody said: text and words with their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .tensors import floats, texts


@dataclass(frozen=True)
class Word:
    word: str
    start: float  # s
    end: float  # s


@dataclass(frozen=True)
class Transcript:
    text: str
    language: str
    words: list[Word]


@dataclass(frozen=True)
class Heard(Transcript):
    """What is heard while it is spoken: `text` is certain and stays; `partial` probably follows it, and may change."""

    partial: str = ""

    @property
    def whole(self) -> str:
        return f"{self.text} {self.partial}".strip()


def heard(result: Any) -> Heard:
    """What an stt engine answered."""
    words = texts(result.as_numpy("WORDS"))
    times = floats(result.as_numpy("WORD_TIMES"), -1, 2)
    return Heard(
        text=(texts(result.as_numpy("TEXT")) or [""])[0],
        language=(texts(result.as_numpy("LANGUAGE")) or [""])[0],
        words=[Word(word, float(start), float(end)) for word, (start, end) in zip(words, times, strict=True)],
        partial=(texts(result.as_numpy("PARTIAL")) or [""])[0],
    )
