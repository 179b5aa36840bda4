"""What a clause shows becomes what the voice reads."""

from __future__ import annotations


def spoken(text: str, language: str) -> str:
    """`text` as it would be read aloud in `language`."""
    return text
