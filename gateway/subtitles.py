"""Transcripts cut into lines to read along: SubRip and WebVTT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.transcript import Transcript, Word

MAX_LINE: Final = 84  # characters: two lines of 42, the usual limit of subtitles
MAX_SECONDS: Final = 7.0
PAUSE: Final = 0.8  # s without a word that end a segment
SENTENCE_ENDS: Final = (".", "!", "?", "…", "。", "\uff01", "\uff1f")

#: Two letters of scripts without spaces: Thai and Lao, Burmese, Khmer; kana, ideographs and their punctuation.
_TOUCH: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]{2}"
)


@dataclass(frozen=True)
class Segment:
    """A piece of a transcript with its time in seconds."""

    start: float
    end: float
    text: str


def segments(transcript: Transcript, duration: float) -> list[Segment]:
    """Cut at sentence ends, pauses and lengths; without word times, the whole text is one segment."""
    if not transcript.words:
        text = transcript.text.strip()
        return [Segment(0.0, duration, text)] if text else []
    pieces: list[list[Word]] = [[]]
    for word in transcript.words:
        if pieces[-1] and _ends(pieces[-1], word):
            pieces.append([])
        pieces[-1].append(word)
    return [Segment(piece[0].start, piece[-1].end, _text(piece)) for piece in pieces]


def _ends(piece: Sequence[Word], following: Word) -> bool:
    return (
        piece[-1].word.rstrip().endswith(SENTENCE_ENDS)
        or following.start - piece[-1].end > PAUSE
        or following.end - piece[0].start > MAX_SECONDS
        or len(_text([*piece, following])) > MAX_LINE
    )


def _text(piece: Sequence[Word]) -> str:
    return joined([word.word for word in piece])


def joined(texts: Sequence[str]) -> str:
    """Words, or longer texts, as one: with spaces between them in the scripts that have spaces."""
    parts = [part for text in texts if (part := text.strip())]
    glued = [after if _TOUCH.match(before[-1] + after[0]) else f" {after}" for before, after in pairwise(parts)]
    return "".join([*parts[:1], *glued])


def srt(parts: Sequence[Segment]) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_time(part.start, ',')} --> {_time(part.end, ',')}\n{part.text}\n"
        for number, part in enumerate(parts, 1)
    ]
    return "\n".join(blocks)


def vtt(parts: Sequence[Segment]) -> str:
    """WebVTT, https://www.w3.org/TR/webvtt1/: `&` and `<` are escaped."""
    blocks = [f"{_time(part.start, '.')} --> {_time(part.end, '.')}\n{_escaped(part.text)}\n" for part in parts]
    return "\n".join(["WEBVTT\n", *blocks])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(max(seconds, 0.0) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
