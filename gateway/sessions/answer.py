"""An answer in the making: the dialogue's clauses and their sound, made ahead a little, without anybody noticing.

It is begun on suspicion, while the person may still go on: until somebody reads `items` nothing is shown, heard or
remembered, and a few pieces ahead it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from characters import Character
from gateway.dialogue import Clause
from gateway.inference import Speech
from gateway.sessions.health import crash
from gateway.sessions.voice import Voice

AHEAD: Final = 2  # pieces made before somebody wants them: the first clause and its sound


@dataclass(frozen=True)
class Mute:
    """The voice has failed: from here on there are clauses alone."""

    error: AvatarError


@dataclass(frozen=True)
class Broken:
    """The dialogue has failed: no more comes. Raised where the answer is wanted."""

    error: AvatarError


Item = Clause | Speech | Mute | Broken


class Answer:
    """Makes itself in a task of its own; `drop` it, or read `items` to the end."""

    def __init__(
        self,
        clauses: AsyncGenerator[Clause, None],
        voice: Voice,
        character: Callable[[], Character],
        language: str,
        tasks: Any,
    ) -> None:
        """`character` says for each clause who speaks: he may have been given another voice since the last."""
        self._voice, self._character, self.language = voice, character, language
        self._items: asyncio.Queue[Item | None] = asyncio.Queue(AHEAD)
        self.first_clause_at: float | None = None  # event loop time
        self._task = tasks.create_task(self._make(clauses))

    def drop(self) -> None:
        self._task.cancel()

    async def items(self) -> AsyncIterator[Item]:
        """Each clause followed by its sound. A cancelled reader drops the answer."""
        try:
            while (item := await self._items.get()) is not None:
                yield item
        finally:
            self.drop()

    async def _make(self, clauses: AsyncGenerator[Clause, None]) -> None:
        try:
            async with aclosing(clauses):
                await self._speak(clauses)
        except AvatarError as error:
            await self._items.put(Broken(error))
        except Exception as error:
            await self._items.put(Broken(crash(error)))
        await self._items.put(None)

    async def _speak(self, clauses: AsyncGenerator[Clause, None]) -> None:
        mute = spoken = False
        unspeakable: AvatarError | None = None
        async for clause in clauses:
            if self.first_clause_at is None:
                self.first_clause_at = asyncio.get_running_loop().time()
            await self._items.put(clause)
            if mute:
                continue
            try:
                language = clause.language or self.language
                async with aclosing(self._voice.say(clause.said, self._character(), language)) as chunks:
                    async for chunk in chunks:
                        spoken = True
                        await self._items.put(chunk)
            except AvatarError as error:
                if error.code is Code.INVALID_TEXT:
                    unspeakable = error  # a clause of signs alone; the others may have words
                    continue
                mute = True
                await self._items.put(Mute(error))
        if unspeakable is not None and not spoken and not mute:
            raise unspeakable
