"""DESIGN.md section 5: what fails, and what the person sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest
from loopback import gateway, page
from scripted import Scripted

from avatar_runtime.contracts import AvatarError, Code
from gateway.dialogue import Clause, Echo, Line, Speaker


def codes(one: object) -> list[tuple[str, str]]:
    return [(message["code"], message["level"]) for message in one.of("notice")]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here comes back by itself."""
    for module in ("scribe", "voice"):
        monkeypatch.setattr(f"gateway.sessions.{module}.RETURN", 0.1)


async def test_without_stt_typing_works() -> None:
    script = Scripted(missing={"stt"}, voice=0.2)
    async with gateway(script) as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.5)
        await one.until(lambda: one.of("notice"))
        assert codes(one) == [("engine_unavailable", "warning")]
        await one.until(lambda: one.of("state")[-1]["state"] == "idle")
        one.tell(type="text", text="Hello", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Hello"])


async def test_without_tts_the_answer_is_written() -> None:
    script = Scripted(missing={"tts"})
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="Hello", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        assert codes(one) == [("engine_unavailable", "warning")]
        script.missing.clear()
        script.voice = 0.2
        one.tell(type="text", text="Again", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Hello", "Again"])
        assert codes(one)[-1] == ("engine_back", "info")


@pytest.mark.parametrize("role", ["render", "motion"])
async def test_without_a_moving_picture_the_voice_works_and_the_picture_comes_back(role: str) -> None:
    script = Scripted(missing={role}, voice=0.4)
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="Hello", mode="chat")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        await asyncio.sleep(0.3)  # what is still in the page's jitter buffer
        assert len(one.loud()) == pytest.approx(20, abs=2)
        assert one.frames == []
        assert codes(one) == [("engine_unavailable", "warning")]
        script.missing.clear()
        await one.until(lambda: one.frames, 6.0)
        await one.until(lambda: codes(one)[-1] == ("engine_back", "info"))


async def test_a_server_that_dies_and_returns_leaves_the_session_up() -> None:
    script = Scripted(voice=0.3)
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        script.missing |= {"vad", "stt", "tts", "motion", "render"}
        await one.until(lambda: len(one.of("notice")) == 2)  # ears and face notice by themselves, each says it once
        await asyncio.sleep(1.0)
        assert len(one.of("notice")) == 2
        assert len(one.frames) > 25  # the last picture goes on being sent
        script.missing.clear()
        await one.until(lambda: codes(one).count(("engine_back", "info")) == 2, 6.0)
        one.mic.speak(0.5)
        await one.until(lambda: one.captions("avatar") == ["Hello there"])
        assert sessions.running


async def test_a_renderer_at_15_fps_delays_no_sound() -> None:
    script = Scripted(voice=3.0, frame_seconds=0.066)
    async with gateway(script) as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        one.tell(type="text", text="Hello", mode="say")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        loud = one.loud()
        assert loud[-1] - loud[0] == pytest.approx(3.0, abs=0.3)
        during = [luma for at, luma in one.frames if loud[0] <= at <= loud[-1]]
        changes = sum(abs(b - a) > 5 for a, b in pairwise(during))
        assert changes > 3 * 7  # new pictures; the renderer can make 15 a second at most


async def test_engines_are_told_on_connect_and_on_change() -> None:
    script = Scripted()
    async with gateway(script) as (url, _), page(url) as one:
        await one.until(lambda: one.of("engines"))
        script.missing.add("tts")
        await one.until(lambda: one.of("engines")[-1]["roles"]["tts"]["ready"] is False, 4.0)


async def test_a_portrait_without_a_face_is_said_once_and_not_tried_again() -> None:
    script = Scripted(voice=0.3, refusal=AvatarError(Code.NO_FACE, "There is no face in the picture."))
    async with gateway(script, "ada", "bob") as (url, _), page(url) as one:
        one.tell(type="text", text="Hello", mode="say")
        await one.until(lambda: one.captions("avatar") == ["Hello"])
        assert len([call for call in script.calls if call[0] == "render"]) == 1
        script.refusal = None
        one.tell(type="character", id="bob")
        await one.until(lambda: one.frames)


async def test_a_bug_in_the_dialogue_is_told_and_the_session_goes_on() -> None:
    class Broken(Echo):
        async def answer(
            self, history: Sequence[Line], text: str, character: Speaker, language: str
        ) -> AsyncGenerator[Clause, None]:
            yield Clause(text)
            if text == "secret words":
                raise ZeroDivisionError(text)

    script = Scripted(voice=0.2)
    async with gateway(script) as (url, sessions), page(url) as one:
        sessions.running.copy().pop()._conversation._dialogue = Broken()
        one.tell(type="text", text="secret words", mode="chat")
        await one.until(lambda: one.of("notice"))
        assert codes(one) == [("internal", "error")]
        await one.until(lambda: one.of("state")[-1]["state"] == "idle")
        one.tell(type="text", text="Hello", mode="chat")
        await one.until(lambda: one.captions("avatar")[-1:] == ["Hello"])
