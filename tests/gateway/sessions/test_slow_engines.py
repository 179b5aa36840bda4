"""Engines that answer late, or never: the session stays, the person is told, and typing and the voice go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from loopback import gateway, page
from scripted import Scripted, ScriptedEars, ScriptedStream

from gateway.inference import Speech

LATE = 2.0  # s by which every answer of a slow server comes late


class Slow(Scripted):
    """Every answer of every role is late."""

    late = LATE

    def listen(self, language: str = "", prompt: str = "", likely: str = "") -> ScriptedEars:
        return _late(super().listen(language, prompt, likely), self)

    def vad(self) -> ScriptedStream:
        return _late(super().vad(), self)

    def motion(self, seed: int = 0) -> ScriptedStream:
        return _late(super().motion(seed), self)

    def render(self, portrait: bytes, engine: str | None = None) -> ScriptedStream:
        return _late(super().render(portrait, engine), self)

    async def synthesize(self, text: str, *rest: Any, **more: Any) -> AsyncIterator[Speech]:
        await asyncio.sleep(self.late)
        async for speech in super().synthesize(text, *rest, **more):
            yield speech


def _late(stream: Any, slow: Slow) -> Any:
    push = stream.push

    async def late_push(*arguments: Any, **more: Any) -> Any:
        await asyncio.sleep(slow.late)
        return await push(*arguments, **more)

    stream.push = late_push
    return stream


async def test_every_answer_two_seconds_late() -> None:
    async with gateway(Slow(voice=1.0)) as (url, sessions), page(url) as one:
        one.tell(type="text", text="Hello", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Hello"], 12)
        await one.until(lambda: len(one.loud()) >= 47)  # of 50 packets; the last are in the page's jitter buffer
        assert max(later - at for at, later in pairwise(one.loud())) < 0.3, "in one piece"
        one.mic.speak(0.6)
        await one.until(lambda: one.captions("user")[1:] == ["Hello there"], 20)
        await one.until(lambda: len(one.captions("avatar")) == 2, 20)
        assert one.frames, "the picture moves, if seldom"
        assert one.of("notice") == [] and sessions.running


class Mute(Scripted):
    """A voice that says nothing at all while `hung`, as long as one waits."""

    hung = True

    async def synthesize(self, text: str, *rest: Any, **more: Any) -> AsyncIterator[Speech]:
        if self.hung:
            await asyncio.Event().wait()
        async for speech in super().synthesize(text, *rest, **more):
            yield speech


async def test_a_voice_that_never_answers_is_written_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sessions.voice.SILENCE", 1.5)
    monkeypatch.setattr("gateway.sessions.voice.IMPATIENCE", 0.1)
    script = Mute(voice=0.2)
    async with gateway(script) as (url, _), page(url) as one:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        one.tell(type="text", text="First", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["First"])
        assert loop.time() - asked > 1.4
        assert [notice["code"] for notice in one.of("notice")] == ["engine_unavailable"]
        asked = loop.time()
        one.tell(type="text", text="Second", mode="chat")
        await one.until(lambda: one.captions("avatar")[1:] == ["Second"])
        assert loop.time() - asked < 1.0, "who has waited once waits no longer"
        script.hung = False
        one.tell(type="text", text="Third", mode="chat")
        await one.until(lambda: one.captions("avatar")[2:] == ["Third"] and one.loud())
        await one.until(lambda: one.of("notice")[-1]["code"] == "engine_back")


async def test_an_ear_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sessions.scribe.PATIENCE", 0.3)

    class Deaf(Scripted):
        async def transcribe(self, *_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

    script = Deaf(voice=0.2)
    script.missing.add("stt")  # the stream has failed: the turn is tried once more, as a whole
    async with gateway(script) as (url, _), page(url) as one:
        one.mic.speak(0.5)
        await one.until(lambda: one.of("notice"))
        assert "cannot understand" in one.of("notice")[0]["message"]
        await one.until(lambda: one.of("state")[-1]["state"] == "idle")
        one.tell(type="text", text="Typed", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Typed"])
