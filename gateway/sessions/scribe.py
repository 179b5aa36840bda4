"""The scribe: one turn of the person, written down while it is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Role
from gateway.sessions.closing import close_stream
from gateway.sessions.health import Health, crash
from gateway.transcript import Heard
from gateway.turns import Recording

LOOK = int(0.25 * LISTENING_RATE)  # samples of new sound that are worth a look …
FIRST_LOOKS = int(0.12 * LISTENING_RATE)  # … and in the first second of a turn: its first words are waited for
FIRST = LISTENING_RATE  # samples


@dataclass(frozen=True)
class Expected:
    """What the person may say."""

    language: str  # ISO 639-1; "" is any …
    likely: str  # … and this one, where the sound leaves it open
    name: str  # to be spelt right


class Scribe:
    """Reads the recording from sample `start` on. One request runs at a time; what comes meanwhile goes with the next.

    `told` gets what is heard after every look. An ear that fails is told to the person; then the whole turn is
    transcribed once more when its text is asked for.
    """

    def __init__(
        self,
        inference: Any,
        recording: Recording,
        start: int,
        expected: Expected,
        health: Health,
        tasks: Any,
        told: Callable[[Heard], None],
    ) -> None:
        self._inference, self._recording, self._health, self._told = inference, recording, health, told
        self._expected = expected
        self.start = self._sent = start
        self._stream: Any = inference.listen(expected.language, expected.name, expected.likely)
        self._failed = False
        self._free = asyncio.Lock()
        self._more = asyncio.Event()
        self._task = tasks.create_task(self._look())

    def more(self) -> None:
        """There is new sound with speech in it."""
        if self._worth_a_look:
            self._more.set()

    async def text(self) -> Heard | None:
        """All that was said until now; None when there is no ear for it (the person has been told)."""
        async with self._free:
            if not self._failed:
                heard = await self._push(flush=True)
                if heard is not None:
                    self._health.works(Role.STT)
                    return heard
            return await self._transcribe()

    async def close(self) -> None:
        """The turn needs nobody any more; who still waits for its text gets it first."""
        self._task.cancel()
        async with self._free:
            stream, self._stream = self._stream, None
            await close_stream(stream)

    async def _look(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            async with self._free:
                if self._failed or not self._worth_a_look:
                    continue
                heard = await self._push()
            if heard is not None:
                self._told(heard)

    @property
    def _worth_a_look(self) -> bool:
        new = self._recording.samples - self._sent
        return new >= (FIRST_LOOKS if self._sent - self.start < FIRST else LOOK)

    async def _push(self, flush: bool = False) -> Heard | None:
        end = self._recording.samples
        if self._stream is None:
            return None
        try:
            heard: Heard = await self._stream.push(self._recording.slice(self._sent, end), flush=flush)
        except AvatarError:
            self._failed = True  # the words before are lost with it
            return None
        self._sent = end
        return heard

    async def _transcribe(self) -> Heard | None:
        audio = self._recording.slice(self.start, self._recording.samples)
        try:
            found = await self._inference.transcribe(
                audio, language=self._expected.language, prompt=self._expected.name, likely=self._expected.likely
            )
        except AvatarError as error:
            self._health.failed(Role.STT, error)
            return None
        except Exception as error:
            self._health.failed(Role.STT, crash(error))
            return None
        self._health.works(Role.STT)
        return Heard(found.text, found.language, found.words)
