"""How the portrait sounds: with the character's cloned voice where an engine can speak it, else with a built-in one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from characters import Character
from gateway.cloning import Clone, Clones
from gateway.inference import Speech
from gateway.sessions.backoff import AGAIN, RETURN

#: What an engine says to latents that are not of its weights, or that the disk has spoiled.
_REFUSED: Final = frozenset({Code.UNKNOWN_VOICE, Code.INVALID_REQUEST})

SILENCE: Final = 10.0  # s that an engine may take to its next sound …
IMPATIENCE: Final = 4.0  # … and one that took longer than that: until it is back, answers are written


class Voice:
    """Speaks clauses. Each is spoken as the character is then: a new sample is heard from the next clause on."""

    def __init__(self, inference: Any, clones: Clones, tell: Callable[[AvatarError], None]) -> None:
        """`tell` lets the person know, once for each recording, that no voice can be made of it."""
        self._inference, self._clones, self._tell = inference, clones, tell
        self._told: str | None = None  # the last sample that was told of
        self._patience = SILENCE
        self._waits = True  # for an engine that is away; not again for one that did not come back

    async def say(self, clause: str, character: Character, language: str = "") -> AsyncGenerator[Speech, None]:
        """`clause`, chunk by chunk. Raises AvatarError.

        An engine that dies is waited for, and then says the rest. Latents that it refuses are made anew, once.
        `language` (ISO 639-1) is one that the character's engine speaks; "" is the character's own.
        """
        loop = asyncio.get_running_loop()
        rest, until = clause, 0.0
        while True:
            try:
                async with aclosing(self._attempt(rest, character, language)) as chunks:
                    async for chunk in chunks:
                        rest, until, self._waits = after(rest, chunk.text), 0.0, True
                        yield chunk
                return
            except AvatarError as error:
                if rest != clause and not rest.strip():
                    return  # it had said everything
                until = until or loop.time() + RETURN
                if error.code is not Code.ENGINE_UNAVAILABLE or not self._waits or loop.time() > until:
                    self._waits = False
                    raise
            await asyncio.sleep(AGAIN)

    async def _attempt(self, clause: str, character: Character, language: str) -> AsyncGenerator[Speech, None]:
        language = language or character.language
        clone = await self._clones.of(character)
        while clone is not None:
            begun = False
            try:
                async with aclosing(self._cloned(clause, language, clone)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except AvatarError as error:
                if begun or error.code not in _REFUSED:
                    raise
                clone = await self._clones.renew(character, clone)
        self._explain(character)
        # In another language the engine's own voice for it is understood best.
        own = character.voice.id if language == character.language else ""
        voice = self._inference.synthesize(clause, language=language, voice=own, engine=character.voice.engine or None)
        async with aclosing(self._in_time(voice)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _in_time(self, chunks: AsyncGenerator[Speech, None]) -> AsyncGenerator[Speech, None]:
        """`chunks`; `timeout` when the next is too long in coming: Triton itself would wait for ever."""
        async with aclosing(chunks):
            while True:
                try:
                    async with asyncio.timeout(self._patience):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    self._patience = IMPATIENCE
                    raise AvatarError(Code.TIMEOUT, "The voice took too long.") from error
                self._patience = SILENCE
                yield chunk

    def _explain(self, character: Character) -> None:
        trouble = self._clones.trouble(character)
        if trouble is not None and self._told != character.voice.sample:
            self._told = character.voice.sample
            why = f"{trouble.message} Until then a built-in voice speaks."
            self._tell(AvatarError(trouble.code, f"The recorded voice cannot be used. {why}"))

    def _cloned(self, clause: str, language: str, clone: Clone) -> AsyncGenerator[Speech, None]:
        voice = self._inference.synthesize(clause, language=language, engine=clone.engine, latents=clone.latents)
        return self._in_time(voice)


def after(text: str, said: str) -> str:
    """What of `text` is left once `said`, a piece of it, has been spoken; all of it where that is not in it."""
    at = text.find(said.strip()) if said.strip() else -1
    return text if at < 0 else text[at + len(said.strip()) :]
