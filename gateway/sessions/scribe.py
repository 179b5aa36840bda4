"""The scribe: one turn of the person, written down while it is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from avatar_runtime.contracts import LISTENING_RATE, AvatarError, Code, Role
from gateway.sessions.backoff import AGAIN, RETURN
from gateway.sessions.closing import close_stream
from gateway.sessions.health import Health, crash
from gateway.transcript import Heard, Transcript
from gateway.turns import Recording

LOOK = int(0.35 * LISTENING_RATE)  # samples of new sound that are worth a look …
FIRST_LOOKS = int(0.12 * LISTENING_RATE)  # … and in the first second of a turn: its first words are waited for
FIRST = LISTENING_RATE  # samples
SLOW = 0.4  # s: an ear that needs longer for a look has others to listen to as well …
REST = 2.0  # … and gets so many times as long until the next; the words at the end of a turn need not wait for it
BREATH = int(0.25 * LISTENING_RATE)  # samples of new sound, before a moment of silence, that are worth hearing at once
ENDING = int(0.1 * LISTENING_RATE)  # samples of a voice that dies away: no word is in them
PATIENCE = 8.0  # s that a second try of a turn may take, and as long as the turn was; the first had 10
UNHEARD = int(0.2 * LISTENING_RATE)  # samples at the end, silence among them, that change nothing any more


def letters(text: str) -> str:
    """What of a text has to be the same: capitals and commas come and go while one listens."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def enough(heard: int, took: float) -> int:
    """How many new samples are worth a look, `heard` samples into a turn, when the last look took so many seconds."""
    least = FIRST_LOOKS if heard < FIRST else LOOK
    return max(least, int(REST * took * LISTENING_RATE)) if took > SLOW else least


@dataclass(frozen=True)
class Expected:
    """What the person may say."""

    language: str  # ISO 639-1; "" is any …
    likely: str  # … and this one, where the sound leaves it open
    name: str  # to be spelt right


class Scribe:
    """Reads the recording from sample `start` on. One request runs at a time; what comes meanwhile goes with the next.

    `told` gets what is heard after every look, and whether that is all that was said until then. An ear that fails is
    told to the person; then the whole turn is transcribed once more when its text is asked for.
    """

    def __init__(
        self,
        inference: Any,
        recording: Recording,
        start: int,
        expected: Expected,
        health: Health,
        tasks: Any,
        told: Callable[[Heard, bool], None],
    ) -> None:
        self._inference, self._recording, self._health, self._told = inference, recording, health, told
        self._expected = expected
        self.start = self._sent = start
        self._stream: Any = inference.listen(expected.language, expected.name, expected.likely)
        self._failed = False
        self._free = asyncio.Lock()
        self._more = asyncio.Event()
        self._breath = False
        self._took = 0.0  # s, the last look
        self._before: Heard | None = None  # what the look before the last heard
        self._last: Heard | None = None
        self._last_until = 0
        self._whole: Heard | None = None  # all that was said …
        self._whole_until = 0  # … before this sample
        self._task = tasks.create_task(self._look())

    def more(self) -> None:
        """There is new sound with speech in it."""
        if self._worth_a_look:
            self._more.set()

    def breath(self) -> None:
        """A moment of silence. It may be the beginning of a longer one: all until now is looked at at once."""
        if self._recording.samples - self._sent >= BREATH:
            self._breath = True
            self._more.set()

    async def text(self, until: int) -> Heard | None:
        """All that was said before the sample `until`; None when there is no ear for it (the person has been told)."""
        async with self._free:
            self._agree(until)
            if self._whole is not None and self._whole_until >= until - ENDING:
                self._health.works(Role.STT)
                return self._whole
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
                breath, self._breath = self._breath, False
                if breath and self._agree(self._recording.samples):
                    heard = self._whole
                elif self._failed or not (breath or self._worth_a_look):
                    continue
                else:
                    heard = await self._push(flush=breath)
            if heard is not None:
                self._told(heard, breath)

    @property
    def _worth_a_look(self) -> bool:
        return self._recording.samples - self._sent >= enough(self._sent - self.start, self._took)

    async def _push(self, flush: bool = False) -> Heard | None:
        end = self._recording.samples
        if self._stream is None:
            return None
        began = asyncio.get_running_loop().time()
        try:
            heard: Heard = await self._stream.push(self._recording.slice(self._sent, end), flush=flush)
        except AvatarError:
            self._failed = True  # the words before are lost with it
            return None
        except Exception as error:
            self._health.failed(Role.STT, crash(error))
            self._failed = True
            return None
        self._sent, self._took = end, asyncio.get_running_loop().time() - began
        if flush:
            self._whole, self._whole_until = heard, end
        self._before, self._last, self._last_until = self._last, heard, end
        return heard

    def _agree(self, until: int) -> bool:
        """Whether the last two looks, of which the last came almost to `until`, heard the same: then that is all."""
        before, last = self._before, self._last
        if before is None or last is None or until - self._last_until > UNHEARD or not letters(last.whole):
            return False
        if letters(before.whole) != letters(last.whole):
            return False
        self._whole, self._whole_until = last, max(until, self._whole_until)
        return True

    async def _transcribed(self, audio: Any) -> Transcript:
        """All at once. An engine that has died is waited for, unless the person knows already that it is away."""
        until = asyncio.get_running_loop().time() + (0 if Role.STT in self._health.failing else RETURN)
        while True:
            try:
                found: Transcript = await self._inference.transcribe(
                    audio, language=self._expected.language, prompt=self._expected.name, likely=self._expected.likely
                )
                return found
            except AvatarError as error:
                if error.code is not Code.ENGINE_UNAVAILABLE or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(AGAIN)

    async def _transcribe(self) -> Heard | None:
        audio = self._recording.slice(self.start, self._recording.samples)
        try:
            async with asyncio.timeout(max(PATIENCE, len(audio) / LISTENING_RATE)):
                found = await self._transcribed(audio)
        except AvatarError as error:
            self._health.failed(Role.STT, error)
            return None
        except TimeoutError:
            self._health.failed(Role.STT, AvatarError(Code.TIMEOUT, "The ear took too long."))
            return None
        except Exception as error:
            self._health.failed(Role.STT, crash(error))
            return None
        self._health.works(Role.STT)
        return Heard(found.text, found.language, found.words)
