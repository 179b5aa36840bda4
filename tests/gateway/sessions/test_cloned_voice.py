"""A running talk whose character is given another voice."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from loopback import gateway, page
from scripted import Scripted, tone

from avatar_runtime.contracts import AvatarError, Code
from gateway.dialogue import Clause
from gateway.media import encode

SAMPLE = encode(tone(4.0), "wav")


def voices(script: Scripted) -> list[Any]:
    """Who spoke each clause: the latents, or the built-in voice's name."""
    return [what[4] if len(what) > 4 else what[2] for method, what in script.calls if method == "synthesize"]


class Story:
    """A dialogue of eight clauses; the next one is there when `go_on` is released."""

    def __init__(self) -> None:
        self.go_on = asyncio.Semaphore(0)

    async def answer(self, *_: Any) -> Any:
        for number in range(8):
            await self.go_on.acquire()
            yield Clause(f"Clause {number}.")


async def test_a_new_sample_is_heard_from_the_next_clause_on_without_a_gap() -> None:
    script, story = Scripted(voice=0.5, clones=True), Story()
    async with gateway(script, "ada") as (url, sessions), page(url) as one:
        (session,) = sessions.running
        session._conversation._dialogue = story
        one.tell(type="text", text="Tell me", mode="chat")
        for _ in range(3):
            story.go_on.release()
        await one.until(lambda: len(voices(script)) == 3)
        sessions._characters.give_sample("ada", SAMPLE, b"latents")
        await sessions.character_changed("ada")
        for _ in range(3):
            story.go_on.release()
        await one.until(lambda: len(voices(script)) == 6)
        sessions._characters.give_sample("ada", None)
        await sessions.character_changed("ada")
        for _ in range(2):
            story.go_on.release()
        await one.until(lambda: one.captions("avatar"), 12)
        assert voices(script) == ["hibari"] * 3 + [b"latents"] * 3 + ["hibari"] * 2
        assert one.captions("avatar") == [" ".join(f"Clause {number}." for number in range(8))]
        heard = one.loud()
        assert np.diff(heard).max() < 0.3, "no gap"
        assert heard[-1] - heard[0] > 3.5
        assert not one.of("notice") and one.of("state")[-1]["state"] == "idle"


async def test_a_sample_without_latents_gets_them_quietly() -> None:
    script = Scripted(voice=0.2, clones=True)
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE)
        async with page(url) as one:
            await one.until(lambda: sessions._characters.voice_latents("ada"))
            one.tell(type="text", text="Hello", mode="say")
            await one.until(lambda: one.captions("avatar"))
            assert voices(script) == [b"latents"] and not one.of("notice")


async def test_an_engine_that_appears_learns_the_voice_of_a_running_talk() -> None:
    script = Scripted(voice=0.2)
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE)
        async with page(url) as one:
            one.tell(type="text", text="Hello", mode="say")
            await one.until(lambda: one.captions("avatar"))
            script.clones = True
            await one.until(lambda: sessions._characters.voice_latents("ada"))
            one.tell(type="text", text="Again", mode="say")
            await one.until(lambda: len(one.captions("avatar")) == 2)
            assert voices(script) == ["hibari", b"latents"]


async def test_latents_of_other_weights_are_made_anew_before_the_clause_is_spoken() -> None:
    script = Scripted(voice=0.2, clones=True, weights=b"new")
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE, b"old")
        async with page(url) as one:
            one.tell(type="text", text="Hello", mode="say")
            await one.until(lambda: one.captions("avatar"))
            assert voices(script) == [b"old", b"new"] and not one.of("notice")
            assert sum(method == "clone" for method, _ in script.calls) == 1


async def test_latents_that_are_refused_again_leave_it_to_the_built_in_voice() -> None:
    script = Scripted(voice=0.2, clones=True)
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE, b"old")
        script.weights = b"new"

        async def stubborn(audio: Any, engine: str) -> bytes:
            script.calls.append(("clone", engine))
            return b"still old"

        script.clone = stubborn  # type: ignore[method-assign]
        async with page(url) as one:
            for number in range(2):
                one.tell(type="text", text="Hello", mode="say")
                await one.until(lambda number=number: len(one.captions("avatar")) == number + 1)
            assert voices(script) == [b"old", b"still old", "hibari", "hibari"]
            assert sum(method == "clone" for method, _ in script.calls) == 1
            assert [notice["code"] for notice in one.of("notice")] == ["unknown_voice"], "told once"


async def test_a_recording_that_no_voice_can_be_made_of_is_told_once() -> None:
    script = Scripted(voice=0.2, clones=True)

    async def refuse(audio: Any, engine: str) -> bytes:
        raise AvatarError(Code.INVALID_AUDIO, "Nobody is heard speaking: record one person's voice.")

    script.clone = refuse  # type: ignore[method-assign]
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE)
        async with page(url) as one:
            for number in range(3):
                await asyncio.sleep(0.1)
                one.tell(type="text", text="Hello", mode="say")
                await one.until(lambda number=number: len(one.captions("avatar")) == number + 1)
            assert voices(script) == ["hibari"] * 3
            (notice,) = one.of("notice")
            assert notice["code"] == "invalid_audio" and "Nobody is heard speaking" in notice["message"]


async def test_an_engine_that_was_repaired_is_asked_again() -> None:
    script = Scripted(voice=0.2, clones=True)
    working = script.clone

    async def crash(audio: Any, engine: str) -> bytes:
        raise AvatarError(Code.INTERNAL, "Something went wrong.")

    script.clone = crash  # type: ignore[method-assign]
    async with gateway(script, "ada") as (url, sessions):
        sessions._characters.give_sample("ada", SAMPLE)
        async with page(url) as one:
            await one.until(lambda: sessions._clones.trouble(sessions._characters.get("ada")))
            script.clone, script.clones = working, False  # type: ignore[method-assign]
            await one.until(lambda: "voice" not in one.of("engines")[-1]["roles"])
            script.clones = True
            await one.until(lambda: sessions._characters.voice_latents("ada"))
