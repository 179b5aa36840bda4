"""The voice's patience with an engine that dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from loopback import character

from avatar_runtime.contracts import AvatarError, Code
from gateway.cloning import Clones
from gateway.inference import Speech
from gateway.sessions import voice as module
from gateway.sessions.voice import Voice, after

AWAY = AvatarError(Code.ENGINE_UNAVAILABLE, "tts_x is not available at the moment.")


@dataclass
class Engine:
    """Says a word a chunk; `dies` is how many it says before it dies, for each life."""

    dies: list[int | None] = field(default_factory=lambda: [None])
    asked: list[str] = field(default_factory=list)

    async def catalogue(self) -> dict[str, Any]:
        return {}

    async def synthesize(self, text: str, **_: Any) -> AsyncIterator[Speech]:
        self.asked.append(text)
        left = self.dies.pop(0) if len(self.dies) > 1 else self.dies[0]
        for count, word in enumerate(text.split()):
            if count == left:
                raise AWAY
            yield Speech(np.zeros(960, np.float32), word, [], np.zeros((0, 2), np.float32))
        if left is not None and left >= len(text.split()):
            raise AWAY


def voice_of(engine: Engine) -> Voice:
    return Voice(engine, Clones(engine, None), lambda error: None)  # type: ignore[arg-type]  # no clones here


async def said(voice: Voice, text: str) -> list[str]:
    async with aclosing(voice.say(text, character("ada"))) as chunks:
        return [chunk.text async for chunk in chunks]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.001)
    monkeypatch.setattr(module, "RETURN", 0.05)


async def test_the_rest_is_said_once_the_engine_is_back() -> None:
    engine = Engine([2, 0, 0, None])
    assert await said(voice_of(engine), "One two, three four.") == ["One", "two,", "three", "four."]
    assert engine.asked == ["One two, three four.", " three four.", " three four.", " three four."]


async def test_who_had_said_everything_before_it_died_is_not_asked_again() -> None:
    engine = Engine([2])
    assert await said(voice_of(engine), "One two.") == ["One", "two."]
    assert len(engine.asked) == 1


async def test_an_engine_that_stays_away_is_waited_for_once() -> None:
    engine = Engine([0])
    voice = voice_of(engine)
    for _ in range(2):
        attempts = len(engine.asked)
        with pytest.raises(AvatarError) as caught:
            await said(voice, "Two.")
        assert caught.value is AWAY
    assert attempts > 1 and len(engine.asked) == attempts + 1
    engine.dies = [None]
    assert await said(voice, "Two.") == ["Two."]


@pytest.mark.parametrize(
    ("text", "piece", "rest"),
    [
        ("One, two. Three.", "One, two.", " Three."),
        ("One, two. Three.", " One, two. ", " Three."),
        ("One two.", "else", "One two."),
        ("One two.", "", "One two."),
    ],
)
def test_what_is_left(text: str, piece: str, rest: str) -> None:
    assert after(text, piece) == rest
