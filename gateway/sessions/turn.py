"""What the person says or writes, once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Turn:
    """One turn of the person."""

    id: str
    spoken: bool
    text: str = ""
    language: str = ""  # ISO 639-1, as heard; "" is unknown
    known_at: float | None = None  # when `text` was known (event loop time)
    shown: bool = False  # as a caption
    remembered: bool = False
