"""The echo: the portrait says what it heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gateway.dialogue.base import Line, Speaker


class Echo:
    """Answers with the same text, as one clause: the voice engine splits it itself."""

    async def answer(self, history: Sequence[Line], text: str, character: Speaker) -> AsyncIterator[str]:
        yield text
