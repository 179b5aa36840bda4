"""The echo: the portrait says what it heard."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from gateway.dialogue.base import Clause, Line, Speaker


class Echo:
    """Answers with the same text, as one clause: the voice engine splits it itself."""

    kind = "echo"
    model: str | None = None

    async def answer(
        self, history: Sequence[Line], text: str, character: Speaker, language: str
    ) -> AsyncGenerator[Clause, None]:
        yield Clause(text)

    async def close(self) -> None:
        """There is nothing to give back."""
