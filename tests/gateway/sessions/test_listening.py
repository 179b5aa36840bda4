"""The ears without a track: windows go in as the voice activity engine gives them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from scripted import Scripted

from avatar_runtime.contracts import VAD_WINDOW
from gateway.sessions.health import Health
from gateway.sessions.listening import WINDOW_SECONDS, Ears
from gateway.sessions.scribe import Expected
from gateway.transcript import Heard


class Portrait:
    """What the ears tell, in order."""

    def __init__(self) -> None:
        self.busy = self.revocable = self.thinks = False
        self.told: list[str] = []
        self.texts: list[Awaitable[Heard | None]] = []

    def hold(self) -> None:
        self.told.append("hold")

    def release(self) -> None:
        self.told.append("release")

    def take_turn(self, reopen: bool) -> bool:
        self.busy = False
        self.told.append("reopened" if reopen else "taken")
        return reopen

    def turn_started(self, reopened: bool = False) -> None:
        self.told.append("started")

    def turn_heard(self, heard: Heard) -> None:
        return None

    def turn_paused(self, heard: Heard) -> None:
        self.told.append(f"paused: {heard.whole}")

    def turn_discarded(self) -> None:
        self.told.append("discarded")

    def turn_ended(self, heard: Awaitable[Heard | None], ended_at: float) -> None:
        self.texts.append(heard)
        self.busy = self.revocable = self.thinks
        self.told.append("ended")


class Listening:
    def __init__(self, script: Scripted, tasks: asyncio.TaskGroup) -> None:
        self.portrait, self.now = Portrait(), 0.0
        expected = Expected("", "en", "Ada")
        self.ears = Ears(script, Health(lambda message: None), self.portrait, 0.5, tasks, lambda: expected)

    async def hear(self, probability: float, seconds: float) -> None:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            self.ears._recording.append(np.full(VAD_WINDOW, 0.1, np.float32))
            self.ears._window(probability, self.now, self.now + WINDOW_SECONDS)
            self.now += WINDOW_SECONDS
            for _ in range(6):  # whoever was asked answers
                await asyncio.sleep(0)


@asynccontextmanager
async def listening(**script: Any) -> AsyncIterator[Listening]:
    async with asyncio.TaskGroup() as tasks:
        one = Listening(Scripted(**script), tasks)
        running = tasks.create_task(one.ears.run())
        yield one
        running.cancel()


async def test_a_complete_sentence_ends_the_turn_sooner_than_an_unfinished_one() -> None:
    spans = {}
    for text in ("I like it.", "I like it because"):
        async with listening(heard=text) as one:
            await one.hear(0.9, 1.0)
            while "ended" not in one.portrait.told:
                await one.hear(0.01, WINDOW_SECONDS)
            spans[text] = one.now - 1.0
            heard = await one.portrait.texts[0]
            assert heard is not None and heard.whole == text
    assert 0.3 < spans["I like it."] < 0.45 and 1.2 < spans["I like it because"] < 1.4


async def test_who_never_stops_has_turns_that_end_and_do_not_grow() -> None:
    async with listening(heard="And so on and on.") as one:
        one.portrait.thinks = True
        await one.hear(0.9, 29)
        assert one.portrait.told == ["started"]
        await one.hear(0.9, 3)
        # Not reopened: the turn has had its thirty seconds.
        assert one.portrait.told == ["started", "ended", "hold", "taken", "started"]


async def test_who_goes_on_soon_goes_on_with_the_same_turn() -> None:
    async with listening(heard="I like it.") as one:
        one.portrait.thinks = True
        await one.hear(0.9, 1.0)
        await one.hear(0.01, 0.5)
        assert one.portrait.told[-1] == "ended"
        before = one.ears.taking.endpointer.start
        await one.hear(0.01, 0.2)
        await one.hear(0.9, 0.6)
        assert one.portrait.told[-3:] == ["hold", "reopened", "started"]
        assert abs(one.ears.taking.endpointer.start - before) < 0.01


async def test_short_words_take_the_turn_a_murmur_does_not() -> None:
    for text, outcome in (("Stop!", ["hold", "taken", "started"]), ("Mhm.", ["hold", "release"])):
        async with listening(heard=text) as one:
            one.portrait.busy = True
            await one.hear(0.9, 0.25)
            await one.hear(0.01, 0.4)
            assert one.portrait.told[: len(outcome)] == outcome


async def test_ears_without_an_engine_end_the_turn_all_the_same() -> None:
    async with listening(missing={"stt"}) as one:
        await one.hear(0.9, 1.0)
        await one.hear(0.01, 0.7)
        assert one.portrait.told == ["started", "ended"]
        assert await one.portrait.texts[0] is None


async def test_a_microphone_that_is_switched_off_ends_the_turn() -> None:
    async with listening(heard="I like it.") as one:
        await one.hear(0.9, 1.0)
        one.ears.switch(False)
        assert one.portrait.told == ["started", "ended"]
        await one.hear(0.9, 1.0)
        assert one.portrait.told == ["started", "ended"]
